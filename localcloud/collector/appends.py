"""Appends to blobs of the storage account, and writes whole ones.

Used by the collector's flush, in a thread: everything here blocks.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobServiceClient

from localcloud.cloud import Cloud
from localcloud.controlplane.blobs import ACCOUNT_KEY
from localcloud.controlplane.locations import Location

MAX_BLOCK_BYTES = 4 * 1024 * 1024


class AppendBlobs:
    """Files that only grow. Made once: it keeps its connections."""

    def __init__(self, cloud: Cloud) -> None:
        self._service = BlobServiceClient(
            cloud.blob_url, credential=ACCOUNT_KEY, connection_verify=str(cloud.ca_file), retry_total=1
        )

    def append(self, location: Location, lines: list[bytes]) -> None:
        """Add lines, each without its newline, to the blob, which is made if it is not there."""
        blob = self._service.get_blob_client(location.container, location.path)
        for block in _blocks(lines):
            try:
                blob.append_block(block)
            except ResourceNotFoundError:
                # Somebody else may make it in between; then theirs is as good.
                with suppress(ResourceExistsError, ResourceModifiedError):
                    blob.create_append_blob(match_condition=MatchConditions.IfMissing)
                blob.append_block(block)

    def write(self, location: Location, content: bytes) -> str:
        """Write one whole blob; its URL."""
        blob = self._service.get_blob_client(location.container, location.path)
        blob.upload_blob(content, overwrite=True)
        return str(blob.url)

    def close(self) -> None:
        """Give the connections up."""
        self._service.close()


def _blocks(lines: Iterable[bytes]) -> Iterator[bytes]:
    # A line of 4 MB of rows is a little longer than a block may be: it is cut, an append is of bytes.
    block = bytearray()
    for line in lines:
        if block and len(block) + len(line) + 1 > MAX_BLOCK_BYTES:
            yield bytes(block)
            block.clear()
        block += line + b"\n"
        while len(block) > MAX_BLOCK_BYTES:
            yield bytes(block[:MAX_BLOCK_BYTES])
            del block[:MAX_BLOCK_BYTES]
    if block:
        yield bytes(block)
