"""The candidate's predictions beside the live deployment's: how two samples are summed up, and what that says. Pure.

Samples are summed up by observe, so that no prediction goes into a record; evidence.py judges the summary.
"""

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence

from shared.domain.analysis import Aspect, Check, Finding
from shared.domain.base import Kept
from shared.domain.reasons import Fact
from shared.domain.spec_evidence import Predictions

Prediction = float | str | bool | None
BINS = 10
MOST_LABELS = 20
"""So many different values of the live deployment are compared one by one; of more numbers, ten shares of rows."""


class Collected(Kept, frozen=True, kw_only=True):
    """Predictions that a deployment collected in a window. `broken` lines or rows could not be used.

    Where there were more than may be read, they are the newest.
    """

    values: tuple[Prediction, ...] = ()
    broken: int = 0


class PredictionsSeen(Kept, frozen=True, kw_only=True):
    """Two samples, as how many rows fell into each bin. The live one's values define the bins; the last is of missing
    ones.

    `ks` is the greatest distance between the two distribution functions, of numbers only. `missing` says why there
    is nothing to compare with, where that is known and no mere silence; `unread` why they could not be read.
    """

    counts: tuple[int, ...] = ()
    live_counts: tuple[int, ...] = ()
    ks: float | None = None
    broken: int = 0
    missing: str = ""
    unread: str = ""

    @property
    def rows(self) -> int:
        """How many predictions of the candidate there are."""
        return sum(self.counts)

    @property
    def live_rows(self) -> int:
        """How many of the live deployment."""
        return sum(self.live_counts)


def summed_up(candidate: Collected, live: Collected) -> PredictionsSeen:
    """The summary of two samples. Null, which is how the collector writes NaN, counts as missing."""
    mine, theirs = _given(candidate), _given(live)
    numbers, live_numbers = _numbers(mine), _numbers(theirs)
    numeric = len(numbers) == len(mine) and len(live_numbers) == len(theirs)
    if numeric and len(set(live_numbers)) > MOST_LABELS:
        counts, live_counts = _by_share(numbers, live_numbers)
    else:
        counts, live_counts = _by_value(mine, theirs)
    return PredictionsSeen(
        counts=(*counts, len(candidate.values) - len(mine)),
        live_counts=(*live_counts, len(live.values) - len(theirs)),
        ks=distance(numbers, live_numbers) if numeric and numbers and live_numbers else None,
        broken=candidate.broken + live.broken,
    )


def judge(limits: Predictions, seen: PredictionsSeen | None) -> Check:
    """Whether the two are near enough. Too few rows of either are inconclusive; a look that failed is broken too."""
    if seen is None or seen.unread:
        broken = f"Predictions could not be read: {seen.unread if seen else 'they were not looked at'}"
        return _check(Finding.INCONCLUSIVE, f"{broken.removesuffix('.')}.", {}, broken.removesuffix("."))
    if seen.missing:
        return _check(Finding.PASS, f"Predictions are not compared: {seen.missing}.", {})
    facts: dict[str, Fact] = {"predictions": seen.rows, "live_predictions": seen.live_rows, "broken": seen.broken}
    if min(seen.rows, seen.live_rows) < limits.min_rows:
        text = (
            f"{seen.rows} predictions collected, {seen.live_rows} of the live deployment; {limits.min_rows} needed."
        )
        useless = seen.broken and not (seen.rows and seen.live_rows)
        broken = f"Collected rows cannot be used: they have no column {limits.column}" if useless else ""
        return _check(Finding.INCONCLUSIVE, text, facts, broken)
    psi = stability(seen.counts, seen.live_counts)
    facts |= {"psi": round(psi, 4), "ks": None if seen.ks is None else round(seen.ks, 4)}
    complaint = _complaint(limits, psi, seen.ks)
    if complaint:
        return _check(Finding.FAIL, f"Predictions differ from the live deployment's: {complaint}.", facts)
    return _check(Finding.PASS, f"Predictions are like the live deployment's (PSI {psi:.3f}).", facts)


def stability(counts: Sequence[int], expected: Sequence[int]) -> float:
    """The population stability index of two rows of counts over the same bins: 0 for equal shares, no upper bound.

    The sum of (p - q) ln(p / q); half a row is added to every bin, so that an empty one costs no infinity.
    Source: Siddiqi (2006), Credit Risk Scorecards, chapter 9; it is the divergence of Jeffreys (1946).
    """
    bins = len(counts)
    mine = [(count + 0.5) / (sum(counts) + 0.5 * bins) for count in counts]
    theirs = [(count + 0.5) / (sum(expected) + 0.5 * bins) for count in expected]
    return sum((p - q) * math.log(p / q) for p, q in zip(mine, theirs, strict=True))


def stability_by_chance(rows: int, bins: int = BINS) -> float:
    """What the index of two samples of so many rows each comes to on average when nothing differs.

    Source: Yurdakul and Naranjo (2020), Journal of Risk Model Validation 14 (4): (bins - 1) (1/n + 1/m).
    """
    return (bins - 1) * 2 / rows


def distance(one: Sequence[float], other: Sequence[float]) -> float:
    """The two-sample Kolmogorov-Smirnov statistic, 0 to 1: the greatest gap between the distribution functions."""
    mine, theirs = sorted(one), sorted(other)
    return max(
        abs(bisect_right(mine, value) / len(mine) - bisect_right(theirs, value) / len(theirs))
        for value in {*mine, *theirs}
    )


def _given(sample: Collected) -> list[float | str | bool]:
    return [value for value in sample.values if value is not None]


def _numbers(values: Sequence[float | str | bool]) -> list[float]:
    return [float(value) for value in values if isinstance(value, int | float) and not isinstance(value, bool)]


def _by_share(mine: Sequence[float], theirs: Sequence[float]) -> tuple[list[int], list[int]]:
    """Bins of equal shares of the live one's rows; a value that fills several of them has one."""
    ordered = sorted(theirs)
    edges = sorted({ordered[len(ordered) * share // BINS] for share in range(1, BINS)})

    def count(values: Sequence[float]) -> list[int]:
        found = Counter(bisect_left(edges, value) for value in values)
        return [found[index] for index in range(len(edges) + 1)]

    return count(mine), count(theirs)


def _by_value(
    mine: Sequence[float | str | bool], theirs: Sequence[float | str | bool]
) -> tuple[list[int], list[int]]:
    """A bin for each of the live one's commonest values, one for its others, and one for what it never answered."""
    live = Counter(theirs)
    labels = [label for label, _ in live.most_common(MOST_LABELS)]

    def count(values: Sequence[float | str | bool]) -> list[int]:
        found = Counter(values)
        named, unheard = [found[label] for label in labels], sum(found[value] for value in found if value not in live)
        return [*named, found.total() - sum(named) - unheard, unheard]

    return count(mine), count(theirs)


def _complaint(limits: Predictions, psi: float, ks: float | None) -> str:
    if limits.max_psi is not None and psi > limits.max_psi:
        return f"their population stability index is {psi:.3f}; the most is {limits.max_psi:g}"
    if limits.max_ks is not None and ks is not None and ks > limits.max_ks:
        return f"their Kolmogorov-Smirnov distance is {ks:.3f}; the most is {limits.max_ks:g}"
    return ""


def _check(finding: Finding, text: str, facts: dict[str, Fact], broken: str = "") -> Check:
    # Two samples: a limit may be passed by chance.
    noisy = finding is Finding.FAIL
    return Check(aspect=Aspect.PREDICTIONS, finding=finding, text=text, facts=facts, broken=broken, noisy=noisy)
