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
        return rule(spec, record, verdict.facts)
    asks = verdict.usable and spec.gates.on_inconclusive is Inconclusive.ASK
    return "The numbers do not say whether it is better; gates.on_inconclusive asks a person." if asks else ""


def rule(spec: Spec, record: Record, facts: Mapping[str, Fact]) -> str:
    """The rule of the spec by which a version that passed, with these facts of its verdict, needs approval.

    A fact that a rule needs and that is missing needs approval too: it may be the very thing that was to be asked.
    """
    approval = spec.approval
    if approval.required == "always":
        return "Every release of this model needs approval."
    if approval.required == "never":
        return ""
    if approval.first_release and record.live is None:
        return "It is the first release of this model, which needs approval."
    # Nothing is live here, and nothing was where it was trained: there is nothing that it could be worse than.
    alone = record.live is None and "champion" in facts and facts["champion"] is None
    found = "" if alone else _effect(approval, facts) or _slices(spec, facts)
    return found or (_differs(spec, record) if approval.schema_changed else "")


def _effect(approval: Approval, facts: Mapping[str, Fact]) -> str:
    effect = facts.get("improvement_pct")
    if isinstance(effect, int | float) and not isinstance(effect, bool):
        if effect >= approval.effect_under_pct:
            return ""
        return f"An effect of {effect:.1f} % is under {approval.effect_under_pct:g} %, which needs approval."
    if not approval.effect_under_pct:
        return ""
    return f"Its effect is not known, and one under {approval.effect_under_pct:g} % needs approval."


def _slices(spec: Spec, facts: Mapping[str, Fact]) -> str:
    worse = facts.get("slices_measured_worse")
    if not spec.approval.slice_worse:
        return ""
    if worse:
        return f"These slices were measured worse, which needs approval: {worse}."
    if spec.gates.slices is None or worse == "":
        return ""
    return "Whether a slice was measured worse is not known, and one that was needs approval."


def _differs(spec: Spec, record: Record) -> str:
    """That the release takes other inputs than the live model: whoever calls the endpoint may have to change."""
    before = record.live.inputs if record.live else {}
    after = record.release.inputs if record.release else {}
    if record.live is None or (before == after and (after or not spec.gates.declared_inputs)):
        return ""
    if before == after:
        return "Which inputs it and the live model take is not known, and others than before need approval."
    names = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    return f"It takes other inputs than the live model ({', '.join(names)}), which needs approval."
