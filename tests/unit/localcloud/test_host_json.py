"""host.json: defaults, overrides, mistakes."""

import json
from typing import Any

import pytest

from localcloud.host.errors import HostError
from localcloud.host.hostjson import HostJson, parse_host_json, parse_time_span


def parse(document: dict[str, Any], settings: dict[str, str] | None = None) -> HostJson:
    return parse_host_json(json.dumps({"version": "2.0", **document}), settings or {}, processors=2)


def queues(**section: Any) -> dict[str, Any]:
    return {"extensions": {"queues": section}}


def test_the_defaults_are_azures() -> None:
    found = parse({})
    assert (found.queues.batch_size, found.queues.max_dequeue_count, found.queues.base64) == (16, 5, True)
    assert (found.queues.visibility_timeout_s, found.queues.max_polling_interval_s) == (0.0, 60.0)
    assert (found.function_timeout_s, found.route_prefix) == (1800.0, "api")


def test_the_threshold_for_a_new_batch_is_half_a_batch_a_processor() -> None:
    assert parse(queues(batchSize=6)).queues.new_batch_threshold == 6


def test_a_batch_of_one_with_threshold_zero_runs_one_message_at_a_time() -> None:
    found = parse(queues(batchSize=1, newBatchThreshold=0)).queues
    assert (found.batch_size, found.new_batch_threshold) == (1, 0)


def test_message_encoding_none_is_taken() -> None:
    assert parse(queues(messageEncoding="none")).queues.base64 is False


def test_minus_one_means_no_function_timeout() -> None:
    assert parse({"functionTimeout": "-1"}).function_timeout_s is None


def test_an_empty_route_prefix_is_taken() -> None:
    assert parse({"extensions": {"http": {"routePrefix": ""}}}).route_prefix == ""


def test_logging_and_the_extension_bundle_are_passed_over() -> None:
    found = parse({"logging": {"logLevel": {"default": "Debug"}}, "extensionBundle": {"id": "x"}})
    assert found == parse({})


def test_app_settings_override_the_file_whatever_their_case() -> None:
    name = "AzureFunctionsJobHost__Extensions__Queues__maxPollingInterval"
    found = parse(queues(maxPollingInterval="00:00:10"), {name: "00:00:00.2"})
    assert found.queues.max_polling_interval_s == 0.2


def test_a_number_in_an_app_setting_is_read_from_its_text() -> None:
    assert parse({}, {"AzureFunctionsJobHost__extensions__queues__batchSize": "4"}).queues.batch_size == 4


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"batchSize": 33}, "batchSize must be a whole number, 1 to 32, not 33"),
        ({"batchSize": True}, "batchSize must be a whole number"),
        ({"maxDequeueCount": 0}, "maxDequeueCount must be a whole number, 1 or more"),
        ({"maxPollingInterval": "2s"}, "maxPollingInterval must be a time span"),
        ({"maxPollingInterval": "00:00:00.05"}, "maxPollingInterval must be at least 0.1 s"),
        ({"visibilityTimeout": 30}, "visibilityTimeout must be a time span"),
        ({"messageEncoding": "utf8"}, 'messageEncoding must be "base64" or "none"'),
        ({"batchsize": 4}, "extensions.queues.batchsize is not a setting that this host knows"),
    ],
)
def test_a_mistake_is_named(section: dict[str, Any], message: str) -> None:
    with pytest.raises(HostError, match=message.replace(".", r"\.")):
        parse(queues(**section))


def test_all_mistakes_are_named_together() -> None:
    with pytest.raises(HostError, match=r"batchSize.*maxDequeueCount.*functionTimeout"):
        parse({**queues(batchSize=0, maxDequeueCount=0), "functionTimeout": "soon"})


def test_another_version_is_refused() -> None:
    with pytest.raises(HostError, match=r'"version" must be "2\.0"'):
        parse({"version": "1.0"})


@pytest.mark.parametrize("text", ["", "[]", "{"])
def test_what_is_no_json_object_is_refused(text: str) -> None:
    with pytest.raises(HostError, match=r"host\.json"):
        parse_host_json(text, {})


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("00:00:02", 2.0), ("01:30:00", 5400.0), ("1.00:00:01", 86401.0), ("00:00:00.250", 0.25)],
)
def test_a_time_span_is_read_as_seconds(text: str, seconds: float) -> None:
    assert parse_time_span(text) == seconds


@pytest.mark.parametrize("text", ["24:00:00", "00:60:00", "00:00:60", "5", "-00:00:01", "00:00"])
def test_what_is_no_time_span_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=text):
        parse_time_span(text)
