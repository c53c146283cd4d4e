"""The stage of a registered version, which follows its release, and the moves of it that are still to be seen done.

Azure ML takes any word for a stage; these three are the ones that its studio offers. Kept in the record, decided on
by aftercare.py.
"""

from enum import StrEnum

from shared.domain.base import Kept


class Stage(StrEnum):
    """Where a version stands in its life."""

    DEVELOPMENT = "Development"
    PRODUCTION = "Production"
    ARCHIVED = "Archived"


class StageMove(Kept, frozen=True, kw_only=True):
    """A version's stage that is to be changed.

    `was` is the stage at the first look. The order is given for as long as the world still shows it: who changes the
    stage by hand meanwhile has the last word, and nobody fights over it.
    """

    version: int
    stage: Stage
    was: str | None = None


def with_move(moves: tuple[StageMove, ...], version: int, stage: Stage) -> tuple[StageMove, ...]:
    """The moves with one more; it takes the place of an older one for the same version."""
    return (*(move for move in moves if move.version != version), StageMove(version=version, stage=stage))
