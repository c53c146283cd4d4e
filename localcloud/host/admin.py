"""The host's own routes: health, the list of functions and their keys, running one by hand.

Part of the server in app.py. All but `/` and `/admin/host/ping` ask for the master key, as on Azure.
`POST /admin/functions/{name}` with {"input": TEXT} runs a queue function with TEXT for its message or a
timer function at once, whatever its schedule, and answers 202 without waiting.
"""

import json
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from localcloud.host.functions import Function, HttpTrigger, QueueTrigger
from localcloud.host.inflight import InFlight
from localcloud.host.invoker import Invoker
from localcloud.host.keys import Keys, given_key
from localcloud.host.messages import TypedData
from localcloud.host.queue_trigger import trigger_data
from localcloud.host.timer_trigger import timer_info

_REASON = "This function was programmatically called via the host APIs."


class AdminApi:
    """Routes under /admin, and the page at /."""

    def __init__(
        self,
        functions: list[Function],
        prefix: str,
        host_id: str,
        keys: Keys,
        invoker: Invoker,
        in_flight: InFlight,
    ) -> None:
        self._functions = {function.name.lower(): function for function in functions}
        self._prefix = prefix
        self._host_id = host_id
        self._keys = keys
        self._invoker = invoker
        self._in_flight = in_flight
        self._began = time.monotonic()

    def routes(self) -> list[web.RouteDef]:
        """The routes that it serves."""
        return [
            web.get("/", self._home),
            web.get("/admin/host/ping", self._ping),
            web.get("/admin/host/status", self._status),
            web.get("/admin/host/keys", self._host_keys),
            web.get("/admin/functions", self._list),
            web.get("/admin/functions/{name}", self._show),
            web.get("/admin/functions/{name}/keys", self._function_keys),
            web.post("/admin/functions/{name}", self._run),
            web.route("*", "/admin/{rest:.*}", self._unknown),
        ]

    async def _home(self, _request: web.Request) -> web.Response:
        return web.Response(text="The local Functions host is running.\n")

    async def _ping(self, _request: web.Request) -> web.Response:
        return web.Response()

    async def _unknown(self, request: web.Request) -> web.Response:
        self._check(request)
        return web.Response(status=404)

    async def _status(self, request: web.Request) -> web.Response:
        self._check(request)
        state = "Stopping" if self._in_flight.stopping.is_set() else "Running"
        uptime_ms = round((time.monotonic() - self._began) * 1000)
        return web.json_response({"id": self._host_id, "state": state, "processUptime": uptime_ms, "errors": []})

    async def _host_keys(self, request: web.Request) -> web.Response:
        self._check(request)
        return web.json_response(_as_list(self._keys.host))

    async def _function_keys(self, request: web.Request) -> web.Response:
        self._check(request)
        return web.json_response(_as_list(self._keys.functions.get(self._function(request).name, {})))

    async def _list(self, request: web.Request) -> web.Response:
        self._check(request)
        return web.json_response([self._describe(function, request) for function in self._functions.values()])

    async def _show(self, request: web.Request) -> web.Response:
        self._check(request)
        return web.json_response(self._describe(self._function(request), request))

    async def _run(self, request: web.Request) -> web.Response:
        self._check(request)
        function = self._function(request)
        if isinstance(function.trigger, HttpTrigger):
            return web.json_response({"message": "Call an HTTP function at its own route."}, status=400)
        text = await _input(request)
        data, metadata = _by_hand(function, text)
        run = self._invoker.run(function, data, metadata, _REASON)
        self._in_flight.begin(run, function.name)
        return web.Response(status=202)

    def _check(self, request: web.Request) -> None:
        if not self._keys.allows("admin", "", given_key(request.headers, request.query)):
            raise web.HTTPUnauthorized(text="")

    def _function(self, request: web.Request) -> Function:
        function = self._functions.get(request.match_info["name"].lower())
        if function is None:
            raise web.HTTPNotFound(text="")
        return function

    def _describe(self, function: Function, request: web.Request) -> dict[str, Any]:
        url = None
        if isinstance(function.trigger, HttpTrigger):
            path = "/".join(part for part in (self._prefix, function.trigger.route) if part)
            url = f"{request.url.origin()}/{path}"
        return {
            "name": function.name,
            "href": f"{request.url.origin()}/admin/functions/{function.name}",
            "invoke_url_template": url,
            "language": "python",
            "isDisabled": function.disabled,
            "config": {"bindings": list(function.bindings)},
        }


def _as_list(keys: dict[str, str]) -> dict[str, Any]:
    return {"keys": [{"name": name, "value": value} for name, value in keys.items()]}


def _by_hand(function: Function, text: str) -> tuple[TypedData, dict[str, TypedData]]:
    if isinstance(function.trigger, QueueTrigger):
        return trigger_data(function.trigger, text.encode()), _made_up_metadata(text)
    return timer_info(None, past_due=False), {}


def _made_up_metadata(text: str) -> dict[str, TypedData]:
    """What the real host says of a message that was never in a queue."""
    values = {
        "QueueTrigger": text,
        "Id": str(uuid.uuid4()),
        "DequeueCount": 0,
        "InsertionTime": datetime.now(UTC).isoformat(),
        "ExpirationTime": datetime.max.replace(tzinfo=UTC).isoformat(),
        "NextVisibleTime": datetime.max.replace(tzinfo=UTC).isoformat(),
        "PopReceipt": "",
    }
    return {name: TypedData(json=json.dumps(value)) for name, value in values.items()}


async def _input(request: web.Request) -> str:
    """`input` of the body, which may be empty."""
    if not await request.read():
        return ""
    try:
        document = await request.json()
    except json.JSONDecodeError as error:
        raise web.HTTPBadRequest(text=f'the body must be {{"input": TEXT}}: {error}') from error
    if not isinstance(document, dict) or not isinstance(document.get("input", ""), str):
        raise web.HTTPBadRequest(text='the body must be {"input": TEXT}')
    return str(document.get("input", ""))
