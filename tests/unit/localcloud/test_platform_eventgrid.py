"""Event Grid: what becomes an event, and that it is delivered at least once whatever happens."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from localcloud.cloud import Cloud, Ports
from localcloud.eventgrid import Conditions, EventGrid
from localcloud.faults import Faults
from localcloud.storage import StorageError
from localcloud.store import Store

PORTS = Ports(gateway=1, blob=2, queue=3, table=4, functions=5, egress=6)
HEADERS = {"ETag": '"0x1"', "Content-Length": "8", "Content-Type": "text/csv", "x-ms-blob-type": "BlockBlob"}
MODEL_EVENT = {"eventType": "Microsoft.MachineLearningServices.RunCompleted", "subject": "experiments/e/runs/r"}


class Account:
    """A storage account in memory that can be out of order."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, dict[str, Any]]] = []
        self.failures = 0
        self.gone = False

    async def blob_properties(self, container: str, path: str) -> Mapping[str, str] | None:
        self._fail()
        return None if self.gone else HEADERS

    async def enqueue(self, queue: str, message: bytes) -> None:
        self._fail()
        self.messages.append((queue, json.loads(message)))

    def _fail(self) -> None:
        if self.failures:
            self.failures -= 1
            raise StorageError("out of order")


class Bench:
    """A folder with an Event Grid that can be restarted."""

    def __init__(self, folder: Path) -> None:
        (folder / "logs").mkdir()
        self.log = folder / "logs" / "azurite.log"
        self.log.touch()
        self.account = Account()
        self.cloud = Cloud(folder, PORTS, Store(folder / "cloud.sqlite"), Faults())
        self.grid = EventGrid(self.cloud, self.account)

    def restarted(self) -> None:
        self.cloud = Cloud(self.cloud.folder, PORTS, self.cloud.store, Faults())
        self.grid = EventGrid(self.cloud, self.account)

    def write(self, path: str = "m/a.csv", container: str = "landing", status: int = 201) -> None:
        with self.log.open("a") as log:
            log.write(f'127.0.0.1 - - [x] "PUT /devstoreaccount1/{container}/{path} HTTP/1.1" {status} -\n')

    def run(self, *steps: Callable[[], Awaitable[None] | None]) -> None:
        async def play() -> None:
            await self.grid.start()
            for step in steps:
                if (outcome := step()) is not None:
                    await outcome
            await self.grid.stop()

        asyncio.run(asyncio.wait_for(play(), 10))

    async def delivered(self, count: int) -> None:
        while len(self.account.messages) < count:
            await asyncio.sleep(0.01)

    async def read(self) -> None:
        while (self.cloud.store.get("eventgrid.state", "log") or {})["offset"] < self.log.stat().st_size:
            await asyncio.sleep(0.01)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr("localcloud.eventgrid.POLL_S", 0.01)
    monkeypatch.setattr("localcloud.eventgrid.BACKOFF_S", (0.01, 0.02))
    return Bench(tmp_path)


def test_a_blob_in_the_landing_container_is_told_of_in_the_uploads_queue(bench: Bench) -> None:
    bench.run(bench.write, lambda: bench.delivered(1))
    queue, event = bench.account.messages[0]
    assert queue == "uploads"
    assert event["eventType"] == "Microsoft.Storage.BlobCreated"
    assert event["subject"] == "/blobServices/default/containers/landing/blobs/m/a.csv"
    assert event["data"]["api"] == "PutBlob"
    assert event["data"]["eTag"] == "0x1"
    assert event["data"]["contentLength"] == 8
    assert event["data"]["url"] == "https://127.0.0.1:2/devstoreaccount1/landing/m/a.csv"


def test_a_container_without_a_subscription_raises_no_event(bench: Bench) -> None:
    bench.run(lambda: bench.write(container="accepted"), bench.write, lambda: bench.delivered(1))
    assert [event["subject"] for _, event in bench.account.messages] == [
        "/blobServices/default/containers/landing/blobs/m/a.csv"
    ]


def test_a_write_that_failed_raises_no_event(bench: Bench) -> None:
    bench.run(lambda: bench.write("bad.csv", status=409), bench.write, lambda: bench.delivered(1))
    assert len(bench.grid.history()) == 1


