"""The started platform: what unmodified clients see, that nothing gets out, that nothing is lost by a kill.

Each test asks a child process or a client that has the environment of FOLDER/child.env.
"""

import base64
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from azure.core.credentials import AccessToken
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient

from localcloud import identity
from localcloud.cloud import Ports, read_env
from localcloud.isolation import MARK, scrubbed
from localcloud.processes import Processes

pytestmark = pytest.mark.localcloud
ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 20


class Platform:
    """A local cloud without a Functions host, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "localcloud", arguments[0], "--folder", str(self.folder), *arguments[1:]]
        return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)

    def up(self) -> subprocess.CompletedProcess[str]:
        return self.command("up", "--no-host", "--operator-env", str(self.folder.parent / "operator.env"))

    @property
    def env(self) -> dict[str, str]:
        return read_env(self.folder / "child.env")

    @property
    def url(self) -> str:
        return f"https://localhost:{Ports.load(self.folder).gateway}"

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        session = requests.Session()
        session.trust_env = False
        ca_file = str(self.folder / "ca" / "ca.pem")
        return session.request(method, self.url + path, verify=ca_file, timeout=DEADLINE_S, **options)

    def child(self, code: str, **env: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-c", code]
        whole = {**scrubbed(os.environ), **self.env, **env}
        return subprocess.run(line, env=whole, capture_output=True, text=True, check=False, timeout=60)

    def storage(self, client: Callable[..., Any], service: str, **options: Any) -> Any:
        return client(
            self.env[f"UPKEEP_STORAGE__{service}ServiceUri"],
            credential=Credential(),
            connection_verify=self.env["SSL_CERT_FILE"],
            **options,
        )

    def blob(self, container: str, path: str) -> Any:
        return self.storage(BlobServiceClient, "blob").get_blob_client(container, path)

    def queue(self, name: str) -> Any:
        return self.storage(QueueClient, "queue", queue_name=name)

    def events(self, queue: str, count: int) -> list[dict[str, Any]]:
        """Take that many events out of the queue."""
        client, events = self.queue(queue), []
        deadline_s = time.monotonic() + DEADLINE_S
        while len(events) < count and time.monotonic() < deadline_s:
            for message in client.receive_messages():
                events.append(json.loads(base64.b64decode(message.content)))
                client.delete_message(message)
        return events


class Credential:
    """The local cloud's own token, without a round trip."""

    def get_token(self, *scopes: str, **_options: Any) -> AccessToken:
        return AccessToken(*identity.token(identity.STORAGE, "any"))


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    platform = Platform(tmp_path_factory.mktemp("platform") / "state")
    up = platform.up()
    assert up.returncode == 0, up.stdout + up.stderr
    yield platform
    down = platform.command("down")
    assert down.returncode == 0, down.stdout + down.stderr


@pytest.fixture
def platform(started: Platform) -> Platform:
    reset = started.command("reset")
    assert reset.returncode == 0, reset.stdout + reset.stderr
    return started


# --- what clients see -------------------------------------------------------------------------------


def test_the_unmodified_sdks_sign_in_and_reach_storage(platform: Platform) -> None:
    done = platform.child(
        "import os\n"
        "from azure.identity import DefaultAzureCredential\n"
        "from azure.storage.blob import BlobServiceClient\n"
        "uri = os.environ['UPKEEP_STORAGE__blobServiceUri']\n"
        "service = BlobServiceClient(uri, credential=DefaultAzureCredential())\n"
        "print(*[container.name for container in service.list_containers()])\n"
    )
    assert done.stdout.split() == ["accepted", "azureml-blobstore", "landing", "quarantine", "runs", "upkeep"]


def test_azure_ai_ml_takes_the_gateway_for_its_cloud(platform: Platform) -> None:
    done = platform.child(
        "from azure.ai.ml._azure_environments import _get_base_url_from_metadata\n"
        "print(_get_base_url_from_metadata())\n"
    )
    assert done.stdout.strip().rstrip("/") == platform.url


def test_a_token_is_refused_without_the_identity_header(platform: Platform) -> None:
    answer = platform.call("GET", "/msi/token?resource=https://storage.azure.com")
    assert answer.status_code == 401


def test_a_route_that_is_not_emulated_is_refused_as_arm_would_and_named_in_the_log(platform: Platform) -> None:
    answer = platform.call("GET", "/subscriptions/s/providers/Microsoft.Quantum/x")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "UnemulatedRoute"
    assert (
        "unemulated_route method=GET path=/subscriptions/s/providers/Microsoft.Quantum/x"
        in (platform.folder / "logs" / "gateway.log").read_text()
    )


def test_a_fault_hits_as_many_calls_as_were_asked_for(platform: Platform) -> None:
    fault = {"match": "GET /metadata/endpoints", "status": 503, "count": 2}
    assert platform.call("POST", "/admin/faults", json=fault).status_code == 201
    assert [platform.call("GET", "/metadata/endpoints").status_code for _ in range(3)] == [503, 503, 200]


def test_a_fault_with_a_misspelt_field_is_refused(platform: Platform) -> None:
    answer = platform.call("POST", "/admin/faults", json={"match": "GET /", "status": 503, "counts": 2})
    assert answer.status_code == 400
    assert "counts" in answer.json()["error"]["message"]


# --- events -----------------------------------------------------------------------------------------


def test_an_upload_by_any_client_is_told_of_in_the_uploads_queue(platform: Platform) -> None:
    written = platform.blob("landing", "m/a b.csv").upload_blob(b"a,b\n1,2\n")
    (event,) = platform.events("uploads", 1)
    assert event["subject"] == "/blobServices/default/containers/landing/blobs/m/a b.csv"
    assert event["data"]["eTag"] == written["etag"].strip('"')
    assert event["data"]["contentLength"] == 8


def test_the_three_ways_to_complete_a_blob_are_told_apart(platform: Platform) -> None:
    source = platform.blob("landing", "m/put.csv")
    source.upload_blob(b"a")
    blocks = platform.blob("landing", "m/blocks.csv")
    blocks.stage_block("AA==", b"a")
    blocks.commit_block_list(["AA=="])
    platform.blob("landing", "m/copy.csv").start_copy_from_url(source.url)
    events = platform.events("uploads", 3)
    apis = {event["subject"].rsplit("/", 1)[1]: event["data"]["api"] for event in events}
    assert apis == {"put.csv": "PutBlob", "blocks.csv": "PutBlockList", "copy.csv": "CopyBlob"}


def test_an_upload_while_the_gateway_was_killed_is_told_of_when_it_is_back(platform: Platform) -> None:
    pid = json.loads((platform.folder / "pids" / "gateway.json").read_text())["pid"]
    psutil.Process(pid).kill()
    platform.blob("landing", "m/meanwhile.csv").upload_blob(b"a")
    assert platform.up().returncode == 0
    (event,) = platform.events("uploads", 1)
    assert event["subject"].endswith("meanwhile.csv")


def test_held_events_arrive_after_a_release(platform: Platform) -> None:
    platform.call("PUT", "/admin/events/conditions", json={"hold": True})
    event = {"eventType": "Microsoft.MachineLearningServices.RunCompleted", "subject": "experiments/e/runs/r"}
    assert platform.call("POST", "/admin/events", json=event).status_code == 202
    assert [kept["undelivered"] for kept in platform.call("GET", "/admin/events").json()] == [1]
    platform.call("PUT", "/admin/events/conditions", json={})
    assert [taken["subject"] for taken in platform.events("azureml-events", 1)] == ["experiments/e/runs/r"]


# --- keeping and forgetting -------------------------------------------------------------------------


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


# --- the app ----------------------------------------------------------------------------------------

