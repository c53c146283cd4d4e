"""Requests that Upkeep sends itself in a pass, if any: the burst, and the deployments that get it, each by its name.

Asked by observe, which sends them, and by decide: while there are more to send, the next pass follows at once.
"""

from shared.domain import probing, testing
from shared.domain.lifecycle import WATCHED, Phase
from shared.domain.publication import Publication
from shared.domain.record import Record
from shared.domain.tally import Burst


def due(publication: Publication, record: Record) -> tuple[Burst, tuple[str, ...]] | None:
    """A load test's next burst, or that of probes; None when there is nothing to send."""
    release, burst, to = record.release, None, tuple[str, ...]()
    if release is None:
        return None
    if release.phase is Phase.TESTING:
        burst, to = testing.next_burst(publication.spec, release), (release.deployment,)
    elif release.phase in WATCHED:
        burst, to = probing.next_burst(publication.spec.rollout, record), probing.probed(record)
    return None if burst is None else (burst, to)
