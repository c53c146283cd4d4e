"""The closed vocabularies are documented, word by word."""

from pathlib import Path

import pytest

from shared.domain.analysis import Aspect
from shared.domain.events import Command
from shared.domain.lifecycle import Phase
from shared.domain.reasons import Why

DOCS = Path(__file__).parents[3] / "docs" / "reference"


@pytest.mark.parametrize("why", list(Why))
def test_every_reason_is_documented(why: Why) -> None:
    assert f"| `{why}` |" in (DOCS / "reasons.md").read_text()


def test_no_reason_is_documented_that_does_not_exist() -> None:
    rows = [line.split("`")[1] for line in (DOCS / "reasons.md").read_text().splitlines() if line.startswith("| `")]
    assert set(rows) == {why.value for why in Why}


@pytest.mark.parametrize("phase", list(Phase))
def test_every_phase_is_documented(phase: Phase) -> None:
    assert f"**{phase}**" in (DOCS / "life-of-a-release.md").read_text()


@pytest.mark.parametrize("command", list(Command))
def test_every_command_is_documented(command: Command) -> None:
    assert f"`upkeep {command}" in (DOCS / "commands.md").read_text()


@pytest.mark.parametrize("aspect", list(Aspect))
def test_every_kind_of_check_is_documented(aspect: Aspect) -> None:
    assert f"| `{aspect}` |" in (DOCS / "analysis.md").read_text()
