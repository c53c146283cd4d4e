"""Judge a release's window by the traffic log: requests enough, errors, latency, throttling.

Called by watching.py; a window may be looked at as often as one likes. What befalls the live deployment alike is not
held against the candidate: where `live` is given, it had a share of the traffic over the same time, and a limit fails
the candidate only if it is also proven to be worse than that. Where nothing else had traffic, the limit stands alone.
"""

import math
from collections import Counter
from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

from shared.domain.analysis import Aspect, Check, Finding
from shared.domain.observation import Grid, Slice, Stats
from shared.domain.reasons import Fact
from shared.domain.shares import Counts, Series, any_more, more, over
from shared.domain.spec import Analysis, Spec

MAX_SLICES = 60
FINEST_SLICE_S = 30
SLOWER_THAN_P95 = 0.05
"""The 95th percentile is over a limit when more than this share of the answers is. Quantiles read as shares: Howard
and Ramdas (2022), Bernoulli 28, 1704-1728."""
LEAST_RISE_MS = 50.0
"""A smaller rise of a duration is what any shared machine does."""
LEVELS_IN_RATIO = 2
"""Levels of durations are so many to a ratio: a deployment whose every answer takes ratio ** 1.5 as long is found."""
LONGEST_MS = 180_000.0
"""No request to a managed endpoint takes longer."""


def grid_of(spec: Spec, seconds: float) -> Grid:
    """How the log is to be counted over a window that long: in at most MAX_SLICES slices, twice as long when full.

    A slice begins as long as the time between two looks, if that is shorter than FINEST_SLICE_S.
    """
    slice_s = min(spec.poll_s, FINEST_SLICE_S)
    while seconds > slice_s * MAX_SLICES:
        slice_s *= 2
    limits = spec.rollout.analysis
    level_ratio = limits.max_latency_ratio ** (1 / LEVELS_IN_RATIO)
    return Grid(slice_s=slice_s, slow_ms=limits.max_latency_p95_ms, level_ratio=level_ratio)


def requests(candidate: Stats, live: Stats | None, min_requests: int, *, complete: bool) -> Check:
    """Whether the window is long enough and holds requests enough to pass by. `complete`: it was held long enough."""
    facts: dict[str, Fact] = {"requests": candidate.requests}
    if live is not None:
        facts["live_requests"] = live.requests
    finding, text = Finding.PASS, f"{candidate.requests} requests."
    if not complete or candidate.requests < min_requests:
        finding, text = Finding.INCONCLUSIVE, f"{candidate.requests} of {min_requests} requests so far."
    return Check(aspect=Aspect.REQUESTS, finding=finding, text=text, facts=facts)


def errors(limits: Analysis, candidate: Stats, live: Stats | None) -> Check:
    """Answers that are the deployment's fault: over the limit, or over so many times the live deployment's share."""
    pair = _pair(candidate, live, lambda stats: stats.errors, lambda each: Counts(each.requests, each.errors))
    facts: dict[str, Fact] = {"errors": candidate.errors}
    if live is not None:
        facts["live_errors"] = live.errors
    found = _against(limits.max_error_rate_pct / 100, "requests failed", pair)
    ratio = limits.max_error_rate_ratio
    if found.finding is not Finding.FAIL and pair.live is not None and more(pair.candidate, pair.live, ratio):
        text = f"{_of(pair.candidate)} requests failed: over {ratio:g} times the share of live, {_of(pair.live)}."
        found = _Found(Finding.FAIL, text)
    return found.check(Aspect.ERRORS, f"{candidate.errors} errors.", facts)


def throttling(limits: Analysis, candidate: Stats, live: Stats | None) -> Check:
    """Requests that were refused because there were too many: the fault of too few instances, not of the model."""
    pair = _pair(candidate, live, lambda stats: stats.throttled, lambda each: Counts(each.requests, each.throttled))
    facts: dict[str, Fact] = {"throttled": candidate.throttled, "delayed": candidate.delayed}
    if live is not None:
        facts |= {"live_throttled": live.throttled, "live_delayed": live.delayed}
    found = _against(limits.max_throttled_pct / 100, "requests were refused as too many (429)", pair)
    return found.check(Aspect.THROTTLING, "", facts)


def latency(limits: Analysis, candidate: Stats, live: Stats | None) -> Check:
    """Whether answers take too long: the slowest 5 % by the limit, all of them by the live deployment's."""
    p95, ratio = candidate.latency_p95_ms, limits.max_latency_ratio
    facts: dict[str, Fact] = {"latency_p95_ms": p95}
    if live is not None:
        facts["live_latency_p95_ms"] = live.latency_p95_ms
    found = _within(limits.max_latency_p95_ms, candidate, live)
    if found.finding is not Finding.FAIL and live is not None and _slower(candidate, live, ratio):
        text = f"Answers take more than {ratio:g} times as long as live ones: p95 {_ms(p95)}"
        found = _Found(Finding.FAIL, f"{text} to {_ms(live.latency_p95_ms)}.")
    return found.check(Aspect.LATENCY, "" if p95 is None else f"p95 {_ms(p95)}.", facts)


