"""MLflow's view of jobs and runs: parameters, tags and metric histories as documents.

Used by mlflow.py alone. A job is a run of its own name from the moment it exists; its status and times are
the job's, what was logged is kept here.
"""

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import uuid4

from localcloud.cloud import WORKSPACE_ID, Cloud
from localcloud.controlplane.events import experiment_id
from localcloud.controlplane.job_book import TERMINAL, Document
from localcloud.controlplane.mlflow_artifacts import PREFIX

_STATUS = {"Completed": "FINISHED", "Failed": "FAILED", "Canceled": "KILLED", "NotStarted": "SCHEDULED"}
_WAITING = ("NotStarted", "Queued", "Preparing")


class MlflowRuns:
    """Runs and experiments in MLflow's shapes."""

    def __init__(self, cloud: Cloud) -> None:
        self._store = cloud.store
        self._artifacts = f"{cloud.gateway_url}/mlflow/v1.0{WORKSPACE_ID}{PREFIX}"

    def experiment(self, name: str) -> Document:
        """The experiment of that name, which exists as soon as somebody asks for it, as on Azure for jobs."""
        found = self._store.get("mlflow-experiments", experiment_id(name))
        return found or self.create_experiment(name)

    def create_experiment(self, name: str) -> Document:
        """Make the experiment."""
        document: Document = {
            "experiment_id": experiment_id(name),
            "name": name,
            "artifact_location": f"{self._artifacts}/{name}",
            "lifecycle_stage": "active",
            "tags": [],
            "creation_time": _now_ms(),
        }
        self._store.put("mlflow-experiments", document["experiment_id"], document)
        return document

    def experiments(self) -> list[Document]:
        """All experiments, those that only jobs named too."""
        for _, job in self._store.items("jobs"):
            self.experiment(job["resource"]["properties"]["experimentName"])
        return [document for _, document in self._store.items("mlflow-experiments")]

    def create(self, experiment: str, name: str | None, start_ms: int | None, tags: list[Document]) -> Document:
        """A run that belongs to no job."""
        run_id = str(uuid4())
        info = {
            "run_id": run_id,
            "run_uuid": run_id,
            "run_name": name or run_id,
            "experiment_id": experiment,
            "user_id": "local",
            "status": "RUNNING",
            "start_time": start_ms or _now_ms(),
            "artifact_uri": f"{self._artifacts}/{run_id}",
            "lifecycle_stage": "active",
        }
        self._store.put("mlflow-runs", run_id, {"info": info, "params": {}, "tags": {}})
        self.tag(run_id, {str(tag["key"]): str(tag["value"]) for tag in tags})
        return self.run(run_id) or {}

    def run(self, run_id: str) -> Document | None:
        """The run with its latest metrics, or None."""
        kept = self._store.get("mlflow-runs", run_id)
        job = self._store.get("jobs", run_id)
        if kept is None and job is None:
            return None
        kept = kept or _blank()
        info = self._job_info(run_id, job) if job else kept["info"]
        tags = {**(_job_tags(job) if job else {}), **kept["tags"]}
        latest = [max(points, key=_order) for points in self._histories(run_id)]
        data = {"metrics": latest, "params": _pairs(kept["params"]), "tags": _pairs(tags)}
        return {"info": info, "data": data}

    def runs(self, experiments: list[str]) -> Iterator[Document]:
        """All runs of the experiments, newest first."""
        ids = {key for key, _ in self._store.items("jobs")} | {key for key, _ in self._store.items("mlflow-runs")}
        found = [run for run in map(self.run, ids) if run and run["info"]["experiment_id"] in experiments]
        yield from sorted(found, key=lambda run: int(run["info"].get("start_time") or 0), reverse=True)

    def update(self, run_id: str, changes: Document) -> Document:
        """Change status, end time or name of a run; a job's status and times are the job's own."""
        kept = self._kept(run_id)
        allowed = ("status", "end_time", "run_name")
        kept["info"].update({key: changes[key] for key in allowed if changes.get(key) is not None})
        self._store.put("mlflow-runs", run_id, kept)
        return dict((self.run(run_id) or {})["info"])

    def param(self, run_id: str, params: dict[str, str]) -> str | None:
        """Keep parameters; the key of one that has another value already, which MLflow refuses."""
        kept = self._kept(run_id)
        for key, value in params.items():
            if kept["params"].get(key, value) != value:
                return key
        kept["params"].update(params)
        self._store.put("mlflow-runs", run_id, kept)
        return None

    def tag(self, run_id: str, tags: dict[str, str]) -> None:
        """Set tags."""
        kept = self._kept(run_id)
        kept["tags"].update(tags)
        self._store.put("mlflow-runs", run_id, kept)

    def untag(self, run_id: str, key: str) -> None:
        """Take a tag off."""
        kept = self._kept(run_id)
        kept["tags"].pop(key, None)
        self._store.put("mlflow-runs", run_id, kept)

    def log(self, run_id: str, metrics: list[Document]) -> None:
        """Append points to the histories of metrics."""
        grouped: dict[str, list[Document]] = {}
        for metric in metrics:
            point = {key: metric.get(key, 0) for key in ("key", "value", "timestamp", "step")}
            grouped.setdefault(str(metric["key"]), []).append(point)
        for key, points in grouped.items():
            self._store.put("mlflow-metrics", f"{run_id}/{key}", {"points": [*self.history(run_id, key), *points]})

    def history(self, run_id: str, key: str) -> list[Document]:
        """All points of a metric."""
        kept = self._store.get("mlflow-metrics", f"{run_id}/{key}")
        return list(kept["points"]) if kept else []

    def _histories(self, run_id: str) -> Iterator[list[Document]]:
        for _, kept in self._store.items("mlflow-metrics", f"{run_id}/"):
            yield kept["points"]

    def _kept(self, run_id: str) -> Document:
        return self._store.get("mlflow-runs", run_id) or _blank()

    def _job_info(self, run_id: str, job: Document) -> Document:
        properties, run = job["resource"]["properties"], job["run"]
        info = {
            "run_id": run_id,
            "run_uuid": run_id,
            "run_name": properties["displayName"],
            "experiment_id": experiment_id(properties["experimentName"]),
            "user_id": "local",
            "status": _status(properties["status"]),
            "start_time": _ms(run.get("started") or run["created"]),
            "artifact_uri": f"{self._artifacts}/{run_id}",
            "lifecycle_stage": "active",
        }
        if properties["status"] in TERMINAL:
            info["end_time"] = _ms(run["ended"])
        return info


