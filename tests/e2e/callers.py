"""Clients that ask several endpoints at a steady rate, whatever the answers, and keep count of what they got."""

import asyncio
import json
import math
import ssl
import threading
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

import aiohttp

from localcloud.demo.azure import Azure

TIMEOUT_S = 30.0
ROWS = [{"x": 1.0}, {"x": 2.0}]


class Got(NamedTuple):
    """An answer, as a client sees it: who gave it, with which status, and whether it makes sense."""

    endpoint: str
    deployment: str
    status: int
    sense: bool


class Callers:
    """One thread that asks each endpoint at its rate; a slow answer keeps no later request waiting."""

    def __init__(self, azure: Azure, authority: str, per_second: Mapping[str, float]) -> None:
        self._url, self._per_second = azure.url, per_second
        self._keys = {endpoint: azure.scoring_key(endpoint) for endpoint in per_second}
        self._tls = ssl.create_default_context(cafile=authority)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self.got: Counter[Got] = Counter()

    def begin(self) -> None:
        """Start to ask."""
        self._thread.start()

    def end(self) -> None:
        """Stop asking, and wait for the last answers."""
        self._stop.set()
        self._thread.join()

    async def _run(self) -> None:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        connector = aiohttp.TCPConnector(limit=0, ssl=self._tls)
        async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
            await asyncio.gather(*(self._ask_on(session, endpoint) for endpoint in self._per_second))

    async def _ask_on(self, session: aiohttp.ClientSession, endpoint: str) -> None:
        under_way: set[asyncio.Task[None]] = set()
        loop = asyncio.get_running_loop()
        next_s = loop.time()
        while not self._stop.is_set():
            task = asyncio.create_task(self._ask(session, endpoint))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            next_s += 1 / self._per_second[endpoint]
            await asyncio.sleep(max(0.0, next_s - loop.time()))
        await asyncio.gather(*under_way)

    async def _ask(self, session: aiohttp.ClientSession, endpoint: str) -> None:
        headers = {"Authorization": f"Bearer {self._keys[endpoint]}"}
        try:
            async with session.post(f"{self._url}/score/{endpoint}", json={"data": ROWS}, headers=headers) as answer:
                deployment = answer.headers.get("azureml-model-deployment", "nobody")
                self.got[Got(endpoint, deployment, answer.status, _makes_sense(await answer.read()))] += 1
        except (aiohttp.ClientError, TimeoutError) as trouble:
            self.got[Got(endpoint, f"nobody: {type(trouble).__name__}", 0, sense=False)] += 1


def _makes_sense(body: bytes) -> bool:
    """One prediction a row, each a number such as this model gives."""
    try:
        predictions = json.loads(body)["predictions"]
        return len(predictions) == len(ROWS) and all(
            math.isfinite(value) and abs(value) < 100 for value in predictions
        )
    except (ValueError, TypeError, KeyError):
        return False
