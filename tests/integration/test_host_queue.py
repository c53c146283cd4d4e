"""Queue functions in the local Functions host: leases, failures, kills."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from azure.storage.queue import QueueClient

from tests.integration.host_fixture import Host, Storage, eventually, running

pytest_plugins = ["tests.integration.host_fixture"]
pytestmark = pytest.mark.localcloud


def is_empty(queue: QueueClient) -> bool:
    return queue.get_queue_properties().approximate_message_count == 0


def send(queue: QueueClient, **order: Any) -> None:
    queue.send_message(json.dumps(order))


def test_a_message_is_given_to_its_function_and_deleted(host: Host, storage: Storage) -> None:
    queue = storage.queue("shared")
    send(queue, do="record", n=1)
    eventually(lambda: any(e["order"].get("n") == 1 for e in host.recorded("ended")), "the message ran")
    eventually(lambda: is_empty(queue), "the message is deleted")
    run = next(entry for entry in host.recorded("began") if entry["order"].get("n") == 1)
    assert run["dequeue_count"] == 1
    assert run["inserted"].endswith("+00:00")


def test_a_message_that_keeps_failing_goes_to_the_poison_queue_as_it_was(host: Host, storage: Storage) -> None:
    queue, poison = storage.queue("shared"), storage.queue("shared-poison")
    send(queue, do="fail", why="ünïcode")
    eventually(lambda: not is_empty(poison), "the message is poison")
    (message,) = poison.receive_messages()
    poison.delete_message(message)
    assert json.loads(message.content) == {"do": "fail", "why": "ünïcode"}
    tries = [e["dequeue_count"] for e in host.recorded("began") if e["order"].get("why") == "ünïcode"]
    assert tries == [1, 2, 3]
    eventually(lambda: is_empty(queue), "it is gone from its queue")


def test_a_message_that_is_not_base64_goes_to_the_poison_queue_as_it_was(host: Host, storage: Storage) -> None:
    queue, poison = storage.queue("shared", base64=False), storage.queue("shared-poison", base64=False)
    queue.send_message('{"do": "record"}')
    eventually(lambda: not is_empty(poison), "the message is poison")
    (message,) = poison.receive_messages()
    poison.delete_message(message)
    assert message.content == '{"do": "record"}'


def test_messages_of_a_batch_run_at_the_same_time(host: Host, storage: Storage) -> None:
    for n in range(3):
        send(storage.queue("shared"), do="sleep", seconds=1, batch=n)

    def batch(event: str) -> list[dict[str, Any]]:
        return [entry for entry in host.recorded(event) if "batch" in entry["order"]]

    eventually(lambda: len(batch("began")) == 3, "all began")
    assert batch("ended") == []
    eventually(lambda: len(batch("ended")) == 3, "all ended")


def test_a_long_run_keeps_its_message_to_itself(storage: Storage, tmp_path: Path) -> None:
    queue = storage.queue("slow-lease")
    queue.send_message('{"seconds": 5}')
    with running(storage, tmp_path, WORK_QUEUE="lease", UPKEEP_LOCAL_MESSAGE_LEASE_S="2") as host:
        eventually(lambda: host.recorded("slow ended"), "the run ended")
        eventually(lambda: is_empty(queue), "the message is deleted")
        assert len(host.recorded("slow began")) == 1


def test_a_killed_host_loses_no_message(storage: Storage, tmp_path: Path) -> None:
    queue = storage.queue("killed")
    send(queue, do="sleep", seconds=2)
    settings = {"WORK_QUEUE": "killed", "UPKEEP_LOCAL_MESSAGE_LEASE_S": "2"}
    with running(storage, tmp_path, **settings) as host:
        eventually(lambda: host.recorded("began"), "the run began")
        host.process.kill()
    assert host.recorded("ended") == []
    with running(storage, tmp_path, **settings) as host:
        eventually(lambda: host.recorded("ended"), "the run was made again")
        assert [entry["dequeue_count"] for entry in host.recorded("began")] == [1, 2]
        eventually(lambda: is_empty(queue), "the message is deleted")


def test_a_stopped_host_ends_what_it_began_and_exits_with_0(storage: Storage, tmp_path: Path) -> None:
    queue = storage.queue("stopped")
    send(queue, do="sleep", seconds=1)
    with running(storage, tmp_path, WORK_QUEUE="stopped") as host:
        eventually(lambda: host.recorded("began"), "the run began")
        host.process.send_signal(signal.SIGTERM)
        assert host.process.wait(timeout=15) == 0
    assert len(host.recorded("ended")) == 1
    assert is_empty(queue)


def test_a_function_past_its_timeout_is_given_up_and_the_host_runs_on(storage: Storage, tmp_path: Path) -> None:
    settings = {"WORK_QUEUE": "timeout", "AzureFunctionsJobHost__functionTimeout": "00:00:01"}
    with running(storage, tmp_path, **settings) as host:
        send(storage.queue("timeout"), do="sleep", seconds=60)
        eventually(lambda: "FunctionTimeoutException" in host.out.read_text(), "the run is given up")
        eventually(lambda: host.out.read_text().count("host ready in") == 2, "the host is there again")
        assert host.call("GET", "/api/open").status_code == 200


def test_a_disabled_function_leaves_its_messages(storage: Storage, tmp_path: Path) -> None:
    send(storage.queue("disabled"), do="record")
    storage.queue("slow-disabled").send_message('{"seconds": 0}')
    settings = {"WORK_QUEUE": "disabled", "AzureWebJobs.work.Disabled": "true"}
    with running(storage, tmp_path, **settings) as host:
        eventually(lambda: host.recorded("slow ended"), "its neighbour ran")
        assert host.recorded("began") == []
