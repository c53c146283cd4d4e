"""The steps that bring an environment up: provision, connect, deploy, smoke, watch."""

import hashlib
import json
import stat

import pytest

from infra.hooks.models import OPTIONS
from tests.pipelines.desk import KEY, OUTPUTS, Desk


def package(desk: Desk, name: str = "upkeep-0.1.0.zip", content: bytes = b"a zip") -> None:
    """Put what `make package` leaves into dist/."""
    folder = desk.folder / "dist"
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    (folder / f"{name}.sha256").write_text(f"{hashlib.sha256(b'a zip').hexdigest()}  {name}\n")


def settings(desk: Desk) -> dict[str, str]:
    """What the file of settings says."""
    lines = [line for line in desk.settings.read_text().splitlines() if not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def test_provisioning_deploys_the_parameters_of_its_environment(desk: Desk) -> None:
    desk.deployed()
    assert desk.run("provision.sh").returncode == 0
    [call] = desk.calls("az deployment sub create")
    parameters = call[call.index("--parameters") + 1 :]
    assert parameters[0] == "infra/environments/test.parameters.json"
    assert parameters[1] == "principalId=11111111-1111-1111-1111-111111111111"
    region = json.loads((desk.folder / parameters[0]).read_text())["parameters"]["location"]["value"]
    assert call[call.index("--location") + 1] == region


def test_provisioning_leaves_settings_as_declared_however_azure_spells_them(desk: Desk) -> None:
    desk.deployed()
    desk.run("provision.sh")
    assert settings(desk)["UPKEEP_RESOURCE_GROUP"] == OUTPUTS["UPKEEP_RESOURCE_GROUP"]
    assert not [name for name in settings(desk) if name.startswith("upkee")]


def test_every_variable_that_is_missing_is_told_at_once(desk: Desk) -> None:
    done = desk.run("provision.sh", UPKEEP_ENVIRONMENT="", AZURE_PRINCIPAL_ID="")
    assert done.returncode == 1
    assert "UPKEEP_ENVIRONMENT is not set" in done.stderr
    assert "AZURE_PRINCIPAL_ID is not set" in done.stderr
    assert desk.calls() == []


def test_provisioning_tries_again_when_azure_refuses_once(desk: Desk) -> None:
    desk.deployed()
    desk.answer("az deployment sub create", code=-1)
    assert desk.run("provision.sh").returncode == 0
    assert len(desk.calls("az deployment sub create")) == 2


def test_provisioning_fails_when_azure_refuses_for_good(desk: Desk) -> None:
    desk.deployed()
    desk.answer("az deployment sub create", code=1)
    assert desk.run("provision.sh").returncode == 1
    assert desk.calls("az deployment sub show") == []


def test_connecting_to_what_is_not_deployed_fails(desk: Desk) -> None:
    desk.answer("az deployment sub show", code=3)
    assert desk.run("connect.sh").returncode == 1
    assert not desk.settings.exists()


def test_without_a_key_the_app_is_not_named(desk: Desk) -> None:
    desk.deployed()
    assert desk.run("connect.sh").returncode == 0
    assert settings(desk).keys().isdisjoint({"UPKEEP_APP_URL", "UPKEEP_APP_KEY"})
    assert desk.calls("az functionapp") == []


def test_the_key_is_fetched_from_the_app_that_is_deployed(desk: Desk) -> None:
    desk.deployed()
    assert desk.run("connect.sh --key").returncode == 0
    assert settings(desk)["UPKEEP_APP_KEY"] == KEY
    [call] = desk.calls("az functionapp keys list")
    assert call[call.index("--name") + 1] == OUTPUTS["UPKEEP_APP_NAME"]


def test_connecting_twice_leaves_one_key(desk: Desk) -> None:
    desk.deployed()
    desk.run("connect.sh --key")
    desk.run("connect.sh --key")
    assert desk.settings.read_text().count("UPKEEP_APP_KEY=") == 1


def test_only_the_runner_reads_the_settings(desk: Desk) -> None:
    desk.deployed()
    desk.run("connect.sh --key")
    assert stat.S_IMODE(desk.settings.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("system", "masking"),
    [({"GITHUB_ACTIONS": "true"}, f"::add-mask::{KEY}"), ({"TF_BUILD": "True"}, f"##vso[task.setsecret]{KEY}")],
)
def test_the_log_holds_the_key_only_to_mask_it(desk: Desk, system: dict[str, str], masking: str) -> None:
    desk.deployed()
    done = desk.run("connect.sh --key", **system)
    assert [line for line in (done.stdout + done.stderr).splitlines() if KEY in line] == [masking]


def test_a_try_that_failed_does_not_get_into_the_key(desk: Desk) -> None:
    desk.deployed()
    desk.answer("az functionapp keys list", KEY + "\n", code=-1)
    desk.run("connect.sh --key", GITHUB_ACTIONS="true")
    assert settings(desk)["UPKEEP_APP_KEY"] == KEY


def test_an_app_without_a_key_is_told(desk: Desk) -> None:
    desk.deployed()
    desk.answer("az functionapp keys list", "\n")
    done = desk.run("connect.sh --key")
    assert done.returncode == 1
    assert "no function key yet" in done.stderr


def test_the_package_is_deployed_to_the_app_as_it_is(desk: Desk) -> None:
    desk.connected()
    package(desk)
    assert desk.run("deploy.sh").returncode == 0
    [call] = desk.calls("az functionapp deployment source config-zip")
    assert call[call.index("--src") + 1] == "dist/upkeep-0.1.0.zip"
    assert call[call.index("--name") + 1] == OUTPUTS["UPKEEP_APP_NAME"]
    assert call[call.index("--build-remote") + 1] == "false"


def test_a_package_without_its_dependencies_is_built_on_azure(desk: Desk) -> None:
    desk.connected()
    package(desk, "upkeep-0.1.0-without-dependencies.zip")
    desk.run("deploy.sh")
    [call] = desk.calls("az functionapp deployment source config-zip")
    assert call[call.index("--build-remote") + 1] == "true"


def test_a_package_that_was_changed_is_not_deployed(desk: Desk) -> None:
    desk.connected()
    package(desk, content=b"another zip")
    done = desk.run("deploy.sh")
    assert done.returncode == 1
    assert "is not what was built" in done.stderr
    assert desk.calls("az") == []


def test_nothing_is_deployed_when_there_is_no_package(desk: Desk) -> None:
    desk.connected()
    assert desk.run("deploy.sh").returncode == 1
    assert desk.calls("az") == []


def test_nothing_is_deployed_when_it_is_unclear_what(desk: Desk) -> None:
    desk.connected()
    package(desk)
    package(desk, "upkeep-0.0.9.zip")
    assert desk.run("deploy.sh").returncode == 1
    assert desk.calls("az") == []


def test_a_new_app_may_take_its_time_to_answer(desk: Desk) -> None:
    desk.connected()
    desk.answer("upkeep status", code=-1)
    assert desk.run("smoke.sh").returncode == 0


def test_an_app_that_never_answers_fails_the_smoke_test(desk: Desk) -> None:
    desk.connected()
    desk.answer("upkeep status", code=1)
    done = desk.run("smoke.sh")
    assert done.returncode == 1
    assert "the app does not answer" in done.stderr
    assert len(desk.calls("upkeep status")) == 3


def test_watching_deploys_the_rules_of_the_models_into_the_group(desk: Desk) -> None:
    desk.deployed()
    desk.run("connect.sh --key")
    assert desk.run("watch.sh").returncode == 0
    [call] = desk.calls("az deployment group create")
    assert call[call.index("--resource-group") + 1] == OUTPUTS["UPKEEP_RESOURCE_GROUP"]
    assert desk.parameters("az deployment group create")["token"] == OUTPUTS["UPKEEP_TOKEN"]


def test_watching_tells_the_template_what_the_deployment_was_told(desk: Desk) -> None:
    desk.deployed(UPKEEP_EMAILS="a@example.org", UPKEEP_ALERTS_APP_ID="client", UPKEEP_ALERTS_OBJECT_ID="object")
    desk.run("connect.sh --key")
    desk.run("watch.sh")
    given = desk.parameters("az deployment group create")
    assert {name: given[name] for name in OPTIONS} == {
        "emails": "a@example.org",
        "alertsAppId": "client",
        "alertsObjectId": "object",
        "sharedRegistryName": "value-of-UPKEEP_SHARED_REGISTRY",
        "sharedRegistryGroup": "value-of-UPKEEP_SHARED_REGISTRY_GROUP",
    }


def test_watching_leaves_a_secure_webhook_on_that_the_deployment_does_not_know(desk: Desk) -> None:
    desk.deployed(**dict.fromkeys(OPTIONS.values(), ""))
    receiver = {"useAadAuth": True, "identifierUri": "api://client", "objectId": "object"}
    desk.answer("az monitor action-group list", json.dumps([{"name": "ag-upkeep-x", "webhookReceivers": [receiver]}]))
    desk.run("connect.sh --key")
    assert "alertsAppId client" in desk.run("watch.sh").stderr
    given = desk.parameters("az deployment group create")
    assert (given["alertsAppId"], given["alertsObjectId"]) == ("client", "object")
