"""The one server that plays Azure Resource Manager, identity, MLflow, Log Analytics and scoring.

Started by the supervisor as `python -m localcloud.gateway --folder FOLDER`. It builds the services, wires
them to one another, and serves them over TLS on loopback until SIGTERM. It knows nothing of any of them
beyond the `Service` protocol.
"""

import argparse
import asyncio
import logging
import signal
import ssl
from collections.abc import Sequence
from pathlib import Path

from aiohttp import web

from localcloud import middleware
from localcloud.admin import Admin
from localcloud.alerts import Alerts
from localcloud.cloud import Cloud, Ports, Service
from localcloud.controlplane.assets import Assets
from localcloud.controlplane.jobs import Jobs
from localcloud.controlplane.mlflow import Mlflow
from localcloud.controlplane.quotas import Quotas
from localcloud.controlplane.registry import Registry
from localcloud.controlplane.schedules import Schedules
from localcloud.egress import Egress
from localcloud.endpoints.management import Endpoints
from localcloud.endpoints.router import Router
from localcloud.eventgrid import EventGrid
from localcloud.faults import Faults
from localcloud.identity import Identity
from localcloud.logs import Logs
from localcloud.storage import Storage
from localcloud.store import Store

log = logging.getLogger("localcloud.gateway")
STORAGE_DEADLINE_S = 30.0
SHUTDOWN_S = 5.0
MAX_BODY_BYTES = 256 * 1024 * 1024


def services(cloud: Cloud, storage: Storage) -> list[Service]:
    """Every part of the local cloud, in the order in which it is started."""
    event_grid = EventGrid(cloud, storage)
    logs = Logs(cloud)
    endpoints = Endpoints(cloud)
    parts: list[Service] = [
        Identity(cloud),
        Egress(cloud),
        event_grid,
        Assets(cloud),
        Registry(cloud),
        Jobs(cloud),
        Mlflow(cloud),
        Schedules(cloud),
        logs,
        endpoints,
        Quotas(cloud, endpoints.documents),
        Router(cloud, endpoints, logs),
        Alerts(cloud, logs),
    ]
    return [*parts, Admin(cloud, storage, event_grid, parts)]


def application(cloud: Cloud, parts: Sequence[Service]) -> web.Application:
    """The web application of all parts."""
    app = web.Application(middlewares=middleware.ALL, client_max_size=MAX_BODY_BYTES)
    app[middleware.FAULTS] = cloud.faults
    app.router.add_get("/health", _health)
    for part in parts:
        app.router.add_routes(part.routes())
    return app


async def _health(_request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


async def serve(folder: Path) -> None:
    """Run until SIGTERM or SIGINT."""
    stopping = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    cloud = Cloud(folder, Ports.load(folder), Store(folder / "cloud.sqlite"), Faults())
    storage = Storage(cloud)
    await storage.open()
    started: list[Service] = []
    try:
        parts = services(cloud, storage)
        await storage.wait(STORAGE_DEADLINE_S)
        await storage.provision()
        for part in parts:
            await part.start()
            started.append(part)
        runner = web.AppRunner(application(cloud, parts), access_log=None, shutdown_timeout=SHUTDOWN_S)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", cloud.ports.gateway, ssl_context=_tls(folder)).start()
        log.info("gateway.started url=%s", cloud.gateway_url)
        await stopping.wait()
        log.info("gateway.stopping")
        await runner.cleanup()
    finally:
        for part in reversed(started):
            await part.stop()
        await storage.close()
        cloud.store.close()


def _tls(folder: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "ca" / "server.pem", folder / "ca" / "server.key")
    return context


def main() -> None:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m localcloud.gateway")
    parser.add_argument("--folder", type=Path, required=True)
    folder = parser.parse_args().folder.resolve()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # The SDKs that the services use log every request and header.
    logging.getLogger("azure").setLevel(logging.WARNING)
    asyncio.run(serve(folder))


if __name__ == "__main__":
    main()
