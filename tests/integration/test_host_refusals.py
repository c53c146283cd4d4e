"""Apps that cannot be hosted end the local Functions host with one message."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.host_fixture import APP, ROOT, Host, Storage, launch

pytest_plugins = ["tests.integration.host_fixture"]
pytestmark = pytest.mark.localcloud


def refusal(storage: Storage, tmp_path: Path, code: str, host_json: str = '{"version": "2.0"}') -> str:
    app = tmp_path / "app"
    app.mkdir()
    (app / "host.json").write_text(host_json)
    (app / "function_app.py").write_text(f"import azure.functions as func\n\napp = func.FunctionApp()\n\n{code}\n")
    host = launch(storage, tmp_path, app=app)
    assert host.process.wait(timeout=20) == 1
    return host.out.read_text()


BLOB = """
@app.blob_trigger(arg_name="blob", path="landing/{name}", connection="UPKEEP_STORAGE")
def arrived(blob: func.InputStream) -> None: ...
"""
EVENT_GRID = """
@app.event_grid_trigger(arg_name="event")
def arrived(event: func.EventGridEvent) -> None: ...
"""
MISNAMED = """
@app.queue_trigger(arg_name="message", queue_name="work", connection="UPKEEP_STORAGE")
def arrived(msg: func.QueueMessage) -> None: ...
"""
NO_SETTING = """
@app.timer_trigger(arg_name="timer", schedule="%NO_SUCH_SETTING%")
def arrived(timer: func.TimerRequest) -> None: ...
"""
NO_CONNECTION = """
@app.queue_trigger(arg_name="message", queue_name="work", connection="ELSEWHERE")
def arrived(message: func.QueueMessage) -> None: ...
"""


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (BLOB, "the function arrived has a binding of type blobTrigger, which the local host does not emulate"),
        (EVENT_GRID, "binding of type eventGridTrigger, which the local host does not emulate"),
        (MISNAMED, "cannot load the arrived function"),
        (NO_SETTING, "the function arrived needs the app setting NO_SUCH_SETTING"),
        (NO_CONNECTION, "the app setting ELSEWHERE__queueServiceUri is missing"),
        ("import no_such_module", "No module named 'no_such_module'"),
        ("", "function_app.py registers no functions"),
    ],
)
def test_an_app_that_cannot_be_hosted_ends_the_host_with_one_message(
    storage: Storage, tmp_path: Path, code: str, message: str
) -> None:
    assert message in refusal(storage, tmp_path, code)


def test_a_wrong_host_json_ends_the_host_with_one_message(storage: Storage, tmp_path: Path) -> None:
    out = refusal(storage, tmp_path, "", '{"version": "2.0", "extensions": {"queues": {"batchSize": 64}}}')
    assert "host.json: extensions.queues.batchSize must be a whole number, 1 to 32, not 64" in out


def test_a_taken_port_ends_the_host_with_one_message(host: Host, storage: Storage, tmp_path: Path) -> None:
    second = launch(storage, tmp_path, port=host.port)
    assert second.process.wait(timeout=20) == 1
    assert "on 127.0.0.1 cannot be used" in second.out.read_text()


def test_a_folder_without_a_local_cloud_is_said_so(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "localcloud.host", "--folder", str(tmp_path), "--app", str(APP)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert (done.returncode, "start the local cloud first" in done.stderr) == (1, True)
