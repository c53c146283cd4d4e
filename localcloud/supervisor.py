"""Starts, watches over and ends the processes of the local cloud: Azurite, the gateway, the Functions host.

Called by __main__.py. Processes are detached: `up` returns when all are healthy, or fails with the end of
the log of the one that is not. It decides nothing about what the services do.
"""

import fcntl
import hashlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import astuple, dataclass, fields
from itertools import chain
from pathlib import Path

import psutil

from localcloud import azurite, ca, environment, health
from localcloud.cloud import Ports
from localcloud.isolation import read_pairs, scrubbed
from localcloud.processes import Processes, end, tail

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_PORTS = Ports(gateway=8443, blob=10000, queue=10001, table=10002, functions=7071, egress=8899)
FIRST_BLOCK, BLOCK_SIZE, BLOCKS = 20_000, 10, 1_000
START_DEADLINE_S = 60.0
PORT_DEADLINE_S = 3.0
RESET_DEADLINE_S = 60.0
POLL_S = 0.05
DEFAULT_FOLDER = ".local"
NAMES = ("azurite", "gateway", "host")
# What a reset of a stopped local cloud keeps: identity, ports, and what is dear to build.
KEPT = {"ca", "secrets", "pids", "cache", "envs", "ports.json", "host-keys.json", "action-group.json", "app", "lock"}


class StartError(Exception):
    """Something did not come up; the message says what and shows the end of its log."""


@dataclass(frozen=True)
class Row:
    """One line of `status`."""

    name: str
    pid: int | None
    healthy: bool
    memory_mb: int


