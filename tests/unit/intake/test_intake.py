"""What becomes of an upload: one part, one event; or a quarantined file; or a finding. Never nothing."""

from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest

from shared.errors import BadInput, NeedsPerson, RetryLater
from shared.intake import ledger as rules
from shared.intake.intake import MOST_ENQUEUED
from shared.intake.ledger import MAX_TRIES, NOBODY, State
from shared.intake.report import Report, Rule
from tests.fakes.examples import MODEL
from tests.unit.intake.intake_world import BAD, GOOD, LATER, Crash, World, a_contract


@pytest.fixture
def world() -> World:
    return World(data=a_contract())


def failing(point: str, error: Callable[[str], BaseException]) -> Callable[[str], None]:
    def interrupt(at: str) -> None:
        if at == point:
            raise error(at)

    return interrupt


# accepted


def test_a_good_file_is_one_part_and_one_event_and_leaves_the_landing_container(world: World) -> None:
    world.deliver(world.upload(GOOD))
    [event] = world.events()
    assert (event.part.rows, event.source) == (2, f"{MODEL}/january.csv")
    assert world.parts() == [f"{MODEL}/parts/{event.part.name}.parquet"]
    assert world.landing.accepted[f"{MODEL}/originals/{event.part.name}.csv"] == GOOD
    assert world.landing.landing == {}


def test_an_event_is_dated_by_the_upload_however_late_it_is_delivered(world: World) -> None:
    uploaded = world.clock.now()
    message = world.upload(GOOD)
    world.clock.move(3_600)
    world.deliver(message)
    assert [event.at for event in world.events()] == [uploaded]


def test_a_file_that_waited_longer_than_the_inbox_remembers_arrives_now(world: World) -> None:
    message = world.upload(GOOD, at=world.clock.now() - timedelta(days=40))
    world.deliver(message)
    assert [event.at for event in world.events()] == [world.clock.now()]


def test_a_message_that_is_delivered_again_changes_nothing(world: World) -> None:
    message = world.upload(GOOD)
    world.deliver(message)
    rows, accepted = world.rows(), dict(world.landing.accepted)
    world.deliver(message)
    assert (world.rows(), world.landing.accepted, len(world.events())) == (rows, accepted, 1)


@pytest.mark.parametrize("days", [0, 1, 31])
def test_the_same_content_under_another_name_is_the_same_part(world: World, days: int) -> None:
    world.deliver(world.upload(GOOD))
    world.clock.move(days * 86_400)
    world.state.forget_seen(MODEL, world.clock.now() - timedelta(days=30))
    world.deliver(world.upload(GOOD, f"{MODEL}/again.csv"))
    assert (len(world.parts()), len(world.events())) == (1, 1)
    assert [row.state for row in world.rows()] == [State.ACCEPTED, State.ACCEPTED]
    assert world.landing.landing == {}


def test_other_content_under_the_same_name_is_another_part(world: World) -> None:
    world.deliver(world.upload(GOOD))
    world.deliver(world.upload(GOOD.replace(b"10.5", b"11.5")))
    assert (len(world.parts()), len(world.events())) == (2, 2)


def test_an_overwritten_file_is_taken_in_by_the_message_of_its_successor(world: World) -> None:
    old = world.upload(GOOD)
    new = world.upload(GOOD.replace(b"10.5", b"11.5"))
    world.deliver(old)
    assert world.parts() == []
    world.deliver(new)
    assert len(world.parts()) == 1


def test_a_file_that_is_overwritten_while_it_is_read_is_not_mixed_with_its_successor(world: World) -> None:
    message = world.upload(GOOD * 1 + b"2026-01-03T00:00:00Z,13\n" * 20)
    successor: list[str] = []

    def overwrite(point: str) -> None:
        if point == "after read" and not successor:
            successor.append(world.upload(GOOD))

    world.interrupt = overwrite
    world.deliver(message)
    assert (world.parts(), world.landing.quarantined) == ([], {})
    world.deliver(successor[0])
    assert [event.part.rows for event in world.events()] == [2]


def test_files_in_folders_below_the_model_are_taken_in(world: World) -> None:
    world.deliver(world.upload(GOOD, f"{MODEL}/2026/01/a file.csv"))
    assert len(world.events()) == 1


