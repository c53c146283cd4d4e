"""Azure ML's events: ends of our own jobs and breaches of monitors are recorded, all else is passed over."""

import json
from datetime import UTC, datetime

import pytest

from shared.domain.events import AlertFired, JobEnded
from shared.errors import BadInput
from shared.triggers.azureml_events import azureml_events
from tests.unit.triggers.trigger_world import TriggerWorld, call, message, payload


def send(event: object) -> None:
    call(azureml_events, message(json.dumps(event)))


@pytest.mark.parametrize(
    ("name", "status"), [("run-completed", "completed"), ("run-status-changed-failed", "failed")]
)
def test_the_end_of_a_job_of_ours_is_recorded(world: TriggerWorld, name: str, status: str) -> None:
    world.publish()
    send(payload(name))
    at = datetime(2026, 1, 5, 11, 59, 58, 123457, tzinfo=UTC)
    assert world.events() == [JobEnded(at=at, job="flights-0007-a1", status=status)]


def test_two_events_that_tell_of_one_end_are_one(world: TriggerWorld) -> None:
    world.publish()
    changed = payload("run-status-changed-failed")
    changed["data"]["runStatus"] = "Completed"
    send(payload("run-completed"))
    send(changed)
    assert len(world.events()) == 1


def test_keys_are_taken_in_any_case(world: TriggerWorld) -> None:
    world.publish()
    event = payload("run-status-changed-failed")
    event["data"] = {key[0].upper() + key[1:]: value for key, value in event["data"].items()}
    send({key.upper(): value for key, value in event.items()})
    assert [event.status for event in world.events()] == ["failed"]


def test_cloud_events_are_read_as_well(world: TriggerWorld) -> None:
    world.publish()
    event = payload("run-completed")
    send({"type": event["eventType"], "time": event["eventTime"], "data": event["data"], "specversion": "1.0"})
    assert len(world.events()) == 1


@pytest.mark.parametrize("name", ["run-status-changed-running", "model-registered", "blob-created-put-blob"])
def test_other_events_are_passed_over(world: TriggerWorld, name: str) -> None:
    world.publish()
    send(payload(name))
    assert world.events() == []


@pytest.mark.parametrize("run", ["a-run-of-somebody", "other-0001-a1", None, 7])
def test_runs_of_others_are_passed_over(world: TriggerWorld, run: object) -> None:
    world.publish()
    event = payload("run-completed")
    event["data"]["runId"] = run
    send(event)
    assert world.events() == []
    assert world.events("other") == []


@pytest.mark.parametrize("body", ["", "{", "[]", "{}", b"\xff", '{"eventType": 1}'])
def test_a_message_that_is_no_event_goes_the_way_of_the_poison(world: TriggerWorld, body: str | bytes) -> None:
    with pytest.raises(BadInput):
        call(azureml_events, message(body))


BREACH = "run-status-changed-breach"


def test_a_breach_is_the_alert_that_its_signal_is_named_for(world: TriggerWorld) -> None:
    world.publish(alerts=("flights-input-drift", "flights-mae"))
    send(payload(BREACH))
    said = "The signal 'flights-input-drift' has failed due to one or more features violating metric thresholds."
    run = "flights-monitor-20260105-0300/flights-input-drift"
    at = datetime(2026, 1, 5, 3, 41, 12, tzinfo=UTC)
    assert world.events() == [AlertFired(at=at, rule="flights-input-drift", alert_id=run, summary=said)]


def test_a_signal_is_known_in_any_case_and_only_by_its_whole_name(world: TriggerWorld) -> None:
    world.publish(alerts=("Flights-Input-Drift", "flights-input", "drift"))
    send(payload(BREACH))
    assert [event.rule for event in world.events()] == ["Flights-Input-Drift"]


def test_a_breach_goes_to_every_model_that_listens_and_to_no_other(world: TriggerWorld) -> None:
    world.publish(alerts=("flights-input-drift",))
    world.publish("fares", alerts=("flights-input-drift",))
    world.publish("hotels", alerts=("hotels-drift",))
    send(payload(BREACH))
    assert [len(world.events(model)) for model in ("flights", "fares", "hotels")] == [1, 1, 0]


def test_a_breach_that_is_told_twice_is_one(world: TriggerWorld) -> None:
    world.publish(alerts=("flights-input-drift",))
    send(payload(BREACH))
    send(payload(BREACH))
    assert len(world.events()) == 1


def test_a_monitor_that_runs_still_or_is_told_to_be_complete_as_well_raises_nothing_more(world: TriggerWorld) -> None:
    world.publish(alerts=("flights-input-drift",))
    running, completed = payload(BREACH), payload(BREACH)
    running["data"]["runStatus"] = "Running"
    completed["eventType"] = "Microsoft.MachineLearningServices.RunCompleted"
    send(running)
    send(completed)
    assert world.events() == []


def test_a_breach_that_no_model_listens_for_is_passed_over(world: TriggerWorld) -> None:
    world.publish()
    send(payload(BREACH))
    assert world.events() == []
