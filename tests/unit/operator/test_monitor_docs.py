"""Every option and every check of `upkeep check` is explained in the guide, and its YAML is as it should be."""

import re
from pathlib import Path

import pytest

from shared.domain.health import Aspect
from shared.operator import cli
from shared.operator.monitor_command import EXIT

GUIDE = (Path(__file__).resolve().parents[3] / "docs" / "guide" / "monitoring.md").read_text()


def test_every_option_is_documented(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["check", "--help"])
    options = set(re.findall(r"--[a-z][a-z0-9-]+", capsys.readouterr().out)) - {"--help", "--env-file"}
    assert options == set(re.findall(r"--[a-z][a-z0-9-]+", GUIDE))


def test_every_check_is_documented() -> None:
    assert re.findall(r"^\| `(\w+)` \|", GUIDE, re.MULTILINE) == [aspect.value for aspect in Aspect]


def test_every_exit_code_is_documented() -> None:
    told = dict(re.findall(r"^\| (\d) \| ([a-z ]+) \|", GUIDE, re.MULTILINE))
    assert {code: word.replace(" ", "_") for code, word in told.items()} == {
        str(code): verdict.value for verdict, code in EXIT.items()
    }
