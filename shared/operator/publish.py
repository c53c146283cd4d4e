"""`upkeep publish`: a model's folder becomes registered assets, a publication in storage, and the model's pointer.

Called by the command line, on a desk or in CI; never by the function app. Assets are named by their content's
hash, and everything is looked for before it is written: a second run writes nothing. The pointer comes last, so
that nobody is pointed to what is not there.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec

from shared.adapters.azureml_files import EnvironmentFile
from shared.domain.publication import Publication, ServingAssets, TrainingAssets
from shared.operator.publish_code import CodeFolder
from shared.operator.publish_files import Folder, environment_version, read_folder
from shared.reconcile.ports import Archive, Pointer, StateStore
from shared.settings import Settings


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that publishing writes: `what` is its kind, such as code or endpoint."""

    what: str
    name: str


class Registry(Protocol):
    """Azure ML, as far as publishing needs it."""

    def id_of(self, kind: str, name: str, version: str) -> str:
        """Full id of an asset version, whether or not it is there yet."""
        ...

    def has_environment(self, name: str, version: str) -> bool:
        """Whether the version is registered."""
        ...

    def register_environment(self, name: str, version: str, wanted: EnvironmentFile) -> None:
        """Register an image with its conda file."""
        ...

    def has_code(self, name: str, version: str) -> bool:
        """Whether the version is registered."""
        ...

    def register_code(self, name: str, version: str, folder: Path) -> None:
        """Upload a folder and register it as code."""
        ...

    def has_endpoint(self, name: str) -> bool:
        """Whether the endpoint is there."""
        ...

    def create_endpoint(self, wanted: Any) -> None:
        """Begin to create an endpoint."""
        ...


class Blobs(Archive, Protocol):
    """The archive, with the folder for jobs that have no champion."""

    def has_no_champion(self) -> bool:
        """Whether the folder is there."""
        ...

    def put_no_champion(self) -> None:
        """Make the folder."""
        ...


@dataclass(frozen=True)
class Target:
    """Where a folder is published to."""

    state: StateStore
    blobs: Blobs
    registry: Registry


class Step(NamedTuple):
    """One change and the call that makes it."""

    change: Change
    make: Callable[[], None]


def publish(folder: Path, settings: Settings, dry_run: bool, commit: str = "") -> list[Change]:
    """Publish a model's folder; the changes that were made, or with `dry_run` would be.

    `commit` is kept with a publication that is new for another reason; by itself it makes none. Raises BadInput
    with one sentence per mistake in the folder.
    """
    return publish_to(_target(settings), folder, settings.environment, dry_run=dry_run, commit=commit)


def publish_to(target: Target, folder: Path, environment: str, *, dry_run: bool, commit: str = "") -> list[Change]:
    """As `publish`, to a target that is given."""
    steps = list(_plan(target, read_folder(folder, environment), commit))
    if not dry_run:
        for step in steps:
            step.make()
    return [step.change for step in steps]


def told(made: Mapping[str, list[Change]], *, dry_run: bool) -> Iterator[str]:
    """One line a change, by model, for a person."""
    verb = "would write" if dry_run else "wrote"
    for model, changes in made.items():
        if not changes:
            yield f"{model}: nothing has changed"
        for change in changes:
            yield f"{model}: {verb} {change.what} {change.name}"


def _plan(target: Target, found: Folder, commit: str) -> Iterator[Step]:
    registry, model = target.registry, found.spec.name
    train = CodeFolder(f"{model}-train", found.job.code)
    score = CodeFolder(f"{model}-score", found.deployment.code)
    for name, environment in ((train.name, found.job.environment), (score.name, found.deployment.environment)):
        yield from _environment(registry, name, environment)
    for code in (train, score):
        yield from _code(registry, code)
    if not registry.has_endpoint(found.deployment.endpoint):
        change = Change(what="endpoint", name=found.deployment.endpoint)
        yield Step(change, lambda: registry.create_endpoint(found.endpoint))
    if not target.blobs.has_no_champion():
        yield Step(Change(what="folder", name="no-champion"), target.blobs.put_no_champion)
    yield from _publication(target, _assembled(registry, found, train, score, commit))


