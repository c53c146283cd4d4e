"""Signs that the answer leaked into training: a score that nobody believes, rows seen before, days out of order.

Called by gates.py with an evaluation that was found sound.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from shared.domain.evaluation import Evaluation, Leakage
from shared.domain.gatecheck import GateCheck, failed, inconclusive
from shared.domain.metrics import Metric
from shared.domain.reasons import Fact
from shared.domain.spec_gates import Leaks

GATE = "leaks"


def look(limits: Leaks, metric: Metric, evaluation: Evaluation) -> GateCheck:
    """Fail: training saw what it must not have seen. Inconclusive: a score too good to be believed."""
    told, candidate = evaluation.leakage, evaluation.candidate.metrics[metric.name]
    assert told is not None
    assert candidate is not None
    facts: dict[str, Fact] = {
        "overlapping_rows": told.overlapping_rows,
        "strongest_input": told.strongest_input,
        "strongest_share_pct": told.strongest_share_pct,
    }
    sentences = list(_seen(limits, told))
    if sentences:
        return failed(GATE, " ".join(sentences), facts)
    doubt = _too_good(limits, metric, candidate)
    return inconclusive(GATE, doubt, facts) if doubt else GateCheck(gate=GATE, facts=facts)


def _seen(limits: Leaks, told: Leakage) -> Iterator[str]:
    if told.overlapping_rows > limits.max_overlapping_rows:
        yield (
            f"{told.overlapping_rows} held-out rows are among the training rows;"
            f" {limits.max_overlapping_rows} are allowed."
        )
    if limits.held_out_is_later:
        until, start = told.train_until, told.held_out_from
        if until is not None and start is not None and _utc(until) > _utc(start):
            yield f"Training rows go on until {until:%Y-%m-%d %H:%M}, after the first held-out row."
    most, share = limits.max_input_share_pct, told.strongest_share_pct
    if most is not None and share is not None and share > most:
        yield f"{told.strongest_input or 'One input'} makes {share:.0f} % of the importance; {most:g} % is the most."


def _too_good(limits: Leaks, metric: Metric, candidate: float) -> str:
    if candidate == metric.perfect:
        return f"A {metric.name} of {candidate:g} is without any error, which nobody believes."
    if limits.too_good is not None and metric.better_by(candidate, limits.too_good) > 0:
        return f"A {metric.name} of {candidate:.4g} is too good: better than {limits.too_good:g}."
    return ""


def _utc(moment: datetime) -> datetime:
    """Times without a zone are UTC, as everywhere in the data."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
