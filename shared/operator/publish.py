"""`upkeep publish`: a model's folder becomes registered assets, a publication in storage, and the model's pointer.

Called by the command line, on a desk or in CI; never by the function app. Assets are named by their content's
hash, and everything is looked for before it is written: a second run writes nothing. The pointer comes after all that
it points to; schedules come last, because nothing points to them.
"""

import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec

from shared.adapters.azureml_component_file import as_yaml
from shared.adapters.azureml_files import EnvironmentFile
from shared.domain.publication import Publication, ServingAssets, TrainingAssets
from shared.operator import publish_schedules
from shared.operator.publish_code import CodeFolder
from shared.operator.publish_files import Folder, environment_version, read_folder
from shared.operator.publish_job import with_literals
from shared.operator.publish_target import Change, Registry, Step, Target
from shared.reconcile.ports import Pointer
from shared.settings import Settings


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """What was written, or with a dry run would be; and monitors that wait for a deployment that is live."""

    changes: list[Change]
    waiting: list[str]


def publish(folder: Path, settings: Settings, dry_run: bool, commit: str = "") -> Published:
    """Publish a model's folder, or with `dry_run` say what that would write.

    `commit` is kept with a publication that is new for another reason; by itself it makes none. Raises BadInput
    with one sentence per mistake in the folder.
    """
    found = read_folder(folder, settings.environment, settings.token)
    return publish_to(_target(settings), found, dry_run=dry_run, commit=commit)


def publish_to(target: Target, found: Folder, *, dry_run: bool, commit: str = "") -> Published:
    """As `publish`, to a target that is given, what was read."""
    live = _live(target, found.spec.name)
    steps = [*_assets(target, found), *_publication(target, found, commit)]
    steps += publish_schedules.steps(target.schedules, found, live)
    if not dry_run:
        for step in steps:
            step.make()
    return Published(changes=[step.change for step in steps], waiting=publish_schedules.waiting(found, live))


def told(made: Mapping[str, Published], *, dry_run: bool) -> Iterator[str]:
    """One line a change, by model, for a person."""
    verbs = {"write": "wrote", "switch off": "switched off"}
    for model, published in made.items():
        if not published.changes:
            yield f"{model}: nothing has changed"
        for change in published.changes:
            verb = f"would {change.how}" if dry_run else verbs[change.how]
            yield f"{model}: {verb} {change.what} {change.name}"
        for name in published.waiting:
            yield f"{model}: monitor {name} waits for the first live deployment"


def _live(target: Target, model: str) -> str | None:
    """The deployment that carries the live model, by the record."""
    loaded = target.state.load(model, 1)
    return loaded.record.live.deployment if loaded and loaded.record.live else None


def _assets(target: Target, found: Folder) -> Iterator[Step]:
    registry, train, score = target.registry, found.train_code, found.score_code
    for code, environment in ((train, found.job.environment), (score, found.deployment.environment)):
        yield from _environment(registry, code.name, environment)
    for code in (train, score):
        yield from _code(registry, code)
    yield from _component(registry, found)
    if not registry.has_endpoint(found.deployment.endpoint):
        change = Change(what="endpoint", name=found.deployment.endpoint)
        yield Step(change, partial(registry.create_endpoint, found.endpoint))
    if not target.blobs.has_no_champion():
        yield Step(Change(what="folder", name="no-champion"), target.blobs.put_no_champion)


def _environment(registry: Registry, name: str, environment: EnvironmentFile | str) -> Iterator[Step]:
    if isinstance(environment, str):
        return
    version = environment_version(environment)
    if not registry.has_environment(name, version):
        change = Change(what="environment", name=f"{name}:{version}")
        yield Step(change, partial(registry.register_environment, name, version, environment))


def _code(registry: Registry, code: CodeFolder) -> Iterator[Step]:
    version = code.version
    if not registry.has_code(code.name, version):
        change = Change(what="code", name=f"{code.name}:{version}")
        yield Step(change, partial(_upload, registry, code, version))


def _component(registry: Registry, found: Folder) -> Iterator[Step]:
    name, version, code = found.component_name, found.component_version, found.train_code
    if registry.has_component(name, version):
        return
    code_id = registry.id_of("codes", code.name, code.version)
    environment_id = _environment_id(registry, code.name, found.job.environment)
    text = as_yaml(found.component, name, version, code_id, environment_id)
    yield Step(Change(what="component", name=f"{name}:{version}"), partial(registry.register_component, text))


def _upload(registry: Registry, code: CodeFolder, version: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        code.copy_to(Path(folder) / code.name)
        registry.register_code(code.name, version, Path(folder) / code.name)


def _publication(target: Target, found: Folder, commit: str) -> Iterator[Step]:
    wanted, model = _assembled(target.registry, found, commit), found.spec.name
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


def _assembled(registry: Registry, found: Folder, commit: str) -> Publication:
    job, deployment, train, score = found.job, found.deployment, found.train_code, found.score_code
    optional = {
        "request_timeout_ms": deployment.request_timeout_ms,
        "max_concurrent_requests_per_instance": deployment.max_concurrent_requests_per_instance,
    }
    return Publication(
        spec=found.spec,
        training=TrainingAssets(
            command=with_literals(found.job),
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
        queries=found.queries,
        monitors=publish_schedules.monitors(found),
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
    from shared.adapters.azureml_schedules import Schedules
    from shared.adapters.azureml_workspace import Workspace
    from shared.adapters.blob_archive import BlobArchive
    from shared.adapters.credentials import credential
    from shared.adapters.table_state import TableState

    identity = credential()
    workspace = Workspace(settings.subscription_id, settings.resource_group, settings.workspace, identity)
    state, blobs = TableState(settings.table_service, identity), BlobArchive(settings.blob_service, identity)
    return Target(state, blobs, Assets(workspace), Schedules(workspace))
