"""When a person has to say yes."""

from datetime import UTC, datetime

import pytest

from shared.domain.analysis import Finding
from shared.domain.asking import question, rule
from shared.domain.gates import Verdict
from shared.domain.lifecycle import Phase
from shared.domain.reasons import Fact
from shared.domain.record import Cause, CauseKind, Record, Release
from shared.domain.spec import Approval
from shared.domain.spec_gates import Inconclusive
from tests.fakes.examples import a_spec
from tests.unit.domain.judged import CHAMPION, replace

AT = datetime(2026, 1, 5, tzinfo=UTC)
RELEASE = Release(
    number=2,
    phase=Phase.JUDGING,
    since=AT,
    began=AT,
    cause=Cause(kind=CauseKind.DATA, at=AT, text=""),
    publication="p",
    inputs=CHAMPION.inputs,
)
RECORD = Record(model="flights", live=CHAMPION, release=RELEASE)
RULES = Approval(required="rules", effect_under_pct=5.0)
FINE: dict[str, Fact] = {"improvement_pct": 9.0, "slices_measured_worse": ""}


def test_nobody_is_asked_when_no_rule_says_so() -> None:
    assert rule(RULES, RECORD, FINE) == ""


def test_a_small_effect_is_asked_about() -> None:
    assert "effect of 4.0 %" in rule(RULES, RECORD, {**FINE, "improvement_pct": 4.0})


def test_a_slice_that_was_measured_worse_is_asked_about() -> None:
    assert "kind=a" in rule(RULES, RECORD, {**FINE, "slices_measured_worse": "kind=a by 7.0 %"})


@pytest.mark.parametrize("inputs", [{}, {"minutes": "string"}, {**CHAMPION.inputs, "seats": "number"}])
def test_other_inputs_than_the_live_models_are_asked_about(inputs: dict[str, str]) -> None:
    record = replace(RECORD, release=replace(RELEASE, inputs=inputs))
    assert "other inputs" in rule(RULES, record, FINE)


def test_each_rule_can_be_switched_off() -> None:
    off = replace(RULES, effect_under_pct=0.0, slice_worse=False, schema_changed=False)
    record = replace(RECORD, release=replace(RELEASE, inputs={}))
    assert rule(off, record, {"improvement_pct": 0.1, "slices_measured_worse": "kind=a"}) == ""


@pytest.mark.parametrize(
    ("on", "usable", "asks"), [("ask", True, True), ("ask", False, False), ("reject", True, False)]
)
def test_a_person_is_asked_about_open_numbers_never_about_a_broken_evaluation(
    on: str, usable: bool, asks: bool
) -> None:
    spec = a_spec()
    spec = replace(spec, gates=replace(spec.gates, on_inconclusive=Inconclusive(on)))
    verdict = Verdict(outcome=Finding.INCONCLUSIVE, text="", usable=usable)
    assert bool(question(spec, RECORD, verdict)) is asks
