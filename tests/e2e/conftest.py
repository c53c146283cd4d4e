"""A whole local cloud with the Functions host and the example model published: what end-to-end tests stand on."""

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

from localcloud import flights
from localcloud.demo.azure import Azure
from localcloud.demo.ground import ROOT, Ground

MODEL = "flight-duration"
LOOK_EVERY_S = 0.2
# What a killed host leaves hidden comes back after this; on Azure it takes ten minutes.
LEASE_S = 3


class Cloud:
    """The local cloud as a test drives it."""

    def __init__(self, folder: Path) -> None:
        self.ground = Ground(folder)
        self.ground.start()
        self.ground.upkeep("publish")
        self.azure = Azure(self.ground.settings, self.ground.authority)
        self.files = flights.write_months(self.ground.files, [1, 2])

    def drop(self) -> None:
        """Upload the first two months."""
        self.ground.upkeep("drop", *map(str, self.files), "--model", MODEL)

    def status(self) -> dict[str, Any] | None:
        """The model's status, or None while the app does not answer."""
        try:
            return self.azure.models(MODEL)
        except requests.RequestException:
            return None

    def wait(self, what: str, reached: Callable[[dict[str, Any]], bool], limit_s: float = 150) -> dict[str, Any]:
        """Look until the status is as wanted; fail when it takes too long."""
        end_s = time.monotonic() + limit_s
        while time.monotonic() < end_s:
            status = self.status()
            if status and reached(status):
                return status
            time.sleep(LOOK_EVERY_S)
        pytest.fail(f"waited {limit_s:.0f} s for {what}; status: {status}")

    def kill_host(self) -> None:
        """SIGKILL the Functions host and start it again."""
        self.localcloud("restart-host", "--kill")

    def localcloud(self, command: str, *arguments: str) -> None:
        """Run a command of the local cloud."""
        line = [sys.executable, "-m", "localcloud", command, "--folder", str(self.ground.folder), *arguments]
        subprocess.run(line, cwd=ROOT, check=True, capture_output=True, timeout=120)

    def left_over(self) -> dict[str, Any]:
        """What inboxes, queues and Azure ML hold, seen through the product's own adapters."""
        done = subprocess.run(
            [sys.executable, "-m", "tests.e2e.inventory"],
            cwd=ROOT,
            env={**os.environ, **self.ground.settings},
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
        )
        found: dict[str, Any] = json.loads(done.stdout)
        return found


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """A fresh local cloud for one test."""
    monkeypatch.setenv("UPKEEP_LOCAL_MESSAGE_LEASE_S", str(LEASE_S))
    made = Cloud(tmp_path / "cloud")
    try:
        yield made
    finally:
        made.ground.stop()
