"""What azureml-ai-monitoring posts, and the JSON lines that the sidecar makes of it.

Called by the collector. Pure. The fields are those of how-to-collect-production-data; there is no telling from a
line how many requests it holds, on Azure either, so that whoever reads must bring an id of its own in a column.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

TYPE_PREFIX = "azureml.inference."
MAX_INLINE_BYTES = 4 * 1024 * 1024


class RefusedError(ValueError):
    """The sidecar does not take this; the message says why."""


@dataclass(frozen=True)
class Event:
    """One call of Collector.collect, as it arrived. `rows` is None for what is not JSON or too large for a line."""

    collection: str
    attributes: Mapping[str, str]
    at: datetime
    content: bytes
    rows: tuple[Any, ...] | None


def read_event(headers: Mapping[str, str], content: bytes) -> Event:
    """The event of one POST; RefusedError if it has no type or its JSON is no list."""
    sent = {name.lower(): value for name, value in headers.items()}
    kind = sent.get("ce-type", "")
    if not kind.startswith(TYPE_PREFIX):
        raise RefusedError(f"ce-type must begin with {TYPE_PREFIX}, not {kind!r}.")
    request_id = sent.get("ce-x-request-id", "")
    attributes = {
        "id": sent.get("trace-id") or str(uuid4()),
        "type": kind,
        "datacontenttype": sent.get("content-type", "application/json"),
        "correlationid": request_id,
        "xrequestid": request_id,
        "modelversion": sent.get("ce-model-version", "default"),
        "collectdatatype": sent.get("ce-collect-data-type", ""),
        "agent": sent.get("ce-agent", ""),
    }
    return Event(kind.removeprefix(TYPE_PREFIX), attributes, _moment(sent), content, _rows(attributes, content))


def batches(events: Iterable[Event], most: int) -> Iterator[tuple[Event, ...]]:
    """Neighbours that may share a line: of one kind, inline, at most `most` of them and 4 MB together."""
    group: list[Event] = []
    for event in events:
        if group and not (_alike(group[0], event) and len(group) < most and _size(group) + _size([event]) <= _LIMIT):
            yield tuple(group)
            group = []
        group.append(event)
    if group:
        yield tuple(group)


def inline(group: tuple[Event, ...], source: str) -> dict[str, Any]:
    """One line for the rows of all these events. What differs between them is told of the first alone."""
    rows = [row for event in group for row in event.rows or ()]
    size = len(json.dumps(rows, separators=(",", ":")))
    return {**_envelope(group[0], source), "data": rows, **_trailer(group[0], size)}


def pointer(event: Event, source: str, url: str) -> dict[str, Any]:
    """The line of an event whose content lies in a blob of its own."""
    return {
        **_envelope(event, source),
        "data": url,
        **_trailer(event, len(event.content)),
        "datainblob": "true",
    }


_LIMIT = MAX_INLINE_BYTES


def _envelope(event: Event, source: str) -> dict[str, Any]:
    own = event.attributes
    return {
        "specversion": "1.0",
        "id": own["id"],
        "source": source,
        "type": own["type"],
        "datacontenttype": own["datacontenttype"],
        "time": event.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _trailer(event: Event, size: int) -> dict[str, Any]:
    named = ("correlationid", "xrequestid", "modelversion", "collectdatatype", "agent")
    content_range = f"bytes 0-{max(size - 1, 0)}/{size}"
    return {**{name: event.attributes[name] for name in named}, "contentrange": content_range}


def _moment(sent: Mapping[str, str]) -> datetime:
    try:
        return datetime.fromtimestamp(float(sent["ce-time"]), UTC)
    except (KeyError, ValueError, OverflowError, OSError) as error:
        raise RefusedError("ce-time must be seconds since 1970.") from error


def _rows(attributes: Mapping[str, str], content: bytes) -> tuple[Any, ...] | None:
    if not attributes["datacontenttype"].startswith("application/json") or len(content) > MAX_INLINE_BYTES:
        return None
    try:
        rows = json.loads(content)
    except ValueError as error:
        raise RefusedError(f"The content is not JSON: {error}.") from error
    if not isinstance(rows, list):
        raise RefusedError("The content must be a list of rows.")
    return tuple(rows)


def _alike(one: Event, other: Event) -> bool:
    same = ("type", "datacontenttype", "modelversion", "collectdatatype", "agent")
    inlined = one.rows is not None and other.rows is not None
    return inlined and all(one.attributes[name] == other.attributes[name] for name in same)


def _size(events: Iterable[Event]) -> int:
    return sum(len(event.content) for event in events)
