"""The nudge queue in memory, with delays."""

from datetime import datetime, timedelta
from typing import NamedTuple

from tests.fakes.clock import FakeClock
from tests.fakes.points import Interrupt, around, never


class Nudge(NamedTuple):
    """One message: when it becomes visible, for whom, and the time it was meant for."""

    visible: datetime
    model: str
    due: datetime | None


class FakeNudges:
    """Keeps the messages for the test to take out."""

    def __init__(self, clock: FakeClock, interrupt: Interrupt = never) -> None:
        self.clock, self.interrupt = clock, interrupt
        self.queue: list[Nudge] = []

    def send(self, model: str, delay_s: float, due: datetime | None) -> None:
        with around(self.interrupt, "nudge"):
            self.queue.append(Nudge(self.clock.now() + timedelta(seconds=delay_s), model, due))
