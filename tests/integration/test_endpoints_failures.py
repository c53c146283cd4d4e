"""What becomes of a deployment that fails, and of one that is made to fail."""

from collections.abc import Mapping
from typing import Any

import pytest
import requests

from tests.integration.endpoints_fixture import Score, deployment, eventually, fault

pytest_plugins = ["tests.integration.endpoints_fixture"]
pytestmark = [pytest.mark.localcloud, pytest.mark.timeout(300)]


def test_a_server_that_does_not_start_fails_with_its_log(
    client: Any, assets: Mapping[str, str], empty_endpoint: str
) -> None:
    from azure.core.exceptions import HttpResponseError

    broken = deployment(assets, empty_endpoint, "broken", BROKEN="yes")
    with pytest.raises(HttpResponseError, match="failed to boot"):
        client.online_deployments.begin_create_or_update(broken).result()
    assert client.online_deployments.get("broken", empty_endpoint).provisioning_state == "Failed"
    assert "told to break" in client.online_deployments.get_logs("broken", empty_endpoint, 200)
    client.online_deployments.begin_delete("broken", empty_endpoint).result()
    assert "broken" not in [found.name for found in client.online_deployments.list(empty_endpoint)]


def test_an_update_that_fails_leaves_the_old_server_in_place(
    client: Any, assets: Mapping[str, str], endpoint: str, score: Score
) -> None:
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError):
        client.online_deployments.begin_create_or_update(deployment(assets, endpoint, "r0002", BROKEN="yes")).result()
    assert score("r0002").json()["who"] == "r0002"
    client.online_deployments.begin_create_or_update(deployment(assets, endpoint, "r0002")).result()
    assert score("r0002").json()["who"] == "r0002"


def test_a_model_that_fails_is_a_424(score: Score) -> None:
    response = score(fail=True)
    assert response.status_code == 424
    assert response.headers["ms-azureml-model-error-statuscode"] == "500"


def test_a_model_that_is_too_slow_is_a_408(score: Score) -> None:
    assert score(sleep_s=3).status_code == 408


def test_a_server_that_dies_is_started_again(score: Score) -> None:
    before = score("r0002").json()["pid"]
    assert score("r0002", die=True).status_code == 502
    after = eventually(lambda: (response := score("r0002")).status_code == 200 and response.json()["pid"])
    assert after != before


def test_an_injected_fault_hits_its_deployment_only(gateway: str, endpoint: str, score: Score) -> None:
    with fault(gateway, {"match": f"SCORE {endpoint} r0002", "status": 500}):
        assert (score("r0001").status_code, score("r0002").status_code) == (200, 500)
    assert score("r0002").status_code == 200


def test_a_deployment_can_be_made_slow(gateway: str, endpoint: str, score: Score) -> None:
    with fault(gateway, {"match": f"SCORE {endpoint} r0002", "delay_ms": 400}):
        slow = score("r0002")
        assert (slow.status_code, slow.json()["who"]) == (200, "r0002")
        assert slow.elapsed.total_seconds() > 0.4
        assert score("r0001").elapsed.total_seconds() < 0.4


def test_a_deployment_can_be_made_to_answer_well_formed_nonsense(gateway: str, endpoint: str, score: Score) -> None:
    nonsense = {"match": f"SCORE {endpoint} r0002", "status": 200, "body": '{"predictions": [$rows(-1)]}'}
    with fault(gateway, nonsense):
        answer = score("r0002", data=[1, 2, 3])
    assert (answer.status_code, answer.json()) == (200, {"predictions": [-1, -1, -1]})


def test_a_deployment_can_be_kept_from_becoming_ready(
    client: Any, assets: Mapping[str, str], gateway: str, empty_endpoint: str
) -> None:
    from azure.core.exceptions import HttpResponseError

    stuck = {"match": f"PROVISION {empty_endpoint} stuck", "status": 504, "delay_ms": 800, "body": "never ready"}
    with fault(gateway, stuck):
        begun = client.online_deployments.begin_create_or_update(deployment(assets, empty_endpoint, "stuck"))
        assert client.online_deployments.get("stuck", empty_endpoint).provisioning_state == "Creating"
        with pytest.raises(HttpResponseError, match="never ready"):
            begun.result()
    assert client.online_deployments.get("stuck", empty_endpoint).provisioning_state == "Failed"
    client.online_deployments.begin_delete("stuck", empty_endpoint).result()


def test_a_fault_that_would_do_nothing_is_refused(gateway: str) -> None:
    answer = requests.post(f"{gateway}/admin/faults", json={"match": "SCORE"}, timeout=10)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidFault")
