"""What the host makes of the bindings that the worker found, and what it refuses."""

import json
from pathlib import Path
from typing import Any

import pytest

from localcloud.host.appsettings import connection_uri, read_local_settings
from localcloud.host.errors import HostError
from localcloud.host.functions import Function, HttpTrigger, QueueTrigger, TimerTrigger, read_functions
from localcloud.host.messages import Message

QUEUE = {
    "type": "queueTrigger",
    "direction": "IN",
    "name": "m",
    "queueName": "uploads",
    "connection": "UPKEEP_STORAGE",
}


def read(*bindings: dict[str, Any], settings: dict[str, str] | None = None, retry: object = None) -> Function:
    raw = [json.dumps(binding) for binding in bindings]
    metadata = Message(name="it", function_id="1", raw_bindings=raw, retry_options=retry)
    return read_functions([metadata], settings or {})[0]


def test_a_queue_trigger_is_read() -> None:
    assert read(QUEUE).trigger == QueueTrigger("m", "uploads", "UPKEEP_STORAGE", binary=False)


def test_an_app_setting_between_percent_signs_is_put_in() -> None:
    trigger = read({**QUEUE, "queueName": "up-%STAGE%"}, settings={"STAGE": "dev"}).trigger
    assert isinstance(trigger, QueueTrigger)
    assert trigger.queue == "up-dev"


def test_a_missing_app_setting_is_named_with_its_function() -> None:
    with pytest.raises(HostError, match="the function it needs the app setting STAGE"):
        read({**QUEUE, "queueName": "up-%STAGE%"})


def test_a_timer_of_seconds_is_not_monitored_unless_it_says_so() -> None:
    binding = {"type": "timerTrigger", "direction": "IN", "name": "t", "schedule": "*/5 * * * * *"}
    plain, asked = read(binding).trigger, read({**binding, "useMonitor": True}).trigger
    assert isinstance(plain, TimerTrigger)
    assert isinstance(asked, TimerTrigger)
    assert (plain.use_monitor, asked.use_monitor) == (False, True)


def test_a_wrong_schedule_is_named_with_its_function() -> None:
    with pytest.raises(HostError, match="the function it: the schedule 'daily'"):
        read({"type": "timerTrigger", "direction": "IN", "name": "t", "schedule": "daily"})


def test_an_http_function_without_a_route_is_served_under_its_name_and_asks_for_a_key() -> None:
    trigger = read({"type": "httpTrigger", "direction": "IN", "name": "req"}).trigger
    assert trigger == HttpTrigger("req", "it", frozenset(), "function")


@pytest.mark.parametrize("kind", ["blobTrigger", "eventGridTrigger", "blob", "serviceBusTrigger", "cosmosDB"])
def test_a_binding_that_is_not_emulated_is_refused_by_its_name(kind: str) -> None:
    with pytest.raises(HostError, match=f"the function it has a binding of type {kind}"):
        read({"type": kind, "direction": "IN", "name": "x"})


def test_a_retry_policy_is_refused() -> None:
    with pytest.raises(HostError, match="retry policy"):
        read(QUEUE, retry=Message(max_retry_count=3))


@pytest.mark.parametrize("name", ["Uploads", "a", "a--b", "-a-", "a_b"])
def test_what_cannot_be_a_queues_name_is_refused(name: str) -> None:
    with pytest.raises(HostError, match="is no queue name"):
        read({**QUEUE, "queueName": name})


def test_what_is_wrong_with_several_functions_is_said_at_once() -> None:
    wrong = [
        Message(name=name, function_id=name, raw_bindings=['{"type": "blobTrigger", "direction": "IN"}'])
        for name in ("one", "two")
    ]
    with pytest.raises(HostError, match=r"one[\s\S]*two"):
        read_functions(wrong, {})


def test_a_function_is_disabled_by_its_app_setting() -> None:
    assert read(QUEUE, settings={"AzureWebJobs.it.Disabled": "true"}).disabled
    assert not read(QUEUE, settings={"AzureWebJobs.other.Disabled": "true"}).disabled


def test_the_services_own_uri_beats_the_common_one() -> None:
    settings = {"C__serviceUri": "https://common", "C__queueServiceUri": "https://queue/"}
    assert connection_uri("C", "queue", settings) == "https://queue"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "C__queueServiceUri is missing"),
        ({"C": "UseDevelopmentStorage=true"}, "is a connection string"),
        ({"C__accountName": "mine"}, "means public Azure"),
    ],
)
def test_a_connection_without_a_uri_is_refused(settings: dict[str, str], message: str) -> None:
    with pytest.raises(HostError, match=message):
        connection_uri("C", "queue", settings)


def test_local_settings_are_optional(tmp_path: Path) -> None:
    assert read_local_settings(tmp_path) == {}


def test_values_of_local_settings_are_read(tmp_path: Path) -> None:
    (tmp_path / "local.settings.json").write_text('{"IsEncrypted": false, "Values": {"A": "b"}}')
    assert read_local_settings(tmp_path) == {"A": "b"}


@pytest.mark.parametrize("text", ["{", "[]", '{"Values": {"A": 1}}'])
def test_wrong_local_settings_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "local.settings.json").write_text(text)
    with pytest.raises(HostError, match=r"local\.settings\.json"):
        read_local_settings(tmp_path)
