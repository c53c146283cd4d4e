"""What is left to do when a release has ended: its version's stage follows it. Called by decide in quiet phases.

Nothing here touches an endpoint, and nothing of it is looked at or ordered while traffic moves.
"""

import msgspec

from shared.domain.actions import Action, SetStage
from shared.domain.changes import Draft
from shared.domain.lifecycle import Phase
from shared.domain.observation import Observation
from shared.domain.reasons import Why
from shared.domain.record import Record
from shared.domain.stages import Stage, with_move

QUIET = frozenset({Phase.COLLECTING, Phase.TRAINING, Phase.JUDGING, Phase.AWAITING_APPROVAL})
"""Phases in which no traffic moves."""
_UNREGISTERED = frozenset({Phase.COLLECTING, Phase.TRAINING, Phase.JUDGING, Phase.AWAITING_APPROVAL})


def remember(before: Record, after: Record) -> Record:
    """The record with what follows from a pass that began with `before`: new moves of stage."""
    moves = after.stages
    ended = before.release if after.release is None else None
    if after.live is not None and after.live != before.live:
        if before.live is not None:
            moves = with_move(moves, before.live.version, Stage.ARCHIVED)
        moves = with_move(moves, after.live.version, Stage.PRODUCTION)
    elif ended is not None and ended.phase not in _UNREGISTERED and not ended.restores:
        moves = with_move(moves, ended.version, Stage.ARCHIVED)
    return after if moves == after.stages else msgspec.structs.replace(after, stages=moves)


def pending(record: Record) -> bool:
    """Whether something is left to do, and may be done now."""
    return bool(record.stages) and record.phase in QUIET


def settle(draft: Draft, seen: Observation) -> Draft:
    """Strike the first move off once it is seen done, has nothing to act on, or another hand was there first."""
    if not draft.record.stages or seen.staged is None:
        return draft
    move, *rest = draft.record.stages
    done = draft.with_record(stages=tuple(rest))
    what = f"Version {move.version}"
    if not seen.staged.exists:
        return done.because(Why.STAGE_LEFT, f"{what} is not registered: it has no stage to change.")
    if seen.staged.stage == move.stage:
        return done.because(Why.STAGE_MOVED, f"{what} is in stage {move.stage}.", {"version": move.version})
    if move.was is None:
        return draft.with_record(stages=(msgspec.structs.replace(move, was=seen.staged.stage), *rest))
    if seen.staged.stage == move.was:
        return draft
    text = f"{what} was put into stage {seen.staged.stage or 'none'} by hand: it is left there, not in {move.stage}."
    return done.because(Why.STAGE_LEFT, text, {"version": move.version})


def orders(record: Record, seen: Observation) -> list[Action]:
    """The order for the first move, while the world shows the stage of the first look."""
    if not record.stages or seen.staged is None or record.stages[0].was != seen.staged.stage:
        return []
    move = record.stages[0]
    return [SetStage(version=move.version, stage=move.stage)]
