"""One look at the world: only at what the present phase needs."""

import zlib
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from shared.domain import aftercare, sending
from shared.domain.artifact import ArtifactSeen
from shared.domain.freeze import paused
from shared.domain.lifecycle import WATCHED, Phase
from shared.domain.observation import EndpointSeen, ModelSeen, Observation, TrafficSeen
from shared.domain.publication import Publication
from shared.domain.record import Record, Release, Serving
from shared.domain.tally import Tally
from shared.domain.traffic_checks import grid_of
from shared.errors import NeedsPerson, RetryLater
from shared.reconcile.evidence import gather
from shared.reconcile.ports import Archive, Platform, TrafficLog

_NEEDS_ENDPOINT = frozenset(
    {Phase.DEPLOYING, Phase.TESTING, Phase.ROLLING_BACK, *WATCHED},
)

WATCH_S = 900
"""How often the endpoint of a model at rest is looked at, and one of its kept versions."""
SWEEP_S = 60
"""How often the sweep nudges a model (UPKEEP_SWEEP_SCHEDULE); a model's turn lasts as long."""


class Look(msgspec.Struct, frozen=True):
    """What was seen, and what kept us from seeing the rest: a blind spot must not keep events from being heard.

    `aside`: the trouble hides nothing that the release in flight needs.
    """

    seen: Observation
    trouble: RetryLater | NeedsPerson | None = None
    aside: bool = False


class Sources(NamedTuple):
    """Where a pass looks."""

    platform: Platform
    archive: Archive
    log: TrafficLog


def observe(publication: Publication, record: Record, now: datetime, sources: Sources) -> Look:
    """What decide needs to know of the world, as far as it can be looked at now."""
    endpoint = publication.serving.endpoint
    seen: dict[str, Any] = {}
    try:
        if record.phase in _NEEDS_ENDPOINT or record.retiring or record.hands or watched(record, now):
            seen["endpoint"] = _endpoint(sources.platform, endpoint)
        if record.release is not None:
            seen |= _phase(publication, record, record.release, now, sources)
            if _to_be_hashed(record, record.release, Observation(**seen)):
                seen["artifact"] = _artifact(record.model, record.release, sources)
            if _to_be_ordered(record.release, seen.get("endpoint")):
                seen |= _before_ordering(publication, record.release, sources.platform)
        elif watched(record, now):
            seen["lost"] = _lost(record, now, sources.platform)
    except (RetryLater, NeedsPerson) as trouble:
        return Look(Observation(**seen), trouble)
    # None of these hides another: a query that cannot be run must not keep sample requests from being sent.
    seen["sent"], unsent = _send(publication, record, now, sources.platform)
    unread = None
    if (traffic := seen.get("traffic")) is not None:
        found, unread = gather(publication, record, traffic, now, sources)
        seen |= found
    if (hindrance := unsent or unread) is not None:
        return Look(Observation(**seen), hindrance)
    try:
        if aftercare.pending(record):
            seen |= _aftercare(record, sources.platform)
    except (RetryLater, NeedsPerson) as trouble:
        return Look(Observation(**seen), trouble, aside=True)
    return Look(Observation(**seen))


def _send(
    publication: Publication, record: Record, now: datetime, platform: Platform
) -> tuple[dict[str, Tally], RetryLater | NeedsPerson | None]:
    """Requests of our own that are due. What was sent counts, even if the next deployment cannot be asked."""
    order = sending.due(publication, record, now)
    burst, deployments = order or (None, ())
    sent: dict[str, Tally] = {}
    for name in deployments:
        assert burst is not None
        try:
            sent[name] = platform.burst(publication.serving.endpoint, name, publication.sample, burst)
        except (RetryLater, NeedsPerson) as trouble:
            return sent, trouble
    return sent, None


def watched(record: Record, now: datetime) -> bool:
    """Whether a live model has its turn to be looked at: one minute in every quarter of an hour, its own.

    The sweep nudges every model each minute; the turn is read off the clock, because a time of the last look, kept in
    the record, would have to be written with every look.
    """
    return record.live is not None and _since_turn_s(record, now) < SWEEP_S


def _since_turn_s(record: Record, now: datetime) -> float:
    return (now.timestamp() - zlib.crc32(record.model.encode()) % WATCH_S) % WATCH_S