def _environment(registry: Registry, name: str, environment: EnvironmentFile | str) -> Iterator[Step]:
    if isinstance(environment, str):
        return
    version = environment_version(environment)
    if not registry.has_environment(name, version):
        change = Change(what="environment", name=f"{name}:{version}")
        yield Step(change, lambda: registry.register_environment(name, version, environment))


def _code(registry: Registry, code: CodeFolder) -> Iterator[Step]:
    version = code.version
    if not registry.has_code(code.name, version):
        change = Change(what="code", name=f"{code.name}:{version}")
        yield Step(change, lambda: _upload(registry, code, version))


def _upload(registry: Registry, code: CodeFolder, version: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        code.copy_to(Path(folder) / code.name)
        registry.register_code(code.name, version, Path(folder) / code.name)


def _publication(target: Target, wanted: Publication) -> Iterator[Step]:
    model = wanted.spec.name
    loaded = target.state.load(model, 1)
    if loaded is not None:
        current = target.blobs.publication(model, loaded.pointer.publication)
        if msgspec.structs.replace(wanted, commit=current.commit) == current:
            return
    yield Step(Change(what="publication", name=wanted.hash), lambda: target.blobs.put_publication(wanted))
    pointer = Pointer(
        model=model,
        publication=wanted.hash,
        published_at=datetime.now(UTC),
        schedule=wanted.spec.retrain.schedule,
        alerts=tuple(sorted(wanted.spec.alerts)),
    )
    yield Step(Change(what="pointer", name=model), lambda: target.state.publish(pointer))


def _assembled(registry: Registry, found: Folder, train: CodeFolder, score: CodeFolder, commit: str) -> Publication:
    job, deployment = found.job, found.deployment
    optional = {
        "request_timeout_ms": deployment.request_timeout_ms,
        "max_concurrent_requests_per_instance": deployment.max_concurrent_requests_per_instance,
    }
    return Publication(
        spec=found.spec,
        training=TrainingAssets(
            command=found.command,
            code_id=registry.id_of("codes", train.name, train.version),
            environment_id=_environment_id(registry, train.name, job.environment),
            compute=job.compute,
            instance_type=job.instance_type,
            environment_variables=job.environment_variables,
        ),
        serving=ServingAssets(
            endpoint=deployment.endpoint,
            code_id=registry.id_of("codes", score.name, score.version),
            scoring_script=deployment.scoring_script,
            environment_id=_environment_id(registry, score.name, deployment.environment),
            instance_type=deployment.instance_type,
            instance_count=deployment.instance_count,
            environment_variables=deployment.environment_variables,
            max_queue_wait_ms=deployment.max_queue_wait_ms,
            liveness_probe=deployment.liveness_probe,
            readiness_probe=deployment.readiness_probe,
            app_insights_enabled=deployment.app_insights_enabled,
            data_collector=deployment.data_collector,
            **{name: value for name, value in optional.items() if value is not None},
        ),
        sample_request=found.sample_request,
        answer_schema=found.answer_schema,
        commit=commit,
    )


def _environment_id(registry: Registry, name: str, environment: EnvironmentFile | str) -> str:
    if isinstance(environment, EnvironmentFile):
        return registry.id_of("environments", name, environment_version(environment))
    # azureml:NAME:VERSION is one of the workspace; an id of a registry or a full one stays as it is.
    parts = environment.removeprefix("azureml:").split(":")
    if environment.startswith(("azureml://", "azureml:/", "/")) or len(parts) != 2:
        return environment
    return registry.id_of("environments", parts[0], parts[1])


def _target(settings: Settings) -> Target:
    from shared.adapters.azureml_assets import Assets
    from shared.adapters.azureml_workspace import Workspace
    from shared.adapters.blob_archive import BlobArchive
    from shared.adapters.credentials import credential
    from shared.adapters.table_state import TableState

    identity = credential()
    workspace = Workspace(settings.subscription_id, settings.resource_group, settings.workspace, identity)
    state, blobs = TableState(settings.table_service, identity), BlobArchive(settings.blob_service, identity)
    return Target(state, blobs, Assets(workspace))
