"""Scoring servers outlive a crash of the gateway, and come back after its restart."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.integration.endpoints_fixture import Cloud, Score, deployment, eventually

pytest_plugins = ["tests.integration.endpoints_fixture"]
pytestmark = [pytest.mark.localcloud, pytest.mark.timeout(300)]
ROOT = Path(__file__).resolve().parents[2]


def test_servers_survive_a_crash_of_the_gateway(local_cloud: Cloud, score: Score) -> None:
    before = score().json()["pid"]
    restart(local_cloud, "--kill")
    assert eventually(lambda: score().status_code == 200)
    assert score().json()["pid"] == before


def test_a_deployment_that_a_crash_cut_off_is_finished_after_it(
    client: Any, assets: Mapping[str, str], endpoint: str, local_cloud: Cloud, score: Score
) -> None:
    client.online_deployments.begin_create_or_update(deployment(assets, endpoint, "r0003"))
    restart(local_cloud, "--kill")
    eventually(lambda: client.online_deployments.get("r0003", endpoint).provisioning_state == "Succeeded")
    assert score("r0003").json()["who"] == "r0003"


def test_servers_come_back_after_a_restart_of_the_gateway(local_cloud: Cloud, score: Score) -> None:
    before = score().json()["pid"]
    restart(local_cloud)
    assert eventually(lambda: score().status_code == 200)
    assert score().json()["pid"] != before


def restart(local_cloud: Cloud, *options: str) -> None:
    folder = local_cloud["LOCALCLOUD_FOLDER"]
    command = [sys.executable, "-m", "localcloud", "restart-gateway", "--folder", folder, *options]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
