"""The intake's memory: one row a blob and ETag, and the rules by which a row is taken up, finished or given up.

Pure values and rules; the table itself is behind a port. A row is written before work begins, so that even a
worker that dies of the file (out of memory) leaves a counted try behind.
"""

import hashlib
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

MAX_TRIES = 5
STALE_AFTER = timedelta(minutes=10)
"""A row unfinished for so long is nobody's: the functions' own time limit (host.json) is not longer."""
SETTLED_AFTER = timedelta(seconds=15)
"""The sweep leaves younger blobs to their events, and to writers that append to a file before they close it."""
NOBODY = "_nobody"
"""Partition of uploads that belong to no published model; no model's name has an underscore."""


class State(StrEnum):
    """Where an upload stands."""

    SEEN = "seen"
    ACCEPTED = "accepted"
    QUARANTINED = "quarantined"
    GIVEN_UP = "given_up"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One upload. `part` is its content's name once that is known; `why` is a sentence for people."""

    model: str
    key: str
    blob: str
    etag: str
    state: State
    at: datetime
    tries: int = 0
    part: str = ""
    why: str = ""


def key_of(blob: str, etag: str) -> str:
    """Row key of an upload: first 32 hex digits of the SHA-256 of path and ETag."""
    return hashlib.sha256(f"{blob}\n{etag}".encode()).hexdigest()[:32]


def wants_message(row: Row | None, modified: datetime, now: datetime) -> bool:
    """Whether the sweep should enqueue a blob that still lies in the landing container.

    Accepted and quarantined rows count as well: their blob should have been moved.
    """
    if row is None:
        return modified <= now - SETTLED_AFTER
    return row.state is not State.GIVEN_UP and row.at < now - STALE_AFTER


def begun(row: Row, now: datetime) -> Row:
    """The row at the start of one more try."""
    return msgspec.structs.replace(row, tries=row.tries + 1, at=now)


def exhausted(row: Row) -> bool:
    """Whether this try, if it fails, was the last."""
    return row.tries >= MAX_TRIES


def given_up(row: Row, now: datetime, why: str) -> Row:
    """The row of a file that is left for a person. Uploading it anew starts afresh, under another ETag."""
    return msgspec.structs.replace(row, state=State.GIVEN_UP, at=now, why=why)


def uncounted(row: Row, why: str) -> Row:
    """The row after a try that failed through no fault of the file's."""
    return msgspec.structs.replace(row, tries=row.tries - 1, why=why)
