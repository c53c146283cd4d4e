"""What is left to do when a release has ended: its version's stage follows it, and a live version is shared.

Called by decide. Nothing here touches an endpoint, and nothing of it is looked at or ordered while traffic moves.
"""

import msgspec

from shared.domain.actions import Action, SetStage, ShareModel
from shared.domain.changes import Draft
from shared.domain.lifecycle import Phase
from shared.domain.lineage import FOLDER
from shared.domain.observation import ModelSeen, Observation, SharedSeen
from shared.domain.reasons import Fact, Why
from shared.domain.record import Record, Serving, Share
from shared.domain.spec import RegistryMode, Spec
from shared.domain.stages import Stage, with_move

QUIET = frozenset({Phase.COLLECTING, Phase.TRAINING, Phase.JUDGING, Phase.AWAITING_APPROVAL})
"""Phases in which no traffic moves."""
_UNREGISTERED = frozenset({*QUIET, Phase.TAKING})


def remember(spec: Spec, before: Record, after: Record) -> Record:
    """The record with what follows from a pass that began with `before`: moves of stage, and a version to be shared.

    A version that was taken from a registry has its stage there, and none here.
    """
    moves, shares = after.stages, after.shares
    ended = before.release if after.release is None else None
    if after.live is not None and after.live != before.live:
        if before.live is not None and not before.live.registry:
            moves = with_move(moves, before.live.version, Stage.ARCHIVED)
        if not after.live.registry:
            moves = with_move(moves, after.live.version, Stage.PRODUCTION)
            shares = (*shares, *_shares(spec, after.live))
    elif ended is not None and ended.phase not in _UNREGISTERED and not ended.registry and not ended.restores:
        moves = with_move(moves, ended.version, Stage.ARCHIVED)
    if (moves, shares) == (after.stages, after.shares):
        return after
    return msgspec.structs.replace(after, stages=moves, shares=shares)


def _shares(spec: Spec, live: Serving) -> tuple[Share, ...]:
    """The share of a version that went live, where the spec asks for it.

    One that is brought back as well: it may have been replaced before its turn, and what is shared costs one look.
    """
    if spec.registry is None or spec.registry.mode is not RegistryMode.SHARE or not live.folder:
        return ()
    return (Share(registry=spec.registry.name, version=live.version),)


def pending(record: Record) -> bool:
    """Whether something is left to do, and may be done now."""
    return bool(record.stages or record.shares) and record.phase in QUIET


def settle(draft: Draft, seen: Observation) -> Draft:
    """Strike off what is seen done, or has nothing to act on any more: first of the stages, then of the shares."""
    if draft.record.stages:
        return draft if seen.staged is None else _settle_stage(draft, seen.staged)
    if draft.record.shares and seen.shared is not None and draft.record.phase in QUIET:
        return _settle_share(draft, seen.shared)
    return draft


def _settle_stage(draft: Draft, seen: ModelSeen) -> Draft:
    """Another hand that was there first has the last word."""
    move, *rest = draft.record.stages
    done = draft.with_record(stages=tuple(rest))
    what = f"Version {move.version}"
    if not seen.exists:
        return done.because(Why.STAGE_LEFT, f"{what} is not registered: it has no stage to change.")
    if seen.stage == move.stage:
        return done.because(Why.STAGE_MOVED, f"{what} is in stage {move.stage}.", {"version": move.version})
    if move.was is None:
        return draft.with_record(stages=(msgspec.structs.replace(move, was=seen.stage), *rest))
    if seen.stage == move.was:
        return draft
    text = f"{what} was put into stage {seen.stage or 'none'} by hand: it is left there, not in {move.stage}."
    return done.because(Why.STAGE_LEFT, text, {"version": move.version})


def _settle_share(draft: Draft, seen: SharedSeen) -> Draft:
    """Shared is what bears the hash of the live version's files; what is not live any more need not be."""
    share, *rest = draft.record.shares
    live, done = draft.record.live, draft.with_record(shares=tuple(rest))
    what = f"Version {share.version}"
    facts: dict[str, Fact] = {"version": share.version, "registry": share.registry}
    if live is None or live.registry or live.version != share.version:
        return done.because(Why.SHARE_LEFT, f"{what} is not live any more: it is not shared.", facts)
    if not seen.exists or not seen.marks.get(FOLDER):
        return draft
    if seen.marks[FOLDER] == live.folder:
        return done.because(Why.SHARED, f"{what} is in registry {share.registry}.", facts)
    text = f"Registry {share.registry} has a version {share.version} of other files: this one is not shared."
    return done.because(Why.SHARE_LEFT, text, facts)


def orders(record: Record, seen: Observation) -> list[Action]:
    """The order for what is first, as long as the world shows that it is not done."""
    if record.phase not in QUIET:
        return []
    if record.stages:
        move = record.stages[0]
        fits = seen.staged is not None and move.was == seen.staged.stage
        return [SetStage(version=move.version, stage=move.stage)] if fits else []
    if record.shares and seen.shared is not None and seen.shared.version == record.shares[0].version:
        share = record.shares[0]
        return [ShareModel(version=share.version, registry=share.registry)]
    return []
