"""Clients of Storage for the host itself: trigger queues, output queues, the blobs of its own state.

Used by the triggers through app.py. Unmodified azure-storage-queue and azure-storage-blob with an identity;
which account they reach is said by the app settings alone.
"""

from contextlib import suppress

from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.identity.aio import DefaultAzureCredential
from azure.storage.blob.aio import BlobClient, ContainerClient
from azure.storage.queue.aio import QueueClient

from localcloud.host.appsettings import Settings, connection_uri

HOST_CONTAINER = "azure-webjobs-hosts"
HOST_CONNECTION = "AzureWebJobsStorage"

__all__ = ["AzureError", "HostStorage", "ResourceNotFoundError", "is_taken_over"]


class HostStorage:
    """The clients, made on demand and closed together."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._credential = DefaultAzureCredential(
            managed_identity_client_id=settings.get(f"{HOST_CONNECTION}__clientId")
        )
        self._queues: dict[tuple[str, str], QueueClient] = {}
        self._container: ContainerClient | None = None

    def queue(self, connection: str, name: str) -> QueueClient:
        """Client of a queue; the text of its messages is passed on as it is."""
        key = (connection, name)
        if key not in self._queues:
            self._queues[key] = QueueClient(
                connection_uri(connection, "queue", self._settings),
                name,
                credential=self._credential,
                # The default waits 15 s before its first retry, which would outlast the host's own stop.
                initial_backoff=1,
                increment_base=2,
                retry_total=3,
            )
        return self._queues[key]

    async def send(self, connection: str, queue: str, text: str) -> None:
        """Send one message, as `text` is, to a queue that is made when it is not there."""
        client = self.queue(connection, queue)
        try:
            await client.send_message(text)
        except ResourceNotFoundError:
            with suppress(ResourceExistsError):  # another run was first
                await client.create_queue()
            await client.send_message(text)

    async def read_state(self, path: str) -> bytes | None:
        """A blob of the host's own container, None when there is none."""
        try:
            stream = await self._blob(path).download_blob()
            return await stream.readall()
        except ResourceNotFoundError:
            return None

    async def write_state(self, path: str, data: bytes) -> None:
        """Write a blob of the host's own container, which is made when it is not there."""
        try:
            await self._blob(path).upload_blob(data, overwrite=True)
        except ResourceNotFoundError:
            with suppress(ResourceExistsError):  # another timer was first
                await self._host_container().create_container()
            await self._blob(path).upload_blob(data, overwrite=True)

    async def close(self) -> None:
        """Close all connections."""
        for client in self._queues.values():
            await client.close()
        if self._container is not None:
            await self._container.close()
        await self._credential.close()

    def _blob(self, path: str) -> BlobClient:
        return self._host_container().get_blob_client(path)

    def _host_container(self) -> ContainerClient:
        if self._container is None:
            self._container = ContainerClient(
                connection_uri(HOST_CONNECTION, "blob", self._settings),
                HOST_CONTAINER,
                credential=self._credential,
            )
        return self._container


def is_taken_over(error: AzureError) -> bool:
    """Whether a message is no longer ours: its time ran out and someone else took it, or it is gone."""
    if isinstance(error, ResourceNotFoundError):
        return True
    return isinstance(error, HttpResponseError) and error.error_code == "PopReceiptMismatch"  # type: ignore[attr-defined]  # set by the storage SDKs
