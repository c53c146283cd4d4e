"""Sends one scoring request to one deployment's server and tells what became of it.

Called by the router for live requests and mirrored ones alike. Never raises for what a server does: a server
that is slow, broken or absent is an answer too.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

import aiohttp

from localcloud.endpoints.answers import Answer, from_model, refusal
from localcloud.endpoints.calls import Call
from localcloud.endpoints.documents import Document
from localcloud.endpoints.traffic import MAX_TIMEOUT_S, timeout_s
from localcloud.faults import Fault, Faults

Sleep = Callable[[float], Awaitable[object]]
IDLE_CONNECTION_S = 30  # shorter than the server's own, see process.py


class Serving(Protocol):
    """Who knows where servers listen; servers.py has it."""

    def url(self, endpoint: str, deployment: str) -> str | None:
        """Where the deployment's server listens; None while it cannot answer."""
        ...


class Forwarder:
    """The way from the router to the scoring servers, and the faults that lie on it."""

    def __init__(self, servers: Serving, faults: Faults, sleep: Sleep = asyncio.sleep) -> None:
        self._servers = servers
        self._sleep = sleep
        self._faults = faults
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open the pool of connections to the scoring servers."""
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE_CONNECTION_S)
        self._session = aiohttp.ClientSession(connector=connector, auto_decompress=False)

    async def stop(self) -> None:
        """Close it."""
        if self._session is not None:
            await self._session.close()

    async def send(self, call: Call, deployment: Document) -> Answer:
        """The deployment's answer, within its timeout."""
        limit_s = timeout_s(deployment)
        fault = self._faults.pick(f"SCORE {deployment['endpoint']} {deployment['name']}")
        if fault is None:
            return await self._forward(call, deployment, limit_s, time.perf_counter())
        return await self._hit(fault, call, deployment, limit_s)

    async def _hit(self, fault: Fault, call: Call, deployment: Document, limit_s: float) -> Answer:
        began = time.perf_counter()
        await self._sleep(min(fault.delay_s, limit_s))
        if fault.delay_s >= limit_s:
            return too_slow(limit_s)
        if fault.status is None:
            return await self._forward(call, deployment, limit_s - fault.delay_s, began)
        body = fault.scored(call.body)
        return Answer(fault.status, body, fault.status, model_ms=_ms_since(began))

    async def _forward(self, call: Call, deployment: Document, limit_s: float, began: float) -> Answer:
        url = self._servers.url(deployment["endpoint"], deployment["name"])
        if url is None:
            return refusal(503, f"Deployment {deployment['name']!r} has no server that is ready.")
        assert self._session is not None, "started before it is asked"
        # aiohttp would round a long timeout up to the next whole second of its clock.
        limit = aiohttp.ClientTimeout(total=limit_s, ceil_threshold=2 * MAX_TIMEOUT_S)
        try:
            async with self._session.request(
                call.method,
                f"{url}/{call.path}",
                data=call.body,
                headers=call.headers,
                params=call.query,
                timeout=limit,
                allow_redirects=False,
            ) as response:
                content = await response.read()
                kind = response.headers.get("Content-Type", "application/octet-stream")
                return from_model(response.status, content, kind, _ms_since(began))
        except TimeoutError:
            return too_slow(timeout_s(deployment))
        except aiohttp.ClientError as error:
            return refusal(502, f"The scoring server broke off: {type(error).__name__}.")


def too_slow(limit_s: float) -> Answer:
    """The platform's answer in place of a model that takes longer than its deployment allows."""
    return refusal(408, f"The model did not answer in {limit_s:g} s.")


def _ms_since(began: float) -> float:
    return (time.perf_counter() - began) * 1000
