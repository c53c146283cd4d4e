"""What the intake needs of the world, as protocols. adapters/landing.py and adapters/ledger.py fulfil them.

Every method may raise `RetryLater` or `NeedsPerson`. Every writing method is safe to repeat.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Protocol

import msgspec

from shared.intake.ledger import Row


class Landed(msgspec.Struct, frozen=True, kw_only=True):
    """A blob of the landing container as it lies there. `name` has no container, `etag` no quotes."""

    name: str
    etag: str
    size: int
    modified: datetime


class Landing(Protocol):
    """The containers landing, accepted and quarantine."""

    def look(self, name: str) -> Landed | None:
        """The blob as it is now; None when it is not there."""
        ...

    def list(self) -> Iterator[Landed]:
        """All blobs of the landing container."""
        ...

    def read(self, landed: Landed) -> Iterator[bytes]:
        """The blob's bytes in blocks of a few MiB. LostRace when it is no longer the blob that was looked at."""
        ...

    def put_part(self, model: str, part: str, parquet: Path, profile: bytes) -> None:
        """Keep a part and its profile under the part's name, unless they are there."""
        ...

    def keep_original(self, landed: Landed, model: str, part: str) -> None:
        """Copy the blob beside the part that was made of it. Back when the copy is complete."""
        ...

    def quarantine(self, landed: Landed, model: str, folder: str, report: bytes) -> None:
        """Copy the blob into quarantine, beside the report. Back when the copy is complete."""
        ...

    def remove(self, landed: Landed) -> None:
        """Delete the blob from the landing container, unless it has changed since or is gone."""
        ...


class Ledger(Protocol):
    """The table `uploads`: one partition a model."""

    def get(self, model: str, key: str) -> tuple[Row, str] | None:
        """A row and its version."""
        ...

    def put(self, row: Row, version: str | None) -> str:
        """Insert (no version) or replace a row; its new version. LostRace when somebody else wrote it first."""
        ...

    def knows_part(self, model: str, part: str) -> bool:
        """Whether the part's arrival was recorded before, however long ago."""
        ...

    def note_part(self, model: str, part: str) -> None:
        """Remember that the part's arrival is recorded."""
        ...

    def open(self, model: str, most: int) -> list[Row]:
        """Rows that are not accepted, the newest first."""
        ...


class Uploads(Protocol):
    """The queue `uploads`, for what the sweep found."""

    def send(self, message: str) -> None:
        """One message."""
        ...
