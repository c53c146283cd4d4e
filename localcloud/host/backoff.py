"""How long a queue poller waits: shorter while messages come, exponentially longer while none do.

Called by queue_trigger.py. The formula is that of RandomizedExponentialBackoffStrategy in the WebJobs SDK:
least + random(0.8 … 1.2) x 2^(n-1) x least, until it would pass the most.
"""

import random
from collections.abc import Callable

LEAST_S = 0.1


class Backoff:
    """The state of one poller. `draw` gives the random factor."""

    def __init__(
        self,
        most_s: float,
        draw: Callable[[], float] = lambda: random.uniform(0.8, 1.2),  # noqa: S311 - spreads polls, no secret
    ) -> None:
        self._most_s = most_s
        self._draw = draw
        self._misses = 0

    def found(self) -> None:
        """Messages came: begin again at the least."""
        self._misses = 0

    def missed_s(self) -> float:
        """The queue was empty, absent or failing: how long to wait now."""
        self._misses = min(self._misses + 1, 32)  # beyond it no wait is this short
        wait_s = LEAST_S + self._draw() * 2.0 ** (self._misses - 1) * LEAST_S
        return min(wait_s, self._most_s)
