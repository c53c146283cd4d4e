"""The steps around a deployment, with az and azd played by a function."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from infra.hooks import environment, models, secure_webhook
from infra.hooks.tools import Failed
from shared.operator.surroundings import read_pairs

VALUES = {name: f"value-of-{name.lower()}" for name in environment.declared()} | {"UPKEEP_ENVIRONMENT": "dev"}


class Azure:
    """az and azd: answers by the first words of a command that fit, and what was asked."""

    def __init__(self, answers: dict[str, str]) -> None:
        self.answers = answers
        self.asked: list[list[str]] = []
        self.given: dict[str, Any] = {}

    def __call__(self, command: Sequence[str]) -> str:
        self.asked.append(list(command))
        line = " ".join(command)
        if "--parameters" in command:
            # Gone when the call has ended.
            file = Path(command[command.index("--parameters") + 1].removeprefix("@"))
            self.given = {name: each["value"] for name, each in json.loads(file.read_text())["parameters"].items()}
        return next((answer for start, answer in self.answers.items() if start in line), "")

    def lines(self, part: str) -> list[str]:
        return [" ".join(command) for command in self.asked if part in " ".join(command)]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AZURE_ENV_NAME", raising=False)
    return tmp_path


def outputs() -> str:
    # As Resource Manager hands them back.
    return json.dumps({name[:5].lower() + name[5:]: {"type": "String", "value": v} for name, v in VALUES.items()})


def azd() -> str:
    return "\n".join([*(f'{name}="{value}"' for name, value in VALUES.items()), 'AZURE_ENV_NAME="dev"'])


def test_the_settings_that_azd_knows_are_written_for_the_command_line() -> None:
    assert environment.main(["--environment", "dev"], Azure({"env get-values": azd()})) == 0
    assert read_pairs(environment.path_of("dev")) == VALUES


def test_outputs_of_a_deployment_are_found_in_whatever_case_they_come() -> None:
    assert environment.main(["--environment", "dev", "--deployment", "d"], Azure({"sub show": outputs()})) == 0
    assert read_pairs(environment.path_of("dev")) == VALUES


def test_a_deployment_without_an_output_is_told_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert environment.main(["--environment", "dev"], Azure({"env get-values": 'UPKEEP_TOKEN="x"'})) == 1
    assert "UPKEEP_WORKSPACE" in capsys.readouterr().err


def test_only_the_owner_reads_the_file() -> None:
    environment.main(["--environment", "dev"], Azure({"env get-values": azd()}))
    assert environment.path_of("dev").stat().st_mode & 0o077 == 0


def test_provisioning_again_keeps_the_key() -> None:
    environment.write(environment.path_of("dev"), {**VALUES, environment.KEY: "secret"})
    environment.main(["--environment", "dev"], Azure({"env get-values": azd()}))
    assert read_pairs(environment.path_of("dev"))[environment.KEY] == "secret"


def test_every_setting_of_the_command_line_is_an_output() -> None:
    assert {"UPKEEP_APP_URL", "UPKEEP_APP_NAME", "UPKEEP_TOKEN", "UPKEEP_ENVIRONMENT"} <= environment.declared()


def test_endpoints_are_waited_for_between_publishing_and_the_template() -> None:
    environment.write(environment.path_of("dev"), VALUES)
    azure = Azure({"keys list": "k3y\n"})
    assert models.main(["--environment", "dev"], azure) == 0
    told = [" ".join(command) for command in azure.asked]
    order = [next(at for at, line in enumerate(told) if part in line) for part in ("publish", "wait", "group create")]
    assert order == sorted(order)
    assert "/onlineEndpoints/flight-duration" in azure.lines("resource wait")[0]


def test_the_key_for_people_is_noted_last() -> None:
    environment.write(environment.path_of("dev"), VALUES)
    models.main(["--environment", "dev"], Azure({"keys list": "k3y\n"}))
    assert read_pairs(environment.path_of("dev")) == {**VALUES, environment.KEY: "k3y"}


def test_publishing_that_fails_ends_the_step_before_the_template() -> None:
    environment.write(environment.path_of("dev"), VALUES)
    asked: list[str] = []

    def azure(command: Sequence[str]) -> str:
        asked.append(" ".join(command))
        raise Failed("no")

    assert models.main(["--environment", "dev"], azure) == 1
    assert len(asked) == 1


NOTHING = dict.fromkeys(models.OPTIONS.values(), "")
GUARD = [
    {"name": "ag-upkeep-people-t", "webhookReceivers": []},
    {
        "name": "ag-upkeep-t",
        "webhookReceivers": [{"useAadAuth": True, "identifierUri": "api://client", "objectId": "object"}],
    },
]


def watched(*, groups: object = (), code: int = 0, **outputs: str) -> Azure:
    """Publish and watch, where the deployment has these outputs and there are these action groups."""
    environment.write(environment.path_of("dev"), {**VALUES, **NOTHING, "UPKEEP_TOKEN": "t", **outputs})
    azure = Azure({"keys list": "k", "action-group list": json.dumps(groups)})
    assert models.main(["--environment", "dev"], azure) == code
    return azure


def test_the_template_is_told_what_the_deployment_was_told() -> None:
    given = watched(UPKEEP_EMAILS="a@example.org", UPKEEP_SHARED_REGISTRY="shared").given
    assert (given["emails"], given["sharedRegistryName"]) == ("a@example.org", "shared")
    assert given["models"][0]["name"] == "flight-duration"


def test_a_guard_that_azd_was_told_of_since_needs_no_new_provisioning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPKEEP_ALERTS_APP_ID", "client")
    monkeypatch.setenv("UPKEEP_ALERTS_OBJECT_ID", "object")
    assert watched().given["alertsAppId"] == "client"


def test_people_whose_group_is_not_provisioned_yet_are_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPKEEP_EMAILS", "new@example.org")
    assert watched(UPKEEP_EMAILS="old@example.org").given["emails"] == "old@example.org"


def test_what_says_nothing_is_left_to_the_template() -> None:
    assert watched().given.keys() == {"token", "models"}


def test_settings_written_before_there_were_options_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPKEEP_EMAILS", "a@example.org")
    old = {name: value for name, value in VALUES.items() if name not in NOTHING}
    environment.write(environment.path_of("dev"), old)
    azure = Azure({"keys list": "k"})
    assert models.main(["--environment", "dev"], azure) == 0
    assert azure.given["emails"] == "a@example.org"


def test_no_json_is_on_the_command_line_and_the_file_of_it_is_gone() -> None:
    azure = watched()
    [command] = [each for each in azure.asked if "--parameters" in each]
    parameters = command[command.index("--parameters") + 1]
    assert parameters.startswith("@")
    assert not Path(parameters[1:]).exists()
    assert not [word for word in command if "{" in word or '"' in word]


def test_a_guard_that_is_deployed_stays_where_nobody_names_one(capsys: pytest.CaptureFixture[str]) -> None:
    given = watched(groups=GUARD).given
    assert (given["alertsAppId"], given["alertsObjectId"]) == ("client", "object")
    assert "alertsAppId client, alertsObjectId object" in capsys.readouterr().err


def test_a_guard_that_is_named_takes_the_place_of_the_one_deployed() -> None:
    given = watched(groups=GUARD, UPKEEP_ALERTS_APP_ID="other", UPKEEP_ALERTS_OBJECT_ID="id").given
    assert (given["alertsAppId"], given["alertsObjectId"]) == ("other", "id")


def test_a_webhook_that_shows_no_token_guards_nothing() -> None:
    off = [{"name": "ag-upkeep-t", "webhookReceivers": [{"useAadAuth": False, "identifierUri": None}]}]
    assert "alertsAppId" not in watched(groups=off).given


def test_half_a_guard_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    azure = watched(code=1, UPKEEP_ALERTS_APP_ID="client")
    assert azure.lines("group create") == []
    assert "belong together" in capsys.readouterr().err


def entra(*arguments: str, there: bool) -> Azure:
    app = {"id": "object", "appId": "client", "appRoles": []}
    azure = Azure(
        {
            "app list": json.dumps([app] if there else []),
            "app create": json.dumps(app),
            "sp list": json.dumps([{"id": "principal"}] if there else []),
            "sp create": json.dumps({"id": "principal"}),
            "--method GET": json.dumps({"value": []}),
        }
    )
    assert secure_webhook.main(["--environment", "dev", *arguments], azure) == 0
    return azure


def test_the_guard_is_made_and_azd_is_told_of_it() -> None:
    azure = entra(there=False)
    assert azure.lines("azd env set UPKEEP_ALERTS_APP_ID client")
    assert azure.lines("azd env set UPKEEP_ALERTS_OBJECT_ID object")


def test_the_guard_can_be_noted_for_the_pipelines_instead(folder: Path) -> None:
    file = folder / "prod.parameters.json"
    file.write_text(json.dumps({"parameters": {"location": {"value": "westeurope"}}}))
    azure = entra("--parameters", str(file), there=False)
    assert json.loads(file.read_text())["parameters"] == {
        "location": {"value": "westeurope"},
        "alertsAppId": {"value": "client"},
        "alertsObjectId": {"value": "object"},
    }
    assert azure.lines("azd") == []


def test_a_guard_that_is_there_is_not_made_twice() -> None:
    assert not entra(there=True).lines("create")


def test_azure_monitor_alone_is_given_the_role() -> None:
    azure = entra(there=True)
    assert azure.lines("--method POST") == [line for line in azure.lines("appRoleAssignedTo") if "POST" in line]
    assert len(azure.lines("--method POST")) == 1
