"""The intake's ports in memory. They pass the same contract suite as the adapters."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path

from shared.errors import LostRace
from shared.intake.ledger import Row, State
from shared.intake.ports import Landed
from tests.fakes.points import Interrupt, around, never

_ETAGS = count(1)


@dataclass(frozen=True)
class Blob:
    """Content, and when it was written under which ETag."""

    content: bytes
    modified: datetime
    etag: str


@dataclass
class FakeLanding:
    """Containers of blobs by name. `block` is the size of the blocks in which uploads are read."""

    interrupt: Interrupt = never
    block: int = 64
    landing: dict[str, Blob] = field(default_factory=dict)
    accepted: dict[str, bytes] = field(default_factory=dict)
    quarantined: dict[str, bytes] = field(default_factory=dict)

    def upload(self, name: str, content: bytes, at: datetime) -> Landed:
        """Do what an uploader does."""
        self.landing[name] = Blob(content, at, f"0x{next(_ETAGS):X}")
        return self._landed(name)

    def _landed(self, name: str) -> Landed:
        blob = self.landing[name]
        return Landed(name=name, etag=blob.etag, size=len(blob.content), modified=blob.modified)

    def look(self, name: str) -> Landed | None:
        with around(self.interrupt, "look"):
            return self._landed(name) if name in self.landing else None

    def list(self) -> Iterator[Landed]:
        with around(self.interrupt, "list"):
            found = [self._landed(name) for name in sorted(self.landing)]
        yield from found

    def read(self, landed: Landed) -> Iterator[bytes]:
        content = self._same(landed).content
        for at in range(0, len(content), self.block):
            with around(self.interrupt, "read"):
                self._same(landed)
                yield content[at : at + self.block]

    def put_part(self, model: str, part: str, parquet: Path, profile: bytes) -> None:
        with around(self.interrupt, "put_profile"):
            self.accepted.setdefault(f"{model}/profiles/{part}.json", profile)
        with around(self.interrupt, "put_part"):
            self.accepted.setdefault(f"{model}/parts/{part}.parquet", parquet.read_bytes())

    def keep_original(self, landed: Landed, model: str, part: str) -> None:
        with around(self.interrupt, "keep_original"):
            name = f"{model}/originals/{part}.csv"
            if name not in self.accepted:
                self.accepted[name] = self._same(landed).content

    def quarantine(self, landed: Landed, model: str, folder: str, report: bytes) -> None:
        with around(self.interrupt, "copy_to_quarantine"):
            name = f"{model}/{folder}/original.csv"
            if name not in self.quarantined:
                self.quarantined[name] = self._same(landed).content
        with around(self.interrupt, "put_report"):
            self.quarantined[f"{model}/{folder}/report.json"] = report

    def remove(self, landed: Landed) -> None:
        with around(self.interrupt, "remove"):
            if landed.name in self.landing and self.landing[landed.name].etag == landed.etag:
                del self.landing[landed.name]

    def _same(self, landed: Landed) -> Blob:
        blob = self.landing.get(landed.name)
        if blob is None or blob.etag != landed.etag:
            raise LostRace(f"{landed.name} has changed")
        return blob


@dataclass
class FakeLedger:
    """Rows with versions."""

    interrupt: Interrupt = never
    rows: dict[tuple[str, str], tuple[Row, str]] = field(default_factory=dict)
    parts: set[tuple[str, str]] = field(default_factory=set)

    def get(self, model: str, key: str) -> tuple[Row, str] | None:
        with around(self.interrupt, "get_row"):
            return self.rows.get((model, key))

    def put(self, row: Row, version: str | None) -> str:
        with around(self.interrupt, f"put_row_{row.state}"):
            found = self.rows.get((row.model, row.key))
            if (found[1] if found else None) != version:
                raise LostRace(f"{row.key} was written by somebody else")
            new = f"v{next(_ETAGS)}"
            self.rows[row.model, row.key] = (row, new)
            return new

    def knows_part(self, model: str, part: str) -> bool:
        with around(self.interrupt, "knows_part"):
            return (model, part) in self.parts

    def note_part(self, model: str, part: str) -> None:
        with around(self.interrupt, "note_part"):
            self.parts.add((model, part))

    def open(self, model: str, most: int) -> list[Row]:
        with around(self.interrupt, "open"):
            rows = [row for row, _ in self.rows.values() if row.model == model and row.state is not State.ACCEPTED]
            return sorted(rows, key=lambda row: row.at, reverse=True)[:most]


@dataclass
class FakeUploads:
    """The queue: messages for the test to take out."""

    interrupt: Interrupt = never
    messages: list[str] = field(default_factory=list)

    def send(self, message: str) -> None:
        with around(self.interrupt, "send"):
            self.messages.append(message)
