"""Whether a person has to say yes before a version is registered, and why. Called by making.py and taking.py."""

from collections.abc import Mapping

from shared.domain.gates import Verdict
from shared.domain.reasons import Fact
from shared.domain.record import Record
from shared.domain.spec import Approval, Spec
from shared.domain.spec_gates import Inconclusive


def question(spec: Spec, record: Record, verdict: Verdict) -> str:
    """Why a person has to say yes; empty when nobody has to, or nobody may."""
    if verdict.passed:
        return rule(spec.approval, record, verdict.facts)
    asks = verdict.usable and spec.gates.on_inconclusive is Inconclusive.ASK
    return "The numbers do not say whether it is better; gates.on_inconclusive asks a person." if asks else ""


def rule(approval: Approval, record: Record, facts: Mapping[str, Fact]) -> str:
    """The rule of the spec by which a version that passed, with these facts of its verdict, needs approval."""
    effect, worse = facts.get("improvement_pct"), facts.get("slices_measured_worse")
    if approval.required == "always":
        return "Every release of this model needs approval."
    if approval.required == "never":
        return ""
    if approval.first_release and record.live is None:
        return "It is the first release of this model, which needs approval."
    if isinstance(effect, float) and effect < approval.effect_under_pct:
        return f"An effect of {effect:.1f} % is under {approval.effect_under_pct:g} %, which needs approval."
    if approval.slice_worse and worse:
        return f"These slices were measured worse, which needs approval: {worse}."
    return _differs(record) if approval.schema_changed else ""


def _differs(record: Record) -> str:
    """That the release takes other inputs than the live model: whoever calls the endpoint may have to change."""
    before = record.live.inputs if record.live else {}
    after = record.release.inputs if record.release else {}
    if record.live is None or before == after:
        return ""
    names = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    return f"It takes other inputs than the live model ({', '.join(names)}), which needs approval."
