"""Deterministic names. A crash between allocating a number and using the name costs a repeat, never a twin."""

import re

_JOB = re.compile(r"^(?P<model>.+)-(?P<release>\d{4,})-a(?P<attempt>\d+)$")


def job(model: str, release: int, attempt: int) -> str:
    """Azure ML job of one attempt of a release: `flight-duration-0007-a1`."""
    return f"{model}-{release:04d}-a{attempt}"


def model_of_job(name: str) -> str | None:
    """The model that a job's name belongs to, or None for a job that Upkeep never named."""
    match = _JOB.match(name)
    return match["model"] if match else None


def deployment(release: int) -> str:
    """Online deployment of a release: a letter first, at most 32 characters."""
    return f"r{release:04d}"


def endpoint(written: str, token: str) -> str:
    """Online endpoint of an installation: its name is unique in the whole region, whoever's subscription it is in."""
    return f"{written}-{token}" if token else written


def release_of_deployment(name: str) -> int | None:
    """The release that a deployment's name belongs to, or None for a stranger's."""
    return int(name[1:]) if re.fullmatch(r"r\d{4,}", name) else None


def is_ours(name: str, last_release: int) -> bool:
    """Whether a deployment's name is that of a release of the model, up to the last one that began."""
    release = release_of_deployment(name)
    return release is not None and release <= last_release


def data_asset(model: str) -> str:
    """Azure ML data asset whose versions are the manifests of the model."""
    return f"{model}-data"


def part_path(part: str) -> str:
    """Path of a part inside the model's folder of the accepted container."""
    return f"parts/{part}.parquet"


def manifest_path(model: str, version: str) -> str:
    """Path of a manifest in the accepted container."""
    return f"{model}/manifests/{version}.json"


def output_path(model: str, job_name: str, output: str) -> str:
    """Folder of a job's output in the runs container."""
    return f"{model}/{job_name}/{output}"


def card_path(model: str, version: int) -> str:
    """Path of a version's model card in the runs container: JSON, and as Markdown under .md."""
    return f"{model}/cards/{version}.json"


def registry_model(registry: str, model: str, version: int) -> str:
    """Id of a version of a registry."""
    return f"azureml://registries/{registry}/models/{model}/versions/{version}"


NO_CHAMPION = "no-champion"
ACCEPTED_DATASTORE = "upkeep_accepted"
RUNS_DATASTORE = "upkeep_runs"
ACCEPTED = "accepted"
RUNS = "runs"
LANDING = "landing"
QUARANTINE = "quarantine"
STATE = "upkeep"


def datastore_uri(datastore: str, path: str) -> str:
    """The short form of a path on a datastore of the workspace."""
    return f"azureml://datastores/{datastore}/paths/{path}"
