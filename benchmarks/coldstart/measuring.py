"""Sets the measured apps up, each in an environment of its own, and runs them in turns. Called by __main__.py."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from infra import package, package_clean
from infra.package_dependencies import INSIDE
from localcloud.cloud import read_env
from localcloud.isolation import scrubbed

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FUNCTION = "azureml_events"
FITTING = "naive+scikit-learn"
LIMIT_S = 120


@dataclass(frozen=True)
class Candidate:
    """One app to measure. `packages` is what it brings along for its path."""

    name: str
    app: Path
    python: Path
    packages: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Run:
    """One process, from its start to its first handled event."""

    time_s: float
    cpu_s: float
    peak_mb: float
    modules: int


class Measuring:
    """Everything that is needed, in one folder that may be kept for the next time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._parts = self._folder / "parts"
        self._cloud = self._folder / "cloud"

    def candidates(self) -> list[Candidate]:
        """The package as it is deployed, the naive app, one that fits models too, and the floor."""
        for name in ("package", "parts", "dist", FITTING):
            shutil.rmtree(self._folder / name, ignore_errors=True)
        package_clean.link(package_clean.WORKER, self._parts)
        app = package_clean.unpack(package.build(ROOT, self._folder / "dist"), self._folder / "package")
        found = [Candidate("package", app, self._environment("package", []), (app / INSIDE,))]
        peers = {"naive": HERE / "naive", FITTING: self._fitting(HERE / "naive"), "floor": HERE / "floor"}
        for name, app in peers.items():
            wanted = ["-r", str(app / "requirements.txt")]
            same = ["-c", str(ROOT / "requirements.txt"), "-c", str(ROOT / "requirements-dev.txt")]
            found.append(Candidate(name, app, self._environment(name, [*wanted, *same])))
        return found

    def _fitting(self, naive: Path) -> Path:
        """The naive app as it looks where the model is fitted in the function: one more import at the top."""
        app = self._folder / FITTING
        app.mkdir()
        for name, text in {
            "function_app.py": "import sklearn.ensemble\n",
            "requirements.txt": "scikit-learn\n",
        }.items():
            (app / name).write_text((naive / name).read_text() + text)
        return app

    def _environment(self, name: str, arguments: list[str]) -> Path:
        folder = self._folder / f"environment-{name}"
        shutil.rmtree(folder, ignore_errors=True)
        return package_clean.environment(folder, *arguments)

    def zipped_mb(self) -> float:
        """What is uploaded of the package, in MB."""
        (made,) = (self._folder / "dist").glob("*.zip")
        return made.stat().st_size / 1e6

    def unpacked_mb(self, candidate: Candidate) -> float:
        """What a candidate has on its disk besides Python, in MB: the app, and what was installed for it."""
        folders = (candidate.app, candidate.python.parents[1])
        files = (path for folder in folders for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
        return sum(path.stat().st_size for path in files) / 1e6

    @contextmanager
    def cloud(self) -> Iterator[None]:
        """A local cloud without a Functions host, in which one model is known."""
        operator = str(self._folder / "operator.env")
        self._localcloud("up", "--no-host", "--operator-env", operator)
        try:
            self._world("prepare")
            yield
        finally:
            self._localcloud("down")

    def run(self, candidate: Candidate) -> Run:
        """Start a fresh process and have it handle one event, which no other run has."""
        message = self._folder / "message.json"
        message.write_text(json.dumps(_event()))
        # -P: nothing but the environment, the worker library and the app may be found.
        command = [str(candidate.python), "-P", str(HERE / "worker.py"), str(candidate.app), FUNCTION, str(message)]
        began_s = time.monotonic()
        told = json.loads(_output(command, self._variables(candidate)).splitlines()[-1])
        return Run(told["handled_s"] - began_s, told["cpu_s"], told["peak_mb"], told["modules"])

    def handled(self) -> dict[str, int]:
        """How many events each app has recorded, by what lies in storage."""
        found: dict[str, int] = json.loads(self._world("handled"))
        return found

    def _variables(self, candidate: Candidate) -> dict[str, str]:
        given = read_env(self._cloud / "child.env")
        path = os.pathsep.join([given["PYTHONPATH"], *map(str, candidate.packages), str(self._parts)])
        return {**scrubbed(os.environ), **given, "PYTHONPATH": path}

    def _world(self, command: str) -> str:
        given = read_env(self._cloud / "child.env")
        path = os.pathsep.join([given["PYTHONPATH"], str(ROOT)])
        environment = {**scrubbed(os.environ), **given, "PYTHONPATH": path}
        return _output([sys.executable, str(HERE / "world.py"), command], environment)

    def _localcloud(self, command: str, *arguments: str) -> None:
        line = [sys.executable, "-m", "localcloud", command, "--folder", str(self._cloud), *arguments]
        _output(line, dict(os.environ))


def in_turns(candidates: list[Candidate], rounds: int, run: Callable[[Candidate], Run]) -> dict[str, list[Run]]:
    """Runs of each, one a round, in turns. A first round warms the caches and is left out."""
    found: dict[str, list[Run]] = {candidate.name: [] for candidate in candidates}
    for number in range(rounds + 1):
        first = number % len(candidates)
        for candidate in [*candidates[first:], *candidates[:first]]:
            measured = run(candidate)
            if number:
                found[candidate.name].append(measured)
    return found


def _event() -> dict[str, object]:
    """The end of a job of now, as Event Grid tells it: what is old, or was told before, is not recorded."""
    now = datetime.now(UTC)
    return {
        "eventType": "Microsoft.MachineLearningServices.RunCompleted",
        "eventTime": now.isoformat(),
        "data": {"runId": f"flight-duration-0001-a{now:%Y%m%d%H%M%S%f}", "runType": "azureml.commandjob"},
    }


def _output(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=LIMIT_S
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout
