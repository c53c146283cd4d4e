"""Time that stands still until it is moved."""

from datetime import UTC, datetime, timedelta


class FakeClock:
    """A clock in a test's hand."""

    def __init__(self, start: datetime = datetime(2026, 1, 5, 12, tzinfo=UTC)) -> None:
        self.time = start

    def now(self) -> datetime:
        """The time it was set to."""
        return self.time

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self.time += timedelta(seconds=seconds)

    def move_to(self, time: datetime) -> None:
        """Let time pass up to a moment; never backwards."""
        self.time = max(self.time, time)
