"""A check that may fail by chance at one look has to fail at several, each with new numbers."""

from datetime import UTC, datetime, timedelta

from shared.domain.analysis import Aspect, Check, Finding
from shared.domain.changes import Draft
from shared.domain.lifecycle import Phase
from shared.domain.record import Cause, CauseKind, Record, Release
from shared.domain.watching import doubted

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
RELEASE = Release(
    number=2,
    phase=Phase.CANARY,
    since=NOW,
    began=NOW,
    cause=Cause(kind=CauseKind.COMMAND, at=NOW, text=""),
    publication="",
    step_since=NOW,
)


def noisy(number: int, finding: Finding = Finding.FAIL) -> Check:
    facts = {"value": number}
    return Check(aspect=Aspect.QUERIES, finding=finding, text="It is 9.", facts=facts, noisy=True)


def after(*checks: Check, enough: int = 3) -> tuple[Draft, Check]:
    draft = Draft(record=Record(model="flights", release=RELEASE))
    for check in checks:
        draft, found = doubted(enough, draft, check)
    return draft, found


def test_one_failure_is_held_and_named_as_a_suspicion() -> None:
    _, found = after(noisy(1))
    assert (found.finding, found.suspect) == (Finding.INCONCLUSIVE, True)
    assert found.text == "At 1 of 3 looks in a row: It is 9."


def test_so_many_in_a_row_fail() -> None:
    assert after(noisy(1), noisy(2), noisy(3))[1].finding is Finding.FAIL


def test_a_good_look_between_begins_the_count_anew() -> None:
    good = noisy(3, Finding.PASS)
    assert after(noisy(1), noisy(2), good, noisy(4))[1].finding is Finding.INCONCLUSIVE


def test_the_same_numbers_seen_again_are_no_new_look_and_change_nothing() -> None:
    draft, found = after(noisy(1), noisy(1), noisy(1))
    assert found.finding is Finding.INCONCLUSIVE
    assert draft == after(noisy(1))[0]


def test_a_new_window_begins_the_count_anew() -> None:
    draft, _ = after(noisy(1), noisy(2))
    draft = draft.with_release(step_since=NOW + timedelta(minutes=1))
    assert doubted(3, draft, noisy(3))[1].finding is Finding.INCONCLUSIVE


def test_a_proof_needs_no_second_look() -> None:
    proof = Check(aspect=Aspect.ERRORS, finding=Finding.FAIL, text="9 of 9 requests failed.")
    assert after(proof)[1].finding is Finding.FAIL
