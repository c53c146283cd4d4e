"""Managed online endpoints and their router, as the unmodified SDK and a client see them."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.integration.endpoints_fixture import Score, deployment, refused, set_traffic

pytest_plugins = ["tests.integration.endpoints_fixture"]
pytestmark = [pytest.mark.localcloud, pytest.mark.timeout(300)]


def test_a_deployment_answers_with_its_model_and_its_variables(score: Score) -> None:
    response = score()
    assert response.status_code == 200
    assert (response.json()["y"], response.json()["who"]) == (8, "r0001")
    assert response.headers["azureml-model-deployment"] == "r0001"
    assert response.headers["x-request-id"]


def test_the_header_names_a_deployment_whatever_the_traffic(score: Score) -> None:
    assert score("r0002").json()["who"] == "r0002"
    assert score("r0009").status_code == 404


def test_live_traffic_is_split_by_its_shares(score: Score, traffic: Callable[..., None]) -> None:
    traffic({"r0001": 80, "r0002": 20})
    answered = Counter(score().headers["azureml-model-deployment"] for _ in range(200))
    assert answered["r0002"] == pytest.approx(40, abs=25)
    assert answered["r0001"] + answered["r0002"] == 200


def test_a_put_replaces_the_whole_traffic(client: Any, endpoint: str, traffic: Callable[..., None]) -> None:
    traffic({"r0002": 100})
    assert client.online_endpoints.get(endpoint).traffic == {"r0001": 0, "r0002": 100}


def test_without_traffic_nobody_answers(score: Score, traffic: Callable[..., None]) -> None:
    traffic({})
    assert score().status_code == 404


@pytest.mark.parametrize("shares", [{"r0001": 50}, {"r0001": 60, "r0002": 60}, {"r0009": 100}])
def test_wrong_traffic_is_refused_and_changes_nothing(client: Any, endpoint: str, shares: dict[str, int]) -> None:
    assert refused(lambda: set_traffic(client, endpoint, shares)) == 400
    assert client.online_endpoints.get(endpoint).traffic["r0001"] == 100


@pytest.mark.parametrize("mirror", [{"r0002": 51}, {"r0001": 10}, {"r0009": 10}])
def test_wrong_mirror_traffic_is_refused_and_changes_nothing(
    client: Any, endpoint: str, mirror: dict[str, int]
) -> None:
    assert refused(lambda: set_traffic(client, endpoint, {"r0001": 100}, mirror)) == 400
    assert not any(client.online_endpoints.get(endpoint).mirror_traffic.values())


def test_traffic_cannot_be_set_when_the_endpoint_is_created(client: Any) -> None:
    from azure.ai.ml.entities import ManagedOnlineEndpoint

    wanted = ManagedOnlineEndpoint(name=f"t{uuid4().hex[:12]}", auth_mode="key", traffic={"r0001": 100})
    assert refused(lambda: client.online_endpoints.begin_create_or_update(wanted)) == 400


def test_a_deployment_with_live_traffic_cannot_be_deleted(client: Any, endpoint: str) -> None:
    assert refused(lambda: client.online_deployments.begin_delete("r0001", endpoint)) == 400


def test_a_request_without_the_key_is_not_allowed(client: Any, endpoint: str) -> None:
    uri = client.online_endpoints.get(endpoint).scoring_uri
    assert requests.post(uri, json={"x": 1}, timeout=10).status_code == 401
    assert requests.post(uri, json={}, headers={"Authorization": "Bearer x"}, timeout=10).status_code == 401


def test_keys_stay_until_they_are_regenerated(client: Any, empty_endpoint: str) -> None:
    before = client.online_endpoints.get_keys(empty_endpoint)
    client.online_endpoints.begin_regenerate_keys(empty_endpoint, key_type="primary").result()
    after = client.online_endpoints.get_keys(empty_endpoint)
    assert before.primary_key != after.primary_key
    assert before.secondary_key == after.secondary_key


def test_a_second_change_in_flight_is_a_conflict(client: Any, assets: Mapping[str, str], empty_endpoint: str) -> None:
    first = client.online_deployments.begin_create_or_update(deployment(assets, empty_endpoint, "r0001"))
    assert client.online_deployments.get("r0001", empty_endpoint).provisioning_state == "Creating"
    second = deployment(assets, empty_endpoint, "r0002")
    assert refused(lambda: client.online_deployments.begin_create_or_update(second)) == 409
    assert refused(lambda: set_traffic(client, empty_endpoint, {})) == 409
    assert first.result().provisioning_state == "Succeeded"
