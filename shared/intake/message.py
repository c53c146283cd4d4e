"""The message of an upload: Event Grid's BlobCreated, as it lies in the queue `uploads`.

Read by intake.py, and written by its sweep in the same shape, so that there is one way in. Keys are taken in any
case, because services and versions differ in it (docs: event-schema-blob-storage).
"""

from datetime import datetime
from typing import Any

import msgspec

from shared.domain.names import LANDING
from shared.errors import BadInput

BLOB_CREATED = "Microsoft.Storage.BlobCreated"
COMPLETE = frozenset({"copyblob", "putblob", "putblocklist", "flushwithclose"})
"""Calls after which a blob is complete; others (a created, still empty file of ADLS) are not an upload yet."""
_FOLDER = f"/blobServices/default/containers/{LANDING}/blobs/"


class Upload(msgspec.Struct, frozen=True):
    """A blob of the landing container in one of its states. The ETag stands without its quotes."""

    blob: str
    etag: str


def parse(text: str) -> Upload | None:
    """The upload that a message tells of; None when it tells of something else. BadInput when it is no event."""
    event = _lowered(_decoded(text))
    kind, subject, data = event.get("eventtype", event.get("type")), event.get("subject"), event.get("data")
    if not isinstance(kind, str) or not isinstance(subject, str) or not isinstance(data, dict):
        raise BadInput("The message of queue uploads is not an Event Grid event.")
    if kind.lower() != BLOB_CREATED.lower() or not subject.startswith(_FOLDER):
        return None
    data = _lowered(data)
    if str(data.get("api", "")).lower() not in COMPLETE:
        return None
    blob, etag = subject.removeprefix(_FOLDER), data.get("etag")
    if not blob or not isinstance(etag, str) or not etag:
        raise BadInput("The BlobCreated event names no blob or no eTag.")
    return Upload(blob, bare(etag))


def render(upload: Upload, size: int, at: datetime) -> str:
    """A message in Event Grid's shape for a blob that the sweep found."""
    event = {
        "id": f"sweep-{upload.etag}",
        "topic": "upkeep/sweep",
        "subject": f"{_FOLDER}{upload.blob}",
        "eventType": BLOB_CREATED,
        "eventTime": at,
        "dataVersion": "",
        "metadataVersion": "1",
        "data": {"api": "PutBlob", "eTag": upload.etag, "contentLength": size, "blobType": "BlockBlob"},
    }
    return msgspec.json.encode(event).decode()


def bare(etag: str) -> str:
    """An ETag without quotes: the blob service writes them, Event Grid does not."""
    return etag.strip().strip('"')


def _decoded(text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadInput("The message of queue uploads is not a JSON object.") from error


def _lowered(value: dict[str, Any]) -> dict[str, Any]:
    return {key.lower(): item for key, item in value.items()}
