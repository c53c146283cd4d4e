"""Work that was begun and is to be ended before the host goes: runs, with what completes their messages.

Used by all triggers. Once `stopping` is set nothing new begins; `drain` gives what runs some time to end.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class InFlight:
    """The host's running tasks, and the signal to take on no more."""

    def __init__(self) -> None:
        self.stopping = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()

    def begin(self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """Run `work` as a task that is waited for at the end. Its exception is raised to whoever awaits it."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def pause(self, seconds: float) -> None:
        """Sleep, but not past the signal to stop."""
        try:
            await asyncio.wait_for(self.stopping.wait(), seconds)
        except TimeoutError:
            return

    async def drain(self, limit_s: float) -> bool:
        """Take on nothing new and wait at most `limit_s`; False when something still runs."""
        self.stopping.set()
        deadline = asyncio.get_running_loop().time() + limit_s
        while self._tasks and (left_s := deadline - asyncio.get_running_loop().time()) > 0:
            await asyncio.wait(self._tasks, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
        return not self._tasks
