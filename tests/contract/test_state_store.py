"""What the reconciler and the triggers may expect of a StateStore, whoever keeps it."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.events import Command, CommandGiven
from shared.domain.manifest import Part
from shared.domain.reasons import Reason, Why
from shared.domain.record import Record
from shared.errors import LostRace
from shared.reconcile.ports import DecisionRow, Pointer, StateStore

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def pointer(model: str, publication: str = "p1") -> Pointer:
    return Pointer(model=model, publication=publication, published_at=NOW, schedule="0 3 * * 1", alerts=("rule",))


def event(number: int) -> CommandGiven:
    return CommandGiven(at=NOW, command=Command.RETRAIN, id=f"c{number}", by="ann", reason="ünïcode\n")


def decision(seq: int) -> DecisionRow:
    reason = Reason(why=Why.NO_NEW_DATA, text="nothing new", facts={"rows": 0})
    return DecisionRow(
        seq=seq,
        at=NOW,
        before="collecting",
        after="collecting",
        release=None,
        reasons=(reason,),
        actions=("SetTraffic",),
        inputs="f" * 32,
    )


def big_record(model: str, seq: int = 1) -> Record:
    """A record of several properties: 400 parts are the most that the domain keeps."""
    parts = tuple(Part(name=f"{n:032x}", rows=n, start=NOW, end=NOW) for n in range(400))
    fresh = {f"{n:032x}" * 8: NOW for n in range(400)}
    return Record(model=model, seq=seq, parts=parts, fresh=fresh)


def published(state: StateStore, model: str) -> str:
    state.publish(pointer(model))
    return model


def test_a_model_that_was_never_published_loads_as_none(state: StateStore, model: str) -> None:
    assert state.load(model, 10) is None


def test_a_published_model_loads_with_an_empty_record(state: StateStore, model: str) -> None:
    loaded = state.load(published(state, model), 10)
    assert loaded
    assert (loaded.pointer, loaded.record, loaded.etag, loaded.unread) == (
        pointer(model),
        Record(model=model),
        None,
        (),
    )


def test_the_pointers_of_all_models_are_listed(state: StateStore, model: str) -> None:
    state.publish(pointer(model))
    state.publish(pointer(f"{model}2"))
    listed = [each for each in state.pointers() if each.model.startswith(model)]
    assert sorted(listed, key=lambda each: each.model) == [pointer(model), pointer(f"{model}2")]


def test_publishing_again_replaces_the_pointer(state: StateStore, model: str) -> None:
    state.publish(pointer(model))
    state.publish(Pointer(model=model, publication="p2", published_at=NOW))
    loaded = state.load(model, 10)
    assert loaded
    assert loaded.pointer == Pointer(model=model, publication="p2", published_at=NOW)


def test_a_recorded_event_is_unread(state: StateStore, model: str) -> None:
    published(state, model)
    assert state.record_event(model, event(1), NOW)
    loaded = state.load(model, 10)
    assert loaded
    assert [unread.event for unread in loaded.unread] == [event(1)]


def test_an_event_is_recorded_once(state: StateStore, model: str) -> None:
    published(state, model)
    state.record_event(model, event(1), NOW)
    assert not state.record_event(model, event(1), NOW + timedelta(seconds=5))
    loaded = state.load(model, 10)
    assert loaded
    assert len(loaded.unread) == 1


def test_an_event_that_was_consumed_is_still_known(state: StateStore, model: str) -> None:
    published(state, model)
    state.record_event(model, event(1), NOW)
    loaded = state.load(model, 10)
    assert loaded
    state.commit(Record(model=model, seq=1), None, loaded.unread, decision(1))
    assert not state.record_event(model, event(1), NOW + timedelta(days=1))


def test_the_oldest_events_come_first_and_no_more_than_asked_for(state: StateStore, model: str) -> None:
    published(state, model)
    for number in (3, 1, 2):
        state.record_event(model, event(number), NOW + timedelta(seconds=number))
    loaded = state.load(model, 2)
    assert loaded
    assert [unread.event for unread in loaded.unread] == [event(1), event(2)]


def test_a_commit_writes_the_record_and_takes_the_events_out(state: StateStore, model: str) -> None:
    published(state, model)
    state.record_event(model, event(1), NOW)
    state.record_event(model, event(2), NOW + timedelta(seconds=1))
    loaded = state.load(model, 1)
    assert loaded
    etag = state.commit(big_record(model), None, loaded.unread, decision(1))
    after = state.load(model, 10)
    assert after
    assert (after.record, after.etag) == (big_record(model), etag)
    assert [unread.event for unread in after.unread] == [event(2)]


def test_as_many_events_as_a_pass_reads_fit_into_one_commit(state: StateStore, model: str) -> None:
    published(state, model)
    for number in range(90):
        state.record_event(model, event(number), NOW + timedelta(seconds=number))
    loaded = state.load(model, 90)
    assert loaded
    state.commit(big_record(model), None, loaded.unread, decision(1))
    after = state.load(model, 90)
    assert after
    assert after.unread == ()


def test_a_record_shrinks_when_less_is_kept(state: StateStore, model: str) -> None:
    published(state, model)
    etag = state.commit(big_record(model), None, (), decision(1))
    state.commit(Record(model=model, seq=2), etag, (), decision(2))
    loaded = state.load(model, 10)
    assert loaded
    assert loaded.record == Record(model=model, seq=2)


def test_the_etag_is_that_of_the_last_commit(state: StateStore, model: str) -> None:
    assert state.etag(model) is None
    etag = state.commit(Record(model=model, seq=1), None, (), decision(1))
    assert state.etag(model) == etag
    assert state.commit(Record(model=model, seq=2), etag, (), decision(2)) == state.etag(model) != etag


@pytest.mark.parametrize("stale", [None, "before"])
def test_a_commit_on_a_stale_etag_loses_the_race(state: StateStore, model: str, stale: str | None) -> None:
    before = state.commit(Record(model=model, seq=1), None, (), decision(1))
    now = state.commit(Record(model=model, seq=2), before, (), decision(2))
    with pytest.raises(LostRace):
        state.commit(Record(model=model, seq=9), before if stale else None, (), decision(3))
    assert state.etag(model) == now
    assert [row.seq for row in state.history(model, 10)] == [2, 1]


def test_a_commit_of_a_record_that_is_not_there_loses_the_race(state: StateStore, model: str) -> None:
    elsewhere = state.commit(Record(model=f"{model}2", seq=1), None, (), decision(1))
    with pytest.raises(LostRace):
        state.commit(Record(model=model, seq=2), elsewhere, (), decision(2))
    assert state.etag(model) is None


def test_a_commit_of_events_that_were_consumed_already_loses_the_race(state: StateStore, model: str) -> None:
    published(state, model)
    state.record_event(model, event(1), NOW)
    loaded = state.load(model, 10)
    assert loaded
    etag = state.commit(Record(model=model, seq=1), None, loaded.unread, decision(1))
    with pytest.raises(LostRace):
        state.commit(Record(model=model, seq=2), etag, loaded.unread, decision(2))
    assert state.etag(model) == etag


def test_history_gives_the_newest_decisions_first(state: StateStore, model: str) -> None:
    assert state.history(model, 3) == []
    etag = None
    for seq in range(1, 6):
        etag = state.commit(Record(model=model, seq=seq), etag, (), decision(seq))
    assert state.history(model, 3) == [decision(5), decision(4), decision(3)]


def test_a_lease_is_held_by_one_at_a_time(state: StateStore, model: str) -> None:
    first = state.take_lease(model, "a", NOW, 60)
    assert first
    assert (first.model, first.owner, first.expires, first.look_at) == (model, "a", NOW + timedelta(seconds=60), None)
    assert state.take_lease(model, "b", NOW + timedelta(seconds=59), 60) is None


def test_a_worker_does_not_get_the_lease_that_it_holds_a_second_time(state: StateStore, model: str) -> None:
    assert state.take_lease(model, "a", NOW, 60)
    assert state.take_lease(model, "a", NOW, 60) is None


def test_a_dropped_lease_can_be_taken_and_remembers_the_nudge(state: StateStore, model: str) -> None:
    first = state.take_lease(model, "a", NOW, 60)
    assert first
    state.drop_lease(first, NOW + timedelta(seconds=90))
    second = state.take_lease(model, "b", NOW, 60)
    assert second
    assert (second.owner, second.look_at) == ("b", NOW + timedelta(seconds=90))


def test_an_expired_lease_can_be_taken_over(state: StateStore, model: str) -> None:
    assert state.take_lease(model, "a", NOW, 60)
    second = state.take_lease(model, "b", NOW + timedelta(seconds=61), 60)
    assert second
    assert second.owner == "b"


def test_dropping_a_lease_that_was_taken_over_leaves_it_alone(state: StateStore, model: str) -> None:
    first = state.take_lease(model, "a", NOW, 60)
    assert first
    state.take_lease(model, "b", NOW + timedelta(seconds=61), 60)
    state.drop_lease(first, None)
    assert state.take_lease(model, "c", NOW + timedelta(seconds=62), 60) is None


def test_seen_events_are_forgotten_after_their_time(state: StateStore, model: str) -> None:
    for number in range(150):
        state.record_event(model, event(number), NOW + timedelta(seconds=number))
    assert state.forget_seen(model, NOW + timedelta(seconds=120)) == 120
    assert state.forget_seen(model, NOW + timedelta(seconds=120)) == 0
    assert not state.record_event(model, event(120), NOW)
    assert state.record_event(model, event(119), NOW + timedelta(days=40))
