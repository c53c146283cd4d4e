"""What Azure refuses about endpoints, deployments and traffic."""

from typing import Any

import pytest

from localcloud.controlplane.responses import ArmError
from localcloud.endpoints import rules

DEPLOYMENTS = ["r0001", "r0002"]


def refusal(function: Any, *arguments: Any) -> ArmError:
    with pytest.raises(ArmError) as caught:
        function(*arguments)
    return caught.value


@pytest.mark.parametrize("name", ["abc", "flight-duration", "r0001", "A" * 32])
def test_a_name_has_3_to_32_characters_and_begins_with_a_letter(name: str) -> None:
    rules.check_name(name, "endpoint")


@pytest.mark.parametrize("name", ["ab", "1abc", "-abc", "a_bc", "a.bc", "A" * 33, "abc\n"])
def test_another_name_is_refused(name: str) -> None:
    assert refusal(rules.check_name, name, "endpoint").status == 400


@pytest.mark.parametrize("traffic", [None, {}, {"r0001": 0}, {"r0001": 100}, {"r0001": 90, "r0002": 10}])
def test_live_traffic_sums_to_0_or_100(traffic: dict[str, int] | None) -> None:
    assert rules.read_traffic(traffic, DEPLOYMENTS) == (traffic or {})


@pytest.mark.parametrize(
    "traffic",
    [
        {"r0001": 99},
        {"r0001": 100, "r0002": 1},
        {"r0001": 150, "r0002": -50},
        {"r0001": 99.5, "r0002": 0.5},
        {"r0001": True},
        {"r0003": 100},
        {"r0003": 0},
    ],
)
def test_other_traffic_is_refused(traffic: dict[str, Any]) -> None:
    assert refusal(rules.read_traffic, traffic, DEPLOYMENTS).status == 400


def test_traffic_is_kept_under_the_deployments_own_spelling() -> None:
    assert rules.read_traffic({"blue": 100}, ["Blue"]) == {"Blue": 100}


@pytest.mark.parametrize("traffic", [{"r0001": 100}, {"r0001": 0}])
def test_traffic_cannot_be_set_at_creation(traffic: dict[str, int]) -> None:
    assert refusal(rules.traffic_at_creation, traffic).status == 400


@pytest.mark.parametrize("mirror", [None, {}, {"r0002": 0}, {"r0002": 50}, {"r0001": 0, "r0002": 1}])
def test_up_to_half_of_the_requests_are_mirrored_to_one_deployment(mirror: dict[str, int] | None) -> None:
    assert rules.read_mirror_traffic(mirror, {"r0001": 100}, DEPLOYMENTS) == (mirror or {})


@pytest.mark.parametrize(
    "mirror",
    [{"r0002": 51}, {"r0002": -1}, {"r0002": 0.5}, {"r0002": True}, {"r0003": 10}, {"r0003": 0}],
)
def test_other_mirror_traffic_is_refused(mirror: dict[str, Any]) -> None:
    assert refusal(rules.read_mirror_traffic, mirror, {"r0001": 100}, DEPLOYMENTS).status == 400


def test_two_deployments_cannot_both_be_mirrored_to() -> None:
    error = refusal(rules.read_mirror_traffic, {"r0001": 10, "r0002": 10}, {}, DEPLOYMENTS)
    assert "one deployment" in error.message


def test_a_deployment_takes_live_traffic_or_mirrored_and_not_both() -> None:
    error = refusal(rules.read_mirror_traffic, {"r0002": 10}, {"r0001": 90, "r0002": 10}, DEPLOYMENTS)
    assert "'r0002' has live traffic 10 %" in error.message


def test_mirror_traffic_is_kept_under_the_deployments_own_spelling() -> None:
    assert rules.read_mirror_traffic({"blue": 5}, {}, ["Blue"]) == {"Blue": 5}
    assert refusal(rules.read_mirror_traffic, {"blue": 5}, {"Blue": 100}, ["Blue"]).status == 400


def test_mirror_traffic_cannot_be_set_at_creation() -> None:
    assert "Mirror traffic" in refusal(rules.traffic_at_creation, {"r0001": 10}, "Mirror traffic").message


@pytest.mark.parametrize("kind", ["traffic", "mirrorTraffic"])
def test_a_deployment_with_traffic_of_either_kind_cannot_be_deleted(kind: str) -> None:
    rules.check_deletable("r0002", {kind: {"r0001": 100, "r0002": 0}})
    assert refusal(rules.check_deletable, "r0001", {kind: {"r0001": 100}}).status == 400


def test_the_21st_deployment_is_refused() -> None:
    rules.check_room(19)
    assert refusal(rules.check_room, 20).code == "QuotaExceeded"


def test_a_deployment_without_environment_is_a_mistake_and_without_code_not_emulated() -> None:
    code = {"codeId": "c", "scoringScript": "score.py"}
    rules.read_deployment({"environmentId": "e", "codeConfiguration": code})
    assert refusal(rules.read_deployment, {"codeConfiguration": code}).code == "UserError"
    assert refusal(rules.read_deployment, {"environmentId": "e"}).code == "NotEmulated"
