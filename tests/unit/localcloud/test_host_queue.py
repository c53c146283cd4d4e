"""The queue listener against a queue in memory. Time is virtual: the loop jumps to whatever is due next."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest
from azure.core.exceptions import ResourceNotFoundError, ServiceRequestError

from localcloud.host.functions import Function, QueueTrigger
from localcloud.host.hostjson import Queues
from localcloud.host.inflight import InFlight
from localcloud.host.invoker import Invoker
from localcloud.host.messages import TypedData
from localcloud.host.queue_trigger import QueueListener
from localcloud.host.storage import HostStorage
from localcloud.host.worker import Outcome


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock stands still while something runs, and jumps when nothing does."""

    now = 0.0

    def time(self) -> float:
        return self.now

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]  # internals of the loop
            self.now = max(self.now, self._scheduled[0].when())  # type: ignore[attr-defined]  # as above
        super()._run_once()  # type: ignore[misc]  # as above


def now() -> float:
    return asyncio.get_running_loop().time()


@dataclass
class Stored:
    id: str
    content: str
    visible_at: float = 0.0
    dequeue_count: int = 0
    pop_receipt: str = ""
    inserted_on: None = None
    expires_on: None = None
    next_visible_on: None = None


@dataclass
class MemoryQueue:
    """As much of QueueClient as the listener uses, with Storage's rules of visibility and receipts."""

    messages: dict[str, Stored] = field(default_factory=dict)
    failing_updates: int = 0
    exists: bool = True
    receipts: Any = field(default_factory=itertools.count)

    def put(self, *contents: str) -> None:
        for content in contents:
            self.messages[content] = Stored(content, content)

    def receive_messages(self, *, messages_per_page: int, visibility_timeout: int) -> Any:
        return SimpleNamespace(by_page=lambda: self._pages(messages_per_page, visibility_timeout))

    async def _pages(self, most: int, lease_s: int) -> AsyncIterator[AsyncIterator[Any]]:
        if not self.exists:
            raise ResourceNotFoundError("no queue")
        visible = [message for message in self.messages.values() if message.visible_at <= now()][:most]
        for message in visible:
            message.dequeue_count += 1
            self._hold(message, lease_s)

        async def page() -> AsyncIterator[Any]:
            for message in visible:
                yield SimpleNamespace(**vars(message))

        yield page()

    def _hold(self, message: Stored, lease_s: int) -> None:
        message.visible_at = now() + lease_s
        message.pop_receipt = str(next(self.receipts))

    def _owned(self, message_id: str, receipt: str) -> Stored:
        message = self.messages.get(message_id)
        if message is None or message.pop_receipt != receipt:
            raise ResourceNotFoundError("someone else's")
        return message

    async def update_message(self, message_id: str, receipt: str, *, visibility_timeout: int) -> Any:
        if self.failing_updates:
            self.failing_updates -= 1
            raise ServiceRequestError("unreachable")
        message = self._owned(message_id, receipt)
        self._hold(message, visibility_timeout)
        return SimpleNamespace(pop_receipt=message.pop_receipt)

    async def delete_message(self, message_id: str, receipt: str) -> None:
        del self.messages[self._owned(message_id, receipt).id]


@dataclass
class World:
    """A listener with its surroundings. `work` is what the function does with a message."""

    work: Callable[[str], Awaitable[bool]]
    options: Queues
    name: str = "work"
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    poison: list[tuple[str, str]] = field(default_factory=list)
    runs: list[tuple[float, str]] = field(default_factory=list)
    running: int = 0
    most_running: int = 0
    in_flight: InFlight = field(init=False)

    async def run(self, _function: Function, data: TypedData, *_rest: object) -> Outcome:
        self.runs.append((now(), data.value))
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        ok = await self.work(data.value)
        self.running -= 1
        return Outcome() if ok else Outcome(error="failed")

    async def send(self, _connection: str, queue: str, text: str) -> None:
        self.poison.append((queue, text))

    async def listen_for(self, seconds: float) -> None:
        self.in_flight = InFlight()
        trigger = QueueTrigger("m", self.name, "C", binary=False)
        storage = SimpleNamespace(queue=lambda *_: self.queue, send=self.send)
        listener = QueueListener(
            Function("1", "it", trigger, (), (), disabled=False),
            trigger,
            cast("HostStorage", storage),
            self.options,
            cast("Invoker", self),
            self.in_flight,
        )
        listening = self.in_flight.begin(listener.listen(), "listener")
        await asyncio.sleep(seconds)
        await self.in_flight.drain(0)
        listening.cancel()


