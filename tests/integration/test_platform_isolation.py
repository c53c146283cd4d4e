"""Nothing that the platform starts gets out to public Azure, and nothing of a person's own Azure gets in."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import requests

from localcloud import identity
from localcloud.cloud import Ports
from tests.integration.platform_fixture import ROOT, Platform

pytest_plugins = ["tests.integration.platform_fixture"]
pytestmark = pytest.mark.localcloud


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
