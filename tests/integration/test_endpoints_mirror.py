"""Mirrored traffic: copies of requests that nobody waits for."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.integration.endpoints_fixture import Score, eventually, fault, refused

pytest_plugins = ["tests.integration.endpoints_fixture"]
pytestmark = [pytest.mark.localcloud, pytest.mark.timeout(300)]


def test_requests_are_mirrored_and_the_live_answer_is_the_clients(
    client: Any, endpoint: str, score: Score, traffic: Callable[..., None], copies: Callable[[], dict[str, int]]
) -> None:
    before = copies()
    traffic({"r0001": 100}, {"r0002": 50})
    assert client.online_endpoints.get(endpoint).mirror_traffic == {"r0002": 50}
    assert {score().json()["who"] for _ in range(40)} == {"r0001"}
    after = eventually(lambda: (now := copies())["pending"] == 0 and now)
    assert after["sent"] - before["sent"] == pytest.approx(20, abs=12)
    assert (after["failed"], after["dropped"]) == (before["failed"], before["dropped"])


def test_a_mirrored_request_stands_in_the_log_under_the_id_of_its_original(
    score: Score, traffic: Callable[..., None], query: Callable[..., list[list[Any]]]
) -> None:
    traffic({"r0001": 100}, {"r0002": 50})
    ids = [score().headers["x-request-id"] for _ in range(12)]
    text = (
        f"AmlOnlineEndpointTrafficLog | where XRequestId in ({', '.join(map(repr, ids))})"
        " | summarize n = count(), to = countif(DeploymentName == 'r0002') by XRequestId | where n > 1"
    )
    rows = eventually(lambda: query(text, timedelta(minutes=5)))
    assert {(found, to) for _, found, to in rows} == {(2, 1)}


def test_a_mirror_that_sleeps_keeps_no_client_waiting(
    gateway: str, endpoint: str, score: Score, traffic: Callable[..., None]
) -> None:
    traffic({"r0001": 100}, {"r0002": 50})
    with fault(gateway, {"match": f"SCORE {endpoint} r0002", "delay_ms": 1500}):
        took_s = [score().elapsed.total_seconds() for _ in range(40)]
    assert max(took_s) < 1.5


def test_a_deployment_with_mirrored_traffic_cannot_be_deleted(
    client: Any, endpoint: str, traffic: Callable[..., None]
) -> None:
    traffic({"r0001": 100}, {"r0002": 10})
    assert refused(lambda: client.online_deployments.begin_delete("r0002", endpoint)) == 400