def test_an_azure_ml_event_goes_to_its_own_queue_with_an_id_of_its_own(bench: Bench) -> None:
    bench.run(lambda: bench.cloud.publish(MODEL_EVENT), lambda: bench.delivered(1))
    queue, event = bench.account.messages[0]
    assert queue == "azureml-events"
    assert event["id"]
    assert event["eventTime"].endswith("Z")


def test_a_delivery_that_fails_is_made_again(bench: Bench) -> None:
    bench.account.failures = 2
    bench.run(lambda: bench.cloud.publish(MODEL_EVENT), lambda: bench.delivered(1))
    assert bench.grid.history()[0]["undelivered"] == 0


def test_a_blob_is_not_forgotten_while_storage_does_not_answer(bench: Bench) -> None:
    bench.account.failures = 1
    bench.run(bench.write, lambda: bench.delivered(1))


def test_a_blob_written_while_event_grid_was_down_is_told_of_afterwards(bench: Bench) -> None:
    bench.run()
    bench.write()
    bench.restarted()
    bench.run(lambda: bench.delivered(1))


def test_an_event_is_not_raised_again_by_a_restart(bench: Bench) -> None:
    bench.run(bench.write, lambda: bench.delivered(1))
    bench.restarted()
    bench.run(lambda: bench.write("m/b.csv"), lambda: bench.delivered(2))
    assert [event["subject"][-5:] for _, event in bench.account.messages] == ["a.csv", "b.csv"]


def test_a_held_event_survives_a_restart_and_is_delivered_on_release(bench: Bench) -> None:
    bench.grid.impose(Conditions(hold=True))
    bench.run(lambda: bench.cloud.publish(MODEL_EVENT))
    assert bench.grid.history()[0]["undelivered"] == 1
    bench.restarted()
    bench.run(lambda: bench.grid.impose(Conditions()), lambda: bench.delivered(1))


def test_a_log_that_was_begun_anew_is_read_from_its_start(bench: Bench) -> None:
    bench.run(lambda: bench.write("m/long-name.csv"), lambda: bench.delivered(1))
    bench.log.write_text("")
    bench.write("m/b.csv")
    bench.restarted()
    bench.run(lambda: bench.delivered(2))
    assert bench.account.messages[1][1]["subject"].endswith("b.csv")
    assert len({event["id"] for _, event in bench.account.messages}) == 2


def test_a_duplicate_has_the_same_id(bench: Bench) -> None:
    bench.grid.impose(Conditions(duplicates=2))
    bench.run(lambda: bench.cloud.publish(MODEL_EVENT), lambda: bench.delivered(3))
    assert len({event["id"] for _, event in bench.account.messages}) == 1


def test_an_event_under_delay_is_overtaken_by_a_later_one(bench: Bench) -> None:
    bench.grid.impose(Conditions(delay_s=3600))
    bench.run(
        lambda: bench.cloud.publish({**MODEL_EVENT, "id": "late"}),
        lambda: bench.grid.impose(Conditions()),
        lambda: bench.cloud.publish({**MODEL_EVENT, "id": "prompt"}),
        lambda: bench.delivered(1),
    )
    assert [event["id"] for _, event in bench.account.messages] == ["prompt"]


def test_an_old_event_can_be_replayed_unchanged(bench: Bench) -> None:
    bench.run(
        lambda: bench.cloud.publish({**MODEL_EVENT, "id": "one"}),
        lambda: bench.delivered(1),
        lambda: _true(bench.grid.replay("one")),
        lambda: bench.delivered(2),
    )
    assert bench.account.messages[0] == bench.account.messages[1]


def test_an_event_that_never_was_cannot_be_replayed(bench: Bench) -> None:
    assert not bench.grid.replay("never")


def test_a_blob_that_is_gone_again_raises_no_event(bench: Bench) -> None:
    bench.account.gone = True
    bench.run(bench.write, bench.read)
    bench.account.gone = False
    bench.restarted()
    bench.run(lambda: bench.write("m/b.csv"), lambda: bench.delivered(1))
    assert [event["subject"][-5:] for _, event in bench.account.messages] == ["b.csv"]


def _true(outcome: bool) -> None:
    assert outcome