def _lost(record: Record, now: datetime, platform: Platform) -> tuple[int, ...]:
    """Look one kept version up, each in its turn: it can be brought back as long as it is registered."""
    if not record.kept:
        return ()
    turn = int(now.timestamp() - _since_turn_s(record, now)) // WATCH_S
    kept = record.kept[turn % len(record.kept)]
    return () if _registered(record.model, kept, platform).exists else (kept.release,)


def _registered(model: str, kept: Serving, platform: Platform) -> ModelSeen:
    """A version that was live before, in the workspace or in the registry that it was taken from."""
    if kept.registry:
        return ModelSeen(exists=platform.shared(kept.registry, model, kept.version).exists)
    return platform.model(model, kept.version)


def _before_ordering(publication: Publication, release: Release, platform: Platform) -> dict[str, Any]:
    """What a deployment needs: cores, and for a version that is brought back that it still exists."""
    seen: dict[str, Any] = {"quota": platform.quota(publication.serving.instance_type)}
    if release.restores is not None:
        seen["model"] = _registered(publication.spec.name, release.restores, platform)
    return seen


def _to_be_ordered(release: Release, seen: EndpointSeen | None) -> bool:
    """Whether the release's deployment is still to be asked for: the one time at which the quota matters."""
    if release.phase is not Phase.DEPLOYING or release.ordered is not None or seen is None:
        return False
    return seen.exists and release.deployment not in seen.deployments


def _phase(
    publication: Publication, record: Record, release: Release, now: datetime, sources: Sources
) -> dict[str, Any]:
    """What the phase needs besides the endpoint, as fields of the observation."""
    model, endpoint = publication.spec.name, publication.serving.endpoint
    match release.phase:
        case Phase.TRAINING:
            return {"job": sources.platform.job(release.job(model))}
        case Phase.JUDGING:
            return {"evaluation": sources.archive.evaluation(model, release.job(model))}
        case Phase.TAKING if release.origin:
            return {"shared": sources.platform.shared(release.origin.registry, model, release.origin.version)}
        case Phase.REGISTERING if not release.origin:
            return {"model": sources.platform.model(model, release.version)}
        case Phase.TESTING:
            if release.load is not None and sending.due(publication, record, now) is not None:
                return {}
            return {"smoke": sources.platform.smoke(endpoint, release.deployment, publication.sample)}
        case phase if phase in WATCHED:
            return {"traffic": _traffic(publication, release, now, sources.log)}
        case _:
            return {}


def _to_be_hashed(record: Record, release: Release, seen: Observation) -> bool:
    """Whether the model's files are looked at: before they are registered, and right before they are deployed."""
    match release.phase:
        case Phase.REGISTERING:
            return not release.folder and seen.model is not None and not seen.model.exists
        case Phase.DEPLOYING if seen.endpoint is not None and release.ordered is not None:
            return seen.endpoint.exists and release.deployment not in seen.endpoint.deployments and not paused(record)
        case _:
            return False


def _artifact(model: str, release: Release, sources: Sources) -> ArtifactSeen:
    if release.registry:
        return sources.platform.shared_artifact(release.registry, model, release.version)
    return sources.archive.artifact(model, release.job(model))


def _aftercare(record: Record, platform: Platform) -> dict[str, Any]:
    """What is left to do is looked at one by one."""
    if record.stages:
        return {"staged": platform.model(record.model, record.stages[0].version)}
    if record.shares:
        share = record.shares[0]
        return {"shared": platform.shared(share.registry, record.model, share.version)}
    return {"monitor": platform.monitor(record.model, record.monitors[0])}


def _endpoint(platform: Platform, name: str) -> EndpointSeen:
    """Shares of nought mean the same as no share: only one of the two may reach a decision."""
    seen = platform.endpoint(name)
    traffic, mirror = ({name: pct for name, pct in shares.items() if pct} for shares in (seen.traffic, seen.mirror))
    return msgspec.structs.replace(seen, traffic=traffic, mirror=mirror)


def _traffic(publication: Publication, release: Release, now: datetime, log: TrafficLog) -> TrafficSeen | None:
    """The window ends before now by the time that logs need to arrive; None while it is empty."""
    end = now - timedelta(seconds=publication.spec.rollout.log_lag_s)
    if release.step_since is None or end <= release.step_since:
        return None
    grid = grid_of(publication.spec, (end - release.step_since).total_seconds())
    stats = log.stats(publication.serving.endpoint, release.step_since, end, grid)
    return TrafficSeen(start=release.step_since, end=end, stats=stats)
