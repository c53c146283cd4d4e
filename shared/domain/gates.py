"""Judge a candidate by its evaluation. Closed by default: what is missing, not finite or not ours is never a pass.

Called by decide only. The numbers come from the model's own code, so each is looked at before it counts.
"""

from collections.abc import Iterator

from shared.domain import comparison, leaks, signature, slices
from shared.domain.analysis import Finding
from shared.domain.base import Kept
from shared.domain.case import Case
from shared.domain.evaluation import Evaluation
from shared.domain.gatecheck import GateCheck, SliceTable, failed, inconclusive
from shared.domain.metrics import Metric, metric_of
from shared.domain.reasons import Fact
from shared.domain.soundness import faults
from shared.domain.spec_gates import Bound, Gates


class Verdict(Kept, frozen=True, kw_only=True):
    """Pass, fail or inconclusive in a few sentences, with every number that was looked at.

    Where the evaluation cannot be `usable`, it says nothing about the candidate, and nobody is asked to overlook it.
    """

    outcome: Finding
    text: str
    facts: dict[str, Fact] = {}
    checks: tuple[GateCheck, ...] = ()
    usable: bool = True

    @property
    def passed(self) -> bool:
        """Whether the candidate may go on by itself."""
        return self.outcome is Finding.PASS

    @property
    def slices(self) -> SliceTable | None:
        """What was found slice by slice, where slices were looked at."""
        return next((check.slices for check in self.checks if check.slices is not None), None)


def judge(gates: Gates, evaluation: Evaluation, case: Case) -> Verdict:
    """The verdict on one candidate. One gate that fails is enough to refuse it; all must pass."""
    broken = list(faults(gates, evaluation, case))
    if broken:
        facts: dict[str, Fact] = {"metric": gates.metric, "rows": evaluation.held_out.rows}
        return Verdict(outcome=Finding.INCONCLUSIVE, text=" ".join(broken), facts=facts, usable=False)
    metric = metric_of(gates.metric, gates.direction)
    assert metric is not None
    checks = tuple(_checks(gates, metric, evaluation, case))
    facts = _facts(metric, evaluation)
    for check in checks:
        facts |= check.facts
    outcome = _worst(checks)
    said = [check.text for check in checks if check.finding is outcome and check.text]
    return Verdict(outcome=outcome, text=" ".join(said), facts=facts, checks=checks)


def _checks(gates: Gates, metric: Metric, evaluation: Evaluation, case: Case) -> Iterator[GateCheck]:
    yield _rows(gates, evaluation)
    yield _floor("floor", metric, _value(evaluation, metric), gates.floor)
    yield _baseline(metric, evaluation)
    for name, bound in gates.metrics.items():
        yield from _further(name, bound, evaluation)
    if case.champion is None:
        yield _first(metric, evaluation)
    else:
        yield comparison.compare(gates, metric, evaluation)
        if gates.slices is not None:
            yield slices.look(gates, gates.slices, evaluation)
    yield from _limits(gates, evaluation)
    if gates.leaks is not None:
        yield leaks.look(gates.leaks, metric, evaluation)
    if gates.declared_inputs:
        yield signature.look(evaluation.inputs, case)


def _worst(checks: tuple[GateCheck, ...]) -> Finding:
    found = {check.finding for check in checks}
    return next((each for each in (Finding.FAIL, Finding.INCONCLUSIVE) if each in found), Finding.PASS)


def _facts(metric: Metric, evaluation: Evaluation) -> dict[str, Fact]:
    scored = {"candidate": evaluation.candidate, "champion": evaluation.champion, "baseline": evaluation.baseline}
    values = {who: scores.metrics.get(metric.name) if scores else None for who, scores in scored.items()}
    return {"metric": metric.name, "rows": evaluation.held_out.rows, **values}


def _value(evaluation: Evaluation, metric: Metric) -> float:
    value = evaluation.candidate.metrics[metric.name]
    assert value is not None
    return value


