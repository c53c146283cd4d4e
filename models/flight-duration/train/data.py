"""Reads the rows of a training: the parts that the manifest lists, and nothing else in their folder.

Called by train.py. Everything that it is given is checked before a row is used, because a model that was
fitted on half of the data looks like a model. It never writes, and never looks for "the newest" file.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

SCHEMA = "upkeep.manifest/1"
TARGET = "air_time"
TIME = "time_hour"
KEY = (TIME, "carrier", "flight", "origin")  # one departure; unique in every month


class BrokenInputError(Exception):
    """What the job was given cannot be trained on; the message says what and where."""


@dataclass(frozen=True)
class Part:
    """One line of the manifest: a file, and what it must hold."""

    name: str
    rows: int
    first: datetime
    last: datetime


@dataclass(frozen=True)
class Manifest:
    """The data version, and the parts in it."""

    version: str
    train: tuple[Part, ...]
    held_out: tuple[Part, ...]


@dataclass(frozen=True)
class Rows:
    """Rows that were flown, and how many were not: a cancelled or diverted flight has no time in the air."""

    table: pa.Table
    cancelled: int

    @property
    def minutes(self) -> np.ndarray:
        """Time in the air, by row."""
        return self.table[TARGET].to_numpy().astype(np.float64)

    @property
    def sha256(self) -> str:
        """Hash over key and label of every row, in order: equal rows judged, equal hash."""
        columns = [pc.cast(self.table[name], pa.string()).to_pylist() for name in (*KEY, TARGET)]
        return hashlib.sha256("\n".join("|".join(row) for row in zip(*columns, strict=True)).encode()).hexdigest()


def read_manifest(path: Path) -> Manifest:
    """The manifest, checked. Its version is that of its content, whatever its file is called."""
    try:
        document = json.loads(path.read_text())
        if document["schema"] != SCHEMA:
            raise BrokenInputError(f"{path}: its schema is {document['schema']!r}, this code reads {SCHEMA!r}")
        parts = {entry["name"]: _part(entry) for entry in document["parts"]}
        train, held_out = (tuple(parts[name] for name in document[key]) for key in ("train", "held_out"))
    except OSError as error:
        raise BrokenInputError(f"{path}: the manifest cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise BrokenInputError(f"{path}: not a manifest: {type(error).__name__}: {error}") from error
    if not train or not held_out:
        raise BrokenInputError(f"{path}: it must list parts to train on and parts to hold out")
    if shared := {part.name for part in train} & {part.name for part in held_out}:
        raise BrokenInputError(f"{path}: part {min(shared)} is both trained on and held out")
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return Manifest(hashlib.sha256(canonical.encode()).hexdigest()[:30], train, held_out)


def read_rows(folder: Path, parts: Sequence[Part], inputs: Sequence[str]) -> Rows:
    """The rows of these parts with the columns `inputs`, key and target; cancelled flights left out."""
    columns = sorted({*inputs, *KEY, TARGET})
    try:
        table = pa.concat_tables(_read(folder, part, columns) for part in parts)
    except pa.ArrowInvalid as error:
        raise BrokenInputError(f"{folder}: the parts do not have the same columns: {error}") from error
    flown = table.filter(pc.is_valid(table[TARGET]))
    return Rows(flown, table.num_rows - flown.num_rows)


def _part(entry: dict[str, Any]) -> Part:
    name = entry["name"]
    if not (isinstance(name, str) and len(name) == 32 and set(name) <= set("0123456789abcdef")):
        raise ValueError(f"{name!r} is no name of a part")
    return Part(name, int(entry["rows"]), _utc(entry["from"]), _utc(entry["to"]))


def _read(folder: Path, part: Part, columns: list[str]) -> pa.Table:
    path = folder / f"{part.name}.parquet"
    if not path.is_file():
        raise BrokenInputError(f"{path}: the manifest lists this part, but it is not there")
    try:
        table = pq.ParquetFile(path).read(columns=columns)
    except (pa.ArrowInvalid, OSError) as error:
        raise BrokenInputError(f"{path}: not a Parquet file that can be read: {error}") from error
    if missing := set(columns) - set(table.column_names):
        raise BrokenInputError(f"{path}: column {min(missing)} is missing")
    if table.num_rows != part.rows:
        raise BrokenInputError(f"{path}: {table.num_rows} rows, the manifest says {part.rows}")
    times: Any = pc.min_max(table[TIME]).as_py()
    if part.rows and (_utc(times["min"]), _utc(times["max"])) != (part.first, part.last):
        raise BrokenInputError(f"{path}: its {TIME} is not from {part.first} to {part.last} as the manifest says")
    return table.select(columns)


def _utc(moment: str | datetime) -> datetime:
    parsed = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
