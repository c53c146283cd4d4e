"""Whether an evaluation can be judged at all: that it is of this candidate and these rows, and agrees with itself.

Called by gates.py, before any gate looks at a number. What is found here says nothing about the candidate, so that
it is no reason to bar it; and no person is asked to overlook it.
"""

from collections.abc import Iterator

from shared.domain.case import Case
from shared.domain.evaluation import Evaluation, Leakage
from shared.domain.metrics import Metric, metric_of
from shared.domain.pairing import comparison_faults, finite, slice_faults
from shared.domain.spec_gates import Gates, Leaks, Slices


def faults(gates: Gates, evaluation: Evaluation, case: Case) -> Iterator[str]:
    """A sentence for each thing that keeps the evaluation from being judged."""
    yield from _identity(gates, evaluation, case)
    yield from _rows(evaluation, case)
    metric = metric_of(gates.metric, gates.direction)
    if metric is None:
        yield f"The spec does not say which way {gates.metric} is better."
        return
    missing = list(_numbers(gates, metric, evaluation, case))
    yield from missing
    if case.champion is not None and not missing:
        yield from comparison_faults(gates, metric, evaluation, case)
        for each in evaluation.slices if gates.slices else ():
            yield from slice_faults(gates, metric, each, evaluation, case)
    yield from _wanted(gates, evaluation)


def _identity(gates: Gates, evaluation: Evaluation, case: Case) -> Iterator[str]:
    if evaluation.data_version != case.manifest.version:
        yield f"The evaluation is of data {evaluation.data_version}, not of {case.manifest.version}."
    if evaluation.task != gates.task:
        yield f"The evaluation is of a {evaluation.task} task, the spec's is {gates.task}."
    if not evaluation.artifact.sha256:
        yield "The evaluation does not say which artifact it scored."
    wanted = str(case.champion.version) if case.champion else None
    scored = evaluation.champion.version if evaluation.champion else None
    if wanted != scored:
        yield f"The champion is version {wanted or 'none'}, but the evaluation scored {scored or 'none'}."


def _rows(evaluation: Evaluation, case: Case) -> Iterator[str]:
    held_out, manifest = evaluation.held_out, case.manifest
    if sorted(held_out.parts) != sorted(manifest.held_out):
        yield "The evaluation held out other parts than the manifest says."
    there = sum(part.rows for part in manifest.parts if part.name in manifest.held_out)
    if not 0 < held_out.rows <= there:
        yield f"{held_out.rows} held-out rows cannot be: the held-out parts have {there}."
    if not held_out.sha256:
        yield "The evaluation has no hash of its held-out rows."
    known = case.known
    if known is not None and (known.rows, known.sha256) != (held_out.rows, held_out.sha256):
        yield (
            f"The held-out rows have changed: the same parts, read by the same code, had {known.rows} rows with hash"
            f" {known.sha256[:12]} before, and have {held_out.rows} with {held_out.sha256[:12]} now."
        )


def _numbers(gates: Gates, metric: Metric, evaluation: Evaluation, case: Case) -> Iterator[str]:
    champion = evaluation.champion if case.champion else None
    scored = {"candidate": evaluation.candidate, "baseline": evaluation.baseline}
    if case.champion is not None:
        scored["champion"] = champion
    for who, scores in scored.items():
        yield from _value(metric, who, scores.metrics.get(metric.name) if scores else None)
    for name, bound in gates.metrics.items():
        further = metric_of(name, bound.direction)
        if further is None:
            yield f"The spec does not say which way {name} is better."
            continue
        yield from _value(further, "candidate", evaluation.candidate.metrics.get(name))
        if bound.max_regression_pct is not None and champion is not None:
            yield from _value(further, "champion", champion.metrics.get(name))
    if gates.max_bias is not None and not finite(evaluation.candidate.metrics.get("bias")):
        yield "The candidate has no finite bias, which gates.max_bias is about."


def _value(metric: Metric, who: str, value: float | None) -> Iterator[str]:
    if value is None or not finite(value):
        yield f"There is no finite {metric.name} of the {who}."
    elif not metric.low <= value <= metric.high:
        yield f"A {metric.name} of {value:.4g}, as the {who} has it, cannot be."


def _wanted(gates: Gates, evaluation: Evaluation) -> Iterator[str]:
    """What a gate of the spec is about, and the evaluation does not tell."""
    if gates.slices is not None and evaluation.champion is not None:
        yield from _sliced(gates.slices, evaluation)
    if gates.leaks is not None:
        yield from _searched(gates.leaks, evaluation.leakage)
    if gates.declared_inputs and not evaluation.inputs:
        yield "The evaluation does not say which inputs the candidate takes."
    if gates.max_scoring_p95_ms is not None and not (
        evaluation.scoring
        and evaluation.scoring.calls
        and finite(evaluation.scoring.p95_ms)
        and evaluation.scoring.p95_ms >= 0
    ):
        yield "The evaluation does not say how long scoring takes, which gates.max_scoring_p95_ms is about."
    if gates.max_model_bytes is not None and not evaluation.artifact.bytes:
        yield "The evaluation does not say how large the model is, which gates.max_model_bytes is about."


def _sliced(wanted: Slices, evaluation: Evaluation) -> Iterator[str]:
    """The slices of a column are all of its values: one that was left out is one that nobody looked at."""
    for name in wanted.columns:
        found = [each for each in evaluation.slices if each.name == name]
        rows, there = sum(each.rows for each in found), evaluation.held_out.rows
        if not found:
            yield f"The evaluation has no slices by {name}."
        elif len({each.value for each in found}) < len(found):
            yield f"A slice by {name} stands twice in the evaluation."
        elif rows != there:
            yield f"The slices by {name} have {rows} rows together, and {there} were held out."


def _searched(limits: Leaks, told: Leakage | None) -> Iterator[str]:
    if told is None:
        yield "The evaluation does not say what a search for leaks found, which gates.leaks is about."
        return
    if limits.held_out_is_later and (told.train_until is None or told.held_out_from is None):
        yield "The evaluation does not say when the training rows end and the held-out ones begin."
    if limits.max_input_share_pct is not None and not finite(told.strongest_share_pct):
        yield "The evaluation does not say how much the strongest input counts."
