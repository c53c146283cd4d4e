"""Everything in a model's folder that is published, read and held against the spec and against itself.

Called by publish.py, and by checking_files.py for `upkeep validate`. Knows no cloud: ids of what will be registered
are put in by the caller.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from shared.adapters import azureml_files as files
from shared.adapters.azureml_component_file import ComponentFile, component_of_job, differences, read_component
from shared.adapters.azureml_files import DeploymentFile, EnvironmentFile, JobFile
from shared.adapters.azureml_schedule_file import ScheduleFile, read_schedule
from shared.domain import names
from shared.domain.base import canonical
from shared.domain.spec import Spec
from shared.errors import BadInput
from shared.operator import publish_job
from shared.operator.publish_code import HASH_DIGITS, CodeFolder
from shared.operator.reading import read_spec

Read = TypeVar("Read")
LONGEST_ENDPOINT = 32 - len("-") - 8


class Folder(msgspec.Struct, frozen=True, kw_only=True):
    """A model's folder. `endpoint` is the SDK's object, for when the endpoint is not there yet.

    `written_endpoint` is its name in the files: the name that it has ends in the installation's token.
    """

    spec: Spec
    job: JobFile
    component: ComponentFile
    deployment: DeploymentFile
    endpoint: Any
    written_endpoint: str
    schedules: tuple[ScheduleFile, ...]
    sample_request: str
    train_code: CodeFolder
    score_code: CodeFolder
    answer_schema: str = ""
    queries: dict[str, str] = {}

    @property
    def component_name(self) -> str:
        """Azure ML takes no hyphens here; model names hold no underscores, so that no two become one."""
        return f"{self.spec.name.replace('-', '_')}_train"

    @property
    def component_version(self) -> str:
        """Hash of what the component is made of. The code counts by its hash, not by the place where it lies."""
        it = self.component
        made_of = (it.command, self.train_code.version, it.environment, it.inputs, it.outputs, it.labels)
        return hashlib.sha256(canonical(made_of)).hexdigest()[:HASH_DIGITS]

    def placed(self, schedule: ScheduleFile, live: str | None) -> ScheduleFile | None:
        """A schedule with what it names put in; None when that is the live deployment, and none is live."""
        schedule = schedule.using(f"azureml:{self.component_name}:{self.component_version}")
        if not self.follows(schedule):
            return schedule
        written = (self.written_endpoint, self.deployment.name)
        return None if live is None else schedule.at(written, (self.deployment.endpoint, live))

    def follows(self, schedule: ScheduleFile) -> bool:
        """Whether it names the deployment that stands for the live one."""
        return schedule.follows(self.written_endpoint, self.deployment.name)


def read_folder(folder: Path, environment: str, token: str = "") -> Folder:
    """Read it whole; BadInput with one sentence per mistake. `token` is the installation's."""
    spec = read_spec(folder, environment)
    parts, reading = _Parts(folder, spec), _Reading()
    job = reading.of(partial(files.read_job, parts.job))
    own = reading.of(partial(component_of_job, parts.job))
    component = reading.of(partial(read_component, parts.component)) if parts.component else own
    deployment = reading.of(partial(files.read_deployment, parts.deployment))
    endpoint = reading.of(partial(files.read_endpoint, parts.endpoint))
    schedules = reading.of(partial(_schedules, parts))
    sample = reading.of(partial(_json, parts.sample_request))
    answer_schema = reading.of(partial(_json, parts.answer_schema)) if parts.answer_schema else ""
    queries = reading.of(partial(_queries, parts))
    reading.end()  # so that nothing is None below
    assert job and own and component and deployment and endpoint  # noqa: PT018 - for the type checker alone
    assert schedules is not None and sample is not None and answer_schema is not None  # noqa: PT018
    assert queries is not None
    reading.problems += [f"{parts.job}: {problem}" for problem in publish_job.problems(job)]
    reading.problems += [f"{parts.component}: {it} is not that of {parts.job}" for it in differences(component, own)]
    reading.problems += _deployment_problems(parts, deployment, endpoint[0])
    reading.end()
    endpoint[1].name = names.endpoint(endpoint[0], token)
    return Folder(
        spec=spec,
        job=job,
        component=component,
        deployment=msgspec.structs.replace(deployment, endpoint=endpoint[1].name),
        endpoint=endpoint[1],
        written_endpoint=endpoint[0],
        schedules=schedules,
        train_code=CodeFolder(f"{spec.name}-train", job.code),
        score_code=CodeFolder(f"{spec.name}-score", deployment.code),
        sample_request=sample,
        answer_schema=answer_schema,
        queries=queries,
    )


