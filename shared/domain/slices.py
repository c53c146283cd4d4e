"""Slices of the held-out rows: whether the candidate serves some of them worse than the champion does.

Called by gates.py with an evaluation that was found sound. A slice of too few rows or groups is not judged, and that
is told: nothing could prove it worse, so that to count it as one that is not would be untrue. With many slices some
are worse by chance: each is tested at its share of what may go wrong (Bonferroni; Dunn 1961, Journal of the American
Statistical Association 56). For the question whether any slice is worse, Holm's stepwise test says the same.
"""

import math
from collections.abc import Sequence

from shared.domain.evaluation import Evaluation, Slice
from shared.domain.gatecheck import GateCheck, SliceFinding, SliceResult, SliceTable, failed, inconclusive
from shared.domain.intervals import Interval, of_groups, of_rows, t_quantile
from shared.domain.reasons import Fact
from shared.domain.spec_gates import Gates, Slices

GATE = "slices"
MOST_NAMED = 8
MOST_KEPT = 50
"""How many slices are kept for the model card; a record has to stay small."""
_MOST_NAME = 100
_WORST_FIRST = tuple(SliceFinding)


def look(gates: Gates, wanted: Slices, evaluation: Evaluation) -> GateCheck:
    """Fail: a slice is proven worse. What is only measured worse passes, and is told: a rule may ask a person."""
    there = [each for each in evaluation.slices if each.name in wanted.columns]
    judged = [each for each in there if _judged(gates, wanted, each)]
    rest = [each for each in there if not _judged(gates, wanted, each)]
    chance = (1 - gates.confidence_pct / 100) / max(1, len(judged))
    found = sorted(
        [
            *(_tested(gates, wanted, each, chance) for each in judged),
            *(_untested(wanted, each) for each in rest),
        ],
        key=lambda each: (_WORST_FIRST.index(each.finding), -_worse_pct(each)),
    )
    check = _check(gates, wanted, judged, rest, found)
    table = SliceTable(
        slices=tuple(found[:MOST_KEPT]),
        left_out=max(0, len(found) - MOST_KEPT),
        confidence_pct=gates.confidence_pct,
    )
    return GateCheck(gate=check.gate, finding=check.finding, text=check.text, facts=check.facts, slices=table)


def _check(
    gates: Gates, wanted: Slices, judged: list[Slice], rest: list[Slice], found: Sequence[SliceResult]
) -> GateCheck:
    proven = _named(found, SliceFinding.WORSE)
    facts: dict[str, Fact] = {
        "slices": len(judged),
        "slices_not_judged": len(rest),
        "slices_worse": proven,
        "slices_measured_worse": _named(found, SliceFinding.MEASURED_WORSE, SliceFinding.UNJUDGED_WORSE),
    }
    if proven:
        text = f"Of {len(judged)} slices these are worse by more than {wanted.tolerance_pct:g} %: {proven}."
        return failed(GATE, text, facts)
    columns = {each.name for each in judged}
    silent = next((name for name in wanted.columns if name not in columns), None)
    if silent is not None:
        return inconclusive(GATE, _silent(gates, wanted, rest, silent), facts)
    text = f"None of {len(judged)} slices is proven worse.{_left_out(gates, wanted, rest)}"
    return GateCheck(gate=GATE, text=text, facts=facts)


def _judged(gates: Gates, wanted: Slices, told: Slice) -> bool:
    """Whether there are rows and groups enough for an interval, as for the main metric."""
    if told.rows < wanted.min_rows:
        return False
    if gates.groups == "none":
        return told.rows > 1
    return told.groups is not None and len(told.groups.rows) >= gates.min_groups


def _tested(gates: Gates, wanted: Slices, told: Slice, chance: float) -> SliceResult:
    found = _interval(gates, told)
    limit = _limit(wanted, told)
    least = found.mean - t_quantile(1 - chance, found.degrees) * found.error
    if found.mean <= limit:
        finding = SliceFinding.NOT_WORSE
    else:
        finding = SliceFinding.WORSE if least > limit else SliceFinding.MEASURED_WORSE
    return _result(told, finding, found)


def _untested(wanted: Slices, told: Slice) -> SliceResult:
    """A slice without an interval. With rows enough it may still be seen to be worse, and a person be asked."""
    worse = told.rows >= wanted.min_rows and _difference(told) > _limit(wanted, told)
    return _result(told, SliceFinding.UNJUDGED_WORSE if worse else SliceFinding.UNJUDGED)


def _result(told: Slice, finding: SliceFinding, found: Interval | None = None) -> SliceResult:
    return SliceResult(
        name=_name(told),
        loss=told.metric,
        rows=told.rows,
        candidate=told.candidate,
        champion=_champion(told),
        difference=_difference(told),
        low=found.low if found else None,
        high=found.high if found else None,
        finding=finding,
    )


def _interval(gates: Gates, told: Slice) -> Interval:
    share = gates.confidence_pct / 100
    if gates.groups == "none":
        return of_rows(told.rows, _difference(told), told.standard_deviation or 0.0, share)
    assert told.groups is not None
    return of_groups(told.groups.rows, told.groups.sums, share)


def _champion(told: Slice) -> float:
    assert told.champion is not None
    return told.champion


def _difference(told: Slice) -> float:
    return told.candidate - _champion(told)


def _limit(wanted: Slices, told: Slice) -> float:
    return wanted.tolerance_pct / 100 * abs(_champion(told))


def _worse_pct(found: SliceResult) -> float:
    if found.champion == 0:
        return math.copysign(math.inf, found.difference) if found.difference else 0.0
    return 100 * found.difference / abs(found.champion)


def _name(told: Slice) -> str:
    """Values come from the data, and may be of any length."""
    return f"{told.name}={told.value}"[:_MOST_NAME]


def _named(found: Sequence[SliceResult], *findings: SliceFinding) -> str:
    worse = sorted((each for each in found if each.finding in findings), key=lambda each: -_worse_pct(each))
    return _listed([f"{each.name} by {_worse_pct(each):.1f} %" for each in worse])


def _left_out(gates: Gates, wanted: Slices, rest: list[Slice]) -> str:
    """Which slices were not judged, the largest first, and for want of what."""
    if not rest:
        return ""
    largest = sorted(rest, key=lambda each: -each.rows)
    names = [f"{_name(each)} ({each.rows} rows{_groups(gates, each)})" for each in largest]
    least = f"{wanted.min_rows} rows" + ("" if gates.groups == "none" else f" or {gates.min_groups} {gates.groups}s")
    return f" Not judged, with fewer than {least}: {_listed(names)}."


def _groups(gates: Gates, told: Slice) -> str:
    if gates.groups == "none" or told.groups is None:
        return ""
    groups = len(told.groups.rows)
    return f", {groups} {gates.groups}{'' if groups == 1 else 's'}"


def _silent(gates: Gates, wanted: Slices, rest: list[Slice], column: str) -> str:
    if any(each.name == column and each.rows >= wanted.min_rows for each in rest) and gates.groups != "none":
        return (
            f"No slice of {column} with {wanted.min_rows} rows has the {gates.min_groups} {gates.groups}s"
            " that gates.min_groups asks for."
        )
    return f"No slice of {column} has the {wanted.min_rows} rows that gates.slices.min_rows asks for."


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
