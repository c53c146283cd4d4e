"""Event Grid: storage and Azure ML events, delivered at least once into Storage queues.

Run by the gateway. Two sources: `Cloud.publish` (Azure ML events of the control plane) and Azurite's access
log (BlobCreated for whatever client wrote the blob). Everything goes through an outbox in the store first,
so that a restart loses nothing; the offset in the log is remembered for the same reason. A crash between the
two costs a duplicate, as at Azure. Subscriptions are the table below; Bicep declares the same ones.

What is not emulated: dead-lettering and expiry (delivery is retried for ever), advanced filters, webhook
endpoints, BlobDeleted and the other storage events. Of two quick writes of one blob, both events carry the
properties that the blob has when the first is looked at; a blob that is deleted within that time raises no
event. `clientRequestId` and `requestId` are made up, because the access log does not hold them.
"""

import asyncio
import contextlib
import datetime as dt
import json
import logging
import random
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol
from urllib.parse import quote

from aiohttp import ClientError, web

from localcloud.accesslog import AccessLog, BlobWrite
from localcloud.cloud import STORAGE_ID, Cloud
from localcloud.storage import StorageError

log = logging.getLogger("localcloud.eventgrid")
POLL_S = 0.1
BACKOFF_S = (0.5, 30.0)
EVENT, DELIVERY, STATE = "eventgrid.event", "eventgrid.delivery", "eventgrid.state"
UNREACHABLE = (ClientError, StorageError, TimeoutError, OSError)


@dataclass(frozen=True)
class Subscription:
    """Which events go into which queue."""

    name: str
    event_types: tuple[str, ...]  # prefixes
    subject_begins_with: str
    queue: str

    def wants(self, event: dict[str, Any]) -> bool:
        """Whether the event passes the filter."""
        subject = str(event.get("subject", ""))
        return str(event["eventType"]).startswith(self.event_types) and subject.startswith(self.subject_begins_with)


SUBSCRIPTIONS = (
    Subscription(
        "uploads", ("Microsoft.Storage.BlobCreated",), "/blobServices/default/containers/landing/", "uploads"
    ),
    Subscription("azureml-events", ("Microsoft.MachineLearningServices.",), "", "azureml-events"),
)


@dataclass(frozen=True)
class Conditions:
    """How badly events are delivered, for tests: late, more than once, not at all for now, out of order."""

    delay_s: float = 0.0
    duplicates: int = 0
    hold: bool = False
    shuffle: bool = False


class Storage(Protocol):
    """What is needed of the storage account; storage.py has it."""

    async def blob_properties(self, container: str, path: str) -> Mapping[str, str] | None:
        """Headers of a blob, or None when it is gone."""
        ...

    async def enqueue(self, queue: str, message: bytes) -> None:
        """Put one message."""
        ...


