"""The operating system's side of a job: a process group with an exit-code file.

Used by runner.py alone. The process is started in a session of its own and leaves its exit code in a file,
so that a gateway which comes back later can adopt it, or learn how it ended while nobody looked.
"""

import json
import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

# The launcher ends at once, so that the job is nobody's child: whoever stops the gateway with all that it
# started does not stop the job. Under `set -m` the wrapper leads a process group of its own.
_LAUNCHER = 'set -m; bash -c "$1" job "$2" >/dev/null 2>&1 & echo $!'
_WRAPPER = """\
cd "$1/code" || exit 125
bash "$1/command.sh" >"$1/user_logs/std_log.txt" 2>&1
code=$?
echo "$code" >"$1/exit_code.part" && mv "$1/exit_code.part" "$1/exit_code"
"""


@dataclass(frozen=True)
class JobProcess:
    """A started job, known by its folder."""

    folder: Path

    def start(self, command: str, env: Mapping[str, str]) -> None:
        """Run the command with bash in the folder's code."""
        (self.folder / "command.sh").write_text(command + "\n")
        launched = subprocess.run(
            ["bash", "-c", _LAUNCHER, "launcher", _WRAPPER, str(self.folder)],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            check=True,
        )
        pid = int(launched.stdout)
        try:
            created = psutil.Process(pid).create_time()
        except psutil.NoSuchProcess:
            created = 0.0  # it has ended already, and its exit code is there
        part = self.folder / "process.part"
        part.write_text(json.dumps({"pid": pid, "created": created}))
        part.replace(self.folder / "process.json")

    def was_started(self) -> bool:
        """Whether the command was ever begun."""
        return (self.folder / "process.json").exists()

    def exit_code(self) -> int | None:
        """The exit code that the process left, or None when it runs or vanished."""
        path = self.folder / "exit_code"
        return int(path.read_text()) if path.exists() else None

    def runs(self) -> bool:
        """Whether the command that was started still runs."""
        identity = self._identity()
        return identity is not None and _alive_at(identity["pid"]) == identity["created"]

    def leaves_children(self) -> bool:
        """Whether anything of the process group is alive, the command or what it left behind."""
        return bool(self._members())

    def send(self, number: signal.Signals) -> None:
        """Send the signal to all that is left of the process group."""
        members = self._members()
        if members:
            try:
                os.killpg(os.getpgid(members[0]), number)
            except ProcessLookupError:
                return  # it ended in between, which is what was wanted

    def _members(self) -> list[int]:
        identity = self._identity()
        if identity is None:
            return []
        # A group's id stays reserved while it has members. So a process of that id which is not the one we
        # started means that our group is gone, and its id was given to a stranger, who is never signalled.
        if psutil.pid_exists(identity["pid"]) and _created_at(identity["pid"]) not in (identity["created"], None):
            return []
        pids = (pid for pid in psutil.pids() if _group_of(pid) == identity["pid"])
        return [pid for pid in pids if _alive_at(pid) is not None]

    def _identity(self) -> dict[str, Any] | None:
        path = self.folder / "process.json"
        return json.loads(path.read_text()) if path.exists() else None


def _created_at(pid: int) -> float | None:
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return None


def _alive_at(pid: int) -> float | None:
    """When the process was created; None if it is gone or only waits to be reaped."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except psutil.NoSuchProcess:
        return None


def _group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None
