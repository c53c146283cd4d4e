"""Starts, finds and ends the long-running processes of a state folder.

Called by the supervisor. A process is known by its id and its start time together, so that an id which the
system has given to somebody else since is never signalled. What a killed process left behind is found by a
mark in its environment (`MARK`), which holds the folder.
"""

import datetime as dt
import json
import os
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from localcloud.isolation import MARK

GRACE_S = 10.0
BEGUN = "--- started"


@dataclass(frozen=True)
class Processes:
    """The processes of one state folder, each with a log in logs/ and its identity in pids/."""

    folder: Path

    def start(self, name: str, command: list[str], env: Mapping[str, str], cwd: Path) -> psutil.Process:
        """Start a detached process that appends to its log; it outlives the caller."""
        (self.folder / "pids").mkdir(parents=True, exist_ok=True)
        self.log(name).parent.mkdir(parents=True, exist_ok=True)
        with self.log(name).open("ab") as log:
            log.write(f"{BEGUN} {name} {dt.datetime.now(dt.UTC).isoformat(timespec='milliseconds')}\n".encode())
            log.flush()
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

    def stop(self, name: str, *, family: bool = True) -> bool:
        """End a process, and what it started unless told otherwise; False when it was not running."""
        process = self.find(name)
        if process is not None:
            # Its children are told only after it ended: it may want to end them in its own order.
            descendants = process.children(recursive=True) if family else []
            end([process])
            end(descendants)
        self._identity(name).unlink(missing_ok=True)
        return process is not None

    def kill(self, name: str) -> bool:
        """Kill one process at once, as a crash would, and leave its children alone."""
        process = self.find(name)
        if process is None:
            return False
        process.kill()
        _outliving([process], GRACE_S)
        return True

    def orphans(self) -> list[psutil.Process]:
        """Processes with this folder's mark that nobody here names: jobs, scoring servers, what a crash left.

        The caller and its ancestors are spared.
        """
        named = (self.find(path.stem) for path in (self.folder / "pids").glob("*.json"))
        own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
        own |= {process.pid for process in named if process}
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
    alive = [process for process in processes if lives(process)]
    for process in alive:
        _signal(process, kill=False)
    for process in (alive := _outliving(alive, grace_s)):
        _signal(process, kill=True)
    _outliving(alive, grace_s)


def _outliving(processes: list[psutil.Process], grace_s: float) -> list[psutil.Process]:
    """Those that still live after the grace; returns as soon as none does."""
    deadline_s = time.monotonic() + grace_s
    while (processes := [p for p in processes if lives(p)]) and time.monotonic() < deadline_s:
        time.sleep(0.02)
    return processes


def lives(process: psutil.Process) -> bool:
    """Whether the process still runs. A zombie does not, although some inits take seconds to notice."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _signal(process: psutil.Process, *, kill: bool) -> None:
    try:
        process.kill() if kill else process.terminate()
    except psutil.NoSuchProcess:
        return  # it ended by itself in between, which is what was wanted


def tail(path: Path, lines: int = 20) -> str:
    """The last lines of a log, none older than the last start; empty when there is no log."""
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 64 * 1024))
        text = file.read().decode(errors="replace")
    return "\n".join(text[max(0, text.rfind(BEGUN)) :].splitlines()[-lines:])