APP = """
import azure.functions as func
app = func.FunctionApp()

@app.route("hello", auth_level=func.AuthLevel.FUNCTION)
def hello(req: func.HttpRequest) -> str:
    return "hello"
"""


@pytest.fixture
def served(platform: Platform, tmp_path: Path) -> Iterator[Platform]:
    (tmp_path / "function_app.py").write_text(APP)
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    up = platform.command("up", "--app", str(tmp_path), "--operator-env", str(tmp_path / "operator.env"))
    assert up.returncode == 0, up.stdout + up.stderr
    yield platform
    Processes(platform.folder).stop("host")


def test_the_operators_settings_open_the_app(served: Platform, tmp_path: Path) -> None:
    assert _hello(read_env(tmp_path / "operator.env")) == "hello"


@pytest.mark.parametrize("how", [[], ["--kill"]])
def test_the_app_answers_again_after_a_restart(served: Platform, tmp_path: Path, how: list[str]) -> None:
    restart = served.command("restart-host", *how)
    assert restart.returncode == 0, restart.stdout + restart.stderr
    assert _hello(read_env(tmp_path / "operator.env")) == "hello"


def test_the_app_answers_again_after_a_reset(served: Platform, tmp_path: Path) -> None:
    assert served.command("reset").returncode == 0
    assert _hello(read_env(tmp_path / "operator.env")) == "hello"


def test_alerts_are_sent_to_the_app(served: Platform) -> None:
    action_group = json.loads((served.folder / "action-group.json").read_text())
    assert action_group["url"].startswith(f"http://127.0.0.1:{Ports.load(served.folder).functions}/api/alerts?code=")


def test_an_app_that_cannot_be_hosted_is_told_of_by_its_log(platform: Platform, tmp_path: Path) -> None:
    (tmp_path / "function_app.py").write_text("import no_such_module\n")
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    up = platform.command("up", "--app", str(tmp_path), "--operator-env", str(tmp_path / "operator.env"))
    assert up.returncode == 1
    assert "no_such_module" in up.stderr


def _hello(settings: dict[str, str]) -> str:
    session = requests.Session()
    session.trust_env = False
    key = {"x-functions-key": settings["UPKEEP_APP_KEY"]}
    return session.get(f"{settings['UPKEEP_APP_URL']}/api/hello", headers=key, timeout=DEADLINE_S).text


# --- nothing gets out -------------------------------------------------------------------------------


def test_an_sdk_call_to_public_azure_fails(platform: Platform) -> None:
    done = platform.child("import requests\nrequests.get('https://management.azure.com/subscriptions', timeout=10)\n")
    assert done.returncode != 0
    assert "403" in done.stderr


def test_an_sdk_that_was_turned_to_the_public_cloud_fails(platform: Platform) -> None:
    done = platform.child(
        "from azure.ai.ml import MLClient\n"
        "from azure.identity import DefaultAzureCredential\n"
        "client = MLClient(DefaultAzureCredential(), 's', 'g', 'w', retry_total=0)\n"
        "print(client._base_url)\n"
        "client.workspaces.get('w', retry_total=0)\n",
        AZUREML_CURRENT_CLOUD="AzureCloud",
    )
    assert done.stdout.strip() == "https://management.azure.com"
    assert done.returncode != 0
    assert "403" in done.stderr


def test_past_the_proxy_the_guard_stands(platform: Platform) -> None:
    done = platform.child(
        "import requests\n"
        "session = requests.Session()\n"
        "session.trust_env = False\n"
        "session.get('https://management.azure.com/subscriptions', timeout=10)\n"
    )
    assert "the local cloud's guard refused to reach 'management.azure.com'" in done.stderr


