"""The host put together: reads the app, starts its triggers, stops them.

Called by __main__. `load` decides whether the app can be hosted, before anything runs; `FunctionsHost.run`
lasts until `stop` is called.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from localcloud.host import keys as access
from localcloud.host.admin import AdminApi
from localcloud.host.appsettings import Settings, connection_uri
from localcloud.host.errors import HostError
from localcloud.host.functions import Function, QueueTrigger, TimerTrigger, read_functions
from localcloud.host.hostjson import HostJson, parse_host_json
from localcloud.host.http_trigger import HttpFrontend
from localcloud.host.inflight import InFlight
from localcloud.host.invoker import Invoker
from localcloud.host.queue_trigger import LEASE_S, QueueListener
from localcloud.host.storage import HOST_CONNECTION, HostStorage
from localcloud.host.timer_trigger import TimerListener
from localcloud.host.worker import Worker

DRAIN_S = 10.0
MAX_BODY = 100 * 1024 * 1024  # 104,857,600 bytes, the real host's limit for a request
LEASE_SETTING = "UPKEEP_LOCAL_MESSAGE_LEASE_S"
_log = logging.getLogger("host")


@dataclass(frozen=True)
class App:
    """An app that can be hosted."""

    worker: Worker
    functions: list[Function]
    config: HostJson
    settings: Settings
    host_id: str
    lease_s: int


def load(directory: Path, settings: Settings) -> App:
    """Read host.json and index function_app.py. HostError says what is wrong."""
    path = directory / "host.json"
    if not path.is_file():
        raise HostError(f"there is no host.json in {directory}")
    config = parse_host_json(path.read_text(encoding="utf-8"), settings)
    worker = Worker()
    functions = read_functions(worker.index(directory), settings)
    _check_connections(functions, settings)
    host_id = settings.get("AzureFunctionsWebHost__hostid") or settings.get("WEBSITE_SITE_NAME") or "local"
    return App(worker, functions, config, settings, host_id.lower()[:32], _lease_s(settings))


def _check_connections(functions: list[Function], settings: Settings) -> None:
    """Ask for all connections before anything runs."""
    for function in functions:
        trigger = function.trigger
        connections = {output.connection for output in function.outputs}
        if isinstance(trigger, QueueTrigger):
            connections.add(trigger.connection)
        for connection in sorted(connections):
            connection_uri(connection, "queue", settings)
        if isinstance(trigger, TimerTrigger) and trigger.use_monitor:
            connection_uri(HOST_CONNECTION, "blob", settings)


def _lease_s(settings: Settings) -> int:
    text = settings.get(LEASE_SETTING, str(LEASE_S))
    if not text.isdecimal() or not 1 <= int(text) <= LEASE_S:
        raise HostError(f"{LEASE_SETTING} must be a whole number of seconds, 1 to {LEASE_S}, not {text!r}")
    return int(text)


class FunctionsHost:
    """A running app."""

    def __init__(self, app: App, keys: access.Keys) -> None:
        self._app = app
        self._storage = HostStorage(app.settings)
        self._in_flight = InFlight()
        self.must_restart = False  # a run hangs: only a fresh process is rid of it
        self.failed = False
        invoker = Invoker(app.worker, self._storage, app.config, self._timed_out)
        self._listeners = [
            listener
            for function in app.functions
            if not function.disabled and (listener := self._listener(function, invoker)) is not None
        ]
        prefix = app.config.route_prefix
        frontend = HttpFrontend(app.functions, prefix, keys, invoker, self._in_flight)
        admin = AdminApi(app.functions, prefix, app.host_id, keys, invoker, self._in_flight)
        self._server = web.Application(client_max_size=MAX_BODY)
        self._server.add_routes([*admin.routes(), web.route("*", "/{path:.*}", frontend.handle)])

    def _listener(self, function: Function, invoker: Invoker) -> QueueListener | TimerListener | None:
        trigger = function.trigger
        if isinstance(trigger, QueueTrigger):
            return QueueListener(
                function,
                trigger,
                self._storage,
                self._app.config.queues,
                invoker,
                self._in_flight,
                self._app.lease_s,
            )
        if isinstance(trigger, TimerTrigger):
            return TimerListener(function, trigger, self._storage, self._app.host_id, invoker, self._in_flight)
        return None

    async def run(self, port: int, ready: Callable[[], None]) -> bool:
        """Serve until `stop`; whether all that ran ended in time."""
        # Handlers wait for runs, and those are waited for by `drain`.
        runner = web.AppRunner(self._server, auto_decompress=False, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port)
        self._app.worker.start()
        await site.start()
        for listener in self._listeners:
            self._in_flight.begin(self._watch(listener), type(listener).__name__)
        ready()
        await self._in_flight.stopping.wait()
        await site.stop()
        ended = await self._in_flight.drain(DRAIN_S)
        await runner.cleanup()
        await self._storage.close()
        return ended

    def stop(self) -> None:
        """Take on nothing new and end."""
        self._in_flight.stopping.set()

    async def _watch(self, listener: QueueListener | TimerListener) -> None:
        """A listener that dies of our own mistake must not leave a host that looks alive."""
        try:
            await listener.listen()
        except Exception:  # noqa: BLE001 - whatever it is, it is ours, and it is logged with its trace
            _log.exception("a listener failed; the host stops")
            self.failed = True
            self.stop()

    def _timed_out(self, function: str) -> None:
        """The real host ends the worker process, and with it whatever hangs; so must this one end."""
        _log.error("the function %s passed functionTimeout; the worker is restarted", function)
        self.must_restart = True
        self.stop()
