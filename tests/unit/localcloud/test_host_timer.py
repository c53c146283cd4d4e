"""What a timer does at start and after a run. Time is virtual."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from localcloud.host.schedule import Schedule
from localcloud.host.timer_trigger import Status, after_run, at_start, timer_info

HOURLY = Schedule("0 0 * * * *")
NEVER = datetime.min.replace(tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-01T{text}").replace(tzinfo=UTC)


def test_a_new_timer_waits_for_its_next_time() -> None:
    start = at_start(None, HOURLY, at("10:20:00"))
    assert start.status == Status(NEVER, at("11:00:00"), at("10:20:00"))
    assert not start.past_due


def test_a_timer_that_missed_its_time_is_past_due() -> None:
    stored = Status(at("10:00:00"), at("11:00:00"), at("10:00:00"))
    assert at_start(stored, HOURLY, at("11:30:00")).past_due


def test_a_timer_whose_time_is_yet_to_come_is_not_past_due() -> None:
    stored = Status(at("10:00:00"), at("11:00:00"), at("10:00:00"))
    start = at_start(stored, HOURLY, at("10:59:59"))
    assert (start.past_due, start.status.next) == (False, at("11:00:00"))


def test_a_new_timer_that_never_ran_is_past_due_when_its_first_time_went_by() -> None:
    stored = Status(NEVER, at("11:00:00"), at("10:20:00"))
    assert at_start(stored, HOURLY, at("11:00:01")).past_due


def test_a_changed_schedule_is_reckoned_from_the_last_run() -> None:
    stored = Status(at("10:00:00"), at("11:00:00"), at("10:00:00"))
    start = at_start(stored, Schedule("0 */10 * * * *"), at("10:05:00"))
    assert (start.past_due, start.status.next) == (False, at("10:10:00"))


def test_a_run_is_followed_by_the_next_time() -> None:
    assert after_run(HOURLY, at("11:00:00"), at("11:00:00")).next == at("12:00:00")


def test_a_run_that_came_a_moment_early_is_not_repeated_at_its_time() -> None:
    early = at("11:00:00") - timedelta(milliseconds=20)
    assert after_run(HOURLY, at("11:00:00"), early).next == at("12:00:00")


def test_times_missed_during_a_long_run_are_made_up_for_once() -> None:
    minutely = Schedule("0 * * * * *")
    first = after_run(minutely, at("11:00:00"), at("11:00:00"))
    overdue = after_run(minutely, first.next, at("11:05:30"))
    assert (first.next, overdue.next) == (at("11:01:00"), at("11:06:00"))


def test_a_status_survives_its_blob() -> None:
    status = Status(NEVER, at("11:00:00"), at("10:20:00"))
    assert Status.from_json(json.dumps(status.as_dict()).encode()) == status


def test_a_status_that_the_real_host_wrote_is_read() -> None:
    written = (
        b'{"Last":"2026-03-01T10:00:00.0013587+00:00","Next":"2026-03-01T11:00:00Z",'
        b'"LastUpdated":"2026-03-01T10:00:00.0013587+00:00"}'
    )
    assert Status.from_json(written).next == at("11:00:00")


@pytest.mark.parametrize("past_due", [True, False])
def test_the_function_is_told_whether_it_is_past_due(past_due: bool) -> None:
    assert json.loads(timer_info(None, past_due=past_due).value)["IsPastDue"] is past_due
