"""What the tracking API remembers of a run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localcloud.cloud import Cloud, Ports
from localcloud.controlplane.events import experiment_id
from localcloud.controlplane.job_book import JobBook
from localcloud.controlplane.mlflow import ordered
from localcloud.controlplane.mlflow_runs import MlflowRuns
from localcloud.faults import Faults
from localcloud.store import Store


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    store = Store(tmp_path / "cloud.sqlite")
    yield Cloud(tmp_path, Ports(1, 2, 3, 4, 5, 6), store, Faults())
    store.close()


@pytest.fixture
def runs(cloud: Cloud) -> MlflowRuns:
    properties = {"jobType": "Command", "command": "true", "environmentId": "e", "experimentName": "flights"}
    JobBook(cloud).put("job", properties)
    return MlflowRuns(cloud)


def latest(runs: MlflowRuns) -> dict[str, float]:
    run = runs.run("job")
    assert run is not None
    return {metric["key"]: metric["value"] for metric in run["data"]["metrics"]}


def point(key: str, value: float, step: int = 0, timestamp: int = 1) -> dict[str, object]:
    return {"key": key, "value": value, "step": step, "timestamp": timestamp}


def test_a_job_is_a_run_before_anything_was_logged(runs: MlflowRuns) -> None:
    run = runs.run("job")
    assert run is not None
    assert (run["info"]["status"], run["info"]["experiment_id"]) == ("SCHEDULED", experiment_id("flights"))


def test_what_is_neither_job_nor_run_is_nothing(runs: MlflowRuns) -> None:
    assert runs.run("other") is None


def test_the_latest_value_is_the_one_of_the_greatest_step(runs: MlflowRuns) -> None:
    runs.log("job", [point("mae", 9, step=2), point("mae", 7, step=3), point("mae", 8, step=1)])
    assert latest(runs) == {"mae": 7}


def test_the_history_keeps_every_point(runs: MlflowRuns) -> None:
    runs.log("job", [point("mae", 9)])
    runs.log("job", [point("mae", 8, step=1)])
    assert [each["value"] for each in runs.history("job", "mae")] == [9, 8]


def test_metrics_of_a_run_are_not_those_of_a_longer_name(runs: MlflowRuns, cloud: Cloud) -> None:
    JobBook(cloud).put("job-2", {"jobType": "Command", "command": "true", "environmentId": "e"})
    runs.log("job-2", [point("mae", 9)])
    assert latest(runs) == {}


def test_a_parameter_has_one_value_for_ever(runs: MlflowRuns) -> None:
    assert runs.param("job", {"rate": "1"}) is None
    assert runs.param("job", {"rate": "1"}) is None
    assert runs.param("job", {"rate": "2"}) == "rate"


def test_a_tag_can_be_changed_and_taken_off(runs: MlflowRuns) -> None:
    runs.tag("job", {"a": "1", "b": "1"})
    runs.tag("job", {"a": "2"})
    runs.untag("job", "b")
    run = runs.run("job")
    assert run is not None
    assert {tag["key"]: tag["value"] for tag in run["data"]["tags"] if tag["key"] in "ab"} == {"a": "2"}


def test_a_jobs_status_is_the_jobs_own(runs: MlflowRuns) -> None:
    runs.update("job", {"status": "FINISHED"})
    run = runs.run("job")
    assert run is not None
    assert run["info"]["status"] == "SCHEDULED"


def test_a_run_without_a_job_keeps_the_status_it_was_given(runs: MlflowRuns) -> None:
    run_id = runs.create(experiment_id("flights"), "mine", None, [{"key": "k", "value": "v"}])["info"]["run_id"]
    runs.update(run_id, {"status": "FINISHED", "end_time": 5})
    run = runs.run(run_id)
    assert run is not None
    assert (run["info"]["status"], run["info"]["run_name"]) == ("FINISHED", "mine")


def test_the_runs_of_an_experiment_are_found(runs: MlflowRuns) -> None:
    assert [run["info"]["run_id"] for run in runs.runs([experiment_id("flights")])] == ["job"]
    assert list(runs.runs([experiment_id("other")])) == []


def test_runs_are_ordered_by_a_metric_and_those_without_it_come_last() -> None:
    def made(name: str, **metrics: float) -> dict[str, Any]:
        pairs = [{"key": key, "value": value} for key, value in metrics.items()]
        return {"info": {"run_id": name}, "data": {"metrics": pairs}}

    runs = [made("none"), made("high", mae=9.0), made("low", mae=1.0)]
    assert [run["info"]["run_id"] for run in ordered(runs, "metrics.mae ASC")] == ["low", "high", "none"]
    assert [run["info"]["run_id"] for run in ordered(runs, "metrics.`mae` DESC")] == ["high", "low", "none"]
