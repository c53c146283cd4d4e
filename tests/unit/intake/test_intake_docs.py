"""The reference of uploads holds every word that a report or the ledger uses."""

from pathlib import Path

import pytest

from shared.intake.ledger import State
from shared.intake.report import Rule

REFERENCE = (Path(__file__).resolve().parents[3] / "docs" / "reference" / "uploads.md").read_text()


@pytest.mark.parametrize("rule", list(Rule))
def test_every_rule_is_documented(rule: Rule) -> None:
    assert f"| `{rule}` |" in REFERENCE


@pytest.mark.parametrize("state", list(State))
def test_every_state_is_documented(state: State) -> None:
    assert f"`{state}`" in REFERENCE
