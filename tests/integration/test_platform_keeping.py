"""What the platform keeps over a restart and forgets by a reset, and what of it is told when it does not run."""

import subprocess
from pathlib import Path

import pytest
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient

from localcloud.cloud import Ports
from localcloud.isolation import MARK
from localcloud.processes import Processes
from tests.integration.platform_fixture import DEADLINE_S, Platform

pytest_plugins = ["tests.integration.platform_fixture"]
pytestmark = pytest.mark.localcloud


def test_a_reset_leaves_no_blob_message_entity_or_fault(platform: Platform) -> None:
    platform.blob("landing", "m/a.csv").upload_blob(b"a")
    platform.queue("nudge").send_message("x")
    table = platform.storage(TableServiceClient, "table").get_table_client("upkeep")
    table.create_entity({"PartitionKey": "p", "RowKey": "r"})
    platform.call("POST", "/admin/faults", json={"match": "/x", "status": 500})
    assert platform.command("reset").returncode == 0
    landing = platform.storage(BlobServiceClient, "blob").get_container_client("landing")
    assert list(landing.list_blobs()) == []
    assert platform.queue("nudge").peek_messages() == []
    assert list(table.list_entities()) == []
    assert platform.call("GET", "/admin/faults").json() == []
    assert platform.call("GET", "/admin/events").json() == []


def test_a_reset_ends_the_jobs_that_the_gateway_started(platform: Platform) -> None:
    mark = {MARK: str(platform.folder), "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(["sleep", "600"], env=mark, start_new_session=True) as job:
        assert platform.command("reset").returncode == 0
        assert job.wait(DEADLINE_S) != 0


def test_down_leaves_nothing_running(platform: Platform) -> None:
    mark = {MARK: str(platform.folder), "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(["sleep", "600"], env=mark, start_new_session=True) as job:
        assert platform.command("down").returncode == 0
        assert job.wait(DEADLINE_S) != 0
    assert Processes(platform.folder).orphans() == []
    assert platform.up().returncode == 0


def test_a_restart_keeps_blobs_and_ports(platform: Platform) -> None:
    before = Ports.load(platform.folder)
    platform.blob("runs", "m/model").upload_blob(b"model")
    assert platform.command("down").returncode == 0
    assert platform.up().returncode == 0
    assert Ports.load(platform.folder) == before
    assert platform.blob("runs", "m/model").download_blob().readall() == b"model"


def test_up_changes_nothing_when_all_runs_already(platform: Platform) -> None:
    pids = [path.read_text() for path in sorted((platform.folder / "pids").iterdir())]
    assert platform.up().returncode == 0
    assert [path.read_text() for path in sorted((platform.folder / "pids").iterdir())] == pids


def test_status_tells_of_a_process_that_does_not_run(tmp_path: Path, platform: Platform) -> None:
    status = platform.command("status")
    assert status.returncode == 0
    assert [line.split()[-1] for line in status.stdout.splitlines()[1:]] == ["healthy", "healthy", "stopped"]


def test_a_port_that_a_stranger_took_is_named(tmp_path: Path, platform: Platform) -> None:
    other = Platform(tmp_path / "other")
    other.folder.mkdir()
    Ports.load(platform.folder).save(other.folder)
    up = other.up()
    assert up.returncode == 1
    assert f"port {Ports.load(platform.folder).blob}" in up.stderr
