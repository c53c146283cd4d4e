"""Monitors and schedules: put once, again when they change or another deployment is live, switched off at the end."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shared.adapters.azureml_schedules import ScheduleSeen
from shared.domain.record import Record, Serving
from shared.errors import BadInput
from shared.operator.publish import publish_to
from shared.operator.publish_files import read_folder
from shared.reconcile.ports import DecisionRow
from tests.unit.operator.publish_world import Publish, current, edit
from tests.unit.operator.test_publish_component import COMPONENT

MONITOR = """\
name: trips-monitor
trigger: {type: cron, expression: "0 3 * * 1"}
create_monitor:
  compute: {instance_type: standard_e4s_v3, runtime_version: "3.4"}
  monitoring_target: {ml_task: regression, endpoint_deployment_id: "azureml:trips:r0001"}
  monitoring_signals:
    trips-drift:
      type: data_drift
      production_data:
        input_data: {path: "azureml:trips-r0001-model_inputs:1", type: uri_folder}
        data_context: model_inputs
      metric_thresholds: {numerical: {jensen_shannon_distance: 0.2}}
      alert_enabled: true
"""
NIGHTLY = """\
name: trips-nightly
trigger: {type: cron, expression: "0 3 * * *"}
create_job: ./pipeline.yml
"""
PIPELINE = """\
type: pipeline
settings: {default_compute: azureml:cpu-cluster}
jobs:
  train:
    type: command
    component: ../train/component.yml
    inputs:
      manifest: {type: uri_file, path: "azureml:m:1"}
      parts: {type: uri_folder, path: "azureml:p:1"}
  report:
    type: command
    component: azureml:report:3