def _rows(gates: Gates, evaluation: Evaluation) -> GateCheck:
    rows = evaluation.held_out.rows
    if rows < gates.min_rows:
        return inconclusive("rows", f"{rows} held-out rows are fewer than the {gates.min_rows} required.")
    return GateCheck(gate="rows")


def _floor(gate: str, metric: Metric, value: float, floor: float | None) -> GateCheck:
    if floor is not None and metric.better_by(value, floor) < 0:
        return failed(gate, f"The candidate's {metric.name} of {value:.4g} misses the floor of {floor:.4g}.")
    return GateCheck(gate=gate)


def _baseline(metric: Metric, evaluation: Evaluation) -> GateCheck:
    value = _value(evaluation, metric)
    baseline = evaluation.baseline.metrics[metric.name] if evaluation.baseline else None
    assert baseline is not None
    if metric.better_by(value, baseline) <= 0:
        text = f"The candidate's {metric.name} of {value:.4g} does not beat the baseline's {baseline:.4g}."
        return failed("baseline", text)
    return GateCheck(gate="baseline")


def _further(name: str, bound: Bound, evaluation: Evaluation) -> Iterator[GateCheck]:
    """A further metric: its floor, and how much worse than the champion's it was measured to be."""
    metric = metric_of(name, bound.direction)
    assert metric is not None
    value = _value(evaluation, metric)
    found = _floor(f"{name} floor", metric, value, bound.floor)
    yield GateCheck(gate=found.gate, finding=found.finding, text=found.text, facts={name: value})
    champion = evaluation.champion.metrics.get(name) if evaluation.champion else None
    if bound.max_regression_pct is None or champion is None:
        return
    allowed = bound.max_regression_pct / 100 * abs(champion)
    worse = metric.better_by(champion, value)
    if worse > allowed:
        text = f"{name} goes from {champion:.4g} to {value:.4g}; {bound.max_regression_pct:g} % worse is the most."
        yield failed(f"{name} regression", text, {f"champion_{name}": champion})
    else:
        yield GateCheck(gate=f"{name} regression", facts={f"champion_{name}": champion})


def _first(metric: Metric, evaluation: Evaluation) -> GateCheck:
    baseline = evaluation.baseline.metrics[metric.name] if evaluation.baseline else None
    text = f"First candidate: {metric.name} {_value(evaluation, metric):.4g}, baseline {baseline:.4g}."
    return GateCheck(gate=comparison.GATE, text=text)


def _limits(gates: Gates, evaluation: Evaluation) -> Iterator[GateCheck]:
    """Limits on bias, time and size, each where the spec has one."""
    bias, scoring, size = evaluation.candidate.metrics.get("bias"), evaluation.scoring, evaluation.artifact.bytes
    if gates.max_bias is not None and bias is not None:
        text = f"Predictions are off by {bias:+.4g} in the mean; {gates.max_bias:g} is the most."
        yield _limit("bias", text, {"bias": bias}, holds=abs(bias) <= gates.max_bias)
    if gates.max_scoring_p95_ms is not None and scoring is not None:
        text = f"Scoring a row takes {scoring.p95_ms:.4g} ms (p95); {gates.max_scoring_p95_ms} ms is the most."
        facts: dict[str, Fact] = {"scoring_p95_ms": scoring.p95_ms, "scoring_calls": scoring.calls}
        yield _limit("scoring", text, facts, holds=scoring.p95_ms <= gates.max_scoring_p95_ms)
    if gates.max_model_bytes is not None and size is not None:
        text = f"The model has {size} bytes; {gates.max_model_bytes} is the most."
        yield _limit("size", text, {"model_bytes": size}, holds=size <= gates.max_model_bytes)


def _limit(gate: str, text: str, facts: dict[str, Fact], *, holds: bool) -> GateCheck:
    return GateCheck(gate=gate, facts=facts) if holds else failed(gate, text, facts)
