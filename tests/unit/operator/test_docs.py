"""What a person can set or type is documented, and what is documented is there."""

import re
from pathlib import Path

import pytest

from shared.operator import cli
from shared.settings import VARIABLES

REFERENCE = Path(__file__).resolve().parents[3] / "docs" / "reference"


def test_every_setting_is_documented() -> None:
    text = (REFERENCE / "settings.md").read_text()
    documented = set(re.findall(r"^\| `(\w+)`", text, re.MULTILINE))
    beside = {
        "UPKEEP_SWEEP_SCHEDULE",
        "AZURE_CLIENT_ID",
        "AZURE_TOKEN_CREDENTIALS",
        "UPKEEP_APP_URL",
        "UPKEEP_APP_KEY",
    }
    # The host's and the libraries' own; tests/infra holds them to what the infrastructure sets.
    platform = ("AzureWebJobsStorage__", "APPLICATIONINSIGHTS_", "UPKEEP_STORAGE__c")
    assert {name for name in documented if not name.startswith(platform)} == {*VARIABLES, *beside}


def test_every_command_is_documented(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    there = set(re.findall(r"^    ([a-z]+) ", capsys.readouterr().out, re.MULTILINE))
    documented = set(re.findall(r"^\| `upkeep ([a-z]+)", (REFERENCE / "commands.md").read_text(), re.MULTILINE))
    assert documented == there
