"""Keeps the scoring server of every deployment running.

Called by the deployments, which add and remove servers, and by the router, which asks where a deployment's
server listens. What is running is in the store: a gateway that comes back adopts it, or starts it again.
"""

import asyncio
import logging
import time
from dataclasses import asdict
from pathlib import Path

import aiohttp

from localcloud.cloud import Cloud
from localcloud.endpoints.process import Launch, ServerProcess
from localcloud.processes import tail

KIND = "scoring-servers"
STARTING = "scoring-servers-starting"
POLL_S = 0.25
FIRST_BACK_OFF_S = 1.0
LAST_BACK_OFF_S = 30.0
GRACE_S = 5.0
_LOG = logging.getLogger("localcloud.servers")
_PROBE = aiohttp.ClientTimeout(total=2)


class ServerError(Exception):
    """The server does not come up; the message holds the end of its log."""


class ScoringServer:
    """One deployment's server. `url` is None while it is not ready."""

    def __init__(self, cloud: Cloud, key: str, launch: Launch, ready_limit_s: float) -> None:
        self.key = key
        self.launch = launch
        self.url: str | None = None
        self._cloud = cloud
        self._ready_limit_s = ready_limit_s
        self._process: ServerProcess | None = None
        self._keeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the process and wait until it answers; ServerError if it dies or takes too long."""
        self._process = await asyncio.to_thread(ServerProcess.start, self.launch, self._cloud.child_env())
        self._cloud.store.put(STARTING, self.key, self._process.saved())
        await self._until_ready()

    def keep(self) -> None:
        """From now on, start the process again whenever it dies."""
        self._save()
        self._keeper = asyncio.create_task(self._keep())

    def resume(self, process: ServerProcess | None) -> None:
        """Take over the process of an earlier gateway if it still runs, else start one."""
        self._process = process
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """End the process for good."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        self.url = None
        if self._process is not None:
            await asyncio.to_thread(self._process.stop, GRACE_S)

    async def _keep(self) -> None:
        back_off_s = FIRST_BACK_OFF_S
        if self._process is not None and self._process.alive():
            back_off_s = await self._ready_or_back_off(back_off_s)
        while True:
            while self.url is not None and self._process is not None and self._process.alive():
                await asyncio.sleep(POLL_S)
            if self.url is not None:
                self.url = None
                _LOG.warning("server.died deployment=%s restart_in_s=%s", self.key, back_off_s)
                await asyncio.sleep(back_off_s)
            await self._end_process()
            self._process = await asyncio.to_thread(ServerProcess.start, self.launch, self._cloud.child_env())
            self._save()
            back_off_s = await self._ready_or_back_off(back_off_s)

    async def _ready_or_back_off(self, back_off_s: float) -> float:
        try:
            await self._until_ready()
        except ServerError:
            _LOG.warning("server.not_ready deployment=%s retry_in_s=%s", self.key, back_off_s)
            await asyncio.sleep(back_off_s)
            return min(2 * back_off_s, LAST_BACK_OFF_S)
        return FIRST_BACK_OFF_S

    async def _end_process(self) -> None:
        if self._process is not None:
            await asyncio.to_thread(self._process.stop, GRACE_S)

    async def _until_ready(self) -> None:
        process = self._process
        assert process is not None, "started before it is waited for"
        deadline = time.monotonic() + self._ready_limit_s
        async with aiohttp.ClientSession(timeout=_PROBE) as session:
            while not await _answers(session, process.url):
                if not process.alive():
                    raise ServerError(f"The scoring server has ended.\n{self.log_tail()}")
                if time.monotonic() > deadline:
                    raise ServerError(
                        f"The scoring server was not ready in {self._ready_limit_s:g} s.\n{self.log_tail()}"
                    )
                await asyncio.sleep(POLL_S)
        self.url = process.url

    def log_tail(self, lines: int = 40) -> str:
        """The last lines of its log."""
        return tail(Path(self.launch.log), lines)

    def _save(self) -> None:
        process = None if self._process is None else self._process.saved()
        document = {"launch": asdict(self.launch), "process": process}
        self._cloud.store.put(KIND, self.key, document)


class Servers:
    """The servers by ENDPOINT/DEPLOYMENT, without regard to case."""

    def __init__(self, cloud: Cloud, ready_limit_s: float) -> None:
        self._cloud = cloud
        self._ready_limit_s = ready_limit_s
        self._running: dict[str, ScoringServer] = {}

    async def resume(self) -> None:
        """Bring back every stored server, in the background; end those that a crash left half started."""
        for key, process in self._cloud.store.items(STARTING):
            await asyncio.to_thread(ServerProcess(**process).stop, GRACE_S)
            self._cloud.store.delete(STARTING, key)
        for key, document in self._cloud.store.items(KIND):
            server = ScoringServer(self._cloud, key, Launch(**document["launch"]), self._ready_limit_s)
            saved = document["process"]
            server.resume(None if saved is None else ServerProcess(**saved))
            self._running[key.lower()] = server

    async def replace(self, key: str, launch: Launch) -> None:
        """Start a server; only when it is ready does it take the place of the one that runs.

        Raises ServerError, and leaves the old one in place.
        """
        server = ScoringServer(self._cloud, key, launch, self._ready_limit_s)
        try:
            await server.start()
        except BaseException:
            await server.stop()
            self._cloud.store.delete(STARTING, key)
            raise
        before = self._running.get(key.lower())
        self._running[key.lower()] = server
        server.keep()
        self._cloud.store.delete(STARTING, key)
        if before is not None:
            await before.stop()

    async def remove(self, key: str) -> None:
        """End the server for good."""
        self._cloud.store.delete(KIND, key)
        server = self._running.pop(key.lower(), None)
        if server is not None:
            await server.stop()

    def url(self, endpoint: str, deployment: str) -> str | None:
        """Where the deployment's server listens; None while it cannot answer."""
        server = self._running.get(f"{endpoint}/{deployment}".lower())
        return None if server is None else server.url

    async def stop(self) -> None:
        """End all processes; the store still says that they are wanted."""
        await asyncio.gather(*(server.stop() for server in self._running.values()))
        self._running = {}


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(f"{url}/") as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False
