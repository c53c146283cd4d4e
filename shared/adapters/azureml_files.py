"""Reads the Azure ML CLI v2 files of a model's folder with the SDK's own loaders, into typed values.

Called by `upkeep publish` only. What a file says and Upkeep would not carry over is refused, never dropped in
silence: the keys that are carried over stand here.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from azure.core.exceptions import AzureError

from shared.adapters.azureml_refusal import said
from shared.domain.publication import DataCollection, Probe
from shared.errors import BadInput


class EnvironmentFile(msgspec.Struct, frozen=True, kw_only=True):
    """An environment to register: a base image and, as JSON text with sorted keys, its conda file."""

    image: str
    conda: str


class JobFile(msgspec.Struct, frozen=True, kw_only=True):
    """A command job. `environment` is an id when it names one that is registered already."""

    command: str
    code: Path
    environment: EnvironmentFile | str
    compute: str
    instance_type: str | None
    environment_variables: dict[str, str]
    inputs: dict[str, str | None]
    """The declared inputs by name: text of a literal, None of data."""
    outputs: tuple[str, ...]


class DeploymentFile(msgspec.Struct, frozen=True, kw_only=True):
    """A managed online deployment. Its own name and model are placeholders that Upkeep fills in."""

    name: str
    endpoint: str
    code: Path
    scoring_script: str
    environment: EnvironmentFile | str
    instance_type: str
    instance_count: int
    environment_variables: dict[str, str]
    request_timeout_ms: int | None
    max_concurrent_requests_per_instance: int | None
    max_queue_wait_ms: int | None
    liveness_probe: Probe | None
    readiness_probe: Probe | None
    app_insights_enabled: bool
    data_collector: DataCollection | None


_LABELS = {"$schema", "type", "name", "display_name", "experiment_name", "description", "tags"}
_JOB_KEYS = _LABELS | {
    *("code", "command", "environment", "environment_variables", "compute", "inputs", "outputs"),
    *("resources.instance_type", "resources.instance_count"),
}
_DEPLOYMENT_KEYS = _LABELS | {
    *("endpoint_name", "model", "environment", "environment_variables", "instance_type", "instance_count"),
    *("code_configuration.code", "code_configuration.scoring_script", "app_insights_enabled"),
    *(f"request_settings.{key}" for key in ("request_timeout_ms", "max_queue_wait_ms")),
    "request_settings.max_concurrent_requests_per_instance",
    *("liveness_probe", "readiness_probe", "scale_settings.type"),
    *(f"data_collector.{key}" for key in ("collections", "sampling_rate", "rolling_rate")),
}
_NESTED = {"resources", "code_configuration", "request_settings", "scale_settings", "data_collector"}
_ENVIRONMENT_KEYS = {"$schema", "name", "version", "description", "tags", "image", "conda_file"}


def read_job(path: Path) -> JobFile:
    """A command job's file; BadInput says what of it cannot be used."""
    from azure.ai.ml import load_job

    job, raw = load(path, load_job, _JOB_KEYS)
    if raw.get("type", "command") != "command":
        raise BadInput(f"{path}: is a job of type {raw['type']}; Upkeep runs command jobs")
    resources = raw.get("resources") or {}
    if resources.get("instance_count", 1) != 1:
        raise BadInput(f"{path}: resources.instance_count must be 1: Upkeep trains on one node")
    if not raw.get("code"):
        raise BadInput(f"{path}: code is missing: it names the folder of the training code")
    inputs = raw.get("inputs") or {}
    return JobFile(
        command=str(job.command),
        code=folder_of(path, str(raw["code"])),
        environment=environment_of(path, job.environment, raw.get("environment")),
        compute=str(job.compute or ""),
        instance_type=resources.get("instance_type"),
        environment_variables=_texts(job.environment_variables),
        inputs={name: None if isinstance(value, Mapping) else literal(value) for name, value in inputs.items()},
        outputs=tuple(raw.get("outputs") or ()),
    )


def read_deployment(path: Path) -> DeploymentFile:
    """A managed online deployment's file; BadInput says what of it cannot be used."""
    from azure.ai.ml import load_online_deployment

    deployment, raw = load(path, load_online_deployment, _DEPLOYMENT_KEYS)
    if (raw.get("scale_settings") or {}).get("type", "default") != "default":
        raise BadInput(f"{path}: scale_settings.type must be default: Upkeep keeps the number of instances fixed")
    configuration = raw.get("code_configuration") or {}
    if not configuration.get("code") or not configuration.get("scoring_script"):
        raise BadInput(f"{path}: code_configuration needs both code and scoring_script")
    if not deployment.instance_type:
        raise BadInput(f"{path}: instance_type is missing")
    request = deployment.request_settings
    return DeploymentFile(
        name=str(deployment.name),
        endpoint=str(deployment.endpoint_name),
        code=folder_of(path, str(configuration["code"])),
        scoring_script=str(configuration["scoring_script"]),
        environment=environment_of(path, deployment.environment, raw.get("environment")),
        instance_type=str(deployment.instance_type),
        instance_count=int(deployment.instance_count or 1),
        environment_variables=_texts(deployment.environment_variables),
        request_timeout_ms=request.request_timeout_ms if request else None,
        max_concurrent_requests_per_instance=request.max_concurrent_requests_per_instance if request else None,
        max_queue_wait_ms=request.max_queue_wait_ms if request else None,
        liveness_probe=_probe(deployment.liveness_probe),
        readiness_probe=_probe(deployment.readiness_probe),
        app_insights_enabled=bool(deployment.app_insights_enabled),
        data_collector=_data_collection(path, deployment.data_collector),
    )


