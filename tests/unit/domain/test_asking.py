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
from shared.domain.spec_gates import Inconclusive, Slices
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
RULES = replace(a_spec(), approval=Approval(required="rules", effect_under_pct=5.0))
SLICED = replace(RULES, gates=replace(RULES.gates, slices=Slices(columns=("kind",))))
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
    rules = Approval(required="rules", effect_under_pct=0.0, slice_worse=False, schema_changed=False)
    off = replace(SLICED, approval=rules)
    record = replace(RECORD, release=replace(RELEASE, inputs={}))
    assert rule(off, record, {"improvement_pct": 0.1, "slices_measured_worse": "kind=a"}) == ""
    assert rule(off, record, {}) == ""


@pytest.mark.parametrize("effect", [None, "9.0", True])
def test_an_effect_that_is_not_known_is_asked_about(effect: Fact) -> None:
    assert "effect is not known" in rule(RULES, RECORD, {**FINE, "improvement_pct": effect})


@pytest.mark.parametrize("facts", [{"improvement_pct": 9.0}, {**FINE, "slices_measured_worse": None}])
def test_slices_that_are_not_known_are_asked_about_where_the_spec_has_some(facts: dict[str, Fact]) -> None:
    assert "is not known" in rule(SLICED, RECORD, facts)
    assert rule(RULES, RECORD, facts) == ""


def test_inputs_that_are_not_known_are_asked_about_unless_they_need_not_be_declared() -> None:
    record = replace(RECORD, live=replace(CHAMPION, inputs={}), release=replace(RELEASE, inputs={}))
    undeclared = replace(RULES, gates=replace(RULES.gates, declared_inputs=False))
    assert "is not known" in rule(RULES, record, FINE)
    assert rule(undeclared, record, FINE) == ""


def test_a_first_release_that_was_a_first_candidate_has_no_effect_to_ask_about() -> None:
    spec = replace(SLICED, approval=replace(SLICED.approval, first_release=False))
    record = replace(RECORD, live=None)
    assert rule(spec, record, {"champion": None}) == ""
    assert rule(spec, record, {}) != ""
    assert rule(spec, RECORD, {"champion": None}) != ""


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
