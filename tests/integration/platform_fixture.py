"""A local cloud of its own, as a person starts it: emptied before each test, restarted and killed by some.

Each test asks a child process or a client that has the environment of FOLDER/child.env.
"""

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from azure.core.credentials import AccessToken
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient

from localcloud import identity
from localcloud.cloud import Ports, read_env
from localcloud.isolation import scrubbed

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


@pytest.fixture(scope="session")
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
