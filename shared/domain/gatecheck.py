"""What one gate found. Made by the gates and their parts; gates.py adds them up."""

from enum import StrEnum

from shared.domain.analysis import Finding
from shared.domain.base import Kept
from shared.domain.reasons import Fact


class SliceFinding(StrEnum):
    """What was found of a slice, the worst first. Worse is worse than the champion by more than the tolerance."""

    WORSE = "proven worse"
    MEASURED_WORSE = "measured worse, not proven"
    UNJUDGED_WORSE = "measured worse, not judged"
    NOT_WORSE = "not worse"
    UNJUDGED = "not judged"


class SliceResult(Kept, frozen=True, kw_only=True):
    """One slice, COLUMN=VALUE: the mean losses of both models, and candidate minus champion with its interval.

    `low` and `high` are None where the slice was not judged: too few rows or groups to say how far off it may be.
    """

    name: str
    loss: str
    rows: int
    candidate: float
    champion: float
    difference: float
    low: float | None
    high: float | None
    finding: SliceFinding


class SliceTable(Kept, frozen=True, kw_only=True):
    """The slices that were looked at, worst first; `left_out` tells how many more there were.

    Each interval holds `confidence_pct` by itself. The verdict asks for more: its share over all slices together.
    """

    slices: tuple[SliceResult, ...]
    left_out: int = 0
    confidence_pct: float


class GateCheck(Kept, frozen=True, kw_only=True):
    """One gate by name: what it found, in a sentence (empty for a pass that needs none), with its numbers."""

    gate: str
    finding: Finding = Finding.PASS
    text: str = ""
    facts: dict[str, Fact] = {}
    slices: SliceTable | None = None


def failed(gate: str, text: str, facts: dict[str, Fact] | None = None) -> GateCheck:
    """The gate was not passed."""
    return GateCheck(gate=gate, finding=Finding.FAIL, text=text, facts=facts or {})


def inconclusive(gate: str, text: str, facts: dict[str, Fact] | None = None) -> GateCheck:
    """The numbers do not say."""
    return GateCheck(gate=gate, finding=Finding.INCONCLUSIVE, text=text, facts=facts or {})
