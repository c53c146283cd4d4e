"""Reads completed blob writes out of Azurite's access log.

Called by eventgrid.py. The log is the one place that sees every client's writes, whatever SDK or tool made
them. Only whole lines are taken; the offset behind the last one is the reader's whole state.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from localcloud.cloud import ACCOUNT

_LINE = re.compile(r'"PUT (?P<target>/\S*) HTTP/[\d.]+" (?P<status>20[12])\b')


@dataclass(frozen=True)
class BlobWrite:
    """One finished write. `offset` is where its line begins: unique, and the same when read again."""

    offset: int
    api: str
    container: str
    path: str


@dataclass(frozen=True)
class AccessLog:
    """Azurite's standard output."""

    path: Path

    def size(self) -> int:
        """Bytes written so far; 0 when there is no log yet."""
        return self.path.stat().st_size if self.path.exists() else 0

    def writes(self, offset: int) -> Iterator[tuple[int, BlobWrite | None]]:
        """Whole lines from the offset on: (offset behind the line, the write that it tells of or None)."""
        with self.path.open("rb") as file:
            file.seek(offset)
            while (line := file.readline()).endswith(b"\n"):
                yield offset + len(line), _parse(line.decode(errors="replace"), offset)
                offset += len(line)


def _parse(line: str, offset: int) -> BlobWrite | None:
    match = _LINE.search(line)
    if not match:
        return None
    target = urlsplit(match["target"])
    segments = unquote(target.path).lstrip("/").removeprefix(f"{ACCOUNT}/")
    container, _, path = segments.partition("/")
    api = _api(parse_qs(target.query), match["status"])
    return BlobWrite(offset, api, container, path) if api and path else None


def _api(query: dict[str, list[str]], status: str) -> str | None:
    # Blob service only: a queue or table answers a PUT below its root with 204. A copy is the only write of
    # a whole blob that is answered 202.
    match query.get("comp"):
        case None if "restype" not in query:
            return "CopyBlob" if status == "202" else "PutBlob"
        case ["blocklist"]:
            return "PutBlockList"
        case _:
            return None
