"""What a deployment's dataCollector may say, in the shape that azure-ai-ml sends."""

from typing import Any

import pytest

from localcloud.collector import plan
from localcloud.controlplane.responses import ArmError

# As azure-ai-ml 1.35.2 sends it for two collections, one of them switched off.
SENT: dict[str, Any] = {
    "collections": {
        "Model_Inputs": {"dataCollectionMode": "enabled", "samplingRate": 0.25, "dataId": "/data/a/versions/1"},
        "model_outputs": {"dataCollectionMode": "disabled", "dataId": "/data/b/versions/1"},
    },
    "rollingRate": "day",
}


def refusal(collector: Any) -> ArmError:
    with pytest.raises(ArmError) as caught:
        plan.checked({"dataCollector": collector})
    return caught.value


def test_a_deployment_without_one_collects_nothing() -> None:
    assert plan.checked({}) is None
    assert plan.enabled({"dataCollector": None}) == ()


def test_it_is_kept_in_the_services_spelling() -> None:
    kept = plan.checked({"dataCollector": SENT})
    assert kept
    assert kept["rollingRate"] == "Day"
    assert kept["collections"]["Model_Inputs"]["dataCollectionMode"] == "Enabled"
    assert kept["collections"]["model_outputs"]["dataCollectionMode"] == "Disabled"


def test_everything_is_collected_by_the_hour_unless_it_says_otherwise() -> None:
    kept = plan.checked({"dataCollector": {"collections": {"a": {"dataCollectionMode": "Enabled"}}}})
    assert kept
    assert (kept["rollingRate"], kept["collections"]["a"]["samplingRate"]) == ("Hour", 1.0)
    assert plan.rolling({"dataCollector": kept}) == "%Y/%m/%d/%H"


def test_what_is_kept_can_be_sent_again() -> None:
    kept = plan.checked({"dataCollector": SENT})
    assert plan.checked({"dataCollector": kept}) == kept


def test_only_what_is_switched_on_is_collected_under_names_in_small_letters() -> None:
    properties = {"dataCollector": plan.checked({"dataCollector": SENT})}
    assert plan.enabled(properties) == (plan.Collection("model_inputs", 25, "/data/a/versions/1"),)
    assert plan.config_file(plan.enabled(properties)) == {
        "collections": {"model_inputs": {"enabled": True, "sampleRatePercentage": 25}},
        "runMode": "cloud",
    }


@pytest.mark.parametrize(
    "collector",
    [
        {"collections": {}},
        {"collections": ["model_inputs"]},
        {"collections": {"a": {"dataCollectionMode": "on"}}},
        {"collections": {"a": {"dataCollectionMode": "enabled", "samplingRate": 1.5}}},
        {"collections": {"a": {"dataCollectionMode": "enabled", "samplingRate": True}}},
        {"collections": {"a": {"dataCollectionMode": "enabled"}}, "rollingRate": "week"},
    ],
)
def test_another_shape_is_a_mistake(collector: Any) -> None:
    assert refusal(collector).code == "UserError"


@pytest.mark.parametrize("name", ["request", "Response"])
def test_the_logging_of_payloads_is_refused_with_a_word_that_says_why(name: str) -> None:
    assert refusal({"collections": {name: {"dataCollectionMode": "enabled"}}}).code == "NotEmulated"
