"""The HTTP trigger: finds the function of a call, checks its key, converts request and response.

Its handler is the catch-all route of the server in app.py. As in the real host a path without a
function and a method that the function does not take are both 404, a missing or wrong key is 401, and a
function that fails is 500; all of these have no body.
"""

from email.utils import formatdate

from aiohttp import web

from localcloud.host.errors import HostError
from localcloud.host.functions import Function, HttpTrigger
from localcloud.host.inflight import InFlight
from localcloud.host.invoker import Invoker
from localcloud.host.keys import Keys, given_key
from localcloud.host.messages import Message, RpcHttp, TypedData
from localcloud.host.routes import Route

# Set by the server itself for the body that it sends.
_FRAMING = {"content-length", "transfer-encoding", "connection"}


class HttpFrontend:
    """All HTTP functions of the app."""

    def __init__(
        self, functions: list[Function], prefix: str, keys: Keys, invoker: Invoker, in_flight: InFlight
    ) -> None:
        self._prefix = prefix.lower()
        self._keys = keys
        self._invoker = invoker
        self._in_flight = in_flight
        table = [
            (Route.parse(trigger.route), trigger, function)
            for function in functions
            if isinstance(trigger := function.trigger, HttpTrigger) and not function.disabled
        ]
        self._table = sorted(table, key=lambda entry: entry[0].precedence)
        _refuse_twins(self._table)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve a call to a function."""
        if self._in_flight.stopping.is_set():
            return web.Response(status=503)
        found = self._find(request.method, request.rel_url.raw_path)
        if found is None:
            return web.Response(status=404)
        function, trigger, values = found
        if not self._keys.allows(trigger.auth_level, function.name, given_key(request.headers, request.query)):
            return web.Response(status=401)
        data = TypedData(http=await _to_rpc(request, values))
        run = self._invoker.run(function, data, {}, "This function was programmatically called via the host APIs.")
        # A task of its own: a caller who hangs up does not end the run, as on Azure.
        outcome = await self._in_flight.begin(run, function.name)
        if outcome.error is not None:
            return web.Response(status=500)
        return _to_response(outcome.result)

    def _find(self, method: str, raw_path: str) -> tuple[Function, HttpTrigger, dict[str, str]] | None:
        path = raw_path.strip("/")
        if self._prefix:
            head, _, path = path.partition("/") if "/" not in self._prefix else _split(path, self._prefix)
            if head.lower() != self._prefix:
                return None
        for route, trigger, function in self._table:
            values = route.match(path)
            if values is not None and (not trigger.methods or method in trigger.methods):
                return function, trigger, values
        return None


def _split(path: str, prefix: str) -> tuple[str, str, str]:
    return path[: len(prefix)], "/", path[len(prefix) :].lstrip("/")


def _refuse_twins(table: list[tuple[Route, HttpTrigger, Function]]) -> None:
    seen: dict[tuple[Route, str], str] = {}
    for route, trigger, function in table:
        for method in trigger.methods or {"any method"}:
            other = seen.setdefault((route, method), function.name)
            if other != function.name:
                raise HostError(f"the functions {other} and {function.name} have the same route {trigger.route!r}")


async def _to_rpc(request: web.Request, values: dict[str, str]) -> RpcHttp:
    body = await request.read()
    return RpcHttp(
        method=request.method,
        url=str(request.url),
        headers={name.lower(): ",".join(request.headers.getall(name)) for name in request.headers},
        query={name: ",".join(request.query.getall(name)) for name in request.query},
        params=values,
        body=TypedData(bytes=body) if body else TypedData(),
    )


def _to_response(result: TypedData | None) -> web.Response:
    if result is None or result.kind is None:
        return web.Response(status=204)
    if result.kind != "http":
        return web.Response(body=_bytes(result), content_type="text/plain", charset="utf-8")
    answer: RpcHttp = result.value
    response = web.Response(status=int(answer.status_code), body=_bytes(answer.body))
    for name, value in answer.headers.items():
        if name.lower() not in _FRAMING:
            response.headers[name] = value
    for cookie in answer.cookies or ():
        _set_cookie(response, cookie)
    return response


def _set_cookie(response: web.Response, cookie: Message) -> None:
    def value(field: Message | None) -> object:
        return None if field is None else field.value

    age, expires = value(cookie.max_age), value(cookie.expires)
    response.set_cookie(
        cookie.name,
        cookie.value,
        domain=_text(value(cookie.domain)),
        path=_text(value(cookie.path)) or "/",
        expires=_http_date(expires.seconds) if isinstance(expires, Message) else None,
        max_age=int(age) if isinstance(age, float) else None,
        secure=bool(value(cookie.secure)) or None,
        httponly=bool(value(cookie.http_only)) or None,
        samesite=cookie.same_site,
    )


def _text(value: object) -> str | None:
    return str(value) if value else None


def _http_date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)


def _bytes(data: TypedData) -> bytes:
    value = data.value
    if value is None:
        return b""
    return value if isinstance(value, bytes) else str(value).encode()