def _status(status: str) -> str:
    return "SCHEDULED" if status in _WAITING else _STATUS.get(status, "RUNNING")


def _blank() -> Document:
    return {"info": {}, "params": {}, "tags": {}}


def _job_tags(job: Document) -> dict[str, str]:
    properties = job["resource"]["properties"]
    return {**{key: str(value) for key, value in (properties.get("tags") or {}).items()}, "mlflow.user": "local"}


def _pairs(values: dict[str, str]) -> list[Document]:
    return [{"key": key, "value": value} for key, value in values.items()]


def _order(point: Document) -> tuple[int, int, float]:
    # MLflow calls latest what has the greatest step, then the greatest time, then the greatest value.
    return int(point["step"] or 0), int(point["timestamp"] or 0), float(point["value"])


def _ms(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp() * 1000)


def _now_ms() -> int:
    return int(time.time() * 1000)


def value_of(run: Document, path: str) -> Any:
    """What a term of a search filter ("metrics.mae", "tags.stage", "attributes.status") names in a run."""
    collection, _, key = path.partition(".")
    key = key.strip("`\"'")
    if collection in ("attributes", "attribute", "run"):
        return run["info"].get(key)
    singular = {"metric": "metrics", "param": "params", "parameter": "params", "tag": "tags"}
    pairs = run["data"].get(singular.get(collection, collection), [])
    return next((pair["value"] for pair in pairs if pair["key"] == key), None)
