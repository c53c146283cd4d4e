"""The intake's Uploads over the Storage queue `uploads`, into which Event Grid writes as well.

Called through the port, by the sweep.
"""

from azure.core.credentials import TokenCredential
from azure.storage.queue import ExponentialRetry, QueueClient, TextBase64EncodePolicy

from shared.adapters.faults import QUEUE_ROLE, translated

QUEUE = "uploads"
_FOR_EVER = -1


class QueueUploads:
    """One queue. Safe to share between threads."""

    def __init__(self, service: str, credential: TokenCredential) -> None:
        self._queue = QueueClient(
            service,
            QUEUE,
            credential=credential,
            message_encode_policy=TextBase64EncodePolicy(),
            retry_policy=ExponentialRetry(initial_backoff=1, increment_base=2, retry_total=3),
            connection_timeout=5,
            read_timeout=30,
        )

    def send(self, message: str) -> None:
        """One message, in base64 as the Functions host expects it."""
        with translated("sending an upload", QUEUE_ROLE):
            self._queue.send_message(message, time_to_live=_FOR_EVER)
