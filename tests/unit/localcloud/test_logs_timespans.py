"""The timespan of a query, in every form that Log Analytics takes."""

from datetime import UTC, datetime, timedelta

import pytest

from localcloud.loganalytics.timespans import read_timespan

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
NOON_BEFORE = NOW - timedelta(days=1)


@pytest.mark.parametrize("text", [None, ""])
def test_no_timespan_limits_nothing(text: str | None) -> None:
    assert read_timespan(text, NOW) is None


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("PT3600.0S", timedelta(hours=1)),
        ("P1D", timedelta(days=1)),
        ("P1DT2H3M4S", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("P2W", timedelta(weeks=2)),
    ],
)
def test_a_duration_reaches_back_from_now(text: str, length: timedelta) -> None:
    assert read_timespan(text, NOW) == (NOW - length, NOW)


@pytest.mark.parametrize(
    "text",
    [
        "2026-05-03T12:00:00Z/2026-05-04T12:00:00Z",
        "2026-05-03T12:00:00/P1D",
        "P1D/2026-05-04T12:00:00.000Z",
        "2026-05-03T14:00:00+02:00/PT24H",
    ],
)
def test_an_interval_is_given_by_two_of_start_end_and_duration(text: str) -> None:
    assert read_timespan(text, NOW) == (NOON_BEFORE, NOW)


@pytest.mark.parametrize("text", ["yesterday", "P", "PT", "P1M", "P1D/", "/P1D", "2026-05-03T12:00:00Z/x"])
def test_what_is_no_timespan_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_timespan(text, NOW)
