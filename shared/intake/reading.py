"""Reads one upload to its end, once: hash, check, profile and typed Parquet in the same pass, in bounded memory.

Called by intake.py, which imports it late because of pyarrow. It touches no network: bytes come in as chunks, the
Parquet goes into the file that it is given.
"""

import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, Self

import msgspec
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from shared.domain.manifest import Part
from shared.domain.spec import Data
from shared.intake.contract import Checker, read_header, schema
from shared.intake.lines import Block, Lines
from shared.intake.profile import Profile, Profiler
from shared.intake.report import Finding, Findings, Rule

MAX_ROWS = 20_000_000
MOST_COUNTED = 100_000
"""Mistakes after which a file is only hashed: to tell them one by one costs more than to read it."""
ROW_GROUP_ROWS = 131_072
ROW_GROUP_BYTES = 33_554_432


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a file. `part` and `profile` are None when there are findings."""

    sha256: str
    size: int
    rows: int
    findings: Findings
    part: Part | None = None
    profile: Profile | None = None

    @property
    def name(self) -> str:
        """The name under which the content is kept, good or bad."""
        return part_name(self.sha256)


def part_name(sha256: str) -> str:
    """First 32 hex digits of the SHA-256 of the original bytes."""
    return sha256[:32]


def read(chunks: Iterable[bytes], data: Data, parquet: Path) -> Reading:
    """Read a CSV file against its contract. `parquet` is complete only when the reading has a part."""
    findings = Findings()
    lines = Lines(iter(chunks), findings, data.max_bytes)
    profiler = Profiler(data)
    with _PartFile(parquet, schema(data)) as file:
        for typed in _typed_blocks(lines, data, findings):
            profiler.add(typed)
            file.add(typed)
    lines.drain()
    if not findings and profiler.period is None:
        what = f"has no time in column {data.time_column}" if lines.rows else "has no rows below its header"
        findings.add(Finding(rule=Rule.EMPTY, text=f"The file {what}."))
    name = part_name(lines.sha256)
    good = profiler.period if not findings else None
    return Reading(
        sha256=lines.sha256,
        size=lines.size,
        rows=lines.rows,
        findings=findings,
        part=Part(name=name, rows=profiler.rows, start=good[0], end=good[1]) if good else None,
        profile=profiler.profile() if good else None,
    )


def _typed_blocks(lines: Lines, data: Data, findings: Findings) -> Iterator[pa.Table]:
    """The sound blocks, typed. After the first mistake the rest is still checked, to tell all mistakes at once."""
    checker = Checker(data, findings)
    names: list[str] | None = None
    for block in lines.blocks():
        names = names or read_header(lines.header, data, findings)
        if names is None or len(findings) > MOST_COUNTED or _too_many(lines.rows, findings):
            return
        cells = _cells(block, names, findings)
        typed = checker.typed(cells, block.rows_before) if cells is not None else None
        if typed is not None and not findings:
            yield typed
    if names is None:
        read_header(lines.header, data, findings)


def _too_many(rows: int, findings: Findings) -> bool:
    if rows <= MAX_ROWS:
        return False
    findings.add(
        Finding(rule=Rule.TOO_MANY_ROWS, text=f"The file has more than {MAX_ROWS} rows; upload it in pieces.")
    )
    return True


def _cells(block: Block, names: list[str], findings: Findings) -> pa.Table | None:
    """The block's cells as text, an empty cell without quotes as null; None when a row has the wrong number of them.

    One thread and one block for pyarrow: only then does it number the rows that it refuses.
    """
    before = len(findings)

    def refuse(line: pa_csv.InvalidRow) -> Literal["skip"]:
        row = block.rows_before + (line.number or 0)
        text = f"Row {row} has {line.actual_columns} cells, the header has {line.expected_columns}."
        findings.add(Finding(rule=Rule.CELL_COUNT, row=row, text=text))
        return "skip"

    cells = pa_csv.read_csv(
        io.BytesIO(block.data),
        read_options=pa_csv.ReadOptions(column_names=names, use_threads=False, block_size=len(block.data) + 1),
        parse_options=pa_csv.ParseOptions(invalid_row_handler=refuse, ignore_empty_lines=False),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            null_values=[""],
        ),
    )
    return cells if len(findings) == before else None


class _PartFile:
    """Writes typed blocks as Parquet, gathered into row groups that are worth reading, and no larger."""

    def __init__(self, path: Path, columns: pa.Schema) -> None:
        self._writer = pq.ParquetWriter(path, columns, compression="zstd")
        self._waiting: list[pa.Table] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._flush()
        self._writer.close()

    def add(self, block: pa.Table) -> None:
        """Take in one block."""
        self._waiting.append(block)
        rows = sum(table.num_rows for table in self._waiting)
        size = sum(table.nbytes for table in self._waiting)
        if rows >= ROW_GROUP_ROWS or size >= ROW_GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.concat_tables(self._waiting).combine_chunks())
            self._waiting = []
