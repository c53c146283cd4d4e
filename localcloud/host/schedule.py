"""NCRONTAB: when a timer comes due. Pure; called by timer_trigger.py.

Six fields with seconds first (five: seconds are 0), all of them ANDed, also day of month with day of week;
weekdays 0 (Sunday) to 6. croniter gives the same answers with `day_or=False`, but knows words that
NCRONTAB does not (7 for Sunday, `L`, `#`, `@daily`), so the text is checked before it gets there.
"""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from croniter import croniter
from croniter.croniter import CroniterBadDateError

from localcloud.host.errors import HostError

_MONTHS = [
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
]  # fmt: skip
_DAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
# (name, least, most, words for the values, value of the first word)
_FIELDS: list[tuple[str, int, int, list[str], int]] = [
    ("second", 0, 59, [], 0),
    ("minute", 0, 59, [], 0),
    ("hour", 0, 23, [], 0),
    ("day", 1, 31, [], 0),
    ("month", 1, 12, _MONTHS, 1),
    ("day of the week", 0, 6, _DAYS, 0),
]
_ANY_DAY = datetime(2024, 1, 1, tzinfo=UTC)
_PART = re.compile(r"(?:\*|(\w+)(?:-(\w+))?)(?:/(\w+))?")


class Schedule:
    """A parsed expression. Times are UTC: the host knows no WEBSITE_TIME_ZONE."""

    def __init__(self, expression: str) -> None:
        self.expression = expression
        fields = expression.split()
        if len(fields) == 5:
            fields = ["0", *fields]
        if len(fields) != 6:
            raise HostError(f"the schedule {expression!r} is not NCRONTAB: it must have 6 fields, seconds first")
        self._cron = " ".join(
            _normal(text, *rule, expression=expression) for text, rule in zip(fields, _FIELDS, strict=True)
        )
        self.next_after(_ANY_DAY)  # 30 February is refused here

    def next_after(self, moment: datetime) -> datetime:
        """The first time after `moment` (aware), never `moment` itself."""
        try:
            times = croniter(
                self._cron, moment.astimezone(UTC), second_at_beginning=True, day_or=False, ret_type=datetime
            )
            following: datetime = times.get_next(datetime)
        except CroniterBadDateError as error:
            raise HostError(f"the schedule {self.expression!r} never comes due") from error
        return following

    def is_monitored(self) -> bool:
        """Whether the host keeps a status of it: not when it comes due more often than once a minute."""
        times = [self.next_after(_ANY_DAY)]
        for _ in range(4):
            times.append(self.next_after(times[-1]))
        return all(later - earlier >= timedelta(minutes=1) for earlier, later in pairwise(times))


def _normal(text: str, name: str, least: int, most: int, words: list[str], first: int, *, expression: str) -> str:
    """The field with numbers for words. A step on a single value runs from there to the end."""
    parts = []
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise HostError(f"the schedule {expression!r} is not NCRONTAB: {part!r} is no {name}")
        start, end, step = match.groups()
        values = [_value(value, name, least, most, words, first, expression) for value in (start, end) if value]
        if step is not None and not (step.isdecimal() and 0 < int(step) <= most):
            raise HostError(f"the schedule {expression!r} is not NCRONTAB: {step!r} is no step of {name}s")
        if len(values) == 2 and values[0] > values[1]:
            raise HostError(f"the schedule {expression!r}: the range {part!r} runs backwards")
        parts.append(_spell(values, step, most))
    return ",".join(parts)


def _spell(values: list[int], step: str | None, most: int) -> str:
    if not values:
        return "*" if step is None else f"*/{step}"
    if step is None:
        return "-".join(map(str, values))
    end = values[1] if len(values) == 2 else most
    return str(end) if values[0] == end else f"{values[0]}-{end}/{step}"


def _value(text: str, name: str, least: int, most: int, words: list[str], first: int, expression: str) -> int:
    lowered = text.lower()
    named = [first + index for index, word in enumerate(words) if len(lowered) >= 3 and word.startswith(lowered)]
    if len(named) == 1:
        return named[0]
    if text.isdecimal() and least <= int(text) <= most:
        return int(text)
    raise HostError(f"the schedule {expression!r} is not NCRONTAB: {text!r} is no {name} ({least} to {most})")
