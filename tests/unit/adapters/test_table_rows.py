"""Values fit into a table's rows, and keys sort as the things that they name."""

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest

from shared.adapters import table_rows as rows
from shared.errors import NeedsPerson

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Text(msgspec.Struct):
    text: str


@pytest.mark.parametrize("size", [0, 1, 60 * 1024, 200_000])
def test_a_value_comes_back_whole(size: int) -> None:
    value = Text("ü" * size)
    assert rows.value(rows.entity("m", "record", value), Text) == value


def test_no_property_is_larger_than_the_service_takes() -> None:
    entity = rows.entity("m", "record", Text("x" * 300_000))
    assert max(len(entity[name]) for name in entity if name.startswith("b")) <= 64 * 1024


def test_a_value_that_has_grown_too_large_needs_a_person() -> None:
    with pytest.raises(NeedsPerson):
        rows.entity("m", "record", Text("x" * 2_000_000))


def test_stamps_sort_as_times_do_whatever_their_zone() -> None:
    times = [NOW + timedelta(microseconds=n) for n in (0, 1, 1_000_000)]
    stamps = [rows.stamp(time.astimezone(timezone(timedelta(hours=n * 5)))) for n, time in enumerate(times)]
    assert stamps == sorted(stamps)


def test_decisions_sort_by_number() -> None:
    assert rows.decision_row(9) < rows.decision_row(10) < rows.decision_row(1_000_000)


def test_a_key_may_hold_what_a_row_key_may_not() -> None:
    row = rows.inbox_row(NOW, "data|a/b\\c#d?")
    assert not set(row) & set("/\\#?")
