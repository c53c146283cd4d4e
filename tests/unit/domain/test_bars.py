"""What is barred stays barred, however much is barred after it."""

from shared.domain.changes import Draft
from shared.domain.record import MAX_BARRED, Record
from tests.fakes.clock import FakeClock


def barred(count: int) -> Record:
    draft = Draft(record=Record(model="flights"))
    for number in range(1, count + 1):
        draft = draft.barred(f"{number:064x}"[::-1], number, "it failed", FakeClock().now())
    return draft.record


def test_a_bar_tells_the_release_and_why() -> None:
    assert barred(3).bar_on(f"{2:064x}"[::-1]) == "The artifact is that of release 2, which was taken out: it failed"


def test_the_first_bar_holds_after_thousands_more() -> None:
    record = barred(5 * MAX_BARRED)
    assert len(record.barred) == MAX_BARRED
    assert record.bar_on(f"{1:064x}"[::-1])


def test_an_artifact_that_nobody_barred_is_free() -> None:
    assert not barred(2 * MAX_BARRED).bar_on(f"{5_000:064x}"[::-1])


def test_no_artifact_is_none_that_was_barred() -> None:
    assert not barred(2 * MAX_BARRED).bar_on("")