def _within(limit_ms: int | None, candidate: Stats, live: Stats | None) -> "_Found":
    if limit_ms is None or not candidate.requests:
        return _Found(Finding.PASS, "")
    if not any(each.levels for each in candidate.slices):
        return _Found(Finding.INCONCLUSIVE, "The traffic log has no durations.")
    if not any(each.slow for each in candidate.slices):
        return _Found(Finding.PASS, "")
    pair = _pair(candidate, live, None, lambda each: Counts(_timed(each), each.slow))
    return _against(SLOWER_THAN_P95, f"answers took more than {limit_ms} ms", pair)


class _Pair(NamedTuple):
    candidate: Series
    live: Series | None


def _pair(
    candidate: Stats,
    live: Stats | None,
    total: Callable[[Stats], int] | None,
    counts_of: Callable[[Slice], Counts],
) -> _Pair:
    """The same counts of both. Without `total` they are known by their slices only."""

    def series(stats: Stats) -> Series:
        if total is None:
            return Series.summed(stats.slices, counts_of)
        return Series(Counts(stats.requests, total(stats)), stats.slices, counts_of)

    return _Pair(series(candidate), series(live) if live is not None and live.requests else None)


class _Found(NamedTuple):
    finding: Finding
    text: str
    suspect: bool = False

    def check(self, aspect: Aspect, otherwise: str, facts: dict[str, Fact]) -> Check:
        """As a check; `otherwise` is said where there is nothing to complain of."""
        text = self.text or otherwise
        return Check(aspect=aspect, finding=self.finding, text=text, facts=facts, suspect=self.suspect)


def _against(limit: float, what: str, pair: _Pair) -> _Found:
    """A share (0..1) of the requests held against its limit."""
    found, live = pair
    said, allowed = f"{_of(found)} {what}", f"the limit of {100 * limit:g} %"
    beside = "" if live is None else f" Of live, {_of(live)}."
    if over(found, limit) and (live is None or more(found, live, 1.0)):
        return _Found(Finding.FAIL, f"{said}: more than {allowed}.{beside}")
    if found.total.hits > limit * found.total.requests:
        text = f"{said}: over {allowed}, but it could be chance{'' if live is None else ', or no fault of its own'}."
        return _Found(Finding.INCONCLUSIVE, text + beside, suspect=True)
    return _Found(Finding.PASS, "")


def _slower(candidate: Stats, live: Stats, ratio: float) -> bool:
    """Whether durations are proven to be more than `ratio` times the live ones.

    If they are not, then at any t no larger a share of them is over ratio * t than of the live ones is over t.
    """
    levels, ours, theirs = _levels(ratio), _by_level(candidate), _by_level(live)
    pairs = [
        (_from(level + LEVELS_IN_RATIO, candidate, ours), _from(level, live, theirs))
        for level in levels
        if level + LEVELS_IN_RATIO <= max(ours, default=0)
    ]
    return any_more(pairs, 1.0, ways=len(levels))


@cache
def _levels(ratio: float) -> tuple[int, ...]:
    """Where to compare: from where a rise by the ratio is one worth speaking of, to the longest there can be."""
    low = LEVELS_IN_RATIO * math.log(LEAST_RISE_MS / (ratio - 1), ratio)
    high = LEVELS_IN_RATIO * math.log(LONGEST_MS / ratio, ratio)
    return tuple(range(max(0, math.ceil(low)), math.ceil(high)))


def _by_level(stats: Stats) -> Counter[int]:
    found: Counter[int] = Counter()
    for each in stats.slices:
        found.update(dict(each.levels))
    return found


def _from(level: int, stats: Stats, by_level: Counter[int]) -> Series:
    total = Counts(by_level.total(), sum(many for at, many in by_level.items() if at >= level))
    return Series(total, stats.slices, partial(_from_level, level))


def _from_level(level: int, each: Slice) -> Counts:
    """Answers of that level or above, of all that have a duration."""
    return Counts(_timed(each), sum(many for at, many in each.levels if at >= level))


def _timed(each: Slice) -> int:
    return sum(many for _, many in each.levels)


def _of(found: Series) -> str:
    return f"{found.total.hits} of {found.total.requests}"


def _ms(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.0f} ms"
