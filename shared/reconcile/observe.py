"""One look at the world: only at what the present phase needs."""

from datetime import datetime, timedelta

import msgspec

from shared.domain.lifecycle import SERVING, Phase
from shared.domain.observation import EndpointSeen, Observation, TrafficSeen
from shared.domain.publication import Publication
from shared.domain.record import Record, Release
from shared.reconcile.ports import Archive, Platform, TrafficLog

_NEEDS_ENDPOINT = frozenset(
    {Phase.DEPLOYING, Phase.TESTING, Phase.CANARY, Phase.BAKING, Phase.ROLLING_BACK},
)


def observe(
    publication: Publication, record: Record, now: datetime, platform: Platform, archive: Archive, log: TrafficLog
) -> Observation:
    """What decide needs to know of the world. Raises RetryLater when something cannot be looked at now."""
    release, endpoint = record.release, publication.serving.endpoint
    seen = Observation()
    if record.phase in _NEEDS_ENDPOINT or record.retiring:
        seen = msgspec.structs.replace(seen, endpoint=_endpoint(platform, endpoint))
    if release is None:
        return seen
    match release.phase:
        case Phase.TRAINING:
            return msgspec.structs.replace(seen, job=platform.job(release.job(record.model)))
        case Phase.JUDGING:
            evaluation = archive.evaluation(record.model, release.job(record.model))
            return msgspec.structs.replace(seen, evaluation=evaluation)
        case Phase.REGISTERING:
            return msgspec.structs.replace(seen, model=platform.model(record.model, release.version))
        case Phase.TESTING:
            smoke = platform.smoke(endpoint, release.deployment, publication.sample_request)
            return msgspec.structs.replace(seen, smoke=smoke)
        case phase if phase in SERVING:
            return msgspec.structs.replace(seen, traffic=_traffic(publication, release, now, log))
        case _:
            return seen


def _endpoint(platform: Platform, name: str) -> EndpointSeen:
    """Shares of nought mean the same as no share: only one of the two may reach a decision."""
    seen = platform.endpoint(name)
    return msgspec.structs.replace(seen, traffic={name: pct for name, pct in seen.traffic.items() if pct})


def _traffic(publication: Publication, release: Release, now: datetime, log: TrafficLog) -> TrafficSeen | None:
    """The window ends before now by the time that logs need to arrive; None while it is empty."""
    end = now - timedelta(seconds=publication.spec.rollout.log_lag_s)
    if release.step_since is None or end <= release.step_since:
        return None
    stats = log.stats(publication.serving.endpoint, release.step_since, end)
    return TrafficSeen(start=release.step_since, end=end, stats=stats)