@pytest.mark.parametrize(
    "code",
    [
        "import socket; socket.create_connection(('management.azure.com', 443), 5)",
        "import socket; socket.socket().connect(('20.0.0.1', 443))",
        "import _socket; _socket.socket().connect(('20.0.0.1', 443))",
        "import socket; socket.socket().connect_ex(('20.0.0.1', 443))",
        "import socket; socket.socket(socket.AF_INET6).connect(('2603::1', 443))",
        "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('20.0.0.1', 53))",
        "import socket; socket.gethostbyname('management.azure.com')",
        "import asyncio; asyncio.run(asyncio.open_connection('management.azure.com', 443))",
        "import asyncio; asyncio.run(asyncio.open_connection('20.0.0.1', 443))",
    ],
)
def test_a_direct_socket_is_refused(platform: Platform, code: str) -> None:
    done = platform.child(code)
    assert done.returncode != 0
    assert "the local cloud's guard refused to reach" in done.stderr


def test_the_guard_lets_loopback_through(platform: Platform) -> None:
    port = Ports.load(platform.folder).gateway
    done = platform.child(
        f"import socket\nfor host in ('localhost', '127.0.0.1', 'devstoreaccount1.blob.localhost'):\n"
        f"    socket.create_connection((host, {port}), 5).close()\n"
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("target", ["management.azure.com:443", "20.0.0.1:443", "169.254.169.254:80"])
def test_the_proxy_refuses_a_stranger_by_itself_and_says_so_in_the_log(platform: Platform, target: str) -> None:
    with socket.create_connection(("127.0.0.1", Ports.load(platform.folder).egress), 5) as proxy:
        proxy.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        assert proxy.recv(100).startswith(b"HTTP/1.1 403 ")
    log = (platform.folder / "logs" / "gateway.log").read_text()
    assert f"egress.refused method=CONNECT target={target}" in log


def test_the_proxy_lets_loopback_through(platform: Platform) -> None:
    session = requests.Session()
    session.trust_env = False
    proxies = {"https": f"http://127.0.0.1:{Ports.load(platform.folder).egress}"}
    ca_file = str(platform.folder / "ca" / "ca.pem")
    assert session.get(f"{platform.url}/health", proxies=proxies, verify=ca_file, timeout=10).status_code == 200


def test_the_credential_cannot_be_turned_to_a_persons_own_service_principal(platform: Platform) -> None:
    done = platform.child(
        "from azure.identity import DefaultAzureCredential\n"
        "import base64, json\n"
        "token = DefaultAzureCredential().get_token('https://management.azure.com/.default').token\n"
        "payload = token.split('.')[1]\n"
        "print(json.loads(base64.urlsafe_b64decode(payload + '=='))['iss'])\n",
        AZURE_CLIENT_ID="theirs",
        AZURE_CLIENT_SECRET="theirs",
        AZURE_TENANT_ID="theirs",
    )
    assert done.stdout.strip() == f"https://sts.windows.net/{identity.TENANT}/"


def test_a_started_process_has_nothing_of_a_persons_own_azure(tmp_path: Path) -> None:
    platform = Platform(tmp_path / "state")
    line = [sys.executable, "-m", "localcloud", "up", "--no-host", "--folder", str(platform.folder)]
    secret = {"AZURE_CLIENT_SECRET": "theirs", "AZURE_TENANT_ID": "theirs", "ARM_CLIENT_ID": "theirs"}
    operator_env = str(tmp_path / "operator.env")
    subprocess.run(
        [*line, "--operator-env", operator_env], cwd=ROOT, env={**os.environ, **secret}, check=True, timeout=100
    )
    try:
        pid = json.loads((platform.folder / "pids" / "gateway.json").read_text())["pid"]
        assert "theirs" not in psutil.Process(pid).environ().values()
    finally:
        platform.command("down")


def test_import_of_azure_ai_ml_fails_loudly_when_the_local_cloud_is_down(platform: Platform) -> None:
    unused = "https://localhost:9/metadata/endpoints?api-version=2019-05-01"
    done = platform.child("import azure.ai.ml", ARM_CLOUD_METADATA_URL=unused)
    assert done.returncode != 0
