"""One scoring request, read once, so that a copy of it can be sent after the client has its answer.

Made by the router; taken by the forwarder, the mirror and the traffic log. Holds no connection.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import uuid4

from aiohttp import web

# Headers that belong to one connection or to the router, and are not passed on.
_OWN_HEADERS = frozenset(
    {"host", "connection", "authorization", "content-length", "transfer-encoding", "accept-encoding"}
)


@dataclass(frozen=True)
class Call:
    """What the client sent. `headers` are those that the scoring server gets."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes
    request_id: str
    protocol: str
    read_ms: float

    def header(self, name: str) -> str | None:
        """A header that was passed on, in whatever case the client wrote it."""
        return next((value for key, value in self.headers.items() if key.lower() == name), None)


async def read_call(request: web.Request) -> Call:
    """Read the request to its end. It gets an id if it has none, which every copy of it then carries."""
    began = time.perf_counter()
    body = await request.read()
    read_ms = (time.perf_counter() - began) * 1000
    request_id = request.headers.get("x-request-id") or str(uuid4())
    passed = {key: value for key, value in request.headers.items() if key.lower() not in _OWN_HEADERS}
    return Call(
        method=request.method,
        path=request.match_info.get("path") or "score",
        query=tuple(request.query.items()),
        headers={
            **{key: value for key, value in passed.items() if key.lower() != "x-request-id"},
            "x-request-id": request_id,
        },
        body=body,
        request_id=request_id,
        protocol=f"HTTP/{request.version.major}.{request.version.minor}",
        read_ms=read_ms,
    )
