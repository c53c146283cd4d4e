"""When timers come due, by NCRONTAB."""

from datetime import UTC, datetime

import pytest

from localcloud.host.errors import HostError
from localcloud.host.schedule import Schedule


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "now", "due"),
    [
        ("0 * * * * *", "2026-03-01T10:00:30", "2026-03-01T10:01:00"),
        ("0 */5 * * * *", "2026-03-01T10:00:00", "2026-03-01T10:05:00"),
        ("*/10 * * * * *", "2026-03-01T10:00:51", "2026-03-01T10:01:00"),
        ("0 30 9 * * *", "2026-03-01T10:00:00", "2026-03-02T09:30:00"),
        ("0 30 9 * Jan Mon", "2026-03-01T10:00:00", "2027-01-04T09:30:00"),
        ("0 30 9 * january monday-Friday", "2026-12-31T23:00:00", "2027-01-01T09:30:00"),
        ("5,8,10 * * * * *", "2026-03-01T10:00:05", "2026-03-01T10:00:08"),
        ("0 0 5-7 * * *", "2026-03-01T06:30:00", "2026-03-01T07:00:00"),
        ("0 5/20 * * * *", "2026-03-01T10:30:00", "2026-03-01T10:45:00"),
        ("0 59/7 * * * *", "2026-03-01T10:30:00", "2026-03-01T10:59:00"),
        ("0 0 0 29 2 *", "2026-03-01T00:00:00", "2028-02-29T00:00:00"),
    ],
)
def test_a_timer_comes_due_at_the_next_matching_second(expression: str, now: str, due: str) -> None:
    assert Schedule(expression).next_after(at(now)) == at(due)


def test_five_fields_mean_second_zero() -> None:
    assert Schedule("15 3 * * *").next_after(at("2026-03-01T00:00:07")) == at("2026-03-01T03:15:00")


def test_day_of_month_and_day_of_week_must_both_match() -> None:
    friday_13th = Schedule("0 0 0 13 * 5")
    assert friday_13th.next_after(at("2026-03-14T00:00:00")) == at("2026-11-13T00:00:00")


def test_the_moment_itself_is_not_the_next_time() -> None:
    assert Schedule("0 0 0 * * *").next_after(at("2026-03-01T00:00:00")) == at("2026-03-02T00:00:00")


def test_times_of_another_zone_are_reckoned_in_utc() -> None:
    now = datetime.fromisoformat("2026-03-01T01:30:00+02:00")
    assert Schedule("0 0 0 * * *").next_after(now) == at("2026-03-01T00:00:00")


@pytest.mark.parametrize(
    "expression",
    [
        "0 0 0 * * 7",
        "* * * *",
        "@daily",
        "0 0 0 L * *",
        "0 0 0 ? * *",
        "0 0 0 * * 1#2",
        "0 60 * * * *",
        "0 0 0 * * Funday",
        "0 0 0 * * Mo",
        "0 */0 * * * *",
        "0 30-10 * * * *",
        "0 0 0 30 2 *",
        "00:05:00",
        "0 0 0 0 * *",
        "0 1, * * * *",
    ],
)
def test_what_is_not_ncrontab_is_refused_with_its_text(expression: str) -> None:
    with pytest.raises(HostError, match="the schedule"):
        Schedule(expression)


def test_a_timer_of_at_least_a_minute_is_monitored() -> None:
    assert Schedule("0 * * * * *").is_monitored()


def test_a_timer_that_is_more_often_due_than_once_a_minute_is_not_monitored() -> None:
    assert not Schedule("*/30 * * * * *").is_monitored()
