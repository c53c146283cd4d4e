"""Who may score, who answers, for how long, and what the answer becomes."""

from collections import Counter
from typing import Any

import pytest

from localcloud.endpoints.answers import from_model, refusal
from localcloud.endpoints.traffic import Split, may_score, timeout_s

ENDPOINT: dict[str, Any] = {
    "properties": {"authMode": "Key"},
    "keys": {"primaryKey": "first", "secondaryKey": "second"},
    "token": "issued",
}


def with_mode(mode: str) -> dict[str, Any]:
    return {**ENDPOINT, "properties": {"authMode": mode}}


def with_timeout(text: str | None) -> dict[str, Any]:
    return {"properties": {"requestSettings": {"requestTimeout": text} if text else None}}


def test_requests_are_split_by_live_traffic() -> None:
    split = Split()
    drawn = Counter(split.draw("flights", {"r0001": 90, "r0002": 10, "r0003": 0}) for _ in range(5000))
    assert set(drawn) == {"r0001", "r0002"}
    assert drawn["r0002"] == pytest.approx(500, rel=0.15)


def test_the_same_endpoint_is_split_in_the_same_way_again() -> None:
    one, other = Split(), Split()
    traffic = {"r0001": 50, "r0002": 50}
    assert [one.draw("flights", traffic) for _ in range(50)] == [other.draw("flights", traffic) for _ in range(50)]


@pytest.mark.parametrize("traffic", [{}, {"r0001": 0}])
def test_without_positive_traffic_nobody_answers(traffic: dict[str, int]) -> None:
    assert Split().draw("flights", traffic) is None


@pytest.mark.parametrize("header", ["Bearer first", "Bearer second", "bearer first"])
def test_either_key_opens_the_endpoint(header: str) -> None:
    assert may_score(ENDPOINT, header)


@pytest.mark.parametrize("header", [None, "", "first", "Basic first", "Bearer", "Bearer other", "Bearer issued"])
def test_anything_else_does_not(header: str | None) -> None:
    assert not may_score(ENDPOINT, header)


def test_a_token_endpoint_takes_its_token_and_no_key() -> None:
    assert may_score(with_mode("AMLToken"), "Bearer issued")
    assert not may_score(with_mode("AMLToken"), "Bearer first")


@pytest.mark.parametrize(
    ("text", "seconds"), [(None, 5), ("PT30S", 30), ("PT1M30S", 90), ("PT0.5S", 0.5), ("PT1H", 180)]
)
def test_the_timeout_is_the_deployments_with_azures_default_and_limit(text: str | None, seconds: float) -> None:
    assert timeout_s(with_timeout(text)) == seconds


def test_a_models_200_is_passed_on() -> None:
    answer = from_model(200, b"[1]", "application/json", 3.0)
    assert (answer.status, answer.model_status, answer.body) == (200, 200, b"[1]")


def test_a_models_error_becomes_a_424_that_tells_its_code() -> None:
    answer = from_model(500, b"oops", "text/plain", 3.0)
    assert (answer.status, answer.model_status, answer.body) == (424, 500, b"oops")
    assert answer.headers["ms-azureml-model-error-statuscode"] == "500"


def test_a_refusal_of_the_platform_has_no_model_status() -> None:
    answer = refusal(503, "not there")
    assert (answer.status, answer.model_status, answer.reason) == (503, None, "ServiceUnavailable")
