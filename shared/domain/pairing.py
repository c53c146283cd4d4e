"""Whether the numbers by which two models are compared can be true: counts that add up, sums that give their mean.

Called by soundness.py. Each function yields a sentence for each thing that is wrong.
"""

import math
from collections.abc import Iterator

from shared.domain.case import Case
from shared.domain.evaluation import Evaluation, Groups, Paired, Resampled, Slice
from shared.domain.metrics import STANDARD, Metric, Shape, loss_difference
from shared.domain.spec_gates import Gates

CLOSE = 1e-5
"""Numbers that must agree may differ by this share: sums are taken in another order, and some in single precision."""
LARGEST = 1e100
METHODS = frozenset({"percentile", "bca"})
LEAST_REPLICATES = 1_000
_GROUP_S = {"hour": 3_600, "day": 86_400, "week": 7 * 86_400}


def comparison_faults(gates: Gates, metric: Metric, evaluation: Evaluation, case: Case) -> Iterator[str]:
    """What cannot be in the comparison of candidate and champion, whose metrics were found to be there."""
    paired, resampled = evaluation.paired, evaluation.resampled
    if paired is not None and metric.loss and paired.metric == metric.loss:
        yield from _paired(gates, metric, paired, evaluation, case)
    elif resampled is not None and resampled.metric == metric.name:
        yield from _resampled(gates, metric, resampled, evaluation, case)
    else:
        need = f"paired differences of {metric.loss}" if metric.loss else f"a bootstrap interval of {metric.name}"
        yield f"The evaluation has no {need}."


def _paired(gates: Gates, metric: Metric, paired: Paired, evaluation: Evaluation, case: Case) -> Iterator[str]:
    mean, deviation = paired.mean_difference, paired.standard_deviation
    if mean is None or not finite(mean):
        yield "The mean of the paired differences is not finite."
        return
    if deviation is None or not finite(deviation) or deviation < 0:
        yield "The standard deviation of the paired differences is not a finite number of nought or more."
        return
    if paired.rows != evaluation.held_out.rows or paired.rows < 2:
        yield f"{paired.rows} paired rows are not the {evaluation.held_out.rows} held-out rows, or too few."
        return
    yield from _agreement(metric, mean, evaluation)
    wrong = list(_grouped(gates, paired.groups, paired.rows, mean, case, "paired differences"))
    yield from wrong
    if paired.groups is not None and not wrong and not _spread_fits(paired.groups, mean, deviation, paired.rows):
        yield "The sums by group spread more than the rows' standard deviation allows."


def _agreement(metric: Metric, mean: float, evaluation: Evaluation) -> Iterator[str]:
    candidate, champion = both(metric, evaluation)
    implied = loss_difference(metric, candidate, champion)
    largest = max(abs(candidate), abs(champion))
    size = largest * largest if metric.shape is Shape.ROOT else largest
    agree = mean * (champion - candidate) >= 0 if implied is None else abs(implied - mean) <= CLOSE * size
    if not agree:
        yield (
            f"A mean difference of {mean:+.4g} does not go with a {metric.name} of {candidate:.4g}"
            f" against {champion:.4g}."
        )


def _grouped(gates: Gates, groups: Groups | None, rows: int, mean: float, case: Case, what: str) -> Iterator[str]:
    if gates.groups == "none":
        return
    if groups is None:
        yield f"The {what} have no sums by {gates.groups}, which gates.groups asks for."
        return
    if groups.by != gates.groups:
        yield f"The {what} are grouped by {groups.by}, not by {gates.groups}."
    if len(groups.rows) != len(groups.sums) or not groups.rows or min(groups.rows) < 1:
        yield f"The groups of the {what} do not each have rows and a sum."
    elif sum(groups.rows) != rows:
        yield f"The groups of the {what} have {sum(groups.rows)} rows together, not {rows}."
    elif not all(map(finite, groups.sums)):
        yield f"A sum by {gates.groups} of the {what} is not finite."
    elif abs(math.fsum(groups.sums) - mean * rows) > CLOSE * max(math.fsum(map(abs, groups.sums)), CLOSE * rows):
        yield f"The sums by {gates.groups} of the {what} do not add up to their mean."
    elif len(groups.rows) > _most_groups(gates, case):
        yield f"{len(groups.rows)} groups by {gates.groups} are more than the held-out parts span."


