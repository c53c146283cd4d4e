"""Compute hours of trainings, by day, and when the month's budget allows the next. For making and beginning.

A month is thirty days of the UTC calendar, today among them: what was spent on a day is forgotten all at once.
"""

from datetime import UTC, datetime, timedelta

from shared.domain.changes import Draft
from shared.domain.observation import JobSeen, JobStatus
from shared.domain.record import Record
from shared.domain.spec import Spec

MONTH = timedelta(days=30)
ENDED = frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELED})


def hours_of(job: JobSeen, since: datetime, now: datetime) -> float:
    """Node hours of a job that ended, by its own times. Without them it counts as if it ran since it was ordered:
    a budget that cannot see must not be one that never ends."""
    started, ended = job.started or since, job.ended or now
    return round(max(0.0, (ended - started).total_seconds()) * job.nodes / 3_600, 4)


def charge(draft: Draft, job: JobSeen, now: datetime) -> Draft:
    """Enter the hours of an attempt that was seen to have ended. The caller moves the release in the same step."""
    today = f"{now.astimezone(UTC):%Y-%m-%d}"
    first = f"{now.astimezone(UTC) - MONTH + timedelta(days=1):%Y-%m-%d}"
    kept = {day: hours for day, hours in draft.record.compute_hours.items() if day >= first}
    hours = kept.get(today, 0.0) + hours_of(job, draft.release.since, now)
    return draft.with_record(compute_hours={**kept, today: round(hours, 4)})


def hours_allowed_from(spec: Spec, record: Record) -> datetime | None:
    """When enough of what was spent is a month old; None while the budget holds out, or without one."""
    most = spec.retrain.max_compute_hours_per_month
    if most is None:
        return None
    allowed, left = None, sum(record.compute_hours.values())
    for day, hours in sorted(record.compute_hours.items()):
        if left < most:
            break
        left -= hours
        allowed = datetime.fromisoformat(day).replace(tzinfo=UTC) + MONTH
    return allowed
