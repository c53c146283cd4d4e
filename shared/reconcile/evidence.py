"""Gathers what a release under watch is judged by besides the traffic log's counts. Called by observe.py only.

It costs queries and megabytes of blobs: it is gathered once a window is as long as its stage is held, and not before.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from shared.domain import evidence, queries
from shared.domain.observation import TrafficSeen
from shared.domain.predictions import PredictionsSeen, summed_up
from shared.domain.publication import Publication
from shared.domain.queries import QuerySeen
from shared.domain.record import Record
from shared.domain.watching import covers, stage_of
from shared.errors import NeedsPerson, RetryLater
from shared.reconcile.ports import Archive, Platform, TrafficLog, Window


def gather(
    publication: Publication,
    record: Record,
    traffic: TrafficSeen,
    now: datetime,
    sources: tuple[Platform, Archive, TrafficLog],
) -> tuple[dict[str, Any], RetryLater | NeedsPerson | None]:
    """Fields of the observation, and the first trouble. What cannot be read says why, and hides nothing else."""
    platform, archive, log = sources
    stage = stage_of(publication.spec.rollout, record)
    if record.release is None or record.release.restores is not None or not covers(traffic, stage):
        return {}, None
    live = evidence.compared_with(record, stage.traffic)
    candidate, analysis = record.release.deployment, publication.spec.rollout.analysis

    def ask() -> dict[str, QuerySeen]:
        return _queries(publication, candidate, live, traffic, log)

    def unanswered(problem: str) -> dict[str, QuerySeen]:
        return {query.name: QuerySeen(candidate=queries.Value(problem=problem)) for query in analysis.queries}

    def compare() -> PredictionsSeen:
        return _predictions(publication, record, archive, platform, Window(traffic.start, now))

    def uncompared(problem: str) -> PredictionsSeen:
        return PredictionsSeen(unread=problem)

    looks: list[tuple[str, Callable[[], Any], Callable[[str], Any]]] = []
    if analysis.queries:
        looks.append(("queries", ask, unanswered))
    if analysis.predictions is not None and live is not None:
        looks.append(("predictions", compare, uncompared))
    found: dict[str, Any] = {}
    first: RetryLater | NeedsPerson | None = None
    for name, look, blank in looks:
        try:
            found[name] = look()
        except (RetryLater, NeedsPerson) as trouble:
            found[name], first = blank(str(trouble)), first or trouble
    return found, first


def _queries(
    publication: Publication, candidate: str, live: str | None, traffic: TrafficSeen, log: TrafficLog
) -> dict[str, QuerySeen]:
    wanted, endpoint = publication.spec.rollout.analysis.queries, publication.serving.endpoint
    window = Window(traffic.start, traffic.end)
    texts = {query.name: publication.kql(query) for query in wanted}
    found = log.values(texts, endpoint, candidate, window)
    compared = {query.name: texts[query.name] for query in wanted if query.compares and live is not None}
    beside = log.values(compared, endpoint, live, window) if compared and live is not None else {}
    unanswered = queries.Value(problem="it was not answered")
    return {
        query.name: QuerySeen(candidate=found.get(query.name, unanswered), live=beside.get(query.name))
        for query in wanted
    }


def _predictions(
    publication: Publication, record: Record, archive: Archive, platform: Platform, window: Window
) -> PredictionsSeen:
    limits = publication.spec.rollout.analysis.predictions
    assert limits is not None
    assert record.live is not None
    assert record.release is not None
    # Known, and no silence: what was published without a collector will never have collected anything.
    if not evidence.collects(archive.publication(record.model, record.live.publication), limits.collection):
        return PredictionsSeen(missing=f"the live deployment does not collect {limits.collection}")
    candidate, live = (
        platform.predictions(publication.serving.endpoint, deployment, limits, window)
        for deployment in (record.release.deployment, record.live.deployment)
    )
    return summed_up(candidate, live)