"""
Live = Callable[[str], None]


@pytest.fixture
def monitored(folder: Path) -> Path:
    """The folder with a monitor."""
    edit(folder / "upkeep.yaml", "alerts:", "schedules: [monitor.yml]\nalerts:")
    (folder / "monitor.yml").write_text(MONITOR)
    return folder


@pytest.fixture
def nightly(folder: Path) -> Path:
    """The folder with a schedule of a pipeline that trains by the component."""
    edit(folder / "upkeep.yaml", "alerts:", "schedules: [more/nightly.yml]\nalerts:")
    edit(folder / "upkeep.yaml", "{job: train/job.yml}", "{job: train/job.yml, component: train/component.yml}")
    (folder / "train/component.yml").write_text(COMPONENT)
    (folder / "more").mkdir()
    (folder / "more/nightly.yml").write_text(NIGHTLY)
    (folder / "more/pipeline.yml").write_text(PIPELINE)
    return folder


@pytest.fixture
def live(target: Any, publish: Publish) -> Live:
    """Have a deployment carry the live model."""

    def make(deployment: str) -> None:
        publish()
        at = datetime(2026, 1, 5, tzinfo=UTC)
        serving = Serving(
            release=7, version=7, deployment=deployment, job="j", artifact="a", publication="p", since=at
        )
        row = DecisionRow(seq=1, at=at, before="", after="", release=7, reasons=(), actions=(), inputs="")
        target.state.commit(Record(model="trips", live=serving), target.state.etag("trips"), (), row)

    return make


def put(target: Any, name: str) -> dict[str, Any]:
    return json.loads(target.schedules.made[name].document)


def test_a_monitor_waits_for_the_first_live_deployment(publish: Publish, monitored: Path, target: Any) -> None:
    assert "monitor" not in publish()
    waiting = publish_to(target, read_folder(monitored, "prod"), dry_run=True).waiting
    assert (waiting, target.schedules.there) == (["trips-monitor"], {})


def test_a_monitor_watches_the_live_deployment_and_its_data(
    publish: Publish, monitored: Path, target: Any, live: Live
) -> None:
    live("r0007")
    assert publish() == ["monitor"]
    monitor = put(target, "trips-monitor")["create_monitor"]
    data = monitor["monitoring_signals"]["trips-drift"]["production_data"]["input_data"]["path"]
    assert monitor["monitoring_target"]["endpoint_deployment_id"] == "azureml:trips:r0007"
    assert data == "azureml:trips-r0007-model_inputs:1"


def test_a_monitor_watches_the_endpoint_of_the_installation(
    publish: Publish, monitored: Path, target: Any, live: Live
) -> None:
    live("r0007")
    publish(token="ab12cd34")
    monitor = put(target, "trips-monitor")["create_monitor"]
    data = monitor["monitoring_signals"]["trips-drift"]["production_data"]["input_data"]["path"]
    assert monitor["monitoring_target"]["endpoint_deployment_id"] == "azureml:trips-ab12cd34:r0007"
    assert data == "azureml:trips-ab12cd34-r0007-model_inputs:1"
    assert publish(token="ab12cd34") == []
    [carried] = current(target).monitors
    assert (carried.endpoint, carried.stand_in) == ("trips", "r0001")


def test_a_monitor_that_is_there_is_not_put_again(publish: Publish, monitored: Path, live: Live) -> None:
    live("r0007")
    publish()
    assert publish() == []


def test_a_monitor_moves_to_the_next_live_deployment(
    publish: Publish, monitored: Path, target: Any, live: Live
) -> None:
    live("r0007")
    publish()
    live("r0008")
    assert publish(dry_run=True) == ["monitor"]
    publish()
    target_id = put(target, "trips-monitor")["create_monitor"]["monitoring_target"]["endpoint_deployment_id"]
    assert target_id == "azureml:trips:r0008"


def test_a_changed_monitor_is_put_again_and_a_comment_is_no_change(
    publish: Publish, monitored: Path, live: Live
) -> None:
    live("r0007")
    publish()
    edit(monitored / "monitor.yml", "name: trips-monitor", "name: trips-monitor  # weekly")
    assert publish() == []
    edit(monitored / "monitor.yml", "0.2", "0.3")
    assert publish() == ["publication", "pointer", "monitor"]


def test_a_monitor_that_a_person_switched_off_stays_off(
    publish: Publish, monitored: Path, target: Any, live: Live
) -> None:
    live("r0007")
    publish()
    off = msgspec.structs.replace(target.schedules.there["trips-monitor"], enabled=False)
    target.schedules.there["trips-monitor"] = off
    assert publish() == []
    edit(monitored / "monitor.yml", "0.2", "0.3")
    publish()
    assert not target.schedules.there["trips-monitor"].enabled


def test_a_monitor_without_a_file_is_switched_off_once(
    publish: Publish, monitored: Path, target: Any, live: Live
) -> None:
    live("r0007")
    publish()
    edit(monitored / "upkeep.yaml", "schedules: [monitor.yml]", "schedules: []")
    assert publish() == ["publication", "pointer", "schedule"]
    assert not target.schedules.there["trips-monitor"].enabled
    assert publish() == []


def test_a_monitor_whose_file_comes_back_is_switched_on_again(
    publish: Publish, monitored: Path, target: Any, live: Live
) -> None:
    live("r0007")
    publish()
    edit(monitored / "upkeep.yaml", "schedules: [monitor.yml]", "schedules: []")
    publish()
    edit(monitored / "upkeep.yaml", "schedules: []", "schedules: [monitor.yml]")
    assert publish() == ["publication", "pointer", "monitor"]
    assert target.schedules.there["trips-monitor"].enabled


@pytest.mark.parametrize(("owner", "told_of"), [("", "was not made by Upkeep"), ("fares", "belongs to fares")])
def test_a_monitor_of_somebody_else_is_left_alone(
    publish: Publish, monitored: Path, target: Any, owner: str, told_of: str
) -> None:
    strange = ScheduleSeen(name="Trips-Monitor", model=owner, content="x")
    target.schedules.there["Trips-Monitor"] = strange
    with pytest.raises(BadInput, match=told_of):
        publish()
    assert target.schedules.there == {"Trips-Monitor": strange}
    assert target.registry.codes == {}


def test_schedules_of_other_models_are_no_concern(publish: Publish, target: Any) -> None:
    target.schedules.there["fares-monitor"] = ScheduleSeen(name="fares-monitor", model="fares", content="x")
    publish()
    assert publish() == []


def test_a_pipeline_trains_by_the_component_that_was_just_published(
    publish: Publish, nightly: Path, target: Any
) -> None:
    assert publish()[-1] == "schedule"
    jobs = json.loads(target.schedules.made["trips-nightly"].pipeline)["jobs"]
    [(name, version)] = target.registry.components
    assert jobs["train"]["component"] == f"azureml:{name}:{version}"
    assert jobs["report"]["component"] == "azureml:report:3"


def test_a_new_component_is_a_change_of_the_schedule(publish: Publish, nightly: Path) -> None:
    publish()
    assert publish() == []
    edit(nightly / "train/train.py", "train", "train harder")
    assert "schedule" in publish()


@pytest.mark.parametrize(
    ("file", "old", "new", "told_of"),
    [
        ("monitor.yml", "jensen_shannon_distance", "jensen", "trips-drift.metric_thresholds.numerical.jensen"),
        ("monitor.yml", "name: trips-monitor", "name: ''", "name is missing"),
        ("monitor.yml", "type: cron", "type: sometimes", "trigger"),
        ("upkeep.yaml", "[monitor.yml]", "[monitor.yml, train/job.yml]", "train/job.yml"),
        ("upkeep.yaml", "[monitor.yml]", "[monitor.yml, ../monitor.yml]", "leads out of the model's folder"),
        ("upkeep.yaml", "[monitor.yml]", "[watch.yml]", 'there is no file "watch.yml"'),
    ],
)
def test_a_monitor_that_cannot_be_used_is_refused(
    publish: Publish, monitored: Path, file: str, old: str, new: str, told_of: str
) -> None:
    edit(monitored / file, old, new)
    with pytest.raises(BadInput) as refusal:
        publish()
    assert told_of in str(refusal.value)


def test_two_schedules_of_one_name_are_refused(publish: Publish, monitored: Path) -> None:
    (monitored / "again.yml").write_text(MONITOR)
    edit(monitored / "upkeep.yaml", "[monitor.yml]", "[monitor.yml, again.yml]")
    with pytest.raises(BadInput, match="two schedules are called trips-monitor"):
        publish()


@pytest.mark.parametrize(
    ("old", "new", "told_of"),
    [
        ("azureml:report:3", "./report.yml", "jobs.report must use a component"),
        ("jobs:", "nodes:", "this is none: it has no jobs"),
        ("type: command", "type: commando", "nightly.yml: Azure ML refuses it"),
    ],
)
def test_a_pipeline_that_cannot_be_put_is_refused(
    publish: Publish, nightly: Path, old: str, new: str, told_of: str
) -> None:
    (nightly / "more/report.yml").write_text((nightly / "train/component.yml").read_text())
    edit(nightly / "more/pipeline.yml", old, new)
    with pytest.raises(BadInput) as refusal:
        publish()
    assert told_of in str(refusal.value)
