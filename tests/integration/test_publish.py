"""Publishing to the local cloud by the unmodified SDK: what is registered, and that a second run writes nothing."""

import re
import shutil
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from azure.storage.blob import BlobServiceClient

from shared.adapters.azureml import AzureMl
from shared.adapters.blob_archive import BlobArchive
from shared.adapters.credentials import credential
from shared.adapters.table_state import TableState
from shared.domain.actions import CreateDeployment, PointMonitor, RegisterModel
from shared.domain.observation import MonitorSeen
from shared.domain.publication import DataCollection, Publication
from shared.domain.record import Record, Serving
from shared.errors import NeedsPerson, RetryLater
from shared.operator.publish import Published
from shared.reconcile.ports import DecisionRow
from shared.settings import Settings
from tests.contract.platforms import azure_publication

pytestmark = [pytest.mark.localcloud, pytest.mark.timeout(300)]
EXAMPLE = Path(__file__).resolve().parents[2] / "models" / "flight-duration"
DEPLOYMENT, DEADLINE_S = "r0007", 60
Cloud = Mapping[str, str]


class Bench:
    """The example under a name of its own, and the local cloud to publish it to."""

    def __init__(self, cloud: Cloud, folder: Path, quick: Publication) -> None:
        self.name = f"m{uuid4().hex[:8]}"
        self.folder, self._quick, self._cloud = folder / self.name, quick, cloud
        self.settings = Settings.of(cloud)
        shutil.copytree(EXAMPLE, self.folder, ignore=shutil.ignore_patterns("__pycache__"))
        for path in ("upkeep.yaml", "monitor.yml", "score/endpoint.yml", "score/deployment.yml"):
            text = (self.folder / path).read_text()
            (self.folder / path).write_text(text.replace("flight-duration", self.name))

    def publish(self, *, dry_run: bool = False) -> Published:
        from shared.operator.publish import publish

        return publish(self.folder, self.settings, dry_run=dry_run)

    def written(self) -> list[str]:
        """The requests to Azure ML and to storage that write, so far."""
        logs = Path(self._cloud["LOCALCLOUD_FOLDER"]) / "logs"
        gateway = re.findall(r"method=(\S+ path=\S*/workspaces/\S+)", (logs / "gateway.log").read_text())
        storage = re.findall(r'"((?:PUT|POST|MERGE|PATCH|DELETE) \S+) HTTP', (logs / "azurite.log").read_text())
        return [call for call in gateway if not call.startswith("GET")] + storage

    @property
    def client(self) -> Any:
        return workspace(self._cloud).client

    @property
    def platform(self) -> AzureMl:
        it = self.settings
        return AzureMl(it.subscription_id, it.resource_group, it.workspace, credential())

    def go_live(self, deployment: str = DEPLOYMENT) -> None:
        """Have a deployment that collects its inputs and outputs, and a record that says that it is live."""
        platform = self.platform
        self._put_model()
        platform.register_model(self.name, RegisterModel(version=7, job="j", tags={}, properties={"upkeep_job": "j"}))
        collects = DataCollection(collections=("model_inputs", "model_outputs"))
        serving = msgspec.structs.replace(self._quick.serving, endpoint=self.name, data_collector=collects)
        order = CreateDeployment(deployment=deployment, version=7, publication="p")
        until(lambda: tried(lambda: platform.create_deployment(self.name, order, replaced(self._quick, serving))))
        until(lambda: platform.endpoint(self.name).deployments.get(deployment) not in (None, "changing"))
        assert platform.endpoint(self.name).deployments[deployment] == "ready"
        now = datetime.now(UTC)
        live = Serving(release=7, version=7, deployment=deployment, job="j", artifact="a", publication="p", since=now)
        state = TableState(self.settings.table_service, credential())
        seq = len(state.history(self.name, 10)) + 1
        row = DecisionRow(seq=seq, at=now, before="", after="", release=7, reasons=(), actions=(), inputs="")
        state.commit(Record(model=self.name, live=live), state.etag(self.name), (), row)

    def published(self) -> Publication:
        """The current publication, as the app reads it."""
        state, it = TableState(self.settings.table_service, credential()), self.settings
        loaded = state.load(self.name, 1)
        assert loaded is not None
        return BlobArchive(it.blob_service, credential()).publication(self.name, loaded.pointer.publication)

    def _put_model(self) -> None:
        blobs = BlobServiceClient(self.settings.blob_service, credential=credential())
        blobs.get_blob_client("runs", f"{self.name}/j/model/model.txt").upload_blob(b"x", overwrite=True)