def read_endpoint(path: Path) -> tuple[str, Any]:
    """An online endpoint's name, and the SDK's own object to create it from."""
    from azure.ai.ml import load_online_endpoint

    endpoint, raw = load(path, load_online_endpoint, None)
    if raw.get("traffic") or raw.get("mirror_traffic"):
        raise BadInput(f"{path}: traffic and mirror_traffic are Upkeep's to set; take them out")
    if not endpoint.name:
        raise BadInput(f"{path}: name is missing")
    return str(endpoint.name), endpoint


def load(path: Path, loader: Callable[[str], Any], keys: set[str] | None) -> tuple[Any, dict[str, Any]]:
    """The SDK's object of a file, and the file as plain values; BadInput for keys that are not among `keys`."""
    raw = plain(path)
    with refusing(path):
        loaded = loader(str(path))
    if keys is not None and (unknown := sorted(set(_paths(raw)) - keys)):
        raise BadInput(*(f"{path}: {key} is nothing that Upkeep carries over; take it out" for key in unknown))
    return loaded, raw


def plain(path: Path) -> dict[str, Any]:
    """A file of YAML as plain values."""
    import yaml

    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise BadInput(f"{path}: is not YAML: {said(error)}") from error
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from error
    if not isinstance(raw, dict):
        raise BadInput(f"{path}: is not a mapping of keys to values")
    return raw


@contextmanager
def refusing(path: Path) -> Iterator[None]:
    """Tell what the SDK's loader refuses as a mistake in that file."""
    from marshmallow.exceptions import ValidationError

    # Data collectors and monitors say on each use that their classes are experimental.
    logging.getLogger("azure.ai.ml._utils._experimental").setLevel(logging.ERROR)
    try:
        yield
    except (AzureError, ValidationError, NotImplementedError) as error:
        raise BadInput(f"{path}: Azure ML refuses it: {said(error)}") from error
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from error


def _paths(raw: Mapping[str, Any]) -> Iterator[str]:
    for key, value in raw.items():
        if key in _NESTED and isinstance(value, Mapping):
            yield from (f"{key}.{inner}" for inner in value)
        else:
            yield key


def environment_of(path: Path, found: Any, raw: Any) -> EnvironmentFile | str:
    """An environment that stands in the file, or the reference to one that is registered."""
    if found is None:
        raise BadInput(f"{path}: environment is missing")
    if isinstance(found, str):
        reference = str(raw)
        if "@" in reference:
            raise BadInput(f"{path}: environment {reference} moves by itself; name a version of it")
        return reference
    if unknown := sorted(set(raw) - _ENVIRONMENT_KEYS) if isinstance(raw, Mapping) else []:
        raise BadInput(f"{path}: environment.{unknown[0]} is nothing that Upkeep carries over; take it out")
    if not found.image:
        raise BadInput(f"{path}: environment.image is missing")
    return EnvironmentFile(image=found.image, conda=json.dumps(found.conda_file, sort_keys=True))


def folder_of(path: Path, code: str) -> Path:
    """The folder of code that a file names."""
    folder = (path.parent / code).resolve()
    if not folder.is_dir():
        raise BadInput(f"{path}: code must be a folder, and {code} is none")
    return folder


def _probe(found: Any) -> Probe | None:
    if found is None:
        return None
    return Probe(
        initial_delay_s=found.initial_delay,
        period_s=found.period,
        timeout_s=found.timeout,
        success_threshold=found.success_threshold,
        failure_threshold=found.failure_threshold,
    )


def _data_collection(path: Path, found: Any) -> DataCollection | None:
    if found is None:
        return None
    # A place or an identity of its own would be one for all releases: their data could not be told apart.
    for name, collection in found.collections.items():
        for key in ("data", "client_id"):
            if getattr(collection, key) is not None:
                where = f"data_collector.collections.{name}.{key}"
                raise BadInput(f"{path}: {where} is nothing that Upkeep carries over; take it out")
    on = tuple(sorted(name for name, each in found.collections.items() if str(each.enabled).lower() == "true"))
    if not on:
        return None
    return DataCollection(collections=on, sampling_rate=found.sampling_rate, rolling_rate=found.rolling_rate)


def _texts(found: Mapping[str, Any] | None) -> dict[str, str]:
    return {name: str(value) for name, value in (found or {}).items()}


def literal(value: object) -> str:
    """A literal input as text."""
    # As the Azure ML CLI does: true and false, not Python's True and False.
    return str(value).lower() if isinstance(value, bool) else str(value)
