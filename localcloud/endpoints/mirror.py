"""Sends copies of live requests to the deployment that is mirrored to, and throws the answers away.

Called by the router once the live answer is there. It never waits: when the mirror's server is too slow for what
it is sent, copies are dropped and counted, and the live traffic does not notice.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field

MAX_PENDING = 64  # copies that one deployment may owe an answer to
MAX_PENDING_BYTES = 32 * 1024 * 1024
_LOG = logging.getLogger("localcloud.mirror")

Send = Callable[[], Awaitable[bool]]  # True when the copy was answered with 200


@dataclass
class MirrorCounts:
    """What became of a deployment's copies since the router's start."""

    sent: int = 0
    failed: int = 0  # of those sent: answered with anything but 200
    dropped: int = 0
    pending: int = 0
    pending_bytes: int = 0


@dataclass
class Draw:
    """Draws which requests are mirrored, without touching the draws of the live split."""

    _generators: dict[str, random.Random] = field(default_factory=dict)

    def draw(self, endpoint: str, mirror: Mapping[str, int]) -> str | None:
        """The deployment that gets a copy of this request, or None."""
        name, share_pct = next(((name, share) for name, share in mirror.items() if share > 0), (None, 0))
        if name is None:
            return None
        generator = self._generators.setdefault(endpoint, random.Random(f"{endpoint}/mirror"))  # noqa: S311 - no secret
        return name if generator.random() * 100 < share_pct else None


class Mirror:
    """The copies that are under way, bounded for each deployment by itself."""

    def __init__(self, max_pending: int = MAX_PENDING, max_pending_bytes: int = MAX_PENDING_BYTES) -> None:
        self._max_pending = max_pending
        self._max_pending_bytes = max_pending_bytes
        self._counts: dict[str, MirrorCounts] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def offer(self, deployment: str, size_bytes: int, send: Send) -> bool:
        """Send a copy in the background; False when it was dropped. `deployment` is ENDPOINT/NAME."""
        counts = self._counts.setdefault(deployment, MirrorCounts())
        room = counts.pending < self._max_pending and counts.pending_bytes + size_bytes <= self._max_pending_bytes
        if not room:
            counts.dropped += 1
            return False
        counts.pending += 1
        counts.pending_bytes += size_bytes
        task = asyncio.create_task(self._send(counts, size_bytes, send))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    def counts(self) -> dict[str, dict[str, int]]:
        """What became of the copies, by ENDPOINT/NAME."""
        return {deployment: asdict(counts) for deployment, counts in self._counts.items()}

    async def stop(self) -> None:
        """Leave what is under way, and count anew from the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._counts = {}

    async def _send(self, counts: MirrorCounts, size_bytes: int, send: Send) -> None:
        answered = False
        try:
            answered = await send()
        except Exception:  # noqa: BLE001 - nobody waits for the copy: here its failure is told, or nowhere
            _LOG.exception("mirror.failed")
        finally:
            counts.pending -= 1
            counts.pending_bytes -= size_bytes
            counts.sent += 1
            counts.failed += not answered
