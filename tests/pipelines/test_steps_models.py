"""The steps about models: publish, train, check, plan."""

import json
from typing import Any

import pytest

from tests.pipelines.desk import Desk

WROTE: list[dict[str, str]] = [{"what": "code", "name": "a-train:1"}, {"what": "publication", "name": "ab"}]
NO_DATA = 3


def checked(desk: Desk, **takes: list[str]) -> None:
    """The models that there are, with the environments in which each is taken from a registry."""
    models = [{"model": name.replace("_", "-"), "takes": environments} for name, environments in takes.items()]
    desk.answer("upkeep validate", json.dumps(models))


def published(desk: Desk, **models: list[dict[str, str]]) -> None:
    """Publish, with this outcome."""
    desk.connected()
    checked(desk)
    said = {name.replace("_", "-"): {"changes": made, "waiting": []} for name, made in models.items()}
    desk.answer("upkeep publish", json.dumps(said))
    assert desk.run("publish.sh").returncode == 0


def option(call: list[str], name: str) -> str:
    """An option's value."""
    return call[call.index(name) + 1]


def test_publishing_that_fails_fails_the_run(desk: Desk) -> None:
    desk.connected()
    desk.answer("upkeep publish", code=1)
    assert desk.run("publish.sh").returncode == 1


def test_what_changed_is_trained_and_nothing_else(desk: Desk) -> None:
    published(desk, flight_duration=WROTE, delays=[], fares=[{"what": "endpoint", "name": "fares"}])
    assert desk.run("train.sh").returncode == 0
    assert [call[2] for call in desk.calls("upkeep retrain")] == ["flight-duration"]


def test_when_nothing_changed_nothing_is_trained(desk: Desk) -> None:
    published(desk, flight_duration=[])
    done = desk.run("train.sh")
    assert done.returncode == 0
    assert "nothing to train" in done.stdout
    assert desk.calls("upkeep retrain") == []


def test_the_reason_of_a_training_names_commit_and_run(desk: Desk) -> None:
    published(desk, a=WROTE)
    desk.run("train.sh", GITHUB_RUN_ID="42", GITHUB_SHA="0123456789abcdef", GITHUB_ACTOR="ann")
    [call] = desk.calls("upkeep retrain")
    assert option(call, "--reason") == "commit 0123456789 changed the model's folder, run 42"


@pytest.mark.parametrize(
    "system",
    [
        {"GITHUB_RUN_ID": "42", "GITHUB_SHA": "c"},
        {"BUILD_BUILDID": "42", "BUILD_SOURCEVERSION": "c", "TF_BUILD": "True"},
    ],
)
def test_a_run_that_is_repeated_asks_for_the_same_training(desk: Desk, system: dict[str, str]) -> None:
    published(desk, a=WROTE, b=WROTE)
    desk.run("train.sh", **system)
    desk.run("train.sh", **system)
    ids = [option(call, "--id") for call in desk.calls("upkeep retrain")]
    assert ids == ["run-42-a", "run-42-b"] * 2


def test_what_is_taken_from_a_registry_is_not_trained(desk: Desk) -> None:
    published(desk, a=WROTE, b=WROTE)
    checked(desk, a=["test", "prod"], b=["prod"])
    assert desk.run("train.sh").returncode == 0
    assert [call[2] for call in desk.calls("upkeep retrain")] == ["b"]


def test_what_the_environment_takes_is_taken_and_nothing_else(desk: Desk) -> None:
    desk.connected()
    checked(desk, a=["test", "prod"], flight_duration=["prod"], c=[])
    assert desk.run("take.sh", GITHUB_RUN_ID="42", GITHUB_ACTOR="ann").returncode == 0
    [call] = desk.calls("upkeep take")
    assert (call[2], option(call, "--id")) == ("a", "run-42-take-a")
    assert option(call, "--reason") == "promotion, run 42 of ann"


def test_where_nothing_is_taken_the_run_goes_on(desk: Desk) -> None:
    desk.connected()
    checked(desk, a=[])
    done = desk.run("take.sh")
    assert (done.returncode, desk.calls("upkeep take")) == (0, [])
    assert "no model of test is taken from a registry" in done.stdout


