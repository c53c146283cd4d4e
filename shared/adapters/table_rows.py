"""How values lie in the state table: keys that sort by time or number, and JSON cut into binary properties.

Called by table_state.py only. Limits of the service: 64 KiB a property, 1 MiB an entity, so that a value takes
at most 15 properties of 60 KiB.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from shared.errors import NeedsPerson

T = TypeVar("T")
Entity = dict[str, Any]  # what azure-data-tables takes and gives: its keys are the table's property names

MODELS = "_models"
RECORD = "record"
LEASE = "lease"
INBOX = "inbox|"
SEEN = "seen|"
DECISION = "decision|"
AFTER_BAR = "}"  # the character behind "|": the end of a range of keys with a prefix

_CHUNK = 60 * 1024
_MOST_CHUNKS = 15


def stamp(at: datetime) -> str:
    """A time as text that sorts as times do."""
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%S%f")


def inbox_row(at: datetime, key: str) -> str:
    """Row of an unread event: the oldest sorts first."""
    return f"{INBOX}{stamp(at)}|{_digest(key)[:24]}"


def seen_row(key: str) -> str:
    """Row that remembers an event's key."""
    return f"{SEEN}{_digest(key)[:32]}"


def decision_row(seq: int) -> str:
    """Row of a decision."""
    return f"{DECISION}{seq:010d}"


def entity(partition: str, row: str, value: msgspec.Struct) -> Entity:
    """The entity that holds a value; NeedsPerson if it is larger than the table takes."""
    content = msgspec.json.encode(value)
    chunks = [content[at : at + _CHUNK] for at in range(0, len(content), _CHUNK)]
    if len(chunks) > _MOST_CHUNKS:
        raise NeedsPerson(f"The row {row} of {partition} has grown to {len(content)} bytes, more than a table takes.")
    return {"PartitionKey": partition, "RowKey": row, **{f"b{index}": chunk for index, chunk in enumerate(chunks)}}


def value(found: Mapping[str, Any], kind: type[T]) -> T:
    """The value that an entity holds."""
    content = bytearray()
    for index in range(_MOST_CHUNKS):
        chunk = found.get(f"b{index}")
        if chunk is None:
            break
        content += chunk
    return msgspec.json.decode(bytes(content), type=kind)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