def play(world: World, *contents: str, seconds: float) -> World:
    world.queue.put(*contents)
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(world.listen_for(seconds))
    return world


def options(**changes: Any) -> Queues:
    return Queues(base64=False, **changes)


def taking(seconds: float, *, ok: bool = True) -> Callable[[str], Awaitable[bool]]:
    async def work(_content: str) -> bool:
        await asyncio.sleep(seconds)
        return ok

    return work


def test_a_message_that_ran_is_deleted() -> None:
    world = play(World(taking(1), options()), "a", seconds=5)
    assert (len(world.runs), world.queue.messages) == (1, {})


def test_a_run_of_an_hour_keeps_its_message_to_itself() -> None:
    world = play(World(taking(3600), options()), "a", seconds=4000)
    assert (len(world.runs), world.queue.messages) == (1, {})


def test_a_renewal_that_fails_is_tried_again_before_the_message_comes_back() -> None:
    world = World(taking(3600), options())
    world.queue.failing_updates = 2
    play(world, "a", seconds=4000)
    assert (len(world.runs), world.queue.messages) == (1, {})


def test_a_failed_message_comes_back_after_the_visibility_timeout() -> None:
    world = play(
        World(taking(0, ok=False), options(visibility_timeout_s=30, max_polling_interval_s=1)), "a", seconds=50
    )
    first, second = (moment for moment, _ in world.runs)
    assert 30 <= second - first <= 31


def test_a_message_is_moved_to_the_poison_queue_after_its_last_try() -> None:
    world = play(World(taking(0, ok=False), options(max_dequeue_count=2)), "a", seconds=60)
    assert (len(world.runs), world.poison, world.queue.messages) == (2, [("work-poison", "a")], {})


def test_a_message_whose_last_run_died_with_the_host_is_poison_without_another_run() -> None:
    world = World(taking(0), options(max_dequeue_count=2))
    world.queue.put("a")
    world.queue.messages["a"].dequeue_count = 2
    play(world, seconds=5)
    assert (world.runs, world.poison) == ([], [("work-poison", "a")])


def test_a_poison_queue_has_no_poison_queue() -> None:
    world = World(taking(0, ok=False), options(max_dequeue_count=2, max_polling_interval_s=1), name="work-poison")
    play(world, "a", seconds=20)
    assert len(world.runs) > 3
    assert world.poison == []


@pytest.mark.parametrize(("batch_size", "threshold", "most"), [(1, 0, 1), (2, 1, 3), (4, 4, 8)])
def test_no_more_run_at_once_than_a_batch_on_top_of_the_threshold(batch_size: int, threshold: int, most: int) -> None:
    async def uneven(content: str) -> bool:
        return await taking(ord(content) / 10)(content)

    world = World(uneven, options(batch_size=batch_size, new_batch_threshold=threshold))
    play(world, *"abcdefghijkl", seconds=300)
    assert (world.most_running, world.queue.messages) == (most, {})


def test_an_empty_queue_is_asked_at_least_every_max_polling_interval() -> None:
    world = World(taking(0), options(max_polling_interval_s=5))

    async def late() -> None:
        asyncio.get_running_loop().call_later(100, world.queue.put, "a")
        await world.listen_for(110)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(late())
    assert 100 <= world.runs[0][0] <= 105


def test_a_queue_that_is_not_there_is_waited_for() -> None:
    world = World(taking(0), options(max_polling_interval_s=5))
    world.queue.exists = False

    async def created() -> None:
        world.queue.put("a")
        asyncio.get_running_loop().call_later(60, setattr, world.queue, "exists", True)
        await world.listen_for(70)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(created())
    assert (len(world.runs), world.queue.messages) == (1, {})


def test_a_message_that_someone_else_took_meanwhile_is_left_to_them() -> None:
    world = World(taking(0), options())

    async def stolen(content: str) -> bool:
        world.queue.messages[content].pop_receipt = "theirs"
        return True

    world.work = stolen
    play(world, "a", seconds=5)
    assert set(world.queue.messages) == {"a"}
