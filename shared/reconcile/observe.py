"""One look at the world: only at what the present phase needs."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from shared.domain.lifecycle import WATCHED, Phase
from shared.domain.observation import EndpointSeen, Observation, TrafficSeen
from shared.domain.publication import Publication
from shared.domain.record import Record, Release
from shared.errors import NeedsPerson, RetryLater
from shared.reconcile.ports import Archive, Platform, TrafficLog

_NEEDS_ENDPOINT = frozenset(
    {Phase.DEPLOYING, Phase.TESTING, Phase.ROLLING_BACK, *WATCHED},
)


class Look(msgspec.Struct, frozen=True):
    """What was seen, and what kept us from seeing the rest: a blind spot must not keep events from being heard."""

    seen: Observation
    trouble: RetryLater | NeedsPerson | None = None


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
        if record.phase in _NEEDS_ENDPOINT or record.retiring:
            seen["endpoint"] = _endpoint(sources.platform, endpoint)
        if record.release is not None:
            seen |= _phase(publication, record.release, now, sources)
    except (RetryLater, NeedsPerson) as trouble:
        return Look(Observation(**seen), trouble)
    return Look(Observation(**seen))


def _phase(publication: Publication, release: Release, now: datetime, sources: Sources) -> dict[str, Any]:
    """What the phase needs besides the endpoint, as fields of the observation."""
    model, endpoint = publication.spec.name, publication.serving.endpoint
    match release.phase:
        case Phase.TRAINING:
            return {"job": sources.platform.job(release.job(model))}
        case Phase.JUDGING:
            return {"evaluation": sources.archive.evaluation(model, release.job(model))}
        case Phase.REGISTERING:
            return {"model": sources.platform.model(model, release.version)}
        case Phase.TESTING:
            return {"smoke": sources.platform.smoke(endpoint, release.deployment, publication.sample)}
        case phase if phase in WATCHED:
            return {"traffic": _traffic(publication, release, now, sources.log)}
        case _:
            return {}


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
    stats = log.stats(publication.serving.endpoint, release.step_since, end)
    return TrafficSeen(start=release.step_since, end=end, stats=stats)
