"""The platform with an app: it answers again after whatever was done to it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from localcloud.cloud import Ports, read_env
from localcloud.processes import Processes
from tests.integration.platform_fixture import DEADLINE_S, Platform

pytest_plugins = ["tests.integration.platform_fixture"]
pytestmark = pytest.mark.localcloud


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
