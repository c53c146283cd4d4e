"""Rollouts whose answers all come, but late: how the product and Kayenta end them.

Called by __main__. Latencies are log-normal, so that a model that is twice as slow has all percentiles doubled.
"""

import math
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, partial
from multiprocessing import get_context

import numpy as np

from benchmarks.verdicts.kayenta import Series, is_high
from benchmarks.verdicts.plan import LIMITS, POLL_S, PUBLICATION, STAGES, Kind, most_polls, polls
from benchmarks.verdicts.streams import Counts
from benchmarks.verdicts.walking import walk
from shared.domain.observation import Grid, Slice, Stats
from shared.domain.spec import Step
from shared.domain.traffic_checks import grid_of

SIGMA = 0.6
"""Spread of the logarithm: the 95th percentile is 2.7 times the median."""
_P95 = math.exp(1.6448536269514722 * SIGMA)
LIVE_P95_MS = 1_500.0
CANDIDATE_P95_MS = (1_500.0, 1_900.0, 2_000.0, 2_100.0, 2_500.0, 4_000.0)
QUICK_P95_MS = 500.0
"""A live deployment far below the limit; beside it a candidate three times as slow, still within the limit."""
CASES = (*((LIVE_P95_MS, candidate) for candidate in CANDIDATE_P95_MS), (QUICK_P95_MS, 1_500.0))
RATES_PER_S = (0.1, 1.0, 10.0)
_LEVELS = 100
"""More than there are: the longest latency drawn is far below the level of this number."""


@dataclass(frozen=True)
class Slow:
    """How many of `runs` rollouts each rule failed, or held, with these true 95th percentiles."""

    live_p95_ms: float
    candidate_p95_ms: float
    rate_per_s: float
    runs: int
    failed: dict[str, int]
    held: dict[str, int]


@dataclass
class Side:
    """One deployment in one stage of one run: every latency in ms, in order, and where the slices of a poll end."""

    durations_ms: Series
    ends: list[int]
    made: dict[int, list[Slice]] = field(default_factory=dict)

    @cached_property
    def by_poll(self) -> Counts:
        """A row for every poll: answers by level, and in the last column those over the limit."""
        poll = np.repeat(np.arange(len(self.ends)), np.diff([0, *self.ends]))
        level = (np.log(np.maximum(self.durations_ms, 1.0)) / math.log(_grid(1).level_ratio)).astype(np.int64)
        counts = np.zeros((len(self.ends), _LEVELS + 1), dtype=np.int64)
        np.add.at(counts, (poll, level), 1)
        slow = poll[self.durations_ms > _slow_ms()]
        counts[:, _LEVELS] = np.bincount(slow, minlength=len(self.ends))
        return counts

    def seen(self, polls_seen: int) -> Stats:
        """What the traffic log tells after so many polls. The product finds nothing by the percentile itself."""
        wide = _grid(polls_seen).slice_s // POLL_S
        whole, made = polls_seen // wide, self.made.setdefault(wide, [])
        for number in range(len(made), whole):
            made.append(self._slice(number * wide, (number + 1) * wide))
        last = () if polls_seen % wide == 0 else (self._slice(whole * wide, polls_seen),)
        return Stats(requests=self.ends[polls_seen - 1], errors=0, slices=(*made[:whole], *last))

    def _slice(self, start: int, end: int) -> Slice:
        *row, slow = self.by_poll[start:end].sum(axis=0).tolist()
        levels = tuple((level, many) for level, many in enumerate(row) if many)
        return Slice(requests=sum(row), slow=slow, levels=levels)


@dataclass
class Latencies:
    """One stage of one run."""

    candidate: Side
    live: Side


def _grid(polls_seen: int) -> Grid:
    return grid_of(PUBLICATION.spec, polls_seen * POLL_S)


def _slow_ms() -> int:
    assert LIMITS.max_latency_p95_ms is not None
    return LIMITS.max_latency_p95_ms


def stage(step: Step, case: tuple[float, float], rate_per_s: float, rng: np.random.Generator) -> Latencies:
    """Enough slices for the hold and for min_requests, with as many again; no rule is let wait longer."""
    share, hold = step.traffic_pct / 100, polls(step.hold_s)
    needed = math.ceil(step.min_requests / (share * rate_per_s * POLL_S))
    count = min(2 * max(hold, needed), most_polls(step))
    live_p95_ms, candidate_p95_ms = case
    return Latencies(
        _side(candidate_p95_ms, share * rate_per_s, count, rng),
        _side(live_p95_ms, (1 - share) * rate_per_s, count, rng),
    )


def _side(p95_ms: float, rate_per_s: float, count: int, rng: np.random.Generator) -> Side:
    counts = rng.poisson(rate_per_s * POLL_S, count)
    return Side(rng.lognormal(math.log(p95_ms / _P95), SIGMA, counts.sum()), np.cumsum(counts).tolist())


def product(run: list[Latencies]) -> Kind:
    """What the product does, by its own functions."""

    def log(number: int, poll: int) -> tuple[Stats, Stats] | None:
        seen = run[number]
        if poll > len(seen.candidate.ends):
            return None
        return seen.candidate.seen(poll), seen.live.seen(poll)

    return walk(log).kind


def kayenta(run: list[Latencies]) -> Kind:
    """Kayenta's rule at the end of each hold that has a live one beside it, on the mean latency of each minute."""
    for step, seen in zip(STAGES, run, strict=True):
        minutes = slice(polls(60) - 1, polls(step.hold_s), polls(60))
        if step.traffic_pct < 100 and is_high(_means(seen.candidate, minutes), _means(seen.live, minutes)):
            return Kind.FAILED
    return Kind.PASSED


RULES: dict[str, Callable[[list[Latencies]], Kind]] = {"product": product, "Kayenta, 1 min": kayenta}


def play(case: tuple[float, float], rate_per_s: float, seed: int, runs: int) -> Slow:
    """One pair of percentiles at one rate."""
    failed, held = dict.fromkeys(RULES, 0), dict.fromkeys(RULES, 0)
    for run in range(runs):
        seeds = [seed, *(round(p95) for p95 in case), round(1000 * rate_per_s), run]
        stages = [
            stage(step, case, rate_per_s, np.random.default_rng([*seeds, number]))
            for number, step in enumerate(STAGES)
        ]
        for name, rule in RULES.items():
            ended = rule(stages)
            failed[name] += ended is Kind.FAILED
            held[name] += ended is Kind.HELD
    return Slow(*case, rate_per_s, runs, failed, held)


def measure(seed: int, runs: int, rates_per_s: tuple[float, ...], workers: int) -> list[Slow]:
    """Every pair at every rate."""
    work = [(case, rate) for case in CASES for rate in rates_per_s]
    one = partial(play, seed=seed, runs=runs)
    if workers == 1:
        return [one(*item) for item in work]
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        return list(pool.map(one, *zip(*work, strict=True)))


def _means(side: Side, minutes: slice) -> Series:
    """Mean of each minute; NaN for one without answers."""
    ends = np.array(side.ends[minutes])
    starts = np.array([0, *ends[:-1]])
    counts = ends - starts
    totals = np.concatenate([[0.0], np.cumsum(side.durations_ms)])
    means: Series = np.full(len(ends), np.nan)
    np.divide(totals[ends] - totals[starts], counts, out=means, where=counts > 0)
    return means
