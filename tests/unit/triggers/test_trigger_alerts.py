"""Alerts of Azure Monitor: what fires is recorded for the models that listen, and never lost without a word."""

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.domain.events import AlertFired
from shared.errors import NeedsPerson, RetryLater
from shared.triggers.alerts import MOST_BYTES, alerts
from tests.unit.triggers.trigger_world import MODEL, TriggerWorld, answer, call, payload, request


def send(body: object) -> tuple[int, Any]:
    return answer(call(alerts, request("POST", body)))


@pytest.mark.parametrize(
    ("name", "rule", "summary"),
    [
        ("alert-metric-fired", "error-rate", "RequestsPerMinute 17.0 GreaterThan 5"),
        ("alert-log-fired", "mae", "mae 17.1 GreaterThan 12"),
    ],
)
def test_an_alert_that_fires_is_recorded_for_the_model_that_names_its_rule(
    world: TriggerWorld, name: str, rule: str, summary: str
) -> None:
    world.publish(alerts=("error-rate", "mae"))
    assert send(payload(name)) == (202, {"recorded": [MODEL], "text": "Recorded."})
    [event] = world.events()
    assert isinstance(event, AlertFired)
    assert (event.rule, event.severity, event.summary) == (rule, "Sev1", summary)
    assert event.at == datetime(2026, 1, 5, 11, 58, 0, 123457, tzinfo=UTC)


def test_an_alert_that_is_sent_again_is_recorded_once(world: TriggerWorld) -> None:
    world.publish(alerts=("mae",))
    for _ in range(3):
        send(payload("alert-log-fired"))
    assert len(world.events()) == 1


def test_an_alert_that_resolves_is_not_acted_on(world: TriggerWorld) -> None:
    world.publish(alerts=("error-rate",))
    assert send(payload("alert-metric-resolved"))[0] == 200
    assert world.events() == []


def test_every_model_that_names_the_rule_hears_of_it(world: TriggerWorld) -> None:
    world.publish("flights", alerts=("mae",))
    world.publish("taxi", alerts=("mae",))
    world.publish("trains", alerts=("other",))
    assert send(payload("alert-log-fired"))[1]["recorded"] == ["flights", "taxi"]


def test_a_custom_property_restricts_the_alert_to_one_model(world: TriggerWorld) -> None:
    world.publish("flights", alerts=("error-rate",))
    world.publish("taxi", alerts=("error-rate",))
    assert send(payload("alert-metric-fired"))[1]["recorded"] == ["flights"]


def test_the_name_of_a_rule_has_no_case(world: TriggerWorld) -> None:
    world.publish(alerts=("MAE",))
    send(payload("alert-log-fired"))
    assert [event.rule for event in world.events()] == ["MAE"]


def test_an_alert_that_no_model_names_is_taken_with_a_sentence(world: TriggerWorld) -> None:
    world.publish(alerts=("other",))
    status, told = send(payload("alert-log-fired"))
    assert (status, told["recorded"]) == (202, [])
    assert "No published model" in told["text"]


@pytest.mark.parametrize("failure", [RetryLater("down"), NeedsPerson("no role"), ValueError("bug")])
def test_an_alert_that_cannot_be_recorded_is_asked_for_again(world: TriggerWorld, failure: Exception) -> None:
    world.publish(alerts=("mae",))
    world.failure = failure
    assert send(payload("alert-log-fired"))[0] == 503


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff", 400),
        (b"[" * 50_000, 400),
        ([], 400),
        ({}, 400),
        ({"schemaId": "AzureMonitorMetricAlert", "data": {}}, 400),
        ({"schemaId": "azureMonitorCommonAlertSchema", "data": {"essentials": {}}}, 400),
        (b'{"x": "' + b"x" * MOST_BYTES + b'"}', 413),
    ],
)
def test_what_is_no_alert_is_refused(world: TriggerWorld, body: object, status: int) -> None:
    assert send(body)[0] == status


@pytest.mark.parametrize(
    "context", [None, [], "x", {"condition": None}, {"condition": {"allOf": []}}, {"condition": {"allOf": [1]}}]
)
def test_a_context_of_any_other_shape_does_no_harm(world: TriggerWorld, context: object) -> None:
    world.publish(alerts=("mae",))
    alert = payload("alert-log-fired")
    alert["data"]["alertContext"] = context
    assert send(alert)[0] == 202
    assert [event.summary for event in world.events()] == ["Too many requests fail."]
