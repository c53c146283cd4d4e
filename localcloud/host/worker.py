"""The worker half: Microsoft's azure-functions-runtime, which indexes, loads and invokes the app.

Called by app.py and invoker.py. It runs in this process, but on a thread and an event loop of its own, as
on Azure it runs in a process of its own: a function that blocks its loop must not keep the host from
renewing the leases of messages. The library is given our message classes (messages.py) and speaks no gRPC.
"""

import asyncio
import os
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime as runtime  # type: ignore[import-untyped]  # Microsoft ships no type hints

from localcloud.host import messages
from localcloud.host.errors import HostError
from localcloud.host.messages import Message, ParameterBinding, StatusResult, TypedData


@dataclass(frozen=True)
class Outcome:
    """How one run went. `error` is None on success; `trace` is the Python traceback of a failure."""

    error: str | None = None
    trace: str = ""
    result: TypedData | None = None
    outputs: dict[str, TypedData] = field(default_factory=dict)


class Worker:
    """One app, loaded once."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="functions-worker", daemon=True)

    def index(self, app: Path) -> list[Message]:
        """Import the app's function_app.py and list its functions. HostError says why it cannot be."""
        if not (app / "function_app.py").is_file():
            raise HostError(f"there is no function_app.py in {app}")
        sys.path.insert(0, str(app))
        os.chdir(app)  # an app finds its own files from there, as on Azure
        answer = asyncio.run(self._index(app))
        return list(answer)

    async def _index(self, app: Path) -> list[Message]:
        init = SimpleNamespace(capabilities={}, function_app_directory=str(app))
        request = SimpleNamespace(
            request=SimpleNamespace(worker_init_request=init),
            properties={"protos": messages, "host": "127.0.0.1"},
        )
        answer = await runtime.worker_init_request(request)
        if answer.result.status != StatusResult.Success:
            failure = answer.result.exception
            raise HostError(f"function_app.py cannot be loaded: {failure.message}\n{failure.stack_trace}")
        found = (await runtime.functions_metadata_request(request)).function_metadata_results
        if not found:
            raise HostError("function_app.py registers no functions")
        return list(found)

    def start(self) -> None:
        """Start the thread and the pool for functions that are not async (PYTHON_THREADPOOL_THREAD_COUNT)."""
        runtime.start_threadpool_executor()
        self._thread.start()

    async def invoke(
        self,
        function_id: str,
        invocation_id: str,
        argument: tuple[str, TypedData],
        metadata: dict[str, TypedData],
    ) -> Outcome:
        """Run one function. The caller's loop stays free meanwhile; cancelling it abandons an async run."""
        run = self._invoke(function_id, invocation_id, argument, metadata)
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(run, self._loop))

    async def _invoke(
        self,
        function_id: str,
        invocation_id: str,
        argument: tuple[str, TypedData],
        metadata: dict[str, TypedData],
    ) -> Outcome:
        runtime.invocation_id_cv.set(invocation_id)  # the library sets it for pooled functions only
        invocation = SimpleNamespace(
            invocation_id=invocation_id,
            function_id=function_id,
            input_data=[ParameterBinding(*argument)],
            trigger_metadata=metadata,
            trace_context=SimpleNamespace(trace_parent="", trace_state="", attributes={}),
            retry_context=SimpleNamespace(retry_count=0, max_retry_count=0, exception=None),
        )
        request = SimpleNamespace(request=SimpleNamespace(invocation_request=invocation), properties={})
        return _outcome(await runtime.invocation_request(request))


def current_invocation_id() -> str | None:
    """Id of the run that the calling thread or task belongs to; log lines carry it."""
    current: str | None = runtime.invocation_id_cv.get()
    return current


def _outcome(answer: Any) -> Outcome:
    if answer.result.status != StatusResult.Success:
        return Outcome(error=answer.result.exception.message, trace=answer.result.exception.stack_trace)
    outputs = {binding.name: binding.data for binding in answer.output_data if binding.data is not None}
    return Outcome(result=answer.return_value, outputs=outputs)
