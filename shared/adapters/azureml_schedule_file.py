"""Azure ML schedules of a model's folder: monitors, and pipeline jobs that come round.

Called by `upkeep publish`, and by azureml_schedules.py. A file may name two things that are not known when it is
written, and that are put in before it is published: the deployment that is live, for which the name in the
deployment's file stands, and the training's component, for which the path of its file stands.
"""

import io
import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from shared.adapters.azureml_files import plain, refusing
from shared.errors import BadInput

Document = dict[str, Any]


class ScheduleFile(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule by its name. The texts are JSON: the schedule, and the pipeline that it starts."""

    name: str
    kind: Literal["monitor", "schedule"]
    document: str
    pipeline: str = ""

    def follows(self, endpoint: str, deployment: str) -> bool:
        """Whether it names the deployment that stands for the live one."""
        return bool(_deployment(endpoint, deployment).search(self.document))

    @property
    def watched(self) -> str:
        """The deployment that a monitor watches; empty for anything else."""
        monitor = json.loads(self.document).get("create_monitor") or {}
        target = (monitor.get("monitoring_target") or {}).get("endpoint_deployment_id") or ""
        return str(re.split("[:/]", target)[-1])

    def using(self, component: str) -> "ScheduleFile":
        """The same with the reference to the training's component put in."""
        return msgspec.structs.replace(self, pipeline=self.pipeline.replace(_OURS, component))

    def at(self, written: tuple[str, str], live: tuple[str, str]) -> "ScheduleFile":
        """The same with endpoint and live deployment put in, as the target and in the names of collected data."""
        put_in = _deployment(*written).sub(rf"azureml:{live[0]}\g<1>{live[1]}", self.document)
        return msgspec.structs.replace(self, document=put_in)


def read_schedule(path: Path, component_file: Path | None) -> ScheduleFile:
    """A schedule's file; BadInput says what of it cannot be used. `component_file` is that of the training."""
    raw = plain(path)
    if not raw.get("name"):
        raise BadInput(f"{path}: name is missing")
    found = _monitor(raw) if "create_monitor" in raw else _schedule(path, raw, component_file)
    with refusing(path):
        as_entity(found)
    return found


def _monitor(raw: Document) -> ScheduleFile:
    return ScheduleFile(name=str(raw["name"]), kind="monitor", document=_text(raw))


def _schedule(path: Path, raw: Document, component_file: Path | None) -> ScheduleFile:
    if "create_job" not in raw:
        raise BadInput(f"{path}: is neither a monitor (create_monitor) nor a schedule of a pipeline job (create_job)")
    document, pipeline = _pipeline(path, raw, component_file)
    return ScheduleFile(
        name=str(raw["name"]), kind="schedule", document=_text(document), pipeline=_text(pipeline) if pipeline else ""
    )


def as_entity(found: ScheduleFile) -> Any:
    """The SDK's object of a schedule in which nothing is left to put in."""
    if not found.pipeline:
        return _loader()(io.StringIO(found.document))
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / _PIPELINE).write_text(found.pipeline, encoding="utf-8")
        (Path(folder) / "schedule.yml").write_text(found.document, encoding="utf-8")
        return _loader()(str(Path(folder) / "schedule.yml"))


_PIPELINE = "pipeline.yml"
_OURS = "azureml:upkeep-component-of-this-model:0"


def _loader() -> Any:
    # Of all loaders this one alone is not handed out by azure.ai.ml itself, which is pinned to an exact version.
    from azure.ai.ml.entities._load_functions import load_schedule

    return load_schedule


def _deployment(endpoint: str, deployment: str) -> re.Pattern[str]:
    # As a target (azureml:ENDPOINT:DEPLOYMENT) and in the names of its collected data (azureml:ENDPOINT-DEPLOYMENT-…)
    return re.compile(rf"azureml:{re.escape(endpoint)}([:-]){re.escape(deployment)}(?=[\"-])")


def _pipeline(path: Path, raw: Document, component_file: Path | None) -> tuple[Document, Document | None]:
    """Schedule and pipeline; the pipeline is None when the schedule names a job that ran before."""
    job = raw["create_job"]
    reference = str(job.get("job") if isinstance(job, Mapping) else job)
    if reference.startswith(("azureml:", "/")):
        return raw, None
    file = path.parent / reference.removeprefix("file:")
    pipeline = plain(file)
    nodes = pipeline.get("jobs")
    if not isinstance(nodes, Mapping):
        raise BadInput(f"{file}: a schedule starts pipeline jobs, and this is none: it has no jobs")
    made = {name: _node(file, name, node, component_file) for name, node in nodes.items()}
    there = {**job, "job": f"./{_PIPELINE}"} if isinstance(job, Mapping) else f"./{_PIPELINE}"
    return {**raw, "create_job": there}, {**pipeline, "jobs": made}


def _node(file: Path, name: str, node: Document, component_file: Path | None) -> Document:
    component = str(node.get("component") or "")
    if component.startswith("azureml:"):
        return node
    if component and component_file and (file.parent / component.removeprefix("file:")).samefile(component_file):
        return {**node, "component": _OURS}
    raise BadInput(
        f"{file}: jobs.{name} must use a component: the file of this model's training, or one that is registered"
        " (azureml:NAME:VERSION)"
    )


def signals(found: ScheduleFile) -> Iterator[str]:
    """Names of a monitor's signals: what an alert of it is called."""
    monitor = json.loads(found.document).get("create_monitor") or {}
    yield from monitor.get("monitoring_signals") or {}


def _text(document: Document) -> str:
    return json.dumps(document, sort_keys=True, default=str)
