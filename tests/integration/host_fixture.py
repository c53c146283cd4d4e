"""The Functions host as a process, with the app in hostapp/, against a real Azurite.

The local cloud is started without a host; each host here is a process of its own with its own queue.
"""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from azure.core.credentials import AccessToken
from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import ContainerClient
from azure.storage.queue import QueueClient, TextBase64DecodePolicy, TextBase64EncodePolicy

from localcloud.cloud import read_env
from localcloud.host import keys

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


@pytest.fixture(scope="session")
def storage(local_cloud: Mapping[str, str]) -> Storage:
    """The session's local cloud, which has no host of its own."""
    return Storage(Path(local_cloud["LOCALCLOUD_FOLDER"]))


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


@pytest.fixture(scope="session")
def host(storage: Storage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with running(storage, tmp_path_factory.mktemp("host"), WORK_QUEUE="shared") as started:
        yield started