class Supervisor:
    """The processes of one state folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._processes = Processes(self.folder)

    @property
    def ports(self) -> Ports:
        """The folder's ports; FileNotFoundError before the first `up`."""
        return Ports.load(self.folder)

    def up(self, app: Path | None, operator_env: Path | None) -> None:
        """Start whatever does not run, and wait until all of it is healthy. No app, no Functions host."""
        self.folder.mkdir(parents=True, exist_ok=True)
        is_new = not (self.folder / "ports.json").exists()
        with self._lock(), _ports_unclaimed() if is_new else nullcontext():
            ports = self._prepared()
            if operator_env:
                environment.write_operator_env(operator_env, self.folder, ports)
            self._start_all(["azurite", "gateway"])
            if app:
                (self.folder / "app").write_text(str(app.resolve()))
                environment.write_action_group(self.folder, ports)
                self._start_all(["host"])

    def down(self) -> list[str]:
        """End everything that was started here, in reverse; the names of what ran."""
        if not self.folder.exists():
            return []
        with self._lock():
            stopped = [name for name in reversed(NAMES) if self._processes.stop(name)]
            orphans = self._processes.orphans()
            end(orphans)
        return [*stopped, *(f"orphan {process.pid}" for process in orphans)]

    def reset(self) -> None:
        """Back to an empty state: in place when it runs, by deleting the files when it does not."""
        with self._lock():
            if not self._processes.find("gateway"):
                self._delete_state()
                return
            # A pass of the app that is under way must not write into the emptied store.
            host_ran = self._processes.stop("host")
            url = f"https://localhost:{self.ports.gateway}/admin/reset"
            status = health.call(self.folder, "POST", url, RESET_DEADLINE_S)
            if status != 200:
                raise StartError(self._complaint("gateway", f"answered {status} to a reset"))
            if host_ran:
                self._start("host")
                self._await("host")

    def restart(self, name: str, *, kill: bool) -> None:
        """Stop one process, or kill it as a crash would, and start it again; one that had ended is started."""
        with self._lock():
            # Jobs go on while the gateway is away, as they would on Azure; it takes them up again.
            self._processes.kill(name) if kill else self._processes.stop(name, family=False)
            self._start(name)
            self._await(name)

    def status(self) -> list[Row]:
        """What runs, and whether it answers."""
        checks = health.checks(self.folder, self.ports)
        return [self._row(name, checks[name]) for name in NAMES]

    def log(self, name: str) -> Path:
        """The log of a process."""
        return self._processes.log(name)

    def _prepared(self) -> Ports:
        if not azurite.installed():
            azurite.install(dict(os.environ))
        ports = self._chosen_ports()
        ca.ensure(self.folder / "ca")
        environment.write(self.folder, ports)
        return ports

    def _chosen_ports(self) -> Ports:
        if not (self.folder / "ports.json").exists():
            choose_ports(self.folder).save(self.folder)
        return self.ports

    def _start_all(self, names: list[str]) -> None:
        """Start them side by side; if one fails, those that were started with it are ended again."""
        started: list[str] = []
        try:
            started += [name for name in names if self._start(name)]
            for name in names:
                self._await(name)
        except BaseException:
            for name in started:
                self._processes.stop(name)
            raise

    def _start(self, name: str) -> bool:
        if self._processes.find(name):
            return False
        # The threads of a killed process hold its ports for a moment longer than the process lives.
        deadline_s = time.monotonic() + PORT_DEADLINE_S
        while taken := [port for port in self._ports_of(name) if not health.free(port)]:
            if time.monotonic() < deadline_s:
                time.sleep(POLL_S)
                continue
            raise StartError(
                f"{name} cannot start: another program listens at port {taken[0]}, which {self.folder} was made"
                " with. End that program, or use another --folder."
            )
        self._processes.start(name, self._command(name), self._env(), ROOT)
        return True

    def _ports_of(self, name: str) -> tuple[int, ...]:
        ports = self.ports
        return {
            "azurite": (ports.blob, ports.queue, ports.table),
            "gateway": (ports.gateway, ports.egress),
            "host": (ports.functions,),
        }[name]

    def _command(self, name: str) -> list[str]:
        if name == "azurite":
            return azurite.command(self.folder, self.ports)
        command = [sys.executable, "-m", f"localcloud.{name}", "--folder", str(self.folder)]
        return [*command, "--app", (self.folder / "app").read_text()] if name == "host" else command

    def _env(self) -> dict[str, str]:
        return {**scrubbed(os.environ), **read_pairs((self.folder / "child.env").read_text())}

    def _await(self, name: str) -> None:
        check = health.checks(self.folder, self.ports)[name]
        deadline_s = time.monotonic() + START_DEADLINE_S
        while not check():
            if not self._processes.find(name):
                raise StartError(self._complaint(name, "ended while starting"))
            if time.monotonic() > deadline_s:
                raise StartError(self._complaint(name, f"was not healthy after {START_DEADLINE_S:.0f} s"))
            time.sleep(POLL_S)

    def _complaint(self, name: str, what: str) -> str:
        path = self._processes.log(name)
        return f"{name} {what}. The end of {path}:\n{tail(path)}"

    def _row(self, name: str, check: health.Check) -> Row:
        process = self._processes.find(name)
        if process is None:
            return Row(name, None, healthy=False, memory_mb=0)
        return Row(name, process.pid, check(), _memory_mb(process))

    def _delete_state(self) -> None:
        for path in self.folder.iterdir():
            if path.name not in KEPT and path.suffix != ".env":
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with (self.folder / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # two `up` at once would start everything twice
            yield


def choose_ports(folder: Path) -> Ports:
    """The well-known ports for a folder of the usual name if all are free, else a block that its path picks.

    A block of its own, and not the next free port, keeps folders apart that are stopped just now. It lies
    below the range from which the system takes ports for outgoing connections.
    """
    start = int.from_bytes(hashlib.sha256(str(folder).encode()).digest()[:4], "big")
    firsts = (FIRST_BLOCK + (start + turn) % BLOCKS * BLOCK_SIZE for turn in range(BLOCKS))
    blocks = (Ports(*range(first, first + len(fields(Ports)))) for first in firsts)
    for ports in chain([DEFAULT_PORTS] if folder.name == DEFAULT_FOLDER else [], blocks):
        if all(health.free(port) for port in astuple(ports)):
            return ports
    raise StartError("no free ports were found")


@contextmanager
def _ports_unclaimed() -> Iterator[None]:
    """Keeps two folders from choosing the same ports before either listens."""
    with (Path(tempfile.gettempdir()) / f"upkeep-localcloud-{os.getuid()}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _memory_mb(process: psutil.Process) -> int:
    family = [process, *process.children(recursive=True)]
    return sum(member.memory_info().rss for member in family if member.is_running()) // 2**20
