"""What people and programs are told of the models."""

from datetime import timedelta
from typing import Any

import pytest

from shared.domain.card import Card
from shared.domain.lifecycle import Phase
from shared.domain.manifest import Manifest, Part
from shared.domain.reasons import Reason, Why
from shared.domain.record import Cause, CauseKind, Pause, Record, Release, Serving
from shared.errors import NeedsPerson, RetryLater
from shared.intake.ledger import NOBODY, Row, State
from shared.reconcile.ports import DecisionRow
from shared.triggers.status import card, history, model, models
from tests.unit.triggers.trigger_world import MODEL, TriggerWorld, answer, call, request


def commit(world: TriggerWorld, record: Record, seq: int) -> None:
    decision = DecisionRow(
        seq=seq,
        at=world.clock.now(),
        before="collecting",
        after="training",
        release=1,
        reasons=(Reason(why=Why.RELEASE_BEGUN, text="because"),),
        actions=("SubmitJob",),
        inputs="f" * 32,
    )
    world.state.commit(record, world.state.etag(record.model), (), decision)


def a_record(world: TriggerWorld) -> Record:
    now = world.clock.now()
    part = Part(name="a" * 32, rows=7, start=now - timedelta(days=1), end=now)
    return Record(
        model=MODEL,
        seq=1,
        parts=(part,),
        fresh={part.name: now},
        release=Release(
            number=2,
            phase=Phase.TRAINING,
            since=now,
            began=now,
            cause=Cause(kind=CauseKind.DATA, at=now, text="2 fresh parts"),
            publication="p1",
            manifest=Manifest(model=MODEL, parts=(), train=(), held_out=()),
        ),
        live=Serving(
            release=1, version=1, deployment="r0001", job="flights-0001-a1", artifact="x", publication="p0", since=now
        ),
        paused=Pause(by="ann", at=now, reason="a holiday"),
    )


def get(trigger: object, **rest: Any) -> tuple[int, Any]:
    return answer(call(trigger, request("GET", **rest)))


def test_a_model_is_told_with_what_it_does_and_what_serves(world: TriggerWorld) -> None:
    world.publish()
    commit(world, a_record(world), 1)
    status, told = get(model, route_params={"model": MODEL})
    assert (status, told["model"], told["phase"]) == (200, MODEL, "training")
    assert (told["release"]["number"], told["release"]["job"]) == (2, "flights-0002-a1")
    assert (told["live"]["deployment"], told["paused"]["by"]) == ("r0001", "ann")
    assert (told["parts"], list(told["fresh"])) == ({"accepted": 1, "fresh": 1}, ["a" * 32])
    assert (told["previous"], told["last"], told["asked"], told["findings"]) == (None, None, None, [])


def test_a_release_is_told_by_its_data_version_and_not_by_all_its_parts(world: TriggerWorld) -> None:
    world.publish()
    commit(world, a_record(world), 1)
    release = get(model, route_params={"model": MODEL})[1]["release"]
    assert len(release["data_version"]) == 30
    assert "manifest" not in release


def test_a_model_without_a_record_is_collecting(world: TriggerWorld) -> None:
    world.publish()
    assert get(model, route_params={"model": MODEL})[1]["phase"] == "collecting"


def test_all_models_are_told_and_the_files_of_none(world: TriggerWorld) -> None:
    world.publish("flights")
    world.publish("taxi")
    row = Row(
        model=NOBODY, key="k", blob="x/a.csv", etag="e", state=State.GIVEN_UP, at=world.clock.now(), why="nobody's"
    )
    world.intake.nobodys = [row]
    status, told = get(models)
    assert (status, [each["model"] for each in told["models"]]) == (200, ["flights", "taxi"])
    assert told["unowned"] == [
        {"blob": "x/a.csv", "state": "given_up", "at": "2026-01-05T12:00:00Z", "part": "", "why": "nobody's"}
    ]


def test_the_findings_of_the_intake_are_told(world: TriggerWorld) -> None:
    world.publish()
    row = Row(model=MODEL, key="k", blob="b", etag="e", state=State.QUARANTINED, at=world.clock.now(), why="bad")
    world.intake.rows = [row]
    assert [each["why"] for each in get(model, route_params={"model": MODEL})[1]["findings"]] == ["bad"]


def test_decisions_are_told_newest_first(world: TriggerWorld) -> None:
    world.publish()
    for seq in (1, 2, 3):
        commit(world, Record(model=MODEL, seq=seq), seq)
    status, told = get(history, route_params={"model": MODEL}, params={"most": "2"})
    assert (status, [each["seq"] for each in told["decisions"]]) == (200, [3, 2])
    assert told["decisions"][0]["reasons"][0]["why"] == "ReleaseBegun"


@pytest.mark.parametrize("most", ["0", "1001", "x", "-1", "1.5", "٣", "9" * 5_000])
def test_a_number_of_decisions_that_is_none_is_refused(world: TriggerWorld, most: str) -> None:
    world.publish()
    status, told = get(history, route_params={"model": MODEL}, params={"most": most})
    assert (status, told["error"]) == (400, "most must be a number from 1 to 1000.")


@pytest.mark.parametrize("trigger", [model, history])
def test_an_unknown_model_is_not_found(world: TriggerWorld, trigger: object) -> None:
    assert get(trigger, route_params={"model": "none"})[0] == 404


@pytest.mark.parametrize(("failure", "status"), [(RetryLater("down"), 503), (NeedsPerson("no role"), 500)])
def test_trouble_is_told_as_what_it_is(world: TriggerWorld, failure: Exception, status: int) -> None:
    world.failure = failure
    assert get(models)[0] == status


def a_card(version: int) -> Card:
    texts = {"purpose": "p", "decision": "d", "approved_by": "", "metric": "mae"}
    return Card(
        model=MODEL, version=version, scores={}, intervals=(), facts={}, data=(), limits=(), lineage={}, **texts
    )


@pytest.mark.parametrize(("params", "version"), [({}, 1), ({"version": "2"}, 2)])
def test_the_card_of_a_version_is_told_and_by_default_that_of_the_live_one(
    world: TriggerWorld, params: dict[str, str], version: int
) -> None:
    world.publish()
    commit(world, a_record(world), 1)
    for number in (1, 2):
        world.archive.put_card(a_card(number))
    status, told = get(card, route_params={"model": MODEL}, params=params)
    assert (status, told["version"]) == (200, version)


@pytest.mark.parametrize(("params", "status"), [({}, 409), ({"version": "7"}, 409), ({"version": "new"}, 400)])
def test_a_card_that_there_is_not_is_refused(world: TriggerWorld, params: dict[str, str], status: int) -> None:
    world.publish()
    assert get(card, route_params={"model": MODEL}, params=params)[0] == status


def test_the_card_of_an_unknown_model_is_not_found(world: TriggerWorld) -> None:
    assert get(card, route_params={"model": "nobody"})[0] == 404
