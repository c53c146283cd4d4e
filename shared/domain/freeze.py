"""Change freezes: hours in which nothing new begins and no traffic moves forward. Called by the parts of decide.

A canary that fails is taken back in a freeze too, and what a person commands is done.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from shared.domain.record import Record
from shared.domain.spec import Freeze, Spec

_GRAIN = timedelta(minutes=15)
_LONGEST = timedelta(days=8)


def held(spec: Spec, record: Record, now: datetime) -> bool:
    """Whether forward moves wait: somebody paused the model, or a freeze is on. A restore never waits."""
    return paused(record) or (frozen(spec, now) and not _restores(record))


def paused(record: Record) -> bool:
    """Whether a pause holds what is in flight."""
    return record.paused is not None and not _restores(record)


def _restores(record: Record) -> bool:
    return record.release is not None and record.release.restores is not None


def frozen(spec: Spec, now: datetime) -> bool:
    """Whether a freeze is on."""
    return any(_within(freeze, now) for freeze in spec.freezes)


def thaw(spec: Spec, now: datetime) -> datetime:
    """When, to the quarter of an hour, no freeze is on any more; a week and a day from now at the latest."""
    moment = now
    while frozen(spec, moment) and moment < now + _LONGEST:
        moment += _GRAIN
    return moment


def _within(freeze: Freeze, now: datetime) -> bool:
    local = now.astimezone(ZoneInfo(freeze.time_zone))
    clock = f"{local:%H:%M}"
    if freeze.start < freeze.end:
        return _named(local) in freeze.days and freeze.start <= clock < freeze.end
    # Over midnight: the hours after it belong to the day before.
    evening = _named(local) in freeze.days and clock >= freeze.start
    morning = _named(local - timedelta(days=1)) in freeze.days and clock < freeze.end
    return evening or morning


def _named(local: datetime) -> str:
    return ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[local.weekday()]
