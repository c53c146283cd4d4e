"""From a folder and an app to a served host: settings, log, signals.

Called by __main__ alone, once the environment is complete.
"""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import psutil

from localcloud.cloud import ACCOUNT, Ports
from localcloud.host import keys, logs
from localcloud.host.app import App, FunctionsHost, load
from localcloud.host.appsettings import read_local_settings
from localcloud.host.errors import HostError


def run(folder: Path, directory: Path, port: int | None) -> int | None:
    """Serve until a signal; the exit code, or None when the process is to be replaced by a fresh one."""
    logs.configure()
    try:
        ports = Ports.load(folder) if (folder / "ports.json").is_file() else None
        served = _port(folder, port, ports)
        _complete_environment(directory, ports)
        app = load(directory, dict(os.environ))
        host = FunctionsHost(app, keys.load_or_create(folder))
        return asyncio.run(_serve(host, app, served))
    except HostError as error:
        print(f"localcloud.host: {error}", file=sys.stderr)
        return 1


def _port(folder: Path, port: int | None, ports: Ports | None) -> int:
    if port is not None:
        return port
    if ports is not None:
        return ports.functions
    raise HostError(f"there is no ports.json in {folder}; start the local cloud first, or give --port")


def _complete_environment(directory: Path, ports: Ports | None) -> None:
    """App settings are environment variables of the app; what is set already stays."""
    defaults = {"FUNCTIONS_WORKER_RUNTIME": "python", "AZURE_FUNCTIONS_ENVIRONMENT": "Development"}
    if ports is not None:
        for service, number in (("blob", ports.blob), ("queue", ports.queue), ("table", ports.table)):
            key = f"AzureWebJobsStorage__{service}ServiceUri"
            defaults[key] = f"https://127.0.0.1:{number}/{ACCOUNT}"
    for name, value in {**defaults, **read_local_settings(directory)}.items():
        os.environ.setdefault(name, value)


async def _serve(host: FunctionsHost, app: App, port: int) -> int | None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, host.stop)

    def ready() -> None:
        age_ms = (time.time() - psutil.Process().create_time()) * 1000
        print(f"host ready in {age_ms:.0f} ms, {len(app.functions)} functions", flush=True)

    try:
        ended = await host.run(port, ready)
    except OSError as error:
        raise HostError(f"port {port} on 127.0.0.1 cannot be used: {error.strerror}") from error
    if not ended:
        print("some runs did not end in time; their messages will be seen again", file=sys.stderr)
    if host.must_restart:
        return None
    return 1 if host.failed else 0
