"""Confidence intervals of a mean difference, from sums. Called by the judge; benchmarks use it too.

Rows of one group (a day's flights share its winds) hang together, so that an interval which takes them for
independent is far too narrow: docs/reference/verdicts.md has the measurements.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from statistics import NormalDist

from shared.domain.base import Kept

_MANY_DEGREES = 200
_PRECISION = 1e-12


class Interval(Kept, frozen=True, kw_only=True):
    """A mean with its confidence interval and the standard error behind it, all in the unit of the rows."""

    mean: float
    low: float
    high: float
    error: float
    degrees: int


def of_groups(rows: Sequence[int], sums: Sequence[float], share: float) -> Interval:
    """The mean over all rows of sums by group, with an interval that holds `share` (0..1) of the time.

    Standard error √(G/(G−1) · Σ(S_g − n_g·m)²) / Σn_g, Student's t with G−1 degrees. Source: Liang and Zeger (1986),
    Biometrika 73, 13-22; Cameron and Miller (2015), Journal of Human Resources 50, 317-372, sections II and VI.
    Needs two groups and a row.
    """
    groups, total = len(rows), sum(rows)
    mean = math.fsum(sums) / total
    squares = math.fsum((each - count * mean) ** 2 for count, each in zip(rows, sums, strict=True))
    error = math.sqrt(groups / (groups - 1) * squares) / total
    return _around(mean, error, groups - 1, share)


def of_rows(rows: int, mean: float, deviation: float, share: float) -> Interval:
    """The same for rows that are independent, from their standard deviation (n−1). Needs two rows."""
    return _around(mean, deviation / math.sqrt(rows), rows - 1, share)


def unknown(mean: float) -> Interval:
    """All that a single group tells of the spread: nothing."""
    return Interval(mean=mean, low=-math.inf, high=math.inf, error=math.inf, degrees=0)


def t_quantile(share: float, degrees: int) -> float:
    """The quantile of Student's t below which `share` (0..1, not the ends) of it lies.

    Up to 200 degrees by bisection of the distribution function, which is a finite sum; above by the expansion about
    the normal quantile. Source: Abramowitz and Stegun (1964), 26.7.3, 26.7.4 and 26.7.5.
    """
    if share < 0.5:
        return -t_quantile(1 - share, degrees)
    return _expanded(share, degrees) if degrees > _MANY_DEGREES else _bisected(share, degrees)


def _around(mean: float, error: float, degrees: int, share: float) -> Interval:
    half = t_quantile((1 + share) / 2, degrees) * error
    return Interval(mean=mean, low=mean - half, high=mean + half, error=error, degrees=degrees)


@lru_cache(4_096)
def _bisected(share: float, degrees: int) -> float:
    low, high = 0.0, 1.0
    while _within(high, degrees) < 2 * share - 1:
        low, high = high, 2 * high
    while high - low > _PRECISION * high:
        middle = (low + high) / 2
        if not low < middle < high:
            break
        low, high = (middle, high) if _within(middle, degrees) < 2 * share - 1 else (low, middle)
    return (low + high) / 2


def _within(t: float, degrees: int) -> float:
    """The share of Student's t between -t and t."""
    angle = math.atan2(t, math.sqrt(degrees))
    sine, square = math.sin(angle), math.cos(angle) ** 2
    odd = degrees % 2
    term = math.cos(angle) if odd else 1.0
    total = 0.0
    for step in range(2 + odd, degrees + 1, 2):
        total += term
        term *= square * (step - 1) / step if step < degrees else 0.0
    if odd:
        return 2 / math.pi * (angle + sine * total)
    return sine * total


def _expanded(share: float, degrees: int) -> float:
    x, n = NormalDist().inv_cdf(share), float(degrees)
    first = (x**3 + x) / 4
    second = (5 * x**5 + 16 * x**3 + 3 * x) / 96
    third = (3 * x**7 + 19 * x**5 + 17 * x**3 - 15 * x) / 384
    fourth = (79 * x**9 + 776 * x**7 + 1482 * x**5 - 1920 * x**3 - 945 * x) / 92160
    return x + first / n + second / n**2 + third / n**3 + fourth / n**4
