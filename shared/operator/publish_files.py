"""Everything in a model's folder that is published, read and held against the spec and against itself.

Called by publish.py. Knows no cloud: ids of what will be registered are put in by the caller.
"""

import hashlib
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from shared.adapters import azureml_files as files
from shared.adapters.azureml_files import DeploymentFile, EnvironmentFile, JobFile
from shared.domain.publication import canonical
from shared.domain.spec import Spec
from shared.errors import BadInput
from shared.operator.publish_code import HASH_DIGITS
from shared.operator.reading import read_spec

INPUTS = frozenset({"manifest", "parts", "champion", "champion_version"})
OUTPUTS = frozenset({"model", "evaluation"})
_BINDING = re.compile(r"\$\{\{\s*(inputs|outputs)\.(\w+)\s*\}\}")


class Folder(msgspec.Struct, frozen=True, kw_only=True):
    """A model's folder. `endpoint` is the SDK's object, for when the endpoint is not there yet."""

    spec: Spec
    job: JobFile
    command: str
    deployment: DeploymentFile
    endpoint: Any
    sample_request: str
    answer_schema: str = ""


def read_folder(folder: Path, environment: str) -> Folder:
    """Read it whole; BadInput with one sentence per mistake."""
    spec = read_spec(folder, environment)
    job_path, rollout = folder / spec.training.job, spec.rollout
    job = files.read_job(job_path)
    endpoint_name, endpoint = files.read_endpoint(folder / rollout.endpoint)
    deployment = files.read_deployment(folder / rollout.deployment)
    problems = [f"{job_path}: {problem}" for problem in _job_problems(job)]
    if deployment.endpoint != endpoint_name:
        problems.append(
            f"{folder / rollout.deployment}: endpoint_name is {deployment.endpoint},"
            f" and the endpoint in {rollout.endpoint} is called {endpoint_name}"
        )
    if not (deployment.code / deployment.scoring_script).is_file():
        problems.append(
            f"{folder / rollout.deployment}: there is no {deployment.scoring_script} in the code's folder"
        )
    if problems:
        raise BadInput(*problems)
    return Folder(
        spec=spec,
        job=job,
        command=_with_literals(job),
        deployment=deployment,
        endpoint=endpoint,
        sample_request=_json(folder / rollout.sample_request),
        answer_schema=_json(folder / rollout.answer.schema) if rollout.answer and rollout.answer.schema else "",
    )


def environment_version(environment: EnvironmentFile) -> str:
    """Hash of what an environment is made of: equal ones are one version."""
    return hashlib.sha256(canonical(environment)).hexdigest()[:HASH_DIGITS]


def _job_problems(job: JobFile) -> Iterator[str]:
    """Inputs and outputs that Upkeep would not fill in, or that the command forgets."""
    used = {"inputs": set[str](), "outputs": set[str]()}
    for kind, name in _BINDING.findall(job.command):
        used[kind].add(name)
    literals = {name for name, value in job.inputs.items() if value is not None}
    for name in sorted(job.inputs.keys() - literals - INPUTS):
        yield f"the input {name} is data that Upkeep does not give; it gives {', '.join(sorted(INPUTS))}"
    for name in sorted(used["inputs"] - INPUTS - literals):
        yield f"the command uses ${{{{inputs.{name}}}}}, which is not declared"
    for name in sorted(used["outputs"] - OUTPUTS):
        yield f"the command uses ${{{{outputs.{name}}}}}; Upkeep keeps {', '.join(sorted(OUTPUTS))}"
    for name in sorted({"manifest", "parts"} - used["inputs"]):
        yield f"the command does not use ${{{{inputs.{name}}}}}: it would not train on the new data"
    for name in sorted(OUTPUTS - used["outputs"]):
        yield f"the command does not use ${{{{outputs.{name}}}}}: nothing could be judged or registered"


def _with_literals(job: JobFile) -> str:
    """The command with the literals of the file put in: at run time only Upkeep's own inputs are given."""

    def put(match: re.Match[str]) -> str:
        value = job.inputs.get(match[2]) if match[1] == "inputs" and match[2] not in INPUTS else None
        return match[0] if value is None else shlex.quote(value)

    return _BINDING.sub(put, job.command)


def _json(path: Path) -> str:
    try:
        return json.dumps(json.loads(path.read_text(encoding="utf-8")), separators=(",", ":"))
    except ValueError as error:
        raise BadInput(f"{path}: is not JSON: {error}") from error
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from error
