"""Starts, finds and ends the long-running processes of a state folder.

Called by the supervisor. A process is known by its id and its start time together, so that an id which the
system has given to somebody else since is never signalled. What a killed process left behind is found by a
mark in its environment (`MARK`), which holds the folder.
"""

import json
import os
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

MARK = "LOCALCLOUD_OWNER"
GRACE_S = 10.0


@dataclass(frozen=True)
class Processes:
    """The processes of one state folder, each with a log in logs/ and its identity in pids/."""

    folder: Path

    def start(self, name: str, command: list[str], env: Mapping[str, str], cwd: Path) -> psutil.Process:
        """Start a detached process that appends to its log; it outlives the caller."""
        (self.folder / "pids").mkdir(parents=True, exist_ok=True)
        self.log(name).parent.mkdir(parents=True, exist_ok=True)
        with self.log(name).open("ab") as log:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**env, MARK: str(self.folder)},
                cwd=cwd,
                start_new_session=True,
            )
        process = psutil.Process(child.pid)
        identity = {"pid": child.pid, "created": process.create_time()}
        self._identity(name).write_text(json.dumps(identity) + "\n")
        return process

    def find(self, name: str) -> psutil.Process | None:
        """The running process of that name, or None."""
        try:
            identity = json.loads(self._identity(name).read_text())
            process = psutil.Process(identity["pid"])
            if process.create_time() != identity["created"] or process.status() == psutil.STATUS_ZOMBIE:
                return None
        except (FileNotFoundError, psutil.NoSuchProcess):
            return None
        return process

    def stop(self, name: str, grace_s: float = GRACE_S) -> bool:
        """End a process and what it started; False when it was not running."""
        process = self.find(name)
        if process is not None:
            # Its children are told only after it ended: it may want to end them in its own order.
            descendants = process.children(recursive=True)
            end([process], grace_s)
            end(descendants, grace_s)
        self._identity(name).unlink(missing_ok=True)
        return process is not None

    def kill(self, name: str) -> bool:
        """Kill one process at once, as a crash would, and leave its children alone."""
        process = self.find(name)
        if process is None:
            return False
        process.kill()
        psutil.wait_procs([process], timeout=GRACE_S)
        return True

    def orphans(self) -> list[psutil.Process]:
        """Processes that carry this folder's mark, the caller and its ancestors excepted."""
        own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
        return [p for p in psutil.process_iter() if p.pid not in own and self._marked(p)]

    def log(self, name: str) -> Path:
        """The file that holds the process's output."""
        return self.folder / "logs" / f"{name}.log"

    def _identity(self, name: str) -> Path:
        return self.folder / "pids" / f"{name}.json"

    def _marked(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get(MARK) == str(self.folder)
        except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
            return False  # another user's process, or one that ended just now


def end(processes: Iterable[psutil.Process], grace_s: float = GRACE_S) -> None:
    """Ask processes to end, and kill those that have not after the grace."""
    alive = [process for process in processes if process.is_running()]
    for process in alive:
        _signal(process, kill=False)
    _, alive = psutil.wait_procs(alive, timeout=grace_s)
    for process in alive:
        _signal(process, kill=True)
    psutil.wait_procs(alive, timeout=grace_s)


def _signal(process: psutil.Process, *, kill: bool) -> None:
    try:
        process.kill() if kill else process.terminate()
    except psutil.NoSuchProcess:
        return  # it ended by itself in between, which is what was wanted


def tail(path: Path, lines: int = 20) -> str:
    """The last lines of a log; empty when there is none."""
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 64 * 1024))
        return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
