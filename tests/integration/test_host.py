"""The Functions host as a process, with the app in hostapp/, against a real Azurite.

The local cloud is started without a host, once; each host here is a process of its own with its own queue.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from azure.core.credentials import AccessToken
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import ContainerClient
from azure.storage.queue import QueueClient, TextBase64DecodePolicy, TextBase64EncodePolicy

from localcloud.cloud import read_env
from localcloud.host import keys

pytestmark = pytest.mark.localcloud

ROOT = Path(__file__).resolve().parents[2]
APP = Path(__file__).parent / "hostapp"
NEVER = "0 0 0 1 1 *"  # a timer that stays out of the way


@dataclass(frozen=True)
class Storage:
    """The local cloud's storage account, as a test reaches it."""

    folder: Path

    @property
    def env(self) -> dict[str, str]:
        return read_env(self.folder / "child.env")

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        """A credential, for the SDK: a token of the local managed identity."""
        answer = requests.get(
            self.env["IDENTITY_ENDPOINT"],
            params={"api-version": "2019-08-01", "resource": "https://storage.azure.com"},
            headers={"X-IDENTITY-HEADER": self.env["IDENTITY_HEADER"]},
            verify=self.env["SSL_CERT_FILE"],
            timeout=10,
        ).json()
        return AccessToken(answer["access_token"], int(answer["expires_on"]))

    def queue(self, name: str, *, base64: bool = True) -> QueueClient:
        """A queue, which is there afterwards."""
        client = QueueClient(
            self.env["UPKEEP_STORAGE__queueServiceUri"],
            name,
            credential=self,
            connection_verify=self.env["SSL_CERT_FILE"],
            message_encode_policy=TextBase64EncodePolicy() if base64 else None,
            message_decode_policy=TextBase64DecodePolicy() if base64 else None,
        )
        with suppress(ResourceExistsError):
            client.create_queue()
        return client

    def host_state(self) -> ContainerClient:
        """The container of the host's own blobs."""
        return ContainerClient(
            self.env["UPKEEP_STORAGE__blobServiceUri"],
            "azure-webjobs-hosts",
            credential=self,
            connection_verify=self.env["SSL_CERT_FILE"],
        )


@dataclass
class Host:
    """A running host."""

    process: subprocess.Popen[bytes]
    folder: Path
    port: int
    record: Path
    out: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def keys(self) -> keys.Keys:
        return keys.load_or_create(self.folder)

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            return session.request(method, self.url + path, timeout=10, **options)

    def admin(self, method: str, path: str, **options: Any) -> requests.Response:
        return self.call(method, path, headers={"x-functions-key": self.keys.master}, **options)

    def recorded(self, event: str) -> list[dict[str, Any]]:
        lines = self.record.read_text().splitlines() if self.record.exists() else []
        return [entry for entry in map(json.loads, lines) if entry["event"] == event]


def eventually(condition: Callable[[], object], what: str, limit_s: float = 20.0) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {limit_s} s: {what}"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    folder = tmp_path_factory.mktemp("cloud")
    command = [sys.executable, "-m", "localcloud"]
    subprocess.run([*command, "up", "--no-host", "--folder", str(folder)], cwd=ROOT, check=True)
    try:
        yield Storage(folder)
    finally:
        subprocess.run([*command, "down", "--folder", str(folder)], cwd=ROOT, check=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def launch(storage: Storage, tmp_path: Path, *, app: Path = APP, port: int | None = None, **settings: str) -> Host:
    port = port or free_port()
    settings = {"WORK_QUEUE": "work", "TICK_SCHEDULE": NEVER, "RECORD": str(tmp_path / "record"), **settings}
    env_file = tmp_path / "host.env"
    lines = [f"{name}={value}" for name, value in {**storage.env, **settings}.items()]
    env_file.write_text("\n".join(lines))
    command = [sys.executable, "-m", "localcloud.host", "--folder", str(storage.folder), "--app", str(app)]
    command += ["--env-file", str(env_file), "--port", str(port)]
    out = tmp_path / "out"
    with out.open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
    return Host(process, storage.folder, port, tmp_path / "record", out)


@contextmanager
def running(storage: Storage, tmp_path: Path, **settings: Any) -> Iterator[Host]:
    host = launch(storage, tmp_path, **settings)
    try:
        before = host.out.read_text().count("host ready in")
        eventually(
            lambda: host.out.read_text().count("host ready in") > before or host.process.poll() is not None,
            "the host is ready",
        )
        assert host.process.poll() is None, host.out.read_text()
        yield host
    finally:
        host.process.kill()
        host.process.wait()


@pytest.fixture(scope="module")
def host(storage: Storage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with running(storage, tmp_path_factory.mktemp("host"), WORK_QUEUE="shared") as started:
        yield started


# HTTP


def test_an_http_function_is_given_the_bytes_headers_and_parameters_of_the_call(host: Host) -> None:
    body = bytes(range(256))
    answer = host.call(
        "POST",
        "/api/echo/a%20b?x=1&x=2&status=201",
        data=body,
        headers={"x-functions-key": host.keys.host["default"], "content-type": "application/x-thing"},
    )
    assert (answer.status_code, answer.content) == (201, body)
    assert answer.headers["content-type"] == "application/x-thing"
    assert answer.headers["x-name"] == "a b"
    assert json.loads(answer.headers["x-query"]) == {"x": "1,2", "status": "201"}


def test_a_function_that_returns_a_string_answers_with_text(host: Host) -> None:
    answer = host.call("GET", "/api/open")
    assert (answer.text, answer.headers["content-type"]) == ("open to all", "text/plain; charset=utf-8")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/api/echo/x", 401),
        ("POST", "/api/echo/x?code=wrong", 401),
        ("GET", "/api/secret", 401),
        ("POST", "/api/open", 404),
        ("GET", "/api/none", 404),
        ("GET", "/open", 404),
        ("GET", "/api/broken", 500),
        ("GET", "/admin/functions", 401),
        ("POST", "/admin/functions/tick", 401),
        ("GET", "/", 200),
    ],
)
def test_a_call_is_answered_as_by_the_real_host(host: Host, method: str, path: str, status: int) -> None:
    assert host.call(method, path).status_code == status


def test_a_wrong_header_is_not_saved_by_a_right_code(host: Host) -> None:
    path = f"/api/echo/x?code={host.keys.host['default']}"
    assert host.call("POST", path).status_code == 200
    assert host.call("POST", path, headers={"x-functions-key": "wrong"}).status_code == 401


def test_a_function_of_level_admin_takes_the_master_key_only(host: Host) -> None:
    assert host.call("GET", f"/api/secret?code={host.keys.host['default']}").status_code == 401
    assert host.call("GET", f"/api/secret?code={host.keys.master}").text == "for the master"


def test_a_failed_function_leaves_its_traceback_in_the_log(host: Host) -> None:
    host.call("GET", "/api/broken")
    eventually(lambda: 'raise RuntimeError("broken on purpose")' in host.out.read_text(), "the traceback")


def test_an_output_binding_sends_a_message_to_a_queue_made_on_demand(host: Host, storage: Storage) -> None:
    assert host.call("POST", "/api/send", data="hello").status_code == 202
    assert [message.content for message in storage.queue("sent").receive_messages()] == ["hello"]


# Admin


def test_the_functions_are_listed_with_their_bindings(host: Host) -> None:
    listed = {entry["name"]: entry for entry in host.admin("GET", "/admin/functions").json()}
    assert set(listed) == {"broken", "echo", "opened", "secret", "send", "slow", "tick", "work"}
    assert listed["echo"]["invoke_url_template"] == f"{host.url}/api/echo/{{name}}"
    assert listed["tick"]["config"]["bindings"][0]["type"] == "timerTrigger"


def test_the_status_says_that_it_runs(host: Host) -> None:
    assert host.admin("GET", "/admin/host/status").json()["state"] == "Running"


def test_a_timer_can_be_run_by_hand(host: Host) -> None:
    before = len(host.recorded("tick"))
    assert host.admin("POST", "/admin/functions/tick", json={}).status_code == 202
    eventually(lambda: len(host.recorded("tick")) == before + 1, "the timer ran")


def test_a_queue_function_can_be_run_by_hand_with_a_message(host: Host) -> None:
    order = {"do": "record", "by": "hand"}
    assert host.admin("POST", "/admin/functions/work", json={"input": json.dumps(order)}).status_code == 202
    eventually(lambda: any(entry["order"] == order for entry in host.recorded("ended")), "it ran")


@pytest.mark.parametrize(("name", "status"), [("none", 404), ("echo", 400)])
def test_what_cannot_be_run_by_hand_is_refused(host: Host, name: str, status: int) -> None:
    assert host.admin("POST", f"/admin/functions/{name}", json={}).status_code == status


# Queue


def is_empty(queue: QueueClient) -> bool:
    return queue.get_queue_properties().approximate_message_count == 0


def send(queue: QueueClient, **order: Any) -> None:
    queue.send_message(json.dumps(order))


def test_a_message_is_given_to_its_function_and_deleted(host: Host, storage: Storage) -> None:
    queue = storage.queue("shared")
    send(queue, do="record", n=1)
    eventually(lambda: any(e["order"].get("n") == 1 for e in host.recorded("ended")), "the message ran")
    eventually(lambda: is_empty(queue), "the message is deleted")
    run = next(entry for entry in host.recorded("began") if entry["order"].get("n") == 1)
    assert run["dequeue_count"] == 1
    assert run["inserted"].endswith("+00:00")


