"""Delivers an alert to a webhook as an action group does.

Called by alerts.py. Only 408, 429, 503, 504 and a failed connection are tried again, up to five times;
every other answer ends the delivery, as on Azure: a receiver that answers 500 loses the alert.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp

RETRIED = frozenset({408, 429, 503, 504})
# Azure waits 5 to 40 s between tries; nobody wants to watch that on a laptop.
DELAYS_S = (1.0, 2.0, 4.0, 8.0, 16.0)
TIMEOUT_S = 10.0

# The answer's status, or None when there was none.
Post = Callable[[str, dict[str, Any]], Awaitable[int | None]]


@dataclass(frozen=True)
class Delivery:
    """How it went. `status` is None when no try got an answer."""

    url: str
    status: int | None
    tries: int

    @property
    def delivered(self) -> bool:
        """Whether the receiver took it."""
        return self.status is not None and 200 <= self.status < 300

    def shown(self) -> dict[str, Any]:
        """For the log and the administration; without the query, which holds the function key."""
        return {"url": self.url.partition("?")[0], "status": self.status, "tries": self.tries}


async def deliver(
    url: str, body: dict[str, Any], ca_file: Path, delays_s: Sequence[float] = DELAYS_S, post: Post | None = None
) -> Delivery:
    """POST the alert until it is answered with something that is not worth another try."""
    send = post or partial(_post, ca_file)
    for attempt, delay_s in enumerate([*delays_s, None], start=1):
        status = await send(url, body)
        if (status is not None and status not in RETRIED) or delay_s is None:
            return Delivery(url, status, attempt)
        await asyncio.sleep(delay_s)
    raise AssertionError("the last try returns")


async def _post(ca_file: Path, url: str, body: dict[str, Any]) -> int | None:
    context = ssl.create_default_context(cafile=str(ca_file)) if url.startswith("https:") else True
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S)) as session,
            session.post(url, json=body, ssl=context) as response,
        ):
            return response.status
    except (aiohttp.ClientError, TimeoutError):
        return None
