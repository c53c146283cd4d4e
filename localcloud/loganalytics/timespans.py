"""Reads the `timespan` of a Log Analytics query: ISO 8601, a duration or an interval.

Called by the query API. Pure: the time it counts back from is an argument.
"""

import re
from datetime import UTC, datetime, timedelta

_DURATION = re.compile(
    r"P(?:(?P<weeks>[\d.]+)W)?(?:(?P<days>[\d.]+)D)?"
    r"(?:T(?:(?P<hours>[\d.]+)H)?(?:(?P<minutes>[\d.]+)M)?(?:(?P<seconds>[\d.]+)S)?)?"
)

Interval = tuple[datetime, datetime]


def read_timespan(text: str | None, now: datetime) -> Interval | None:
    """The interval that is meant: DURATION, START/END, START/DURATION or DURATION/END; ValueError otherwise."""
    if not text:
        return None
    first, slash, second = text.partition("/")
    if not slash:
        return now - _duration(first), now
    if first.startswith("P"):
        end = _moment(second)
        return end - _duration(first), end
    start = _moment(first)
    return start, start + _duration(second) if second.startswith("P") else _moment(second)


def _duration(text: str) -> timedelta:
    match = _DURATION.fullmatch(text)
    if match is None or text in {"P", "PT"}:
        raise ValueError(f"{text!r} is not an ISO 8601 duration without months and years")
    return timedelta(**{unit: float(value) for unit, value in match.groupdict().items() if value})


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
