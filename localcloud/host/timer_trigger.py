"""The timer trigger: runs one function when its schedule comes due, never two runs at a time.

Started by app.py, one a function. What came due while no host ran is made up for once, at start: the times
are kept in the status blob `azure-webjobs-hosts/timers/{hostId}/{name}/status`.
Unlike Azure, where a blob lease sees to it, nothing here keeps two hosts of one folder from both running it.
"""

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from localcloud.host.functions import Function, TimerTrigger
from localcloud.host.inflight import InFlight
from localcloud.host.invoker import Invoker
from localcloud.host.messages import TypedData
from localcloud.host.schedule import Schedule
from localcloud.host.storage import AzureError, HostStorage

_log = logging.getLogger("host.timer")
_RETRY_S = 2.0
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Status:
    """What the host remembers of a timer. `last` is _NEVER until it first ran."""

    last: datetime
    next: datetime
    last_updated: datetime

    def as_dict(self) -> dict[str, str]:
        """The status as the blob and the function see it."""
        return {
            "Last": self.last.isoformat(),
            "Next": self.next.isoformat(),
            "LastUpdated": self.last_updated.isoformat(),
        }

    @classmethod
    def from_json(cls, data: bytes) -> "Status":
        """Parse the blob."""
        document = json.loads(data)
        return cls(*(datetime.fromisoformat(document[key]) for key in ("Last", "Next", "LastUpdated")))


@dataclass(frozen=True)
class Start:
    """What is to be done when the host starts: the status to go by, and whether to run at once."""

    status: Status
    past_due: bool


def at_start(stored: Status | None, schedule: Schedule, now: datetime) -> Start:
    """Decide from the stored status. A changed schedule is reckoned anew from the last run."""
    if stored is None:
        return Start(Status(_NEVER, schedule.next_after(now), now), past_due=False)
    since = stored.last_updated if stored.last == _NEVER else stored.last
    status = Status(stored.last, schedule.next_after(since), stored.last_updated)
    return Start(status, past_due=now > status.next)


def after_run(schedule: Schedule, due: datetime | None, now: datetime) -> Status:
    """The status of a run that began at `now`. One that came a little early counts as on time."""
    reckoned = now if due is None else max(now, due)
    return Status(now, schedule.next_after(reckoned), now)


class TimerListener:
    """The timer of one function."""

    def __init__(
        self,
        function: Function,
        trigger: TimerTrigger,
        storage: HostStorage,
        host_id: str,
        invoker: Invoker,
        in_flight: InFlight,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._function = function
        self._trigger = trigger
        self._storage = storage
        self._path = f"timers/{host_id}/{function.name}/status"
        self._invoker = invoker
        self._in_flight = in_flight
        self._clock = clock

    async def listen(self) -> None:
        """Run at each due time until the host stops."""
        stored = await self._stored()
        if self._in_flight.stopping.is_set():
            return
        start = at_start(stored, self._trigger.schedule, self._clock())
        status = start.status
        await self._store(status)
        if start.past_due or self._trigger.run_on_startup:
            status = await self._fire(status, past_due=start.past_due, due=None)
        while await self._reached(status.next):
            status = await self._fire(status, past_due=False, due=status.next)

    async def _reached(self, due: datetime) -> bool:
        """Wait for it; False when the host stops first. In slices, as the clock may be set meanwhile."""
        while not self._in_flight.stopping.is_set():
            left_s = (due - self._clock()).total_seconds()
            if left_s <= 0:
                return True
            await self._in_flight.pause(min(left_s, 60.0))
        return False

    async def _fire(self, status: Status, *, past_due: bool, due: datetime | None) -> Status:
        following = after_run(self._trigger.schedule, due, self._clock())
        run = self._invoker.run(
            self._function,
            timer_info(status if self._trigger.use_monitor else None, past_due=past_due),
            {},
            f"Timer fired at {self._clock().isoformat()}",
        )
        await asyncio.shield(self._in_flight.begin(run, self._function.name))
        await self._store(following)
        return following

    async def _stored(self) -> Status | None:
        """The status, asked for until Storage answers: without it a missed run would be forgotten."""
        while self._trigger.use_monitor and not self._in_flight.stopping.is_set():
            try:
                data = await self._storage.read_state(self._path)
            except AzureError as error:
                _log.warning("the status of timer %s cannot be read: %s", self._function.name, error)
                await self._in_flight.pause(_RETRY_S)
            else:
                return None if data is None else Status.from_json(data)
        return None

    async def _store(self, status: Status) -> None:
        if not self._trigger.use_monitor:
            return
        try:
            await self._storage.write_state(self._path, json.dumps(status.as_dict()).encode())
        except AzureError as error:
            _log.warning("the status of timer %s cannot be written: %s", self._function.name, error)


def timer_info(status: Status | None, *, past_due: bool) -> TypedData:
    """The argument of a timer function."""
    return TypedData(
        json=json.dumps(
            {
                "Schedule": {"AdjustForDST": True},
                "ScheduleStatus": None if status is None else status.as_dict(),
                "IsPastDue": past_due,
            }
        )
    )
