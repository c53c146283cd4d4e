"""Long-running operations of the control plane, and the URLs at which clients ask how far they are.

Called by the management handlers, which hand in the work as a coroutine. The operation's document outlives
a restart; the work itself is begun again by its owner, under the same id.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

from aiohttp import web

from localcloud.cloud import LOCATION, SUBSCRIPTION, Cloud
from localcloud.controlplane.responses import any_case, not_found, now, reply

KIND = "endpoint-operations"
# The SDK polls every five seconds unless the service says otherwise.
RETRY_AFTER = {"x-ms-retry-after-ms": "250"}
_LOG = logging.getLogger("localcloud.endpoints")

Work = Callable[[], Awaitable[None]]


class OperationError(Exception):
    """The operation failed for a reason that the caller is told."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Operations:
    """Runs the work and remembers how it ended."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._running: dict[str, asyncio.Task[None]] = {}
        self._base = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.MachineLearningServices/locations/{LOCATION}"

    def routes(self) -> list[web.RouteDef]:
        """Status (Azure-AsyncOperation) and result (Location) of an operation."""
        base = "/subscriptions/{subscription}/providers/Microsoft.MachineLearningServices/locations/{location}"
        return [
            web.get(any_case(f"{base}/mfeOperationsStatus/{{id}}"), reply(self._status)),
            web.get(any_case(f"{base}/mfeOperationResults/{{id}}"), reply(self._result)),
        ]

    def new(self) -> str:
        """The id of an operation that is about to begin."""
        operation = str(uuid4())
        self._cloud.store.put(KIND, operation, {"name": operation, "status": "InProgress", "startTime": now()})
        return operation

    def begin(self, operation: str, work: Work) -> None:
        """Run the work behind the id. It must be repeatable: a restart begins it again."""
        task = asyncio.create_task(self._run(operation, work))
        self._running[operation] = task
        task.add_done_callback(lambda _: self._running.pop(operation, None))

    def headers(self, operation: str) -> dict[str, str]:
        """What an accepted request answers, so that the client can ask on."""
        url = f"{self._cloud.gateway_url}{self._base}"
        return {
            "Azure-AsyncOperation": f"{url}/mfeOperationsStatus/{operation}?api-version=2023-04-01",
            "Location": f"{url}/mfeOperationResults/{operation}?api-version=2023-04-01",
            **RETRY_AFTER,
        }

    async def stop(self) -> None:
        """Leave the work unfinished; the next start takes it up."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, operation: str, work: Work) -> None:
        try:
            await work()
        except OperationError as fault:
            self._finish(operation, "Failed", {"code": fault.code, "message": fault.message})
        except Exception:  # noqa: BLE001 - the client must learn that it ended, whatever went wrong
            _LOG.exception("operation.crashed id=%s", operation)
            message = "The local cloud failed; its gateway log has the traceback."
            self._finish(operation, "Failed", {"code": "InternalServerError", "message": message})
        else:
            self._finish(operation, "Succeeded", None)

    def _finish(self, operation: str, status: str, error: dict[str, str] | None) -> None:
        document = self._document(operation)
        ended = {**document, "status": status, "endTime": now(), **({"error": error} if error else {})}
        self._cloud.store.put(KIND, operation, ended)

    def _document(self, operation: str) -> dict[str, Any]:
        document = self._cloud.store.get(KIND, operation)
        if document is None:
            raise not_found(f"There is no operation {operation!r}.")
        return document

    async def _status(self, request: web.Request) -> web.Response:
        return web.json_response(self._document(request.match_info["id"]), headers=RETRY_AFTER)

    async def _result(self, request: web.Request) -> web.Response:
        running = self._document(request.match_info["id"])["status"] == "InProgress"
        return web.Response(status=202 if running else 204, headers=RETRY_AFTER if running else {})
