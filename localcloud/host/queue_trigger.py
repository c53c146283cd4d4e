"""The queue trigger: polls one queue and runs one function for each message, as the Storage extension does.

Started by app.py, one listener a function. A message stays in the queue, invisible, until its run is over:
whatever happens to this process, it comes back when its time runs out.
"""

import asyncio
import json
import logging
from datetime import datetime

from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from localcloud.host.backoff import Backoff
from localcloud.host.encoding import decode_message
from localcloud.host.functions import Function, QueueTrigger
from localcloud.host.hostjson import Queues
from localcloud.host.inflight import InFlight
from localcloud.host.invoker import Invoker
from localcloud.host.messages import TypedData
from localcloud.host.storage import AzureError, HostStorage, ResourceNotFoundError, is_taken_over

LEASE_S = 600  # a fetched message is invisible for 10 minutes, renewed at half-time
POISON = "-poison"
_log = logging.getLogger("host.queue")


class QueueListener:
    """Polls the queue of one function."""

    def __init__(
        self,
        function: Function,
        trigger: QueueTrigger,
        storage: HostStorage,
        options: Queues,
        invoker: Invoker,
        in_flight: InFlight,
        lease_s: int = LEASE_S,
    ) -> None:
        self._function = function
        self._trigger = trigger
        self._storage = storage
        self._queue: QueueClient = storage.queue(trigger.connection, trigger.queue)
        self._options = options
        self._invoker = invoker
        self._in_flight = in_flight
        self._lease_s = lease_s

    async def listen(self) -> None:
        """Poll until the host stops. A failing or missing queue is polled like an empty one."""
        backoff = Backoff(self._options.max_polling_interval_s)
        running: set[asyncio.Task[None]] = set()
        while not self._in_flight.stopping.is_set():
            messages = await self._fetch()
            if not messages:
                await self._in_flight.pause(backoff.missed_s())
                continue
            backoff.found()
            for message in messages:
                running.add(self._in_flight.begin(self._process(message), f"{self._trigger.queue} {message.id}"))
            running = await self._room(running)

    async def _room(self, running: set[asyncio.Task[None]]) -> set[asyncio.Task[None]]:
        """Wait until so few runs are left that the next batch may be fetched."""
        while len(running) > self._options.new_batch_threshold:
            _, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        return {task for task in running if not task.done()}

    async def _fetch(self) -> list[QueueMessage]:
        pages = self._queue.receive_messages(
            messages_per_page=self._options.batch_size, visibility_timeout=self._lease_s
        ).by_page()
        try:
            async for page in pages:
                return [message async for message in page]
        except ResourceNotFoundError:
            _log.debug("the queue %s is not there yet", self._trigger.queue)
        except AzureError as error:
            _log.warning("the queue %s cannot be polled: %s", self._trigger.queue, error)
        return []

    async def _process(self, message: QueueMessage) -> None:
        try:
            # Already spent: its last run ended with the process, so nobody moved it away.
            if self._spent(message, self._options.max_dequeue_count + 1):
                await self._to_poison(message)
            elif await self._run(message):
                await self._queue.delete_message(message.id, message.pop_receipt)
            else:
                await self._failed(message)
        except AzureError as error:
            why = "someone else has it" if is_taken_over(error) else f"it will be seen again: {error}"
            _log.warning("message %s of %s was not completed; %s", message.id, self._trigger.queue, why)

    async def _run(self, message: QueueMessage) -> bool:
        try:
            body = decode_message(message.content, self._options.base64)
        except ValueError as error:
            _log.error("message %s of %s: %s", message.id, self._trigger.queue, error)
            return False
        over = asyncio.Event()
        renewal = asyncio.create_task(self._renew(message, over))
        try:
            outcome = await self._invoker.run(
                self._function,
                trigger_data(self._trigger, body),
                trigger_metadata(message, body),
                f"New queue message detected on '{self._trigger.queue}'.",
            )
        finally:
            # Not cancelled: cut off in the middle it would leave a receipt that nobody knows.
            over.set()
            await renewal
        return outcome.error is None

    async def _renew(self, message: QueueMessage, over: asyncio.Event) -> None:
        wait_s = self._lease_s / 2
        while True:
            try:
                await asyncio.wait_for(over.wait(), wait_s)
            except TimeoutError:
                wait_s = await self._renew_once(message)
            else:
                return

    async def _renew_once(self, message: QueueMessage) -> float:
        """Renew, and say when to do so next: soon when it failed."""
        try:
            renewed = await self._queue.update_message(
                message.id, message.pop_receipt, visibility_timeout=self._lease_s
            )
        except AzureError as error:
            _log.warning("message %s of %s could not be renewed: %s", message.id, self._trigger.queue, error)
            return self._lease_s / 8
        message.pop_receipt = renewed.pop_receipt
        return self._lease_s / 2

    async def _failed(self, message: QueueMessage) -> None:
        if self._spent(message, self._options.max_dequeue_count):
            await self._to_poison(message)
            return
        await self._queue.update_message(
            message.id, message.pop_receipt, visibility_timeout=int(self._options.visibility_timeout_s)
        )

    def _spent(self, message: QueueMessage, tries: int) -> bool:
        """Whether it was fetched so often; never in a poison queue, which has none of its own."""
        return not self._trigger.queue.endswith(POISON) and (message.dequeue_count or 0) >= tries

    async def _to_poison(self, message: QueueMessage) -> None:
        poison = self._trigger.queue + POISON
        _log.warning(
            "Message has reached MaxDequeueCount of %d. Moving message to queue '%s'.",
            self._options.max_dequeue_count, poison,
        )  # fmt: skip
        await self._storage.send(self._trigger.connection, poison, message.content)
        await self._queue.delete_message(message.id, message.pop_receipt)


def trigger_data(trigger: QueueTrigger, body: bytes) -> TypedData:
    """The body as the function is given it: bytes if it asked for them, else text."""
    return TypedData(bytes=body) if trigger.binary else TypedData(string=body.decode(errors="replace"))


def trigger_metadata(message: QueueMessage, body: bytes) -> dict[str, TypedData]:
    """What func.QueueMessage tells of a message besides its body."""
    values: dict[str, object] = {
        "QueueTrigger": body.decode(errors="replace"),
        "Id": message.id,
        "DequeueCount": message.dequeue_count,
        "InsertionTime": _moment(message.inserted_on),
        "ExpirationTime": _moment(message.expires_on),
        "NextVisibleTime": _moment(message.next_visible_on),
        "PopReceipt": message.pop_receipt,
    }
    return {name: TypedData(json=json.dumps(value)) for name, value in values.items() if value is not None}


def _moment(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()