# quarantined


def test_a_bad_file_is_kept_byte_for_byte_beside_a_report_and_raises_no_event(world: World) -> None:
    world.deliver(world.upload(BAD))
    [row] = world.rows()
    folder = f"{MODEL}/{row.part}"
    report = msgspec.json.decode(world.landing.quarantined[f"{folder}/report.json"], type=Report)
    assert world.landing.quarantined[f"{folder}/original.csv"] == BAD
    assert (report.blob, report.rows_read, report.total) == (f"{MODEL}/january.csv", 1, 1)
    assert [(finding.rule, finding.row, finding.column) for finding in report.findings] == [(Rule.TYPE, 1, "minutes")]
    assert (world.events(), world.landing.landing) == ([], {})


def test_a_file_that_is_too_large_is_quarantined_unread(world: World) -> None:
    world.publish(msgspec.structs.replace(a_contract(), max_bytes=len(GOOD) - 1))
    world.interrupt = failing("before read", Crash)
    world.deliver(world.upload(GOOD))
    [row] = world.rows()
    assert (row.state, row.part) == (State.QUARANTINED, row.key)
    assert world.landing.quarantined[f"{MODEL}/{row.part}/original.csv"] == GOOD


def test_a_file_that_was_refused_is_accepted_when_it_is_uploaded_under_a_contract_that_allows_it(
    world: World,
) -> None:
    content = GOOD.replace(b",12\n", b",\n")
    world.deliver(world.upload(content))
    nullable = msgspec.structs.replace(a_contract().columns["minutes"], nullable=True)
    world.publish(a_contract(minutes=nullable))
    world.deliver(world.upload(content))
    assert [row.state for row in world.rows()] == [State.QUARANTINED, State.ACCEPTED]
    assert len(world.events()) == 1


# nobody's


@pytest.mark.parametrize("name", ["unknown/a.csv", "a.csv", f"{MODEL}", f"{MODEL}/", "/a.csv", "_nobody/a.csv"])
def test_a_file_of_nobodys_stays_and_is_told(world: World, name: str) -> None:
    world.deliver(world.upload(GOOD, name))
    assert name in world.landing.landing
    assert [(row.model, row.blob, row.state) for row in world.intake.unowned()] == [(NOBODY, name, State.GIVEN_UP)]
    world.clock.move(LATER.total_seconds())
    assert world.intake.sweep() == 0


def test_a_file_that_came_before_its_model_was_published_is_taken_in_afterwards() -> None:
    world = World()
    message = world.upload(GOOD)
    world.deliver(message)
    world.publish(a_contract())
    world.clock.move(60)
    world.sweep()
    assert (len(world.events()), world.landing.landing, world.intake.unowned()) == (1, {}, [])


# given up


def test_a_file_whose_handling_fails_again_and_again_is_given_up_and_told(world: World) -> None:
    world.interrupt = failing("before put_part", lambda _: NeedsPerson("the role is missing"))
    message = world.upload(GOOD)
    world.deliver(message, MAX_TRIES)
    [row] = world.intake.findings(MODEL)
    assert (row.state, row.tries) == (State.GIVEN_UP, MAX_TRIES)
    assert "the role is missing" in row.why
    assert f"{MODEL}/january.csv" in world.landing.landing


def test_a_file_that_kills_the_worker_again_and_again_is_given_up(world: World) -> None:
    world.interrupt = failing("after read", Crash)
    message = world.upload(GOOD)
    world.deliver(message, MAX_TRIES)
    world.clock.move(LATER.total_seconds())
    world.sweep()
    assert [row.state for row in world.rows()] == [State.GIVEN_UP]
    world.clock.move(LATER.total_seconds())
    assert world.intake.sweep() == 0


def test_a_file_that_was_given_up_is_left_alone_when_its_message_comes_once_more(world: World) -> None:
    world.interrupt = failing("before put_part", lambda _: NeedsPerson("the role is missing"))
    message = world.upload(GOOD)
    world.deliver(message, MAX_TRIES)
    world.interrupt = lambda _: None
    rows = world.rows()
    world.deliver(message)
    assert (world.rows(), world.events()) == (rows, [])


