"""Checks blocks of text cells against the contract of the model's spec, and turns them into typed columns.

Used by reading.py alone. Everything is vectorised; single rows are looked at only where a check failed. Cells
are matched as text before they are cast, because a parser hides what the sender wrote: it reads 0x1F as an integer.
"""

import csv
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute

from shared.domain.spec import Column, ColumnType, Data
from shared.intake.report import Finding, Findings, Rule, shown

# pyarrow's stubs tell arrays apart by the type of their values, which here is known at run time only.
_Array = Any
_Type = Any
pc: Any = pyarrow.compute

MAX_COLUMNS = 2_000
MAX_CELL_CHARS = 10_000
"""Most characters of a string cell for which the contract names no `max_length`."""

_TYPES: dict[ColumnType, _Type] = {
    ColumnType.INT64: pa.int64(),
    ColumnType.FLOAT64: pa.float64(),
    ColumnType.STRING: pa.string(),
    ColumnType.BOOL: pa.bool_(),
    ColumnType.TIMESTAMP: pa.timestamp("us", "UTC"),
}
# What a cell must look like before it is cast; the cast then refuses what only looks right (30 February).
_SHAPES = {
    ColumnType.INT64: r"^-?[0-9]{1,19}$",
    ColumnType.FLOAT64: r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$|^[+-]?([nN][aA][nN]|[iI]nf(inity)?)$",
    ColumnType.BOOL: r"^([tT]rue|[fF]alse|TRUE|FALSE|0|1)$",
    ColumnType.TIMESTAMP: r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
    r"(Z|[+-][0-9]{2}:?[0-9]{2})?)?$",
}
_NAMES = {
    ColumnType.INT64: "an integer",
    ColumnType.FLOAT64: "a number",
    ColumnType.STRING: "a text",
    ColumnType.BOOL: "true or false",
    ColumnType.TIMESTAMP: "an ISO 8601 time",
}
_ZONE = r"(Z|[+-][0-9]{2}:?[0-9]{2})$"
_FORMULA = r"^[=+\-@\t]"
# A day off either end, so that no zone's offset pushes a time out of what Python can hold.
_FIRST = datetime(1, 1, 2, tzinfo=UTC)
_LAST = datetime(9999, 12, 31, tzinfo=UTC) - timedelta(days=1)


def schema(data: Data) -> pa.Schema:
    """The Parquet schema of every part of the model: the contract's columns in the contract's order."""
    return pa.schema([pa.field(name, _TYPES[column.type], column.nullable) for name, column in data.columns.items()])


def read_header(line: bytes | None, data: Data, findings: Findings) -> list[str] | None:
    """Names of the columns in the file's order; None when they do not answer to the contract. Order is free."""
    before = len(findings)
    names = _header_names(line, findings)
    for name in [name for name, times in Counter(names).items() if times > 1]:
        _header(findings, Rule.DUPLICATE_COLUMN, name, f"Column {shown(name)} stands in the header twice.")
    for name in data.columns:
        if names and name not in names:
            _header(findings, Rule.MISSING_COLUMN, name, f"Column {name} of the contract is missing.")
    for name in names:
        if name not in data.columns:
            _header(findings, Rule.UNKNOWN_COLUMN, shown(name), f"Column {shown(name)} is not in the contract.")
    return names if len(findings) == before else None


def _header_names(line: bytes | None, findings: Findings) -> list[str]:
    if not line:
        findings.add(Finding(rule=Rule.EMPTY, text="The file has no header."))
        return []
    try:
        text = line.decode("utf-8")
        names = next(csv.reader([text], strict=True))
    except (UnicodeDecodeError, csv.Error, StopIteration):
        findings.add(Finding(rule=Rule.HEADER, text="The first line is not a CSV header in UTF-8."))
        return []
    if len(names) == 1 and (";" in text or "\t" in text):
        findings.add(Finding(rule=Rule.HEADER, text="The header has no comma: columns are separated by commas."))
        return []
    if len(names) > MAX_COLUMNS:
        findings.add(Finding(rule=Rule.HEADER, text=f"The header has {len(names)} columns, more than {MAX_COLUMNS}."))
        return []
    return names


def _header(findings: Findings, rule: Rule, column: str, text: str) -> None:
    findings.add(Finding(rule=rule, column=column, text=text))


class Checker:
    """Checks one block after the other. `rows_before` is the number of rows above the block."""

    def __init__(self, data: Data, findings: Findings) -> None:
        self._data = data
        self._findings = findings
        self._schema = schema(data)

    def typed(self, cells: pa.Table, rows_before: int) -> pa.Table | None:
        """The block as typed columns, or None when it holds a mistake (which is then among the findings)."""
        before = len(self._findings)
        columns = [
            _CheckedColumn(name, contract, cells[name].combine_chunks(), rows_before, self._findings).typed()
            for name, contract in self._data.columns.items()
        ]
        return pa.table(columns, schema=self._schema) if len(self._findings) == before else None


