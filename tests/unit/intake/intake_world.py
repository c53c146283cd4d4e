"""An intake with all its ports in memory, for the tests beside this file."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from shared.domain.events import DataArrived
from shared.domain.spec import Column, ColumnType, Data
from shared.errors import NeedsPerson, RetryLater
from shared.intake.intake import Intake
from shared.intake.ledger import Row
from shared.intake.message import Upload, render
from shared.intake.ports import Landed
from shared.reconcile.inbox import Inbox
from shared.reconcile.ports import Pointer
from tests.fakes.archive import FakeArchive
from tests.fakes.clock import FakeClock
from tests.fakes.examples import MODEL, a_publication, a_spec
from tests.fakes.intake import FakeLanding, FakeLedger, FakeUploads
from tests.fakes.nudges import FakeNudges
from tests.fakes.points import Interrupt, never
from tests.fakes.state import FakeStateStore

GOOD = b"at,minutes\n2026-01-01T00:00:00Z,10.5\n2026-01-02T06:30:00Z,12\n"
BAD = b"at,minutes\n2026-01-01T00:00:00Z,ten\n"


class Crash(BaseException):
    """The process dies: nothing in the product may catch it."""


class World:
    """What a test needs to upload, deliver messages and look at what came of it."""

    def __init__(self, interrupt: Interrupt = never, data: Data | None = None) -> None:
        self.interrupt = interrupt
        self.clock = FakeClock()
        self.state = FakeStateStore(self._at)
        self.nudges = FakeNudges(self.clock, self._at)
        self.landing = FakeLanding(self._at)
        self.ledger = FakeLedger(self._at)
        self.uploads = FakeUploads(self._at)
        self.archive = FakeArchive(self._at)
        self.intake = Intake(
            state=self.state,
            archive=self.archive,
            landing=self.landing,
            ledger=self.ledger,
            uploads=self.uploads,
            inbox=Inbox(self.state, self.nudges, self.clock),
            clock=self.clock,
        )
        if data is not None:
            self.publish(data)

    def _at(self, point: str) -> None:
        self.interrupt(point)

    def publish(self, data: Data) -> None:
        """Publish the model `flights` with this contract."""
        hold, self.interrupt = self.interrupt, never
        publication = a_publication(msgspec.structs.replace(a_spec(), data=data))
        self.archive.put_publication(publication)
        pointer = Pointer(model=MODEL, publication=publication.hash, published_at=self.clock.now())
        self.state.publish(pointer)
        self.interrupt = hold

    def upload(self, content: bytes, name: str = f"{MODEL}/january.csv", at: datetime | None = None) -> str:
        """Put a file into the landing container; the message that Event Grid would send."""
        return message_of(self.landing.upload(name, content, at or self.clock.now()))

    def deliver(self, message: str, times: int = 5) -> None:
        """What the queue does: deliver until it is taken, a crash or an error counting as not taken."""
        for _ in range(times):
            try:
                self.intake.handle(message)
            except (Crash, RetryLater, NeedsPerson):
                self.clock.move(10)
                continue
            return

    def sweep(self) -> None:
        """The sweep, and the delivery of all that it enqueued."""
        self.intake.sweep()
        while self.uploads.messages:
            self.deliver(self.uploads.messages.pop(0))

    def events(self) -> list[DataArrived]:
        """All data events ever recorded and not read."""
        hold, self.interrupt = self.interrupt, never
        loaded = self.state.load(MODEL, 1_000)
        self.interrupt = hold
        assert loaded is not None
        return [unread.event for unread in loaded.unread if isinstance(unread.event, DataArrived)]

    def rows(self) -> list[Row]:
        """The ledger."""
        return [row for row, _ in self.ledger.rows.values()]

    def parts(self) -> list[str]:
        """Names of the accepted parts."""
        return [name for name in self.landing.accepted if "/parts/" in name]


def a_contract(**columns: Column) -> Data:
    """A contract: a time column, and those given or else `minutes`."""
    return Data(
        time_column="at",
        columns={
            "at": Column(type=ColumnType.TIMESTAMP),
            **(columns or {"minutes": Column(type=ColumnType.FLOAT64)}),
        },
    )


def message_of(landed: Landed) -> str:
    """Event Grid's message for a blob."""
    return render(Upload(landed.name, landed.etag), landed.size, landed.modified)


def chunked(content: bytes, size: int) -> Iterable[bytes]:
    """The content in blocks."""
    return (content[at : at + size] for at in range(0, len(content), size))


LATER = timedelta(minutes=11)
"""Long enough for a row to be stale."""
