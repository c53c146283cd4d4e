"""Hashes a model's files where they lie, in bounded memory and time. Called by whoever has a container to look into.

A file is read in pieces and only while its ETag holds, so that its hash is of one state of it. Storage gives a new
ETag to every write: a file that was hashed under the ETag that it still has is not read again. That makes the second
look, right before a deployment, one listing. A look ends after LOOK_S and the next goes on where it stopped, file by
file; a single file is read to its end, since a SHA-256 cannot be taken up in its middle.
"""

import hashlib
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from azure.core import MatchConditions
from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError

from shared.domain.artifact import ArtifactSeen, FileSeen
from shared.errors import RetryLater

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

CHUNK_BYTES = 4 * 1024 * 1024
LOOK_S = 25.0
"""How long one look begins new files. A pass holds its lease for 60 s; one that outlasts it only works twice."""
MOST_FILES = 1_000
MOST_BYTES = 20 * 1024**3
"""Of all files: at 50 MB/s seven minutes, and a function may run for ten."""


class Hashed(msgspec.Struct, frozen=True):
    """A file's hash, and the ETag under which it was read."""

    etag: str
    size_bytes: int
    sha256: str


def measure(
    container: "ContainerClient", folder: str, known: Mapping[str, Hashed], look_s: float = LOOK_S
) -> tuple[ArtifactSeen, Mapping[str, Hashed]]:
    """Hash the files below a folder (or the one blob of that name); what is known is taken over where it still holds.

    Raises RetryLater when a file is written while it is read.
    """
    blobs = _files(container, folder)
    problem = _problem(blobs)
    if problem:
        return ArtifactSeen(problem=problem), {}
    ends, found = time.monotonic() + look_s, dict[str, Hashed]()
    for path, blob in blobs.items():
        had = known.get(path)
        if had is not None and had.etag == blob.etag:
            found[path] = had
        elif time.monotonic() < ends:
            found[path] = _hashed(container, blob)
    files = tuple(FileSeen(path=path, size_bytes=each.size_bytes, sha256=each.sha256) for path, each in found.items())
    return ArtifactSeen(files=files, complete=len(found) == len(blobs)), found


def _files(container: "ContainerClient", folder: str) -> dict[str, Any]:
    """Blobs by their path in the folder, sorted; without the empty ones that only say that a folder is there."""
    root = folder.strip("/")
    found = {}
    for blob in container.list_blobs(name_starts_with=root, include=["metadata"]):
        if (blob.metadata or {}).get("hdi_isfolder") == "true":
            continue
        if blob.name == root:
            found[root.rpartition("/")[2]] = blob
        elif blob.name.startswith(f"{root}/"):
            found[blob.name.removeprefix(f"{root}/")] = blob
        if len(found) > MOST_FILES:
            break
    return dict(sorted(found.items()))


def _problem(blobs: dict[str, Any]) -> str:
    if not blobs:
        return "there are none"
    if len(blobs) > MOST_FILES:
        return f"there are more than {MOST_FILES}"
    size_bytes = sum(blob.size for blob in blobs.values())
    return f"{size_bytes} bytes are more than {MOST_BYTES}" if size_bytes > MOST_BYTES else ""


def _hashed(container: "ContainerClient", blob: Any) -> Hashed:
    digest = hashlib.sha256()
    try:
        if blob.size:  # the service has no first byte of an empty blob to give
            reading = container.download_blob(
                blob.name, etag=blob.etag, match_condition=MatchConditions.IfNotModified, max_concurrency=1
            )
            for chunk in reading.chunks():
                digest.update(chunk)
    except (ResourceModifiedError, ResourceNotFoundError) as error:
        raise RetryLater(f"{blob.name} was changed while it was read", 10) from error
    return Hashed(blob.etag, blob.size, digest.hexdigest())
