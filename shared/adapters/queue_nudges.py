"""The Nudges port over the Storage queue `nudge`, whose trigger runs the reconciler.

Called through the port. A message names a model and says nothing else that a decision could lean on.
"""

import math
from datetime import datetime

import msgspec
from azure.core.credentials import TokenCredential
from azure.storage.queue import ExponentialRetry, QueueClient, TextBase64EncodePolicy

from shared.adapters.faults import QUEUE_ROLE, translated

QUEUE = "nudge"
LONGEST_DELAY_S = 7 * 86_400  # what the service allows; a look that is due later is repeated then
_FOR_EVER = -1


class Nudge(msgspec.Struct, frozen=True):
    """The message's text: JSON, in base64 as the Functions host expects it. `due` is seconds since 1970."""

    model: str
    due: float | None = None


class QueueNudges:
    """One queue. Safe to share between threads."""

    def __init__(self, service: str, credential: TokenCredential) -> None:
        retry = ExponentialRetry(initial_backoff=1, increment_base=2, retry_total=3)
        self._queue = QueueClient(
            service,
            QUEUE,
            credential=credential,
            message_encode_policy=TextBase64EncodePolicy(),
            retry_policy=retry,
            connection_timeout=5,
            read_timeout=30,
        )

    def send(self, model: str, delay_s: float, due: datetime | None) -> None:
        """Send one message, visible after the delay, rounded up to the whole seconds that the service counts in."""
        text = msgspec.json.encode(Nudge(model, due.timestamp() if due else None)).decode()
        hidden_s = min(max(math.ceil(delay_s), 0), LONGEST_DELAY_S)
        with translated(f"nudging {model}", QUEUE_ROLE):
            # The default life of 7 days would let a message end before, or as, it becomes visible.
            self._queue.send_message(text, visibility_timeout=hidden_s, time_to_live=_FOR_EVER)
