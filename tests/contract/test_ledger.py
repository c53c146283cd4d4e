"""What the intake may expect of its ledger, whoever keeps it."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.errors import LostRace
from shared.intake.ledger import Row, State
from shared.intake.ports import Ledger
from tests.contract.intake_ports import ledger  # noqa: F401 - a fixture

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def a_row(model: str, number: int = 1, state: State = State.SEEN) -> Row:
    return Row(
        model=model,
        key=f"{number:032x}",
        blob=f"{model}/ä b'{number}.csv",
        etag="0x8D",
        state=state,
        at=NOW + timedelta(seconds=number),
        tries=number,
        part="p",
        why="Ünïcode, 'quoted'.",
    )


def test_a_row_that_was_never_written_is_none(ledger: Ledger, model: str) -> None:  # noqa: F811
    assert ledger.get(model, "a") is None


def test_a_row_reads_back_as_it_was_written(ledger: Ledger, model: str) -> None:  # noqa: F811
    version = ledger.put(a_row(model), None)
    assert ledger.get(model, a_row(model).key) == (a_row(model), version)


def test_a_row_is_inserted_once(ledger: Ledger, model: str) -> None:  # noqa: F811
    ledger.put(a_row(model), None)
    with pytest.raises(LostRace):
        ledger.put(a_row(model), None)


def test_a_row_is_replaced_by_whoever_read_it_last(ledger: Ledger, model: str) -> None:  # noqa: F811
    first = ledger.put(a_row(model), None)
    second = ledger.put(a_row(model, state=State.ACCEPTED), first)
    with pytest.raises(LostRace):
        ledger.put(a_row(model, state=State.QUARANTINED), first)
    assert ledger.get(model, a_row(model).key) == (a_row(model, state=State.ACCEPTED), second)


def test_a_part_is_known_once_it_was_noted(ledger: Ledger, model: str) -> None:  # noqa: F811
    assert not ledger.knows_part(model, "p")
    ledger.note_part(model, "p")
    ledger.note_part(model, "p")
    assert ledger.knows_part(model, "p")


def test_open_rows_are_those_not_accepted_newest_first(ledger: Ledger, model: str) -> None:  # noqa: F811
    ledger.note_part(model, "p")
    for number, state in enumerate(State, start=1):
        ledger.put(a_row(model, number, state), None)
    states = [row.state for row in ledger.open(model, 10)]
    assert states == [State.GIVEN_UP, State.QUARANTINED, State.SEEN]


def test_open_rows_are_bounded(ledger: Ledger, model: str) -> None:  # noqa: F811
    for number in range(5):
        ledger.put(a_row(model, number), None)
    assert [row.tries for row in ledger.open(model, 2)] == [4, 3]