def test_a_take_that_is_refused_fails_the_run(desk: Desk) -> None:
    desk.connected()
    desk.answer("upkeep take", code=1)
    assert desk.run("take.sh a", BUILD_BUILDID="7").returncode == 1


def test_specs_that_cannot_be_read_fail_the_run_and_take_nothing(desk: Desk) -> None:
    desk.connected()
    desk.answer("upkeep validate", code=1)
    assert desk.run("take.sh").returncode == 1
    assert desk.calls("upkeep take") == []


def test_a_training_by_hand_names_who_asked(desk: Desk) -> None:
    desk.connected()
    assert (
        desk.run("train.sh a b", BUILD_BUILDID="7", BUILD_REQUESTEDFOR="Ann", BUILD_SOURCEVERSION="c").returncode == 0
    )
    calls = desk.calls("upkeep retrain")
    assert [(call[2], option(call, "--reason")) for call in calls] == [
        ("a", "asked for by Ann, run 7"),
        ("b", "asked for by Ann, run 7"),
    ]


def test_a_training_that_is_refused_fails_the_run(desk: Desk) -> None:
    desk.connected()
    desk.answer("upkeep retrain", code=1)
    assert desk.run("train.sh a", BUILD_BUILDID="7", BUILD_SOURCEVERSION="c").returncode == 1


@pytest.mark.parametrize(
    ("verdict", "variables", "code"),
    [
        (0, {}, 0),
        (1, {}, 1),
        (2, {}, 1),
        (NO_DATA, {}, 0),
        (NO_DATA, {"UPKEEP_ON_NO_DATA": "warn"}, 0),
        (NO_DATA, {"UPKEEP_ON_NO_DATA": "fail"}, 1),
        (1, {"UPKEEP_ON_NO_DATA": "warn"}, 1),
    ],
)
def test_the_verdict_decides_over_the_run(desk: Desk, verdict: int, variables: dict[str, str], code: int) -> None:
    desk.connected()
    desk.answer("upkeep check", code=verdict)
    assert desk.run("check.sh", **variables).returncode == code


@pytest.mark.parametrize(
    ("system", "annotation"),
    [
        ({"GITHUB_ACTIONS": "true"}, "::warning::too few requests"),
        ({"TF_BUILD": "True"}, "##vso[task.logissue type=warning]too few requests"),
    ],
)
def test_no_data_is_shown_as_a_warning(desk: Desk, system: dict[str, str], annotation: str) -> None:
    desk.connected()
    desk.answer("upkeep check", code=NO_DATA)
    assert annotation in desk.run("check.sh", **system).stdout


def test_the_reports_of_the_check_lie_where_the_pipelines_take_them(desk: Desk) -> None:
    desk.connected()
    desk.answer("upkeep check", code=1)
    desk.run("check.sh")
    assert desk.report("check.md").is_file()
    assert desk.report("check.xml").is_file()


def test_how_long_is_looked_can_be_set(desk: Desk) -> None:
    desk.connected()
    desk.run("check.sh", UPKEEP_CHECK_MINUTES="0.5")
    [call] = desk.calls("upkeep check")
    assert option(call, "--minutes") == "0.5"


def planned(desk: Desk, endpoints: str = '["mlw/Flight-Duration-x"]', **answers: Any) -> str:
    """Plan, and give the comment that comes of it."""
    desk.deployed()
    desk.answer("az resource list", endpoints)
    desk.answer("az deployment group what-if", "+ Microsoft.Insights/scheduledQueryRules/flight-duration-mae\n")
    desk.answer("az deployment sub what-if", **answers)
    desk.answer("upkeep publish", "flight-duration: would write code flight-duration-train:ab\n")
    desk.run("plan.sh")
    return desk.report("plan.md").read_text()


