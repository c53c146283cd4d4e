"""Kayenta's judge for one critical metric, in our own words, with numpy and scipy.

Called by comparing.py and latency.py. Source: spinnaker/kayenta, commit a69573b (April 2025), NetflixACAJudge,
MannWhitneyClassifier and MannWhitney. The metric is a time series of each side. From both, the Mann-Whitney test
with continuity correction gives a two-sided 98 % interval of the location shift, as R's wilcox.test does by the
normal approximation, and the Hodges-Lehmann estimate. The metric is High when the interval's lower end is above
25 % of that estimate (not of the baseline). A critical metric that is High, or that has no data, fails the canary.
Defaults otherwise: outliers kept, slices without data left out, no least effect size.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats  # type: ignore[import-untyped]  # ships no types

from benchmarks.verdicts.plan import STAGES, Ending, Kind, polls
from benchmarks.verdicts.streams import Stream

Series = NDArray[np.float64]
CONFIDENCE = 0.98
TOLERANCE = 0.25
_Z = float(stats.norm.ppf((1 + CONFIDENCE) / 2))
LOOK_AGAIN = polls(300)
"""A judgement every 5 minutes over the growing window, where it is repeated."""


class Shift(NamedTuple):
    """Hodges-Lehmann estimate of how far the canary lies above the baseline, and its interval."""

    low: float
    high: float
    estimate: float


def shift(canary: Series, baseline: Series) -> Shift:
    """The location shift.

    The test statistic falls in steps, at the pairwise differences; Kayenta searches where it crosses a normal
    quantile by Brent's method, here the step is counted off. Ties within a side thin the variance as they do there.
    """
    many, others = len(canary), len(baseline)
    differences = np.sort((canary[:, None] - baseline[None, :]).ravel())
    middle, total = many * others / 2, many + others
    ties = sum(float((count**3 - count).sum()) for count in map(_repeats, (canary, baseline)))
    deviation = np.sqrt(many * others / 12 * (total + 1 - ties / (total * (total - 1))))

    def crossing(quantile: float) -> float:
        # The statistic at a shift is the number of differences above it; it is corrected by 1/2 towards the middle.
        above = middle + quantile * deviation + 0.5 * np.sign(quantile)
        index = len(differences) - int(np.floor(above)) - 1
        return float(differences[min(max(index, 0), len(differences) - 1)])

    return Shift(crossing(_Z), crossing(-_Z), float(np.median(differences)))


def is_high(canary: Series, baseline: Series) -> bool:
    """Whether the canary's metric is classified as High, or has no data."""
    canary, baseline = canary[~np.isnan(canary)], baseline[~np.isnan(baseline)]
    if not len(canary) or not len(baseline):
        return True
    if len(np.unique(canary)) == len(np.unique(baseline)) == 1:
        return bool(canary[0] > baseline[0])  # Kayenta adds a little noise here and comes to the same
    found = shift(canary, baseline)
    return found.low > TOLERANCE * abs(found.estimate)


def judge_errors(run: list[Stream], *, slice_s: int, repeated: bool) -> Ending:
    """The rollout with the error rate (percent of the requests in each slice) as the one metric.

    Only stages with a live deployment beside the canary can be compared; the others are let pass.
    """
    answered, wide = 0, polls(slice_s)
    for stage, step in enumerate(STAGES):
        hold = polls(step.hold_s)
        window = run[stage].by_slice(hold)
        looks = range(LOOK_AGAIN if repeated else hold, hold + 1, LOOK_AGAIN)
        for look in looks if step.traffic_pct < 100 else ():
            joined = window[:look].reshape(-1, wide, 4).sum(axis=1)
            if is_high(_rate(joined[:, 0], joined[:, 1]), _rate(joined[:, 2], joined[:, 3])):
                return Ending(Kind.FAILED, stage, answered + int(joined[:, 0].sum()))
        answered += int(window[:, 0].sum())
    return Ending(Kind.PASSED, len(STAGES) - 1, answered)


def _rate(requests: NDArray[np.int64], errors: NDArray[np.int64]) -> Series:
    rates: Series = np.full(len(requests), np.nan)
    np.divide(100.0 * errors, requests, out=rates, where=requests > 0)
    return rates


def _repeats(values: Series) -> NDArray[np.int64]:
    return np.unique(values, return_counts=True)[1].astype(np.int64)
