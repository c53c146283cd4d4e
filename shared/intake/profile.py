"""A part's profile: what each column looks like, counted while the file streams by.

Used by reading.py; kept as JSON beside the part, so that drift can later be told without reading the data again.
Numbers have least, greatest and mean; texts their greatest length; booleans their share of true.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute

from shared.domain.spec import ColumnType, Data

# pyarrow's stubs tell arrays apart by the type of their values, which here is known at run time only.
_Array = Any
pc: Any = pyarrow.compute


class ColumnProfile(msgspec.Struct, frozen=True, kw_only=True):
    """One column. `mean` is that of the values that are not null; None when there is none, or no meaning to it."""

    type: ColumnType
    nulls: int
    least: float | datetime | None
    greatest: float | datetime | None
    mean: float | None


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """All columns of one part."""

    schema: str = "upkeep.profile/1"
    rows: int
    columns: dict[str, ColumnProfile]


class _Running:
    """The counts of one column so far. Times are counted as microseconds since 1970."""

    def __init__(self, kind: ColumnType) -> None:
        self._kind = kind
        self._nulls = 0
        self._valid = 0
        self._sum = 0.0
        self.bounds: tuple[float, float] | None = None

    def add(self, values: _Array) -> None:
        """Take in one block."""
        self._nulls += values.null_count
        self._valid += len(values) - values.null_count
        measured = self._measured(values)
        found = pc.min_max(measured).as_py()
        if found["min"] is None:
            return
        least, greatest = self.bounds or (found["min"], found["max"])
        self.bounds = min(least, found["min"]), max(greatest, found["max"])
        # As floats: a sum of large integers would wrap without a word.
        self._sum += pc.sum(pc.cast(measured, pa.float64(), safe=False)).as_py()

    def _measured(self, values: _Array) -> _Array:
        match self._kind:
            case ColumnType.STRING:
                return pc.utf8_length(values)
            case ColumnType.BOOL:
                return pc.cast(values, pa.int8())
            case ColumnType.TIMESTAMP:
                # Python's own conversion of a zoned time wants a time zone database, which a container may lack.
                return pc.cast(values, pa.int64())
            case _:
                return values

    def period(self) -> tuple[datetime, datetime] | None:
        """The bounds, as times."""
        return (_time(self.bounds[0]), _time(self.bounds[1])) if self.bounds else None

    def profile(self) -> ColumnProfile:
        """The counts as they stand."""
        timed = self._kind is ColumnType.TIMESTAMP
        least, greatest = (self.period() if timed else self.bounds) or (None, None)
        mean = self._sum / self._valid if self._valid and not timed else None
        return ColumnProfile(type=self._kind, nulls=self._nulls, least=least, greatest=greatest, mean=mean)


def _time(microseconds: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(microseconds))


class Profiler:
    """Profiles the typed blocks of one file."""

    def __init__(self, data: Data) -> None:
        self._columns = {name: _Running(column.type) for name, column in data.columns.items()}
        self._time_column = data.time_column
        self._rows = 0

    def add(self, block: pa.Table) -> None:
        """Take in one block."""
        self._rows += block.num_rows
        for name, running in self._columns.items():
            running.add(block[name])

    @property
    def rows(self) -> int:
        """Rows so far."""
        return self._rows

    @property
    def period(self) -> tuple[datetime, datetime] | None:
        """Least and greatest value of the time column; None when it holds none."""
        return self._columns[self._time_column].period()

    def profile(self) -> Profile:
        """The profile of what was added."""
        return Profile(rows=self._rows, columns={name: running.profile() for name, running in self._columns.items()})