@pytest.fixture(scope="module")
def bench(local_cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("publish")
    return Bench(local_cloud, folder, azure_publication(local_cloud, folder))


def test_what_a_first_run_writes_is_what_the_dry_run_told(bench: Bench) -> None:
    told = bench.publish(dry_run=True)
    kinds = ["environment", "environment", "code", "code", "component", "endpoint"]
    assert [change.what for change in told.changes][:6] == kinds
    assert bench.publish() == told


def test_a_second_run_sends_nothing_but_questions(bench: Bench) -> None:
    bench.publish()
    before = bench.written()
    assert bench.publish().changes == []
    assert bench.written() == before


def test_the_component_is_there_for_other_pipelines(bench: Bench) -> None:
    bench.publish()
    name = f"{bench.name}_train"
    [version] = [each.version for each in bench.client.components.list(name)]
    component = bench.client.components.get(name, version)
    assert "/codes/" in component.code
    assert component.inputs["champion_version"].default == "0"
    assert sorted(component.outputs) == ["evaluation", "model"]


def test_a_monitor_is_put_for_the_live_deployment_and_once(bench: Bench) -> None:
    assert bench.publish().waiting == [f"{bench.name}-monitor"]
    bench.go_live()
    assert [change.what for change in bench.publish().changes] == ["monitor"]
    monitor = bench.client.schedules.get(f"{bench.name}-monitor").create_monitor
    signal = monitor.monitoring_signals[f"{bench.name}-input-drift"]
    assert monitor.monitoring_target.endpoint_deployment_id.endswith(f"/{bench.name}/deployments/{DEPLOYMENT}")
    assert f"{bench.name}-{DEPLOYMENT}-model_inputs" in signal.production_data.input_data.path

    before = bench.written()
    assert bench.publish() == Published(changes=[], waiting=[])
    assert bench.written() == before


def test_the_app_points_a_monitor_at_the_next_live_deployment_and_publishing_adds_nothing(
    bench: Bench,
) -> None:
    monitor, platform = f"{bench.name}-monitor", bench.platform
    assert platform.monitor(bench.name, f"{monitor}-of-nobody") == MonitorSeen(exists=False)
    assert platform.monitor("fares", monitor) == MonitorSeen(exists=True, ours=False, deployment=DEPLOYMENT)
    bench.go_live("r0008")
    platform.point_monitor(PointMonitor(monitor=monitor, deployment="r0008"), bench.published())
    assert platform.monitor(bench.name, monitor) == MonitorSeen(exists=True, ours=True, deployment="r0008")
    signal = bench.client.schedules.get(monitor).create_monitor.monitoring_signals[f"{bench.name}-input-drift"]
    assert f"{bench.name}-r0008-model_inputs" in signal.production_data.input_data.path
    assert bench.publish().changes == []


def test_a_monitor_without_a_file_is_switched_off_and_kept(bench: Bench) -> None:
    spec = bench.folder / "upkeep.yaml"
    spec.write_text(spec.read_text().replace("schedules: [monitor.yml]", "schedules: []"))
    gone = [change for change in bench.publish().changes if change.how == "switch off"]
    assert [change.name for change in gone] == [f"{bench.name}-monitor"]
    assert not bench.client.schedules.get(f"{bench.name}-monitor").is_enabled
    before = bench.written()
    assert bench.publish().changes == []
    assert bench.written() == before


def test_a_schedule_trains_by_the_component(bench: Bench) -> None:
    spec = bench.folder / "upkeep.yaml"
    spec.write_text(spec.read_text().replace("schedules: []   ", "schedules: [nightly.yml]   "))
    trigger = 'trigger: {type: cron, expression: "0 3 * * *"}'
    (bench.folder / "nightly.yml").write_text(f"name: {bench.name}-nightly\n{trigger}\ncreate_job: ./pipeline.yml\n")
    (bench.folder / "pipeline.yml").write_text(PIPELINE)
    assert [change.what for change in bench.publish().changes][-1] == "schedule"
    node = bench.client.schedules.get(f"{bench.name}-nightly").create_job.jobs["train"]
    assert f"/components/{bench.name}_train/versions/" in str(node.component)
    assert bench.publish().changes == []


PIPELINE = """\
type: pipeline
settings: {default_compute: azureml:cpu-cluster}
jobs:
  train:
    type: command
    component: train/component.yml
    inputs:
      manifest: {type: uri_file, path: "azureml://datastores/upkeep_accepted/paths/m/manifests/x.json"}
      parts: {type: uri_folder, path: "azureml://datastores/upkeep_accepted/paths/m/parts/"}
      champion: {type: uri_folder, path: "azureml://datastores/upkeep_runs/paths/no-champion/"}
"""


class TestCode:
    def test_code_is_registered_under_the_name_and_version_that_it_was_given(
        self, local_cloud: Cloud, tmp_path: Path
    ) -> None:
        from shared.adapters.azureml_assets import Assets
        from shared.operator.publish_code import CodeFolder

        assets, name = Assets(workspace(local_cloud)), f"c{uuid4().hex[:8]}"
        (tmp_path / "in").mkdir()
        (tmp_path / "in" / "train.py").write_text("print(1)\n")
        code = CodeFolder(name, tmp_path / "in")
        code.copy_to(tmp_path / "out")
        assert not assets.has_code(name, code.version)
        assets.register_code(name, code.version, tmp_path / "out")
        assert assets.has_code(name, code.version)

    def test_content_that_has_another_name_already_is_not_taken_for_registered(
        self, local_cloud: Cloud, tmp_path: Path
    ) -> None:
        from shared.adapters.azureml_assets import Assets

        assets, name = Assets(workspace(local_cloud)), f"c{uuid4().hex[:8]}"
        (tmp_path / "train.py").write_text(f"print('{name}')\n")
        assets.register_code(name, "1", tmp_path)
        with pytest.raises(NeedsPerson, match="is registered as"):
            assets.register_code(f"{name}-other", "1", tmp_path)


def replaced(publication: Publication, serving: Any) -> Publication:
    return msgspec.structs.replace(publication, serving=serving)


def tried(change: Any) -> bool:
    try:
        change()
    except RetryLater:
        return False
    return True


def until(happened: Any) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)


def workspace(local_cloud: Cloud) -> Any:
    from shared.adapters.azureml_workspace import Workspace

    settings = Settings.of(local_cloud)
    return Workspace(settings.subscription_id, settings.resource_group, settings.workspace, credential())
