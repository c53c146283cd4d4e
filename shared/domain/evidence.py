"""What a release under watch is judged by besides the traffic log's counts: the spec's own queries, and predictions.

Called by watching.py, which judges by it, and by reconcile's observe, which gathers it once a window is complete.
"""

from shared.domain import predictions, queries
from shared.domain.analysis import Check
from shared.domain.observation import Observation
from shared.domain.publication import Publication
from shared.domain.record import Record
from shared.domain.spec import Rollout


def compared_with(record: Record, traffic: dict[str, int]) -> str | None:
    """The live deployment, while it gets live traffic that the candidate can be compared by.

    A version that is brought back is not compared with the one that it replaces.
    """
    if record.live is None or record.release is None or record.release.restores is not None:
        return None
    return record.live.deployment if traffic.get(record.live.deployment) else None


def collects(publication: Publication, collection: str) -> bool:
    """Whether deployments of the publication collect it."""
    collector = publication.serving.data_collector
    return collector is not None and collection.lower() in {name.lower() for name in collector.collections}


def checks(rollout: Rollout, record: Record, traffic: dict[str, int], seen: Observation) -> tuple[Check, ...]:
    """Checks of a complete window. `traffic` is that of the stage. What was not looked at is inconclusive."""
    assert record.release is not None
    if record.release.restores is not None:
        return ()
    found = queries.judge(rollout.analysis.queries, seen.queries or {})
    checked = [] if found is None else [found]
    limits = rollout.analysis.predictions
    if limits is not None and compared_with(record, traffic) is not None:
        checked.append(predictions.judge(limits, seen.predictions))
    return tuple(checked)
