"""One run of a function, whatever triggered it: log lines, the time limit, output bindings.

Called by all triggers and the admin routes. A run never raises for what the function did: the Outcome says.
"""

import asyncio
import json
import logging
import time
import uuid
from collections.abc import Callable

from localcloud.host.encoding import encode_message
from localcloud.host.functions import Function, QueueOutput
from localcloud.host.hostjson import HostJson
from localcloud.host.messages import TypedData
from localcloud.host.storage import AzureError, HostStorage
from localcloud.host.worker import Outcome, Worker

_log = logging.getLogger("host")


class Invoker:
    """Runs functions on the worker. `on_timeout` is told of a run that passed functionTimeout."""

    def __init__(
        self, worker: Worker, storage: HostStorage, config: HostJson, on_timeout: Callable[[str], None]
    ) -> None:
        self._worker = worker
        self._storage = storage
        self._config = config
        self._on_timeout = on_timeout

    async def run(self, function: Function, data: TypedData, metadata: dict[str, TypedData], reason: str) -> Outcome:
        """Run it with `data` as its trigger's argument, and send its outputs."""
        invocation_id = str(uuid.uuid4())
        label = f"'Functions.{function.name}'"
        _log.info("Executing %s (Reason='%s', Id=%s)", label, reason, invocation_id)
        began = time.monotonic()
        outcome = await self._run(function, invocation_id, data, metadata)
        duration_ms = round((time.monotonic() - began) * 1000)
        if outcome.error is None:
            _log.info("Executed %s (Succeeded, Id=%s, Duration=%dms)", label, invocation_id, duration_ms)
        else:
            _log.error(
                "Executed %s (Failed, Id=%s, Duration=%dms): %s\n%s",
                label, invocation_id, duration_ms, outcome.error, outcome.trace,
            )  # fmt: skip
        return outcome

    async def _run(
        self, function: Function, invocation_id: str, data: TypedData, metadata: dict[str, TypedData]
    ) -> Outcome:
        limit_s = self._config.function_timeout_s
        argument = (function.trigger.parameter, data)
        try:
            run = self._worker.invoke(function.id, invocation_id, argument, metadata)
            outcome = await asyncio.wait_for(run, limit_s)
        except TimeoutError:
            self._on_timeout(function.name)
            return Outcome(error=f"FunctionTimeoutException: it ran longer than functionTimeout, {limit_s} s")
        if outcome.error is not None:
            return outcome
        try:
            await self._send_outputs(function, outcome)
        except (AzureError, ValueError) as error:
            return Outcome(error=f"an output could not be sent: {error}")
        return outcome

    async def _send_outputs(self, function: Function, outcome: Outcome) -> None:
        for output in function.outputs:
            data = outcome.result if output.parameter == "$return" else outcome.outputs.get(output.parameter)
            if data is not None and data.kind is not None:
                await self._send(output, data)

    async def _send(self, output: QueueOutput, data: TypedData) -> None:
        for body in message_bodies(data):
            text = encode_message(body, self._config.queues.base64)
            await self._storage.send(output.connection, output.queue, text)


def message_bodies(data: TypedData) -> list[bytes]:
    """Messages in an output: one for a string or bytes, one for each element of a list."""
    if data.kind == "bytes":
        return [data.value]
    if data.kind == "string":
        return [data.value.encode()]
    value = json.loads(data.value)
    items = value if isinstance(value, list) else [value]
    return [(item if isinstance(item, str) else json.dumps(item)).encode() for item in items]
