"""What is wrong with an upload, told so that its sender can mend it: row, column, rule and one sentence.

Made by the checks of the intake, kept as report.json beside a quarantined file. It never quotes data, but for
one short, escaped cell a finding: a report is read by more people than the data is.
"""

from collections import Counter
from datetime import datetime
from enum import StrEnum

import msgspec

MOST_FINDINGS = 50
MOST_ALIKE = 5
CELL_CHARS = 24


class Rule(StrEnum):
    """The closed vocabulary of what an upload can break. docs/reference lists the same words."""

    # the file
    TOO_LARGE = "TooLarge"
    TOO_MANY_ROWS = "TooManyRows"
    EMPTY = "Empty"
    ENCODING = "Encoding"
    NUL_BYTE = "NulByte"
    LINE_LENGTH = "LineLength"
    LINE_BREAK = "LineBreak"
    QUOTING = "Quoting"
    CELL_COUNT = "CellCount"
    # the header
    HEADER = "Header"
    MISSING_COLUMN = "MissingColumn"
    UNKNOWN_COLUMN = "UnknownColumn"
    DUPLICATE_COLUMN = "DuplicateColumn"
    # the cells
    TYPE = "Type"
    NOT_FINITE = "NotFinite"
    NULL = "Null"
    BELOW_MINIMUM = "BelowMinimum"
    ABOVE_MAXIMUM = "AboveMaximum"
    TOO_LONG = "TooLong"
    NOT_IN_VALUES = "NotInValues"
    FORMULA = "Formula"


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One mistake. `row` counts from 1 below the header; 0 is the header or the file as a whole."""

    rule: Rule
    text: str
    row: int = 0
    column: str = ""
    cell: str = ""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Why a file was quarantined. `counts` holds all mistakes by column and rule, `findings` the first ones.

    Nothing in it depends on when it was written: two deliveries of one upload write the same bytes.
    """

    schema: str = "upkeep.report/1"
    model: str
    blob: str
    uploaded_at: datetime
    bytes: int
    sha256: str
    rows_read: int
    total: int
    counts: dict[str, int]
    findings: tuple[Finding, ...]


class Findings:
    """Collects mistakes while a file streams by: bounded, however bad the file is."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._kept: list[Finding] = []

    def __len__(self) -> int:
        return self._counts.total()

    def add(self, finding: Finding, times: int = 1) -> None:
        """Count a mistake `times` over; keep it as an example while there is room for one of its kind."""
        kind = f"{finding.column}: {finding.rule}" if finding.column else str(finding.rule)
        alike = sum(1 for kept in self._kept if kept.rule is finding.rule and kept.column == finding.column)
        self._counts[kind] += times
        if alike < MOST_ALIKE and len(self._kept) < MOST_FINDINGS:
            self._kept.append(finding)

    @property
    def counts(self) -> dict[str, int]:
        """All mistakes, by column and rule, the most frequent first."""
        return dict(self._counts.most_common())

    @property
    def kept(self) -> tuple[Finding, ...]:
        """Examples, in the order of the file."""
        return tuple(sorted(self._kept, key=lambda finding: finding.row))

    @property
    def sentence(self) -> str:
        """The whole in one sentence, for the ledger and the status page."""
        if not self._kept:
            return ""
        first = self.kept[0]
        more = f" ({len(self)} mistakes in all)" if len(self) > 1 else ""
        return f"{first.text}{more}"


def shown(value: object) -> str:
    """A cell, safe to show: ASCII escapes only, cut short, in quotes so that it never begins like a formula."""
    text = str(value)
    cut = text[:CELL_CHARS]
    return ascii(cut) + ("..." if len(text) > len(cut) else "")
