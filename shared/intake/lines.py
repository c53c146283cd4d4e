"""Cuts an upload's stream into blocks of whole lines, in bounded memory, and refuses what no CSV may hold.

Used by reading.py alone. Whatever it finds, it reads and hashes the stream to its end, because the hash of the
original bytes is the name under which the file is kept. It knows nothing of columns.
"""

import hashlib
import re
from collections.abc import Iterator

import msgspec

from shared.intake.report import Finding, Findings, Rule

MAX_LINE_BYTES = 1_048_576
BOM = b"\xef\xbb\xbf"
COMPRESSED = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip, or a workbook", b"\x28\xb5\x2f\xfd": "zstd"}

# A line whose quotes open at the start of a cell, close at its end, and are doubled inside. Possessive, so that
# a hostile line costs one pass. pyarrow alone reads `"a"b` as ab and lets a quote run over line ends.
_WELL_QUOTED = re.compile(rb'(?:"(?:[^"]|"")*+"|[^",]*+)(?:,(?:"(?:[^"]|"")*+"|[^",]*+))*+\r?')

_WITH_QUOTE = re.compile(rb'^[^\n"]*+"[^\n]*+', re.MULTILINE)


class Block(msgspec.Struct, frozen=True):
    """Whole lines, and how many lines of data came before them."""

    data: bytes
    rows_before: int


class Lines:
    """One upload, read once. Iterate `blocks()` to the end; `sha256` and `size` are right only then."""

    def __init__(self, chunks: Iterator[bytes], findings: Findings, max_bytes: int) -> None:
        self._chunks = chunks
        self._findings = findings
        self._max_bytes = max_bytes
        self._hash = hashlib.sha256()
        self._broken = False
        self.header: bytes | None = None
        self.size = 0
        self.rows = 0

    @property
    def sha256(self) -> str:
        """Hex digest of the original bytes read so far."""
        return self._hash.hexdigest()

    def blocks(self) -> Iterator[Block]:
        """Blocks of sound lines below the header. After a fault that hides the line ends, none follow."""
        rest = b""
        for chunk in self._hashed():
            if self._broken:
                continue
            head, newline, tail = (rest + chunk).rpartition(b"\n")
            rest = tail
            yield from self._cut(head + newline)
            if len(rest) > MAX_LINE_BYTES:
                self._fault(Rule.LINE_LENGTH, f"Line {self.rows + 1} below the header is longer than 1 MiB.")
        if not self._broken:
            yield from self._cut(rest)

    def drain(self) -> None:
        """Hash what `blocks()` was not asked for."""
        for _ in self._hashed():
            pass

    def _hashed(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self._hash.update(chunk)
            self.size += len(chunk)
            if self.size > self._max_bytes:
                self._fault(Rule.TOO_LARGE, f"The file is larger than the {self._max_bytes} bytes of data.max_bytes.")
            yield chunk

    def _cut(self, data: bytes) -> Iterator[Block]:
        if self.header is None and data:
            data = self._take_header(data)
        if not data or self._broken:
            return
        block = Block(data, self.rows)
        self.rows += data.count(b"\n") + (not data.endswith(b"\n"))
        if self._sound(block):
            yield block

    def _take_header(self, data: bytes) -> bytes:
        line, _, below = data.partition(b"\n")
        self.header = line.removeprefix(BOM).removesuffix(b"\r")
        for magic, kind in COMPRESSED.items():
            if line.startswith(magic):
                self._fault(Rule.ENCODING, f"The file is compressed ({kind}); upload it as plain CSV.")
        return below

    def _sound(self, block: Block) -> bool:
        """Whether pyarrow and a person would see the same rows and cells in it."""
        before = len(self._findings)
        data = block.data
        if b"\x00" in data:
            self._at(block, data.index(b"\x00"), Rule.NUL_BYTE, "holds a NUL byte")
        if not data.isascii():
            self._decode(block)
        if data.startswith(BOM) or b"\n" + BOM in data:
            # What files that were put together look like. pyarrow drops the mark where a block begins with it.
            mark = re.search(rb"^" + BOM, data, re.MULTILINE)
            self._at(block, mark.start() if mark else 0, Rule.ENCODING, "begins with a byte order mark")
        if data.count(b"\r") != data.count(b"\r\n"):
            alone = re.search(rb"\r(?!\n)", data)
            self._at(block, alone.start() if alone else 0, Rule.LINE_BREAK, "holds a carriage return of its own")
        if data.startswith((b"\n", b"\r\n")) or b"\n\n" in data or b"\n\r\n" in data:
            blank = re.search(rb"^\r?$", data, re.MULTILINE)
            self._at(block, blank.start() if blank else 0, Rule.LINE_BREAK, "is blank")
        if b'"' in data:
            self._check_quotes(block)
        return len(self._findings) == before

    def _decode(self, block: Block) -> None:
        try:
            block.data.decode("utf-8")
        except UnicodeDecodeError as error:
            self._at(block, error.start, Rule.ENCODING, "is not UTF-8")

    def _check_quotes(self, block: Block) -> None:
        row, counted_to = block.rows_before + 1, 0
        for line in _WITH_QUOTE.finditer(block.data):
            row += block.data.count(b"\n", counted_to, line.start())
            counted_to = line.start()
            if not _WELL_QUOTED.fullmatch(line[0]):
                text = (
                    f"Row {row} has a quote that is not closed, or stands inside a cell without being doubled; "
                    "a cell may not hold a line break."
                )
                self._findings.add(Finding(rule=Rule.QUOTING, row=row, text=text))

    def _at(self, block: Block, offset: int, rule: Rule, what: str) -> None:
        row = block.rows_before + block.data.count(b"\n", 0, offset) + 1
        self._findings.add(Finding(rule=rule, row=row, text=f"Row {row} {what}."))

    def _fault(self, rule: Rule, text: str) -> None:
        """A fault after which no line can be trusted: told once, the rest is hashed only."""
        if not self._broken:
            self._findings.add(Finding(rule=rule, row=self.rows, text=text))
        self._broken = True
