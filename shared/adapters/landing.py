"""The intake's Landing over Blob Storage: reads uploads by ranges, keeps parts, moves originals by server-side copy.

Called through the port. Every read, copy and deletion of an upload is bound to the ETag that was looked at, so that
a file that is overwritten meanwhile is never mixed with its successor. It judges no content. azure.storage.blob is
imported by the first method that is called.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azure.core import MatchConditions
from azure.core.credentials import TokenCredential
from azure.core.exceptions import (
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)

from shared.adapters.faults import BLOB_ROLE, code_of, translated
from shared.domain import names
from shared.errors import LostRace, RetryLater
from shared.intake.message import bare
from shared.intake.ports import Landed

if TYPE_CHECKING:
    from azure.storage.blob import BlobClient, BlobServiceClient

BLOCK_BYTES = 4 * 1024 * 1024
COPY_DELAY_S = 5.0
# ADLS lists its folders as blobs; they are no uploads.
_FOLDER_MARK = "hdi_isfolder"


class BlobLanding:
    """Three containers of one storage account. Safe to share between threads."""

    def __init__(self, service: str, credential: TokenCredential) -> None:
        self._service, self._credential = service, credential

    @cached_property
    def _blobs(self) -> "BlobServiceClient":
        from azure.storage.blob import BlobServiceClient, ExponentialRetry

        retry = ExponentialRetry(initial_backoff=1, increment_base=2, retry_total=3)
        return BlobServiceClient(
            self._service,
            credential=self._credential,
            retry_policy=retry,
            connection_timeout=5,
            read_timeout=60,
            max_single_get_size=BLOCK_BYTES,
            max_chunk_get_size=BLOCK_BYTES,
        )

    def look(self, name: str) -> Landed | None:
        """The blob as it is now; None when it is not there, or is a folder."""
        with translated(f"looking at {names.LANDING}/{name}", BLOB_ROLE):
            try:
                return _landed(self._upload(name).get_blob_properties())
            except ResourceNotFoundError as error:
                if code_of(error) == "ContainerNotFound":
                    raise
                return None

    def list(self) -> Iterator[Landed]:
        """All uploads of the landing container, a page of 5,000 at a time."""
        with translated(f"listing {names.LANDING}", BLOB_ROLE):
            for found in self._blobs.get_container_client(names.LANDING).list_blobs(include=["metadata"]):
                landed = _landed(found)
                if landed is not None:
                    yield landed

    def read(self, landed: Landed) -> Iterator[bytes]:
        """The bytes as they are stored, in blocks. LostRace when the blob has changed or is gone."""
        with translated(f"reading {names.LANDING}/{landed.name}", BLOB_ROLE), _bound_to(landed):
            yield from self._upload(landed.name).download_blob(decompress=False, **_if_match(landed)).chunks()

    def put_part(self, model: str, part: str, parquet: Path, profile: bytes) -> None:
        """Keep a part and its profile. The part goes last: where it is, the profile is too."""
        with translated(f"keeping part {part} of {model}", BLOB_ROLE):
            self._put(f"{model}/profiles/{part}.json", profile, "application/json")
            with parquet.open("rb") as file:
                self._put(f"{model}/{names.part_path(part)}", file, "application/vnd.apache.parquet")

    def keep_original(self, landed: Landed, model: str, part: str) -> None:
        """Copy the upload beside its part."""
        self._copy(landed, names.ACCEPTED, f"{model}/originals/{part}.csv")

    def quarantine(self, landed: Landed, model: str, folder: str, report: bytes) -> None:
        """Copy the upload into quarantine and write the report beside it."""
        from azure.storage.blob import ContentSettings

        self._copy(landed, names.QUARANTINE, f"{model}/{folder}/original.csv")
        path = f"{model}/{folder}/report.json"
        with translated(f"writing {names.QUARANTINE}/{path}", BLOB_ROLE):
            # Replaced: the same bytes may be refused again later, under a contract that has changed.
            settings = ContentSettings(content_type="application/json")
            self._blobs.get_blob_client(names.QUARANTINE, path).upload_blob(
                report, overwrite=True, content_settings=settings
            )

    def remove(self, landed: Landed) -> None:
        """Delete the upload; one that has changed since is another upload and stays."""
        with translated(f"removing {names.LANDING}/{landed.name}", BLOB_ROLE):
            try:
                self._upload(landed.name).delete_blob(**_if_match(landed))
            except (ResourceNotFoundError, ResourceModifiedError):
                return

    def _upload(self, name: str) -> "BlobClient":
        return self._blobs.get_blob_client(names.LANDING, name)

    def _put(self, path: str, content: Any, content_type: str) -> None:
        from azure.storage.blob import ContentSettings

        try:
            blob = self._blobs.get_blob_client(names.ACCEPTED, path)
            blob.upload_blob(content, overwrite=False, content_settings=ContentSettings(content_type=content_type))
        except ResourceExistsError:
            return  # under this name lies this content

    def _copy(self, landed: Landed, container: str, path: str) -> None:
        """Copy inside the account, without the bytes passing through here; RetryLater while that is under way."""
        target = self._blobs.get_blob_client(container, path)
        with translated(f"copying {names.LANDING}/{landed.name} to {container}/{path}", BLOB_ROLE):
            status = _copy_status(target)
            if status not in ("success", "pending"):
                with _bound_to(landed):
                    answer = target.start_copy_from_url(
                        self._upload(landed.name).url,
                        source_etag=_quoted(landed),
                        source_match_condition=MatchConditions.IfNotModified,
                    )
                status = str(answer["copy_status"])
        if status != "success":
            raise RetryLater(f"The copy of {landed.name} to {container} is {status}.", COPY_DELAY_S)


@contextmanager
def _bound_to(landed: Landed) -> Iterator[None]:
    """Turns the refusals that mean "no longer that blob" into LostRace."""
    try:
        yield
    except (ResourceNotFoundError, ResourceModifiedError) as error:
        if code_of(error) == "ContainerNotFound":
            raise
        raise LostRace(f"{names.LANDING}/{landed.name} is no longer the blob that was looked at") from error


def _landed(found: Any) -> Landed | None:
    if (found.metadata or {}).get(_FOLDER_MARK) == "true":
        return None
    return Landed(name=found.name, etag=bare(found.etag), size=found.size, modified=found.last_modified)


def _copy_status(target: "BlobClient") -> str:
    """State of what lies under the target's name; empty when nothing does."""
    try:
        return target.get_blob_properties().copy.status or "success"
    except ResourceNotFoundError as error:
        if code_of(error) == "ContainerNotFound":
            raise
        return ""


def _if_match(landed: Landed) -> dict[str, Any]:
    return {"etag": _quoted(landed), "match_condition": MatchConditions.IfNotModified}


def _quoted(landed: Landed) -> str:
    return f'"{landed.etag}"'
