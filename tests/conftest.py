"""What all tests share: one local cloud for the session, started by the first test that asks for it."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from localcloud.isolation import read_pairs

ROOT = Path(__file__).resolve().parent.parent
# Before scikit-learn is there: threads that spin while they wait make fits many times slower on a busy machine.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of tests/simulation; only the conftest of the root may have any."""
    parser.addoption(
        "--steps", type=int, default=None, help="random moves to play (default: 20 x UPKEEP_SIMULATIONS)"
    )
    parser.addoption("--seed", type=int, default=None, help="play the random moves of this seed alone")


@pytest.fixture(scope="session")
def local_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """A local cloud without the Functions host, in a folder and on ports of its own; yields its variables.

    They stand in this process's environment as well, because that is where the SDKs look for them. A local cloud
    that runs already is used, and left running, when LOCALCLOUD_FOLDER names its folder.
    """
    running = os.environ.get("LOCALCLOUD_FOLDER")
    folder = Path(running) if running else tmp_path_factory.mktemp("local-cloud")
    if not running:
        _run("up", "--no-host", "--operator-env", str(folder / "operator.env"), folder=folder)
    variables = read_pairs((folder / "child.env").read_text())
    variables.pop("PYTHONPATH")
    try:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            yield {**variables, "LOCALCLOUD_FOLDER": str(folder)}
    finally:
        if not running:
            _run("down", folder=folder)


def _run(command: str, *arguments: str, folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "localcloud", command, "--folder", str(folder), *arguments],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    if done.returncode:
        pytest.fail(f"python -m localcloud {command} failed:\n{done.stdout}{done.stderr}")
