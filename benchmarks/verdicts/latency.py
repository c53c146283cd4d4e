"""Rollouts whose answers all come, but late: how the latency limit, Kayenta and a proposed rule end them.

Called by __main__. Latencies are log-normal, so that a model that is twice as slow has all percentiles doubled.
"""

import math
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

import numpy as np

from benchmarks.verdicts.kayenta import Series, is_high
from benchmarks.verdicts.plan import LIMITS, POLL_S, STAGES, Kind, most_polls, polls
from shared.domain import traffic_checks
from shared.domain.analysis import FALSE_ALARM, Finding, combined
from shared.domain.observation import Stats
from shared.domain.spec import Step
from shared.domain.statistics import evidence_over

SIGMA = 0.6
"""Spread of the logarithm: the 95th percentile is 2.7 times the median."""
_P95 = math.exp(1.6448536269514722 * SIGMA)
LIVE_P95_MS = 1_500.0
CANDIDATE_P95_MS = (1_500.0, 1_900.0, 2_000.0, 2_100.0, 2_500.0, 4_000.0)
QUICK_P95_MS = 500.0
"""A live deployment far below the limit; beside it a candidate three times as slow, still within the limit."""
CASES = (*((LIVE_P95_MS, candidate) for candidate in CANDIDATE_P95_MS), (QUICK_P95_MS, 1_500.0))
RATES_PER_S = (0.1, 1.0, 10.0)


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
class Latencies:
    """One stage of one run: every latency in ms, in order, and where slices end. Live's go as far as the hold."""

    candidate: Series
    ends: list[int]
    live: Series
    live_ends: list[int]


def stage(step: Step, case: tuple[float, float], rate_per_s: float, rng: np.random.Generator) -> Latencies:
    """Enough slices for the hold and for min_requests, with as many again; no rule is let wait longer."""
    share, hold = step.traffic_pct / 100, polls(step.hold_s)
    needed = math.ceil(step.min_requests / (share * rate_per_s * POLL_S))
    counts = rng.poisson(share * rate_per_s * POLL_S, min(2 * max(hold, needed), most_polls(step)))
    live_counts = rng.poisson((1 - share) * rate_per_s * POLL_S, hold)
    live_p95_ms, candidate_p95_ms = case
    return Latencies(
        rng.lognormal(math.log(candidate_p95_ms / _P95), SIGMA, counts.sum()),
        np.cumsum(counts).tolist(),
        rng.lognormal(math.log(live_p95_ms / _P95), SIGMA, live_counts.sum()),
        np.cumsum(live_counts).tolist(),
    )


def product(step: Step, seen: Latencies) -> Kind:
    """The product's limit on the 95th percentile of the window."""

    def find(window: Series, complete: bool) -> Finding:
        p95 = float(np.percentile(window, 95)) if len(window) else None
        stats = Stats(requests=len(window), errors=0, latency_p95_ms=p95)
        enough = traffic_checks.requests(stats, step.min_requests, complete=complete)
        passed = enough.finding is Finding.PASS
        return combined([enough, traffic_checks.latency(LIMITS, stats, None, enough=passed)]).finding

    return _hold(step, seen, find)


def proposed(step: Step, seen: Latencies) -> Kind:
    """The same limit as a share: the 95th percentile is over it when more than 5 % of the answers are.

    So that the evidence of the error rate serves for it, at any look (Howard and Ramdas 2022, quantiles as shares).
    """
    assert LIMITS.max_latency_p95_ms is not None
    limit_ms = LIMITS.max_latency_p95_ms

    def find(window: Series, complete: bool) -> Finding:
        slow = int((window > limit_ms).sum())
        if evidence_over(slow, len(window), 0.05) >= 1 / FALSE_ALARM:
            return Finding.FAIL
        enough = complete and len(window) >= step.min_requests
        return Finding.PASS if enough and slow <= 0.05 * len(window) else Finding.INCONCLUSIVE

    return _hold(step, seen, find)


def kayenta(step: Step, seen: Latencies) -> Kind:
    """Kayenta's rule at the end of the hold, on the mean latency of each minute."""
    if step.traffic_pct == 100:
        return Kind.PASSED
    ends = slice(polls(60) - 1, polls(step.hold_s), polls(60))
    high = is_high(_means(seen.candidate, seen.ends[ends]), _means(seen.live, seen.live_ends[ends]))
    return Kind.FAILED if high else Kind.PASSED


RULES: dict[str, Callable[[Step, Latencies], Kind]] = {
    "product": product,
    "Kayenta, 1 min": kayenta,
    "proposed": proposed,
}


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
            ended = _first_not_passed(rule, stages)
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


def _first_not_passed(rule: Callable[[Step, Latencies], Kind], stages: list[Latencies]) -> Kind:
    for step, seen in zip(STAGES, stages, strict=True):
        kind = rule(step, seen)
        if kind is not Kind.PASSED:
            return kind
    return Kind.PASSED


def _hold(step: Step, seen: Latencies, find: Callable[[Series, bool], Finding]) -> Kind:
    hold = polls(step.hold_s)
    for poll, end in enumerate(seen.ends, 1):
        finding = find(seen.candidate[:end], poll >= hold)
        if finding is not Finding.INCONCLUSIVE:
            return Kind.FAILED if finding is Finding.FAIL else Kind.PASSED
    return Kind.HELD


def _means(latencies: Series, ends: list[int]) -> Series:
    """Mean of each slice; NaN for a slice without answers."""
    starts = np.array([0, *ends[:-1]])
    counts = np.array(ends) - starts
    totals = np.concatenate([[0.0], np.cumsum(latencies)])
    means: Series = np.full(len(ends), np.nan)
    np.divide(totals[np.array(ends)] - totals[starts], counts, out=means, where=counts > 0)
    return means