def test_a_message_that_keeps_failing_goes_to_the_poison_queue_as_it_was(host: Host, storage: Storage) -> None:
    queue, poison = storage.queue("shared"), storage.queue("shared-poison")
    send(queue, do="fail", why="ünïcode")
    eventually(lambda: not is_empty(poison), "the message is poison")
    (message,) = poison.receive_messages()
    poison.delete_message(message)
    assert json.loads(message.content) == {"do": "fail", "why": "ünïcode"}
    tries = [e["dequeue_count"] for e in host.recorded("began") if e["order"].get("why") == "ünïcode"]
    assert tries == [1, 2, 3]
    eventually(lambda: is_empty(queue), "it is gone from its queue")


def test_a_message_that_is_not_base64_goes_to_the_poison_queue_as_it_was(host: Host, storage: Storage) -> None:
    queue, poison = storage.queue("shared", base64=False), storage.queue("shared-poison", base64=False)
    queue.send_message('{"do": "record"}')
    eventually(lambda: not is_empty(poison), "the message is poison")
    (message,) = poison.receive_messages()
    poison.delete_message(message)
    assert message.content == '{"do": "record"}'


def test_messages_of_a_batch_run_at_the_same_time(host: Host, storage: Storage) -> None:
    for n in range(3):
        send(storage.queue("shared"), do="sleep", seconds=1, batch=n)

    def batch(event: str) -> list[dict[str, Any]]:
        return [entry for entry in host.recorded(event) if "batch" in entry["order"]]

    eventually(lambda: len(batch("began")) == 3, "all began")
    assert batch("ended") == []
    eventually(lambda: len(batch("ended")) == 3, "all ended")


def test_a_long_run_keeps_its_message_to_itself(storage: Storage, tmp_path: Path) -> None:
    queue = storage.queue("slow-lease")
    queue.send_message('{"seconds": 5}')
    with running(storage, tmp_path, WORK_QUEUE="lease", UPKEEP_LOCAL_MESSAGE_LEASE_S="2") as host:
        eventually(lambda: host.recorded("slow ended"), "the run ended")
        eventually(lambda: is_empty(queue), "the message is deleted")
        assert len(host.recorded("slow began")) == 1


def test_a_killed_host_loses_no_message(storage: Storage, tmp_path: Path) -> None:
    queue = storage.queue("killed")
    send(queue, do="sleep", seconds=2)
    settings = {"WORK_QUEUE": "killed", "UPKEEP_LOCAL_MESSAGE_LEASE_S": "2"}
    with running(storage, tmp_path, **settings) as host:
        eventually(lambda: host.recorded("began"), "the run began")
        host.process.kill()
    assert host.recorded("ended") == []
    with running(storage, tmp_path, **settings) as host:
        eventually(lambda: host.recorded("ended"), "the run was made again")
        assert [entry["dequeue_count"] for entry in host.recorded("began")] == [1, 2]
        eventually(lambda: is_empty(queue), "the message is deleted")


def test_a_stopped_host_ends_what_it_began_and_exits_with_0(storage: Storage, tmp_path: Path) -> None:
    queue = storage.queue("stopped")
    send(queue, do="sleep", seconds=1)
    with running(storage, tmp_path, WORK_QUEUE="stopped") as host:
        eventually(lambda: host.recorded("began"), "the run began")
        host.process.send_signal(signal.SIGTERM)
        assert host.process.wait(timeout=15) == 0
    assert len(host.recorded("ended")) == 1
    assert is_empty(queue)


def test_a_function_past_its_timeout_is_given_up_and_the_host_runs_on(storage: Storage, tmp_path: Path) -> None:
    settings = {"WORK_QUEUE": "timeout", "AzureFunctionsJobHost__functionTimeout": "00:00:01"}
    with running(storage, tmp_path, **settings) as host:
        send(storage.queue("timeout"), do="sleep", seconds=60)
        eventually(lambda: "FunctionTimeoutException" in host.out.read_text(), "the run is given up")
        eventually(lambda: host.out.read_text().count("host ready in") == 2, "the host is there again")
        assert host.call("GET", "/api/open").status_code == 200


def test_a_disabled_function_leaves_its_messages(storage: Storage, tmp_path: Path) -> None:
    send(storage.queue("disabled"), do="record")
    storage.queue("slow-disabled").send_message('{"seconds": 0}')
    settings = {"WORK_QUEUE": "disabled", "AzureWebJobs.work.Disabled": "true"}
    with running(storage, tmp_path, **settings) as host:
        eventually(lambda: host.recorded("slow ended"), "its neighbour ran")
        assert host.recorded("began") == []


# Timer


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


# Apps that cannot be hosted


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
