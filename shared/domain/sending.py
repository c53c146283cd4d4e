"""Requests that Upkeep sends itself in a pass, if any: the burst, and the deployments that get it, each by its name.

Asked by observe, which sends them, and by decide: while there are more to send, the next pass follows at once. So
nothing may be due whose outcome no pass would add up: what holds the release holds the requests.
"""

from datetime import datetime

from shared.domain import probing, testing
from shared.domain.freeze import held
from shared.domain.lifecycle import WATCHED, Phase
from shared.domain.observation import UNSEEN
from shared.domain.publication import Publication
from shared.domain.record import Record, Release
from shared.domain.tally import Burst


def due(publication: Publication, record: Record, now: datetime) -> tuple[Burst, tuple[str, ...]] | None:
    """A load test's next burst, or that of probes; None when there is nothing to send."""
    release, burst, to = record.release, None, tuple[str, ...]()
    if release is None or record.hand_stands:
        return None
    if release.phase is Phase.TESTING:
        burst, to = testing.next_burst(publication.spec, release), (release.deployment,)
    elif release.phase in WATCHED and _silent(release) and not held(publication.spec, record, now):
        rollout = publication.spec.rollout
        burst, to = probing.next_burst(rollout, record), probing.short(rollout, record)
    return None if burst is None else (burst, to)


def _silent(release: Release) -> bool:
    """Whether the last look found plain silence: a release that waits for anything but an answer is not probed."""
    return not release.waiting or release.waiting.startswith(UNSEEN)
