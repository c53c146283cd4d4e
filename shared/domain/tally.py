"""What became of requests that Upkeep sent itself, to one deployment by its name.

Added up over many short passes in the record, so that a pass that dies costs its own requests alone.
"""

import math
from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from shared.domain.base import Kept

MARK = "upkeep-probe"
"""Begins the user agent and the ids of every request that Upkeep sends itself: nobody takes it for a user's."""
BURST_S = 5.0
"""A pass sends no longer than that: so much it may take its time, and so much a crash may cost."""
_STEP = math.log(1.02)
"""Latencies are kept to within 1 %: each bucket ends 2 % above the one before."""


class Burst(Kept, frozen=True, kw_only=True):
    """An order for a few seconds of requests: `per_s` of them a second, or `at_once` all the time."""

    seconds: float
    per_s: float | None = None
    at_once: int = 1


class Tally(Kept, frozen=True, kw_only=True):
    """Requests and their outcomes. `malformed` answers were 200 and not what the sample promises.

    `seconds` is how long requests were sent by order; `latency` has buckets and how many answers of 200 fell
    into each; `detail` is what was wrong with the first bad one.
    """

    requests: int = 0
    errors: int = 0
    malformed: int = 0
    seconds: float = 0.0
    latency: tuple[tuple[int, int], ...] = ()
    detail: str = ""

    @property
    def bad(self) -> int:
        """Requests that a user would not have been served by."""
        return self.errors + self.malformed

    def plus(self, other: "Tally") -> "Tally":
        """Both together."""
        latency = Counter(dict(self.latency)) + Counter(dict(other.latency))
        return Tally(
            requests=self.requests + other.requests,
            errors=self.errors + other.errors,
            malformed=self.malformed + other.malformed,
            seconds=self.seconds + other.seconds,
            latency=tuple(sorted(latency.items())),
            detail=self.detail or other.detail,
        )

    def quantile_ms(self, share: float) -> float | None:
        """The latency that this share of the good answers does not exceed, to within 1 %; None without an answer."""
        rank, seen = math.ceil(share * sum(count for _, count in self.latency)), 0
        for bucket, count in self.latency:
            seen += count
            if seen >= rank:
                return math.exp((bucket - 0.5) * _STEP)
        return None


class Probing(Kept, frozen=True, kw_only=True):
    """Probes of one stage, by deployment. `since` is when the stage's window began: another stage probes anew."""

    since: datetime
    sent: dict[str, Tally] = {}

    def of(self, deployment: str) -> Tally:
        """What was sent to a deployment so far."""
        return self.sent.get(deployment, Tally())

    def plus(self, sent: Mapping[str, Tally]) -> "Probing":
        """With what a pass has sent."""
        together = {name: self.of(name).plus(tally) for name, tally in sent.items()}
        return Probing(since=self.since, sent={**self.sent, **together})


def bucket_of(latency_ms: float) -> int:
    """The bucket of a latency; all that is under a millisecond shares one."""
    return math.ceil(math.log(max(1.0, latency_ms)) / _STEP)


def is_ours(text: object) -> bool:
    """Whether that is the id or user agent of a request of Upkeep's own."""
    return isinstance(text, str) and text.startswith(MARK)
