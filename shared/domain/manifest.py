"""Parts of accepted data and the manifest that seals some of them into one version of the training data."""

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from shared.domain import names
from shared.domain.base import Kept, canonical

if TYPE_CHECKING:
    from shared.domain.spec import Data


class Part(Kept, frozen=True, kw_only=True):
    """One accepted upload. `name` is its content hash (32 hex digits); `start` and `end` bound its time column."""

    name: str
    rows: int
    start: datetime
    end: datetime

    @property
    def order(self) -> tuple[datetime, datetime, str]:
        """Parts are ordered by their data's own time, whatever the order of their arrival."""
        return (self.start, self.end, self.name)


class ManifestPart(Kept, frozen=True, kw_only=True, rename={"start": "from", "end": "to"}):
    """One line of a manifest."""

    name: str
    path: str
    rows: int
    start: datetime
    end: datetime


class Manifest(Kept, frozen=True, kw_only=True, omit_defaults=False):
    """Which parts a job reads, and which of them are held out. Its hash is the version of the data."""

    model: str
    parts: tuple[ManifestPart, ...]
    train: tuple[str, ...]
    held_out: tuple[str, ...]
    schema: Literal["upkeep.manifest/1"] = "upkeep.manifest/1"

    @property
    def version(self) -> str:
        """First 30 hex digits of the SHA-256: Azure ML takes versions of 30 characters at most."""
        return hashlib.sha256(canonical(self)).hexdigest()[:30]


def seal(model: str, data: "Data", parts: tuple[Part, ...]) -> Manifest | None:
    """The manifest over the newest parts in time, or None when there are too few to train and hold out."""
    ordered = sorted(parts, key=lambda part: part.order)
    held_out = ordered[-data.held_out_parts :]
    train = ordered[: -data.held_out_parts][-data.train_parts :]
    if not train or len(held_out) < data.held_out_parts:
        return None
    return Manifest(
        model=model,
        parts=tuple(
            ManifestPart(
                name=part.name,
                path=names.part_path(part.name),
                rows=part.rows,
                start=part.start,
                end=part.end,
            )
            for part in (*train, *held_out)
        ),
        train=tuple(part.name for part in train),
        held_out=tuple(part.name for part in held_out),
    )
