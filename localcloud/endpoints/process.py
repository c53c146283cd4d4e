"""One process of the inference server: started, looked at, ended.

Called by servers.py, which decides when. A process is known by its id and start time together, so that a
gateway that comes back can take over what is still running.
"""

import os
import signal
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

THREADS = 4
KEEP_ALIVE_S = 75  # longer than the router keeps an idle connection, so that it is never closed under a request


@dataclass(frozen=True)
class Launch:
    """All that it takes to start a deployment's server again."""

    python: str
    code: str
    scoring_script: str
    model_dir: str | None
    variables: Mapping[str, str]
    log: str

    def command(self, port: int) -> list[str]:
        """Azure's image runs gunicorn too; azmlinfsrv would listen on every interface."""
        server = ["-b", f"127.0.0.1:{port}", "-k", "gthread", "--threads", str(THREADS)]
        options = ["--keep-alive", str(KEEP_ALIVE_S), "--graceful-timeout", "5", "--no-control-socket"]
        workers = ["--workers", self.variables.get("WORKER_COUNT", "1")]
        app = "azureml_inference_server_http.server.entry:app"
        return [self.python, "-m", "gunicorn", *server, *options, *workers, app]

    def environment(self, base: Mapping[str, str]) -> dict[str, str]:
        """The variables that Azure's image sets; the deployment's own win."""
        model = {} if self.model_dir is None else {"AZUREML_MODEL_DIR": self.model_dir}
        own = {
            "AML_APP_ROOT": self.code,
            "AZUREML_ENTRY_SCRIPT": self.scoring_script,
            "OMP_NUM_THREADS": "1",
            "OMP_WAIT_POLICY": "passive",
            "PYTHONUNBUFFERED": "1",
        }
        return {**base, **own, **model, **self.variables}


@dataclass(frozen=True)
class ServerProcess:
    """A server that was started. `created` guards against an id that the system gave to somebody else."""

    pid: int
    created: float
    port: int

    @classmethod
    def start(cls, launch: Launch, base: Mapping[str, str]) -> "ServerProcess":
        """Start the server in a session of its own, its output appended to the log."""
        port = _free_port()
        Path(launch.log).parent.mkdir(parents=True, exist_ok=True)
        with Path(launch.log).open("ab") as log:
            child = subprocess.Popen(
                launch.command(port),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=launch.environment(base),
                cwd=launch.code,
                start_new_session=True,
            )
        return cls(child.pid, psutil.Process(child.pid).create_time(), port)

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def alive(self) -> bool:
        """Whether it runs; reaps it when it was our child and has ended."""
        try:
            process = psutil.Process(self.pid)
            if process.create_time() != self.created:
                return False
            if process.status() == psutil.STATUS_ZOMBIE:
                process.wait(timeout=0)
                return False
        except (psutil.NoSuchProcess, psutil.TimeoutExpired):
            return False
        return True

    def stop(self, grace_s: float) -> None:
        """End the server and its workers. Blocks for at most the grace."""
        if not self.alive():
            return
        process = psutil.Process(self.pid)
        workers = process.children(recursive=True)
        process.terminate()
        _, stubborn = psutil.wait_procs([process, *workers], timeout=grace_s)
        if stubborn:
            _kill_session(self.pid)
            psutil.wait_procs(stubborn, timeout=grace_s)

    def saved(self) -> dict[str, Any]:
        """For the store."""
        return asdict(self)


def _kill_session(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # they ended by themselves in between


def _free_port() -> int:
    # Another process could take it before the server binds; the server then fails and is started anew.
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