def _spread_fits(groups: Groups, mean: float, deviation: float, rows: int) -> bool:
    """Whether groups spread no more than rows do: the squares between them are a part of all squares."""
    between = math.fsum((total - n * mean) ** 2 / n for n, total in zip(groups.rows, groups.sums, strict=True))
    return between <= (1 + CLOSE) * (rows - 1) * deviation * deviation + CLOSE * CLOSE


def _most_groups(gates: Gates, case: Case) -> int:
    """Hours, days or weeks that the held-out parts can touch, in any time zone. A group a row would be no group."""
    size = _GROUP_S[gates.groups]
    parts = [part for part in case.manifest.parts if part.name in case.manifest.held_out]
    return sum(int((part.end - part.start).total_seconds() // size) + 2 for part in parts)


def _resampled(gates: Gates, metric: Metric, told: Resampled, evaluation: Evaluation, case: Case) -> Iterator[str]:
    candidate, champion = both(metric, evaluation)
    if not all(map(finite, (told.difference, told.low, told.high, told.confidence_pct))):
        yield "The bootstrap interval is not finite."
        return
    if told.method not in METHODS:
        yield f"The bootstrap's method is {told.method or 'not told'}; known are {', '.join(sorted(METHODS))}."
    if told.replicates < LEAST_REPLICATES:
        yield f"A bootstrap of {told.replicates} replicates is too rough; {LEAST_REPLICATES} are the least."
    if not gates.confidence_pct <= told.confidence_pct < 100:
        yield f"The bootstrap interval is of {told.confidence_pct:g} %; the spec asks for {gates.confidence_pct:g} %."
    if told.by != gates.groups:
        yield f"The bootstrap drew by {told.by}, not by {gates.groups}."
    elif not 0 < told.groups <= (told.rows if gates.groups == "none" else _most_groups(gates, case)):
        yield f"{told.groups} groups by {gates.groups} cannot be in the held-out rows."
    if told.rows != evaluation.held_out.rows:
        yield f"The bootstrap drew from {told.rows} rows, not from the {evaluation.held_out.rows} held-out ones."
    if abs(told.difference - (candidate - champion)) > CLOSE * max(abs(candidate), abs(champion)):
        yield f"The bootstrap's difference of {told.difference:+.4g} is not that of the two {metric.name}."
    if not told.low <= told.difference <= told.high:
        yield "The bootstrap interval does not hold the difference that it is of."
    if max(abs(told.low), abs(told.high)) > metric.high - metric.low:
        yield f"The bootstrap interval is wider than any difference of two {metric.name} can be."


def slice_faults(gates: Gates, metric: Metric, told: Slice, evaluation: Evaluation, case: Case) -> Iterator[str]:
    """What cannot be in one slice, where there is a champion."""
    where = f"slice {told.name}={told.value}"
    if told.champion is None or not (finite(told.candidate) and finite(told.champion)):
        yield f"The {where} has no finite mean loss of both models."
    elif told.metric not in losses(metric, gates):
        yield f"The {where} is of {told.metric}, and must be of {' or '.join(losses(metric, gates))}."
    elif not 0 < told.rows <= evaluation.held_out.rows:
        yield f"The {where} has {told.rows} of {evaluation.held_out.rows} held-out rows."
    elif gates.groups == "none" and not finite(told.standard_deviation):
        yield f"The {where} has no standard deviation."
    else:
        yield from _grouped(gates, told.groups, told.rows, told.candidate - told.champion, case, f"{where}'s losses")


def losses(metric: Metric, gates: Gates) -> list[str]:
    """The losses by which slices can be compared: that of the main metric, or any of the task if it has none."""
    known = [each.name for each in STANDARD.values() if each.shape is Shape.MEAN and gates.task in each.tasks]
    return [metric.loss] if metric.loss else known


def both(metric: Metric, evaluation: Evaluation) -> tuple[float, float]:
    """Candidate's and champion's metric, which were found to be there."""
    champion = evaluation.champion.metrics[metric.name] if evaluation.champion else None
    candidate = evaluation.candidate.metrics[metric.name]
    assert candidate is not None
    assert champion is not None
    return candidate, champion


def finite(value: float | None) -> bool:
    """Whether there is a number, and one whose square is a number too."""
    return value is not None and abs(value) <= LARGEST
