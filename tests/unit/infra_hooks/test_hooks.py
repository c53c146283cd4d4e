"""The steps around a deployment, with az and azd played by a function."""

import json
from collections.abc import Sequence
from pathlib import Path

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

    def __call__(self, command: Sequence[str]) -> str:
        self.asked.append(list(command))
        line = " ".join(command)
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


def test_the_template_is_told_of_people_and_of_the_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPKEEP_EMAILS", "a@example.org")
    monkeypatch.setenv("UPKEEP_ALERTS_APP_ID", "client")
    environment.write(environment.path_of("dev"), VALUES)
    azure = Azure({"keys list": "k"})
    models.main(["--environment", "dev"], azure)
    line = azure.lines("group create")[0]
    assert "emails=a@example.org" in line
    assert "alertsAppId=client" in line
    assert "alertsObjectId" not in line
    assert '"name": "flight-duration"' in line


def entra(*, there: bool) -> Azure:
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
    assert secure_webhook.main(["--environment", "dev"], azure) == 0
    return azure


def test_the_guard_is_made_and_azd_is_told_of_it() -> None:
    azure = entra(there=False)
    assert azure.lines("azd env set UPKEEP_ALERTS_APP_ID client")
    assert azure.lines("azd env set UPKEEP_ALERTS_OBJECT_ID object")


def test_a_guard_that_is_there_is_not_made_twice() -> None:
    assert not entra(there=True).lines("create")


def test_azure_monitor_alone_is_given_the_role() -> None:
    azure = entra(there=True)
    assert azure.lines("--method POST") == [line for line in azure.lines("appRoleAssignedTo") if "POST" in line]
    assert len(azure.lines("--method POST")) == 1
