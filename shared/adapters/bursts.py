"""Sends requests for a few seconds, at a pace or so many at once, and counts what became of them.

Used by scoring.py. It is the one place where a pass takes its time on purpose; how much is bounded: the burst's
seconds, LATE_S for what is still to be sent then, and one request's own limit.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from shared.domain.observation import SmokeSeen
from shared.domain.tally import Burst, Tally, bucket_of

Clock = Callable[[], float]
Wait = Callable[[float], None]
LATE_S = 5.0
MOST_AT_ONCE = 64
OK = 200


class _Sender:
    """One burst under way. Due times come from one iterator, so that each request is sent once, whoever is free."""

    def __init__(self, burst: Burst, send_one: Callable[[], SmokeSeen], clock: Clock, wait: Wait) -> None:
        self._burst, self._send_one, self._clock, self._wait = burst, send_one, clock, wait
        self._due, self._lock, self._stopped = _due(burst), threading.Lock(), False
        self._began = clock()

    def work(self) -> Tally:
        """Send until nothing is due any more; an exception of one worker stops all of them."""
        tally = Tally()
        try:
            while (due := self._next()) is not None and not self._stopped:
                self._wait(max(0.0, due - self._elapsed()))
                tally = tally.plus(self._sent(due))
        except BaseException:
            self._stopped = True
            raise
        return tally

    def _next(self) -> float | None:
        with self._lock:
            due = next(self._due, None)
        if due is None and self._burst.per_s is None and self._elapsed() < self._burst.seconds:
            return self._elapsed()
        return due

    def _sent(self, due: float) -> Tally:
        if self._elapsed() > self._burst.seconds + LATE_S:
            return Tally(requests=1, errors=1, detail="requests had to wait for one another too long to be sent")
        seen = self._send_one()
        # From when it was due: had it to wait because others took long, then a user would have waited, too.
        latency = ((bucket_of(1000 * (self._elapsed() - due)), 1),) if seen.status == OK else ()
        bad = f"{seen.status} {seen.detail}".strip() if not seen.ok else ""
        wrong = not seen.ok and seen.status == OK
        return Tally(
            requests=1, errors=int(not seen.ok and not wrong), malformed=int(wrong), latency=latency, detail=bad
        )

    def _elapsed(self) -> float:
        return self._clock() - self._began


def send(
    burst: Burst, send_one: Callable[[], SmokeSeen], clock: Clock = time.perf_counter, wait: Wait = time.sleep
) -> Tally:
    """Send the burst; what `send_one` raises ends it and is raised."""
    sender, workers = _Sender(burst, send_one, clock, wait), min(burst.at_once, MOST_AT_ONCE)
    tally = Tally(seconds=burst.seconds)
    with ThreadPoolExecutor(workers, thread_name_prefix="burst") as pool:
        for done in [pool.submit(sender.work) for _ in range(workers)]:
            tally = tally.plus(done.result())
    return tally


def _due(burst: Burst) -> Iterator[float]:
    """When requests are due, in seconds since the beginning; without a pace nothing is: whoever is free sends."""
    if burst.per_s is None:
        return iter(())
    per_s = burst.per_s
    return (number / per_s for number in range(max(1, round(burst.seconds * per_s))))