def test_an_error_of_ours_is_told_by_its_kind_and_never_by_what_may_be_data(world: World) -> None:
    world.interrupt = failing("before put_part", lambda _: ValueError("secret cell"))
    message = world.upload(GOOD)
    with pytest.raises(ValueError, match="secret"):
        world.intake.handle(message)
    assert [row.why for row in world.rows()] == ["ValueError"]


def test_an_outage_is_no_try_of_the_files(world: World) -> None:
    world.interrupt = failing("before put_part", RetryLater)
    message = world.upload(GOOD)
    world.deliver(message, 3 * MAX_TRIES)
    assert [(row.state, row.tries) for row in world.rows()] == [(State.SEEN, 0)]
    assert [row.why for row in world.intake.findings(MODEL)] == ["before put_part"]
    world.interrupt = lambda _: None
    world.deliver(message)
    assert (len(world.events()), world.intake.findings(MODEL)) == (1, [])


def test_a_file_that_was_given_up_is_tried_afresh_when_it_is_uploaded_anew(world: World) -> None:
    world.interrupt = failing("before put_part", lambda _: NeedsPerson("the role is missing"))
    world.deliver(world.upload(GOOD), MAX_TRIES)
    world.interrupt = lambda _: None
    world.deliver(world.upload(GOOD))
    assert (len(world.events()), world.intake.findings(MODEL)) == (1, [])


# findings


def test_a_quarantined_file_is_a_finding_for_a_month(world: World) -> None:
    world.deliver(world.upload(BAD))
    [row] = world.intake.findings(MODEL)
    assert row.why == "Row 1, column minutes: 'ten' is not a number."
    world.clock.move(31 * 86_400)
    assert world.intake.findings(MODEL) == []


def test_a_given_up_file_is_a_finding_until_somebody_takes_it_away(world: World) -> None:
    world.deliver(world.upload(GOOD, "unknown/a.csv"))
    del world.landing.landing["unknown/a.csv"]
    assert world.intake.unowned() == []


# the sweep


def test_the_sweep_finds_a_file_that_no_event_told_of(world: World) -> None:
    world.upload(GOOD)
    world.clock.move(60)
    world.sweep()
    assert (len(world.events()), world.landing.landing) == (1, {})


def test_the_sweep_leaves_a_file_of_this_moment_to_its_event(world: World) -> None:
    world.upload(GOOD)
    assert world.intake.sweep() == 0


def test_the_sweep_enqueues_a_file_once_while_its_message_is_under_way(world: World) -> None:
    world.upload(GOOD)
    world.clock.move(60)
    assert [world.intake.sweep(), world.intake.sweep()] == [1, 0]
    world.clock.move(LATER.total_seconds())
    assert world.intake.sweep() == 1


def test_the_sweep_takes_up_an_accepted_file_that_was_not_moved(world: World) -> None:
    world.interrupt = failing("before keep_original", Crash)
    world.deliver(world.upload(GOOD), 1)
    world.interrupt = lambda _: None
    assert world.intake.sweep() == 0
    world.clock.move(LATER.total_seconds())
    world.sweep()
    assert (world.landing.landing, len(world.parts()), len(world.events())) == ({}, 1, 1)


def test_the_sweep_does_not_flood_the_queue(world: World) -> None:
    for number in range(MOST_ENQUEUED + 5):
        world.upload(GOOD, f"{MODEL}/{number}.csv")
    world.clock.move(60)
    assert [world.intake.sweep(), world.intake.sweep(), world.intake.sweep()] == [MOST_ENQUEUED, 5, 0]


# messages


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"', "{}", '{"eventType": "x"}', "[" * 100_000])
def test_a_message_that_is_no_event_is_refused(world: World, text: str) -> None:
    with pytest.raises(BadInput):
        world.intake.handle(text)


def test_the_row_of_an_upload_is_named_by_path_and_etag() -> None:
    keys = {rules.key_of(blob, etag) for blob in ("a", "b") for etag in ("1", "2")}
    assert {len(key) for key in keys} == {32}
    assert len(keys) == 4
