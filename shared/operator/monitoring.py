"""The monitoring step after a deployment: look at endpoints for a while, until they fail plainly or the time is over.

Called by monitor_command.py with everything that it looks at, and with time: a clock and a sleep. It changes
nothing anywhere. What is seen is judged by shared/domain/health.py.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from shared.domain.base import Kept
from shared.domain.health import Check, Limits, ReleaseSeen, Seen, Verdict, Window, judge, live, overall
from shared.domain.observation import EndpointSeen, Stats, TrafficSeen
from shared.errors import RetryLater
from shared.reconcile.ports import Clock

LATE_LOOKS = 5
"""How often more, at the end, what could not be seen is asked for again."""
MOST_SLICES = 48
OWN_SLICES = 12
Answer = TypeVar("Answer")


class Log(Protocol):
    """The traffic log; windows are [start, end)."""

    def latency(self, endpoint: str, start: datetime, end: datetime) -> dict[str, Stats]:
        """Requests, errors and percentiles of latency by deployment."""
        ...

    def overall(self, endpoint: str, start: datetime, end: datetime) -> Stats:
        """The same of all deployments together."""
        ...

    def slices(self, endpoint: str, start: datetime, end: datetime, slice_s: float) -> dict[int, Stats]:
        """All deployments together by slices of the window, counted from 0."""
        ...


class Endpoints(Protocol):
    """Azure ML, as far as a check looks at it."""

    def endpoint(self, endpoint: str) -> EndpointSeen:
        """Traffic and deployments of an endpoint."""
        ...


@dataclass(frozen=True, kw_only=True)
class Eyes:
    """Where a check looks, and its time. `release` asks the app how a model stands; None: no app is known here."""

    log: Log
    endpoints: Endpoints
    release: Callable[[str], ReleaseSeen] | None
    clock: Clock
    sleep: Callable[[float], None]


class Target(Kept, frozen=True, kw_only=True):
    """An endpoint, the limits that it is held to, and how late its log is. `model` is empty for a stranger's."""

    endpoint: str
    limits: Limits
    log_lag_s: float
    model: str = ""


class Plan(Kept, frozen=True, kw_only=True):
    """How long to look, how often, and at how much of the time before. `since` is when the deployment happened."""

    window_s: float
    every_s: float
    baseline_s: float
    since: datetime | None = None


class Slices(Kept, frozen=True, kw_only=True):
    """The traffic in equal slices: those before the check's window, and those of the window."""

    slice_s: float
    before: tuple[Stats, ...]
    now: tuple[Stats, ...]


class Health(Kept, frozen=True, kw_only=True):
    """What a check found of one endpoint. `early` says that a plain failure ended it before its time."""

    target: Target
    verdict: Verdict
    checks: tuple[Check, ...]
    seen: Seen
    early: bool
    slices: Slices | None = None


def monitor(targets: Sequence[Target], plan: Plan, eyes: Eyes, tell: Callable[[str], None]) -> list[Health]:
    """Look at all targets until each has its verdict. `tell` gets a line of progress a look."""
    began = eyes.clock.now()
    watches = [Watch(target, plan, began, eyes) for target in targets]
    waiting = watches
    while waiting:
        for watch in waiting:
            watch.look()
            tell(watch.progress())
        waiting = [watch for watch in waiting if not watch.done]
        if waiting:
            eyes.sleep(min(watch.wait_s() for watch in waiting))
    return [watch.health() for watch in watches]


