"""What one gate found. Made by the gates and their parts; gates.py adds them up."""

from shared.domain.analysis import Finding
from shared.domain.base import Kept
from shared.domain.reasons import Fact


class GateCheck(Kept, frozen=True, kw_only=True):
    """One gate by name: what it found, in a sentence (empty for a pass that needs none), with its numbers."""

    gate: str
    finding: Finding = Finding.PASS
    text: str = ""
    facts: dict[str, Fact] = {}


def failed(gate: str, text: str, facts: dict[str, Fact] | None = None) -> GateCheck:
    """The gate was not passed."""
    return GateCheck(gate=gate, finding=Finding.FAIL, text=text, facts=facts or {})


def inconclusive(gate: str, text: str, facts: dict[str, Fact] | None = None) -> GateCheck:
    """The numbers do not say."""
    return GateCheck(gate=gate, finding=Finding.INCONCLUSIVE, text=text, facts=facts or {})