class _CheckedColumn:
    """One column of one block. Checks add findings and never raise."""

    def __init__(self, name: str, contract: Column, cells: _Array, rows_before: int, findings: Findings) -> None:
        self._name = name
        self._contract = contract
        self._cells = cells
        self._rows_before = rows_before
        self._findings = findings

    def typed(self) -> _Array:
        """Typed values; where a cell is wrong, a null stands for it."""
        kind = self._contract.type
        values = self._cells if kind is ColumnType.STRING else self._cast(self._shaped())
        if kind is ColumnType.FLOAT64:
            values = self._finite(values)
        if kind is ColumnType.STRING:
            self._check_text()
        elif kind in (ColumnType.INT64, ColumnType.FLOAT64):
            self._check_bounds(values)
        if not self._contract.nullable:
            self._refuse(pc.is_null(self._cells), Rule.NULL, "is empty, and the column is not nullable")
        return values

    def _shaped(self) -> _Array:
        """Cells that look like their type; the others are told and become null."""
        wrong = pc.invert(pc.match_substring_regex(self._cells, _SHAPES[self._contract.type]))
        return self._without(self._cells, wrong)

    def _cast(self, cells: _Array) -> _Array:
        if self._contract.type is ColumnType.TIMESTAMP:
            cells = _zoned(cells)
        kind = _TYPES[self._contract.type]
        try:
            values = pc.cast(cells, kind)
        except pa.ArrowInvalid:
            wrong = pa.array([not _castable(cell, kind) for cell in cells], pa.bool_())
            values = pc.cast(self._without(cells, wrong), kind)
        if self._contract.type is ColumnType.TIMESTAMP:
            low, high = pa.scalar(_FIRST, kind), pa.scalar(_LAST, kind)
            values = self._without(values, pc.or_(pc.less(values, low), pc.greater(values, high)))
        return values

    def _without(self, values: _Array, wrong: _Array) -> _Array:
        """Tell the cells that are not of the column's type, and put nulls in their place."""
        if not self._refuse(wrong, Rule.TYPE, f"is not {_NAMES[self._contract.type]}"):
            return values
        return _nulled(values, wrong)

    def _finite(self, values: _Array) -> _Array:
        """NaN is a null where nulls may be; infinity is refused everywhere: no mean or model survives it."""
        missing, infinite = pc.is_nan(values), pc.is_inf(values)
        if not self._contract.nullable:
            self._refuse(missing, Rule.NOT_FINITE, "is NaN, and the column is not nullable")
        self._refuse(infinite, Rule.NOT_FINITE, "is infinite")
        return _nulled(values, pc.or_(missing, infinite))

    def _check_bounds(self, values: _Array) -> None:
        low, high = self._contract.min, self._contract.max
        if low is not None:
            self._refuse(pc.less(values, pa.scalar(low)), Rule.BELOW_MINIMUM, f"is below the minimum {low:g}")
        if high is not None:
            self._refuse(pc.greater(values, pa.scalar(high)), Rule.ABOVE_MAXIMUM, f"is above the maximum {high:g}")

    def _check_text(self) -> None:
        most = self._contract.max_length or MAX_CELL_CHARS
        self._refuse(
            pc.greater(pc.utf8_length(self._cells), most), Rule.TOO_LONG, f"is longer than {most} characters"
        )
        if self._contract.values is not None:
            known = pa.array(self._contract.values, pa.string())
            strange = pc.and_(pc.is_valid(self._cells), pc.invert(pc.is_in(self._cells, value_set=known)))
            self._refuse(strange, Rule.NOT_IN_VALUES, "is not one of the values of the contract")
        else:
            # A workbook would run it. A value that the contract lists by name is the owner's own word.
            formula = pc.match_substring_regex(self._cells, _FORMULA)
            self._refuse(formula, Rule.FORMULA, "begins like a formula (= + - @)")

    def _refuse(self, wrong: _Array, rule: Rule, what: str) -> bool:
        """Add a finding for the cells where `wrong` is true; whether there was one. Null means not wrong."""
        times = pc.sum(wrong).as_py() or 0
        for count, index in _first_and_rest(wrong, times):
            row = self._rows_before + index + 1
            cell = "" if rule is Rule.NULL else shown(self._cells[index])
            text = f"Row {row}, column {self._name}: {cell or 'the cell'} {what}."
            self._findings.add(Finding(rule=rule, row=row, column=self._name, cell=cell, text=text), count)
        return times > 0


def _first_and_rest(wrong: _Array, times: int) -> Iterator[tuple[int, int]]:
    """Up to five examples; the last one also stands for all that follow it."""
    if not times:
        return
    indices = pc.indices_nonzero(wrong)[:5].to_pylist()
    for index in indices[:-1]:
        yield 1, index
    yield times - len(indices) + 1, indices[-1]


def _nulled(values: _Array, where: _Array) -> _Array:
    return pc.if_else(pc.fill_null(where, fill_value=False), pa.scalar(None, values.type), values)


def _zoned(cells: _Array) -> _Array:
    """Times with a zone each: those that name none are in UTC, and a date alone is its midnight."""
    dated = pc.if_else(
        pc.less_equal(pc.utf8_length(cells), 10), pc.binary_join_element_wise(cells, "T00:00", ""), cells
    )
    named = pc.match_substring_regex(dated, _ZONE)
    return pc.if_else(named, dated, pc.binary_join_element_wise(dated, "Z", ""))


def _castable(cell: _Array, kind: _Type) -> bool:
    try:
        cell.cast(kind)
    except pa.ArrowInvalid:
        return False
    return True