class Watch:
    """One endpoint under watch."""

    def __init__(self, target: Target, plan: Plan, began: datetime, eyes: Eyes) -> None:
        self._target, self._plan, self._eyes = target, plan, eyes
        self._since = min(plan.since or began, began)
        self._end = began + timedelta(seconds=plan.window_s)
        # What happens at the window's end can be read so much later only.
        self._due = self._end + timedelta(seconds=target.log_lag_s)
        self._served: dict[str, None] = {}
        self._before: Window | None = None
        self._before_settled = plan.baseline_s <= 0
        self._late, self._early = 0, False
        self._unseen: list[str] = []
        self._seen = Seen(since=self._since)
        self._checks: tuple[Check, ...] = ()
        self.done = False

    def look(self) -> None:
        """Look once at everything, judge, and see whether that was the last look."""
        now = self._eyes.clock.now()
        self._unseen = []
        endpoint = self._ask(lambda: self._eyes.endpoints.endpoint(self._target.endpoint))
        self._served.update(dict.fromkeys(live(endpoint)))
        self._look_before(now)
        self._seen = Seen(
            since=self._since,
            now=self._look_now(now),
            before=self._before,
            endpoint=endpoint,
            served=tuple(self._served),
            release=self._look_at_release(),
            unseen=tuple(self._unseen),
        )
        self._checks = judge(self._target.limits, self._seen)
        self._late += now >= self._due
        over = now >= self._due and (not self._unseen or self._late > LATE_LOOKS)
        plain = any(check.plain for check in self._checks)
        self.done, self._early = over or plain, plain and now < self._due

    def wait_s(self) -> float:
        """How long until the next look: the last one comes as soon as the log is complete."""
        left_s = (self._due - self._eyes.clock.now()).total_seconds()
        return min(self._plan.every_s, left_s) if left_s > 0 else self._plan.every_s

    def progress(self) -> str:
        """One line: what was seen so far."""
        head = f"{self._eyes.clock.now():%H:%M:%S} {self._target.endpoint}: "
        if self._unseen:
            return head + "; ".join(self._unseen)
        if self._seen.now is None:
            return f"{head}waiting for the log, which lags by {self._target.log_lag_s:g} s"
        shown = [_shown(name, self._seen.now.of(name)) for name in self._served]
        seconds = (self._seen.now.end - self._since).total_seconds()
        whole = (self._end - self._since).total_seconds()
        return f"{head}{'; '.join(shown) or 'no live traffic'} ({seconds:.0f} of {whole:.0f} s)"

    def health(self) -> Health:
        """The result, with the slices for the report."""
        # A report without its picture is better than none: what the verdict rests on has been read.
        slices = self._ask(self._look_at_slices)
        return Health(
            target=self._target,
            verdict=overall(check.verdict for check in self._checks),
            checks=self._checks,
            seen=self._seen,
            early=self._early,
            slices=slices,
        )

    def _ask(self, question: Callable[[], Answer]) -> Answer | None:
        """The answer; what cannot be answered now is kept as unseen, and asked again in the next look."""
        try:
            return question()
        except RetryLater as trouble:
            self._unseen.append(str(trouble))
            return None

    def _look_before(self, now: datetime) -> None:
        """The window before, asked for anew until the log of its last moments must have come in."""
        if self._before_settled:
            return
        start = self._since - timedelta(seconds=self._plan.baseline_s)
        stats = self._ask(lambda: self._eyes.log.overall(self._target.endpoint, start, self._since))
        if stats is not None:
            self._before = Window(start=start, end=self._since, stats=stats)
            self._before_settled = now >= self._since + timedelta(seconds=self._target.log_lag_s)

    def _look_now(self, now: datetime) -> TrafficSeen | None:
        """The window so far; None while nothing of it can have come in, or if it cannot be read."""
        end = min(now - timedelta(seconds=self._target.log_lag_s), self._end)
        if end <= self._since:
            return None
        stats = self._ask(lambda: self._eyes.log.latency(self._target.endpoint, self._since, end))
        return None if stats is None else TrafficSeen(start=self._since, end=end, stats=stats)

    def _look_at_release(self) -> ReleaseSeen | None:
        ask = self._eyes.release
        return self._ask(lambda: ask(self._target.model)) if ask and self._target.model else None

    def _look_at_slices(self) -> Slices | None:
        if self._seen.now is None:
            return None
        window_s = (self._seen.now.end - self._since).total_seconds()
        slice_s = max(window_s / OWN_SLICES, (window_s + self._plan.baseline_s) / MOST_SLICES)
        count = int(self._plan.baseline_s / slice_s)
        start = self._since - timedelta(seconds=count * slice_s)
        found = self._eyes.log.slices(self._target.endpoint, start, self._seen.now.end, slice_s)
        whole = count + max(1, math.ceil(window_s / slice_s - 1e-9))
        stats = [found.get(number, Stats(requests=0, errors=0)) for number in range(whole)]
        return Slices(slice_s=slice_s, before=tuple(stats[:count]), now=tuple(stats[count:]))


def _shown(name: str, stats: Stats) -> str:
    p95 = "" if stats.latency_p95_ms is None else f", p95 {stats.latency_p95_ms:.0f} ms"
    return f"{name} {stats.requests} requests, {stats.errors} errors{p95}"