def test_a_plan_tells_infrastructure_and_models(desk: Desk) -> None:
    plan = planned(desk, text="~ Microsoft.Web/sites/func-upkeep-x\n")
    assert "~ Microsoft.Web/sites/func-upkeep-x" in plan
    assert "would write code flight-duration-train:ab" in plan
    assert "+ Microsoft.Insights/scheduledQueryRules/flight-duration-mae" in plan


def test_planning_writes_nothing(desk: Desk) -> None:
    planned(desk)
    assert [call for call in desk.calls("az") if "create" in call] == []
    assert [call for call in desk.calls("upkeep") if "--dry-run" not in call] == []


def test_planning_needs_no_right_to_write(desk: Desk) -> None:
    planned(desk)
    calls = [call for call in desk.calls("az deployment") if "what-if" in call]
    assert [option(call, "--validation-level") for call in calls] == ["ProviderNoRbac"] * 2


def test_the_rules_are_planned_with_what_the_pull_request_says(desk: Desk) -> None:
    file = desk.folder / "infra/environments/test.parameters.json"
    content = json.loads(file.read_text())
    content["parameters"]["emails"] = {"value": "new@example.org"}
    file.write_text(json.dumps(content))
    planned(desk)
    given = desk.parameters("az deployment group what-if")
    assert (given["emails"], given["token"]) == ("new@example.org", "x")
    assert "sharedRegistryName" not in given


def test_a_model_without_an_endpoint_is_told_and_the_others_are_planned(desk: Desk) -> None:
    plan = planned(desk, endpoints="[]")
    assert "flight-duration: its rules and rights come with its endpoint" in plan
    assert desk.parameters("az deployment group what-if")["models"] == []


def test_a_plan_that_cannot_be_made_says_so_and_still_tells_the_rest(desk: Desk) -> None:
    plan = planned(desk, text="InvalidTemplate", code=1)
    assert "could not be planned (exit code 1)" in plan
    assert "InvalidTemplate" in plan
    assert "would write code" in plan


def test_a_plan_that_cannot_be_made_fails_the_run(desk: Desk) -> None:
    desk.deployed()
    desk.answer("az deployment sub what-if", code=1)
    assert desk.run("plan.sh").returncode == 1


def test_before_the_first_deployment_the_plan_says_so_and_is_no_failure(desk: Desk) -> None:
    desk.answer("az deployment sub what-if", "+ Microsoft.Web/sites/func-upkeep-x\n")
    assert desk.run("plan.sh").returncode == 0
    plan = desk.report("plan.md").read_text()
    assert "+ Microsoft.Web/sites/func-upkeep-x" in plan
    assert "test is not there" in plan
    assert desk.calls("upkeep") == []


def test_a_plan_that_brings_a_new_output_is_no_failure(desk: Desk) -> None:
    desk.deployed()
    desk.answer("az deployment sub show", '{"upkeeP_TOKEN": {"value": "x"}}')
    assert desk.run("plan.sh").returncode == 0
    assert "before main.bicep had all its outputs" in desk.report("plan.md").read_text()


@pytest.mark.parametrize(
    "refused", ["az deployment sub list", "az deployment sub show", "az deployment group what-if"]
)
def test_a_plan_that_may_not_look_fails(desk: Desk, refused: str) -> None:
    desk.deployed()
    desk.answer(refused, code=1)
    assert desk.run("plan.sh").returncode == 1
    assert "could not be planned (exit code 1)" in desk.report("plan.md").read_text()


def test_a_plan_fits_into_a_comment(desk: Desk) -> None:
    desk.answer("az deployment group what-if", "~ a rule\n" * 20_000)
    desk.answer("upkeep publish", "would write code\n" * 20_000)
    desk.deployed()
    desk.answer("az deployment sub what-if", "~ a resource\n" * 20_000)
    desk.run("plan.sh")
    plan = desk.report("plan.md").read_text()
    assert len(plan) < 65_536
    assert plan.count("cut here") == 3
    assert "would write code" in plan


def test_what_azure_says_cannot_leave_its_block(desk: Desk) -> None:
    plan = planned(desk, text="```\n[here](https://example.com)\n")
    assert plan.count("```") == 6
