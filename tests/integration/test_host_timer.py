"""Timer functions in the local Functions host."""

import json
from pathlib import Path

import pytest
from azure.core.exceptions import ResourceNotFoundError

from tests.integration.host_fixture import NEVER, Storage, eventually, running

pytest_plugins = ["tests.integration.host_fixture"]
pytestmark = pytest.mark.localcloud


def status_blob(storage: Storage, host_id: str) -> dict[str, str]:
    try:
        data = storage.host_state().download_blob(f"timers/{host_id}/tick/status").readall()
    except ResourceNotFoundError:
        return {}
    return dict(json.loads(data))


def test_a_timer_runs_when_it_is_due(storage: Storage, tmp_path: Path) -> None:
    with running(storage, tmp_path, TICK_SCHEDULE="* * * * * *", WORK_QUEUE="ticking") as host:
        eventually(lambda: len(host.recorded("tick")) >= 2, "two ticks")
        assert not any(entry["past_due"] for entry in host.recorded("tick"))


def test_a_timer_that_came_due_while_no_host_ran_runs_once_at_start(storage: Storage, tmp_path: Path) -> None:
    settings = {"AzureFunctionsWebHost__hostid": "late", "TICK_SCHEDULE": NEVER, "WORK_QUEUE": "late"}
    with running(storage, tmp_path, **settings):
        eventually(lambda: status_blob(storage, "late"), "the status is written")
    longer_ago = {
        "Last": "2020-01-01T00:00:00+00:00",
        "Next": "2021-01-01T00:00:00+00:00",
        "LastUpdated": "2020-01-01T00:00:00+00:00",
    }
    blob = storage.host_state().get_blob_client("timers/late/tick/status")
    blob.upload_blob(json.dumps(longer_ago), overwrite=True)
    with running(storage, tmp_path, **settings) as host:
        eventually(lambda: host.recorded("tick"), "the missed run")
        assert host.recorded("tick") == [{"event": "tick", "past_due": True, "status": longer_ago}]
        eventually(lambda: status_blob(storage, "late")["Last"] > "2026", "the new status")