class _Parts:
    """Paths of the files that a spec names."""

    def __init__(self, folder: Path, spec: Spec) -> None:
        self.folder, rollout = folder, spec.rollout
        self.job = folder / spec.training.job
        self.component = folder / spec.training.component if spec.training.component else None
        self.endpoint = folder / rollout.endpoint
        self.deployment = folder / rollout.deployment
        self.sample_request = folder / rollout.sample_request
        answer = rollout.answer
        self.answer_schema = folder / answer.schema if answer and answer.schema else None
        self.queries = {query.name: folder / query.file for query in rollout.analysis.queries if query.file}
        compared = rollout.analysis.predictions
        self.collection = compared.collection if compared else ""
        self.schedules = [folder / name for name in spec.schedules]


class _Reading:
    """Collects what is wrong in one file after the other, so that a person hears of all at once."""

    def __init__(self) -> None:
        self.problems = list[str]()

    def of(self, read: Callable[[], Read]) -> Read | None:
        """What was read, or None when it could not be."""
        try:
            return read()
        except BadInput as error:
            self.problems += error.problems
            return None

    def end(self) -> None:
        """BadInput, if anything was wrong so far."""
        if self.problems:
            raise BadInput(*dict.fromkeys(self.problems))


def _deployment_problems(parts: _Parts, deployment: DeploymentFile, endpoint: str) -> Iterator[str]:
    if deployment.endpoint != endpoint:
        yield (
            f"{parts.deployment}: endpoint_name is {deployment.endpoint},"
            f" and the endpoint in {parts.endpoint.name} is called {endpoint}"
        )
    if len(endpoint) > LONGEST_ENDPOINT:
        yield (
            f"{parts.endpoint}: name has {len(endpoint)} characters and may have {LONGEST_ENDPOINT}: on Azure a"
            " hyphen and the installation's token of eight follow, because the name is unique in a region"
        )
    if not (deployment.code / deployment.scoring_script).is_file():
        yield f"{parts.deployment}: there is no {deployment.scoring_script} in the code's folder"
    collected = deployment.data_collector.collections if deployment.data_collector else ()
    if parts.collection and parts.collection.lower() not in {name.lower() for name in collected}:
        yield (
            f"{parts.deployment}: data_collector does not switch on {parts.collection}, which"
            " rollout.analysis.predictions compares"
        )


def _queries(parts: _Parts) -> dict[str, str]:
    return {name: _text(path) for name, path in parts.queries.items()}


def _schedules(parts: _Parts) -> tuple[ScheduleFile, ...]:
    reading = _Reading()
    read = [reading.of(partial(read_schedule, path, parts.component)) for path in parts.schedules]
    reading.end()
    found = tuple(file for file in read if file is not None)
    names = [file.name.lower() for file in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise BadInput(f"{parts.folder}: two schedules are called {twice[0]}")
    return found


def environment_version(environment: EnvironmentFile) -> str:
    """Hash of what an environment is made of: equal ones are one version."""
    return hashlib.sha256(canonical(environment)).hexdigest()[:HASH_DIGITS]


def _json(path: Path) -> str:
    try:
        return json.dumps(json.loads(_text(path)), separators=(",", ":"))
    except ValueError as error:
        raise BadInput(f"{path}: is not JSON: {error}") from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: is not UTF-8 text") from error
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from error