class EventGrid:
    """Collects events, keeps them in an outbox, delivers them."""

    def __init__(self, cloud: Cloud, storage: Storage, subscriptions: tuple[Subscription, ...] = SUBSCRIPTIONS):
        self._cloud = cloud
        self._store = cloud.store
        self._storage = storage
        self._subscriptions = subscriptions
        self._access_log = AccessLog(cloud.folder / "logs" / "azurite.log")
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._random = random.Random(1)  # noqa: S311 - shuffles, guards nothing
        cloud.listeners.append(self.publish)

    @property
    def conditions(self) -> Conditions:
        """What deliveries suffer now; kept in the store, so that a restart does not heal them."""
        return Conditions(**(self._store.get(STATE, "conditions") or {}))

    def impose(self, conditions: Conditions) -> None:
        """Change what deliveries suffer. Delay and duplicates touch new events, hold and order all."""
        self._store.put(STATE, "conditions", asdict(conditions))
        self._wake.set()

    def routes(self) -> list[web.RouteDef]:
        """None; admin.py has the ones for tests."""
        return []

    async def start(self) -> None:
        """Follow the access log from where it was left; a new folder begins at the log's end."""
        if self._store.get(STATE, "log") is None:
            self._keep_place(uuid.uuid4().hex, 0, self._access_log.size())
        self._tasks = [asyncio.create_task(self._follow()), asyncio.create_task(self._deliver())]
        for task in self._tasks:
            task.add_done_callback(_report)

    async def stop(self) -> None:
        """Stop following and delivering; what is undelivered stays in the outbox."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    def history(self) -> list[dict[str, Any]]:
        """Every event since the last reset, oldest first, with how many deliveries are still to be made."""
        open_keys = [key for key, _ in self._store.items(DELIVERY)]
        rows = sorted(self._store.items(EVENT), key=lambda row: float(row[1]["at_s"]))
        return [{**body, "undelivered": sum(1 for k in open_keys if k.startswith(f"{key}/"))} for key, body in rows]

    def replay(self, event_id: str) -> bool:
        """Deliver an old event once more, unchanged; False when there is none of that id."""
        for key, body in self._store.items(EVENT):
            if body["event"]["id"] == event_id:
                self._enqueue(key, body["event"], copies=1, label=f"replay-{time.time_ns()}")
                return True
        return False

    async def publish(self, event: dict[str, Any]) -> None:
        """Take an event into the outbox, filling in what the publisher left to Event Grid."""
        whole = {"id": str(uuid.uuid4()), "eventTime": _now(), "topic": "", "dataVersion": "2", **event}
        self._accept(f"published-{time.time_ns():020d}", {"metadataVersion": "1", **whole})

    def _accept(self, key: str, event: dict[str, Any]) -> None:
        self._store.put(EVENT, key, {"event": event, "at_s": time.time()})
        self._enqueue(key, event, copies=1 + self.conditions.duplicates, label="first")

    def _enqueue(self, key: str, event: dict[str, Any], *, copies: int, label: str) -> None:
        due_s = time.time() + self.conditions.delay_s
        for subscription in self._subscriptions:
            if subscription.wants(event):
                for copy in range(copies):
                    body = {"event": key, "queue": subscription.queue, "due_s": due_s, "attempts": 0}
                    self._store.put(DELIVERY, f"{key}/{subscription.name}/{label}-{copy}", body)
        self._wake.set()

    # --- storage events -------------------------------------------------------------------------------

    async def _follow(self) -> None:
        while True:
            try:
                await self._read_on()
            except UNREACHABLE as error:
                # The place is kept: the same line is read again.
                log.warning("eventgrid.storage_unreachable error=%r", error)
                await asyncio.sleep(BACKOFF_S[0])
            await asyncio.sleep(POLL_S)

    async def _read_on(self) -> None:
        place = self._store.get(STATE, "log")
        assert place, "start() writes it"
        identity, generation, offset = place["identity"], place["generation"], place["offset"]
        size = self._access_log.size()
        if size == offset:
            return
        if size < offset:  # Azurite's log was begun anew
            generation, offset = generation + 1, 0
        for behind, write in self._access_log.writes(offset):
            if write and await self._blob_created(write, identity, generation):
                self._keep_place(identity, generation, behind)
            offset = behind
        self._keep_place(identity, generation, offset)

    def _keep_place(self, identity: str, generation: int, offset: int) -> None:
        self._store.put(STATE, "log", {"identity": identity, "generation": generation, "offset": offset})

    async def _blob_created(self, write: BlobWrite, identity: str, generation: int) -> bool:
        subject = f"/blobServices/default/containers/{write.container}/blobs/{write.path}"
        event_type = "Microsoft.Storage.BlobCreated"
        draft = {"eventType": event_type, "subject": subject}
        if not any(subscription.wants(draft) for subscription in self._subscriptions):
            return False
        headers = await self._storage.blob_properties(write.container, write.path)
        if headers is None:
            log.info("eventgrid.blob_gone subject=%s", subject)
            return True
        name = f"{generation}-{write.offset}"
        event = {
            "topic": STORAGE_ID,
            "subject": subject,
            "eventType": event_type,
            "id": str(uuid.uuid5(uuid.UUID(identity), name)),
            "eventTime": _now(),
            "data": {
                "api": write.api,
                "clientRequestId": str(uuid.uuid4()),
                "requestId": str(uuid.uuid4()),
                "eTag": headers["ETag"].strip('"'),
                "contentType": headers.get("Content-Type", "application/octet-stream"),
                "contentLength": int(headers["Content-Length"]),
                "blobType": headers.get("x-ms-blob-type", "BlockBlob"),
                "url": f"{self._cloud.blob_url}/{write.container}/{quote(write.path)}",
                "sequencer": f"{generation:016x}{write.offset:032x}",
                "storageDiagnostics": {"batchId": str(uuid.uuid4())},
            },
            "dataVersion": "",
            "metadataVersion": "1",
        }
        self._accept(f"blob-{generation:04d}-{write.offset:015d}", event)
        return True

    # --- delivery -------------------------------------------------------------------------------------

    async def _deliver(self) -> None:
        while True:
            self._wake.clear()
            wait_s = await self._deliver_due()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), wait_s)

    async def _deliver_due(self) -> float | None:
        """Make the deliveries that are due; seconds until the next one, None when there is none to wait for."""
        conditions = self.conditions
        if conditions.hold:
            return None
        waiting = sorted(self._store.items(DELIVERY), key=lambda row: float(row[1]["due_s"]))
        now_s = time.time()
        due = [row for row in waiting if row[1]["due_s"] <= now_s]
        if conditions.shuffle:
            self._random.shuffle(due)
        for key, body in due:
            await self._attempt(key, body)
        if due:
            return 0.0  # a failed attempt has a new time; look again
        return float(waiting[0][1]["due_s"]) - now_s if waiting else None

    async def _attempt(self, key: str, body: dict[str, Any]) -> None:
        kept = self._store.get(EVENT, body["event"])
        assert kept, "an event outlives its deliveries"
        try:
            await self._storage.enqueue(body["queue"], json.dumps(kept["event"]).encode())
        except UNREACHABLE as error:
            attempts = body["attempts"] + 1
            delay_s = min(BACKOFF_S[0] * 2**attempts, BACKOFF_S[1])
            log.warning("eventgrid.delivery_failed queue=%s attempts=%d error=%r", body["queue"], attempts, error)
            self._store.put(DELIVERY, key, {**body, "attempts": attempts, "due_s": time.time() + delay_s})
        else:
            self._store.delete(DELIVERY, key)
            log.info("eventgrid.delivered queue=%s id=%s", body["queue"], kept["event"]["id"])


def _now() -> str:
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception():
        log.critical("eventgrid.stopped", exc_info=task.exception())
