"""Slices of the held-out rows: whether the candidate serves some of them worse than the champion does.

Called by gates.py with an evaluation that was found sound. With many slices some are worse by chance: each is tested
at its share of what may go wrong (Bonferroni; Dunn 1961, Journal of the American Statistical Association 56). For the
question whether any slice is worse, Holm's stepwise test says the same.
"""

import math
from collections.abc import Iterator

from shared.domain.base import Kept
from shared.domain.evaluation import Evaluation, Slice
from shared.domain.gatecheck import GateCheck, failed, inconclusive
from shared.domain.intervals import Interval, of_groups, of_rows, t_quantile, unknown
from shared.domain.reasons import Fact
from shared.domain.spec_gates import Gates, Slices

GATE = "slices"
MOST_NAMED = 8


class Worse(Kept, frozen=True, kw_only=True):
    """A slice that was measured to be worse by more than the tolerance; `proven` if chance cannot explain it."""

    name: str
    worse_pct: float
    proven: bool


def look(gates: Gates, wanted: Slices, evaluation: Evaluation) -> GateCheck:
    """Fail: a slice is proven worse. What is only measured worse passes, and is told: a rule may ask a person."""
    judged = [each for each in evaluation.slices if each.name in wanted.columns and each.rows >= wanted.min_rows]
    silent = [name for name in wanted.columns if name not in {each.name for each in judged}]
    if silent:
        text = f"No slice of {silent[0]} has the {wanted.min_rows} rows that gates.slices.min_rows asks for."
        return inconclusive(GATE, text, {"slices": len(judged)})
    found = sorted(_worse(gates, wanted, judged), key=lambda each: -each.worse_pct)
    proven, measured = _named(found, proven=True), _named(found, proven=False)
    facts: dict[str, Fact] = {"slices": len(judged), "slices_worse": proven, "slices_measured_worse": measured}
    if proven:
        text = f"Of {len(judged)} slices these are worse by more than {wanted.tolerance_pct:g} %: {proven}."
        return failed(GATE, text, facts)
    return GateCheck(gate=GATE, text=f"None of {len(judged)} slices is proven worse.", facts=facts)


def _worse(gates: Gates, wanted: Slices, judged: list[Slice]) -> Iterator[Worse]:
    chance = (1 - gates.confidence_pct / 100) / len(judged)
    for each in judged:
        assert each.champion is not None
        limit = wanted.tolerance_pct / 100 * abs(each.champion)
        found = _interval(gates, each)
        if found.mean <= limit:
            continue
        least = found.mean - (t_quantile(1 - chance, found.degrees) * found.error if found.degrees else math.inf)
        pct = 100 * found.mean / abs(each.champion) if each.champion else math.inf
        enough = gates.groups == "none" or found.degrees + 1 >= gates.min_groups
        yield Worse(name=f"{each.name}={each.value}", worse_pct=pct, proven=enough and least > limit)


def _interval(gates: Gates, told: Slice) -> Interval:
    assert told.champion is not None
    mean = told.candidate - told.champion
    if gates.groups == "none" and told.rows > 1:
        return of_rows(told.rows, mean, told.standard_deviation or 0.0, gates.confidence_pct / 100)
    if told.groups is not None and len(told.groups.rows) > 1:
        return of_groups(told.groups.rows, told.groups.sums, gates.confidence_pct / 100)
    return unknown(mean)


def _named(found: list[Worse], *, proven: bool) -> str:
    names = [f"{each.name} by {each.worse_pct:.1f} %" for each in found if each.proven is proven]
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
