"""What is left to do when a release has ended: its version's stage follows it, a live version is shared and watched.

Called by decide. Nothing here touches an endpoint, and nothing of it is looked at or ordered while traffic moves.
"""

import msgspec

from shared.domain.actions import Action, PointMonitor, SetStage, ShareModel
from shared.domain.changes import Draft
from shared.domain.lifecycle import Phase
from shared.domain.lineage import FOLDER
from shared.domain.observation import ModelSeen, MonitorSeen, Observation, SharedSeen
from shared.domain.publication import Publication
from shared.domain.reasons import Fact, Why
from shared.domain.record import Record, Serving, Share
from shared.domain.spec import RegistryMode, Spec
from shared.domain.stages import Stage, with_move

QUIET = frozenset({Phase.COLLECTING, Phase.TRAINING, Phase.JUDGING, Phase.AWAITING_APPROVAL})
"""Phases in which no traffic moves."""
_UNREGISTERED = frozenset({*QUIET, Phase.TAKING})


def remember(publication: Publication, before: Record, after: Record) -> Record:
    """The record with what follows from a pass that began with `before`: moves of stage, a share, monitors to move.

    A version that was taken from a registry has its stage there, and none here.
    """
    moves, shares, monitors = after.stages, after.shares, after.monitors
    ended = before.release if after.release is None else None
    if after.live is not None and after.live != before.live:
        if before.live is not None and not before.live.registry:
            moves = with_move(moves, before.live.version, Stage.ARCHIVED)
        if not after.live.registry:
            moves = with_move(moves, after.live.version, Stage.PRODUCTION)
            shares = (*shares, *_shares(publication.spec, after.live))
        if before.live is None or before.live.deployment != after.live.deployment:
            monitors = tuple(monitor.name for monitor in publication.monitors)
    elif ended is not None and ended.phase not in _UNREGISTERED and not ended.registry and not ended.restores:
        moves = with_move(moves, ended.version, Stage.ARCHIVED)
    if (moves, shares, monitors) == (after.stages, after.shares, after.monitors):
        return after
    return msgspec.structs.replace(after, stages=moves, shares=shares, monitors=monitors)


def _shares(spec: Spec, live: Serving) -> tuple[Share, ...]:
    """The share of a version that went live, where the spec asks for it.

    One that is brought back as well: it may have been replaced before its turn, and what is shared costs one look.
    """
    if spec.registry is None or spec.registry.mode is not RegistryMode.SHARE or not live.folder:
        return ()
    return (Share(registry=spec.registry.name, version=live.version),)


def pending(record: Record) -> bool:
    """Whether something is left to do, and may be done now."""
    return bool(record.stages or record.shares or record.monitors) and record.phase in QUIET


def settle(publication: Publication, draft: Draft, seen: Observation) -> Draft:
    """Strike off what is seen done, or has nothing to act on any more: of the stages, then shares, then monitors."""
    if draft.record.stages:
        return draft if seen.staged is None else _settle_stage(draft, seen.staged)
    if draft.record.phase not in QUIET:
        return draft
    if draft.record.shares:
        return draft if seen.shared is None else _settle_share(draft, seen.shared)
    if draft.record.monitors and seen.monitor is not None:
        return _settle_monitor(publication, draft, seen.monitor)
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


def _settle_monitor(publication: Publication, draft: Draft, seen: MonitorSeen) -> Draft:
    """Done is what watches the live deployment; what is not ours, or not published any more, is left alone."""
    name, *rest = draft.record.monitors
    done = draft.with_record(monitors=tuple(rest))
    live, facts = draft.record.live, dict[str, Fact](monitor=name)
    if live is None or publication.monitor(name) is None:
        return done.because(Why.MONITOR_LEFT, f"Monitor {name} has nothing to follow any more.", facts)
    if seen.exists and not seen.ours:
        text = f"Monitor {name} was not made by Upkeep for this model: it is left as it is."
        return done.because(Why.MONITOR_LEFT, text, facts)
    if seen.deployment != live.deployment:
        return draft
    return done.because(Why.MONITOR_MOVED, f"Monitor {name} watches {live.deployment}.", facts)


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
    if record.monitors and not record.shares and seen.monitor is not None and record.live is not None:
        return [PointMonitor(monitor=record.monitors[0], deployment=record.live.deployment)]
    return []
