"""Gathers what a release under watch is judged by besides the traffic log's counts. Called by observe.py only.

It costs queries and megabytes of blobs: it is gathered once a window is as long as its stage is held, and not before.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from shared.domain import evidence, queries
from shared.domain.observation import TrafficSeen
from shared.domain.predictions import PredictionsSeen, summed_up
from shared.domain.publication import Publication
from shared.domain.queries import QuerySeen
from shared.domain.record import Record
from shared.domain.watching import covers, stage_of
from shared.reconcile.ports import Archive, Platform, TrafficLog, Window


def gather(
    publication: Publication,
    record: Record,
    traffic: TrafficSeen,
    now: datetime,
    sources: tuple[Platform, Archive, TrafficLog],
) -> Iterator[tuple[str, Any]]:
    """Fields of the observation, one by one: what trouble keeps from us leaves those before it."""
    platform, archive, log = sources
    stage = stage_of(publication.spec.rollout, record)
    if record.release is None or record.release.restores is not None or not covers(traffic, stage):
        return
    live = evidence.compared_with(record, stage.traffic)
    analysis = publication.spec.rollout.analysis
    if analysis.queries:
        yield "queries", _queries(publication, record.release.deployment, live, traffic, log)
    if analysis.predictions is not None and live is not None:
        yield "predictions", _predictions(publication, record, archive, platform, Window(traffic.start, now))


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
