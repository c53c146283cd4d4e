"""How Azure Resource Manager answers: routes without regard to case, errors, pages.

Used by every part of the emulated control plane. Holds no state and knows no resource.
"""

import re
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_WORKSPACE = (
    "/subscriptions/{subscription}/resourceGroups/{group}"
    "/providers/Microsoft.MachineLearningServices/workspaces/{workspace}"
)


class ArmError(Exception):
    """An answer in ARM's error shape. `reply` turns it into the response."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    def response(self) -> web.Response:
        """The HTTP answer."""
        body = {"error": {"code": self.code, "message": self.message}}
        return web.json_response(body, status=self.status)


def not_found(message: str) -> ArmError:
    """404 with the code that azure-ai-ml knows."""
    return ArmError(404, "ResourceNotFound", message)


def user_error(message: str) -> ArmError:
    """400 with the code that Azure ML gives to a wrong request."""
    return ArmError(400, "UserError", message)


def reply(handler: Handler) -> Handler:
    """Let a handler raise ArmError."""

    async def answered(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except ArmError as error:
            return error.response()

    return answered


def any_case(path: str) -> str:
    """A route whose fixed segments match without regard to case; {names} stay as they are."""
    segments = path.strip("/").split("/")
    return "".join(f"/{_segment(index, segment)}" for index, segment in enumerate(segments))


def _segment(index: int, segment: str) -> str:
    if "{" in segment or index == 0:
        return segment
    return f"{{_{index}:(?i:{re.escape(segment)})}}"


def route(method: str, tail: str, handler: Handler, root: str = "") -> web.RouteDef:
    """A route below the workspace ("" or "/jobs/{name}"), behind a prefix such as "/history/v1.0"."""
    return web.route(method, any_case(root + _WORKSPACE + tail), reply(handler))


def page(items: Iterable[dict[str, Any]]) -> web.Response:
    """One page that is the last."""
    return web.json_response({"value": list(items)})


async def body_of(request: web.Request) -> dict[str, Any]:
    """The JSON object that was sent; 400 if it is none."""
    try:
        body = await request.json()
    except ValueError as error:
        raise user_error(f"The request's body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise user_error("The request's body is not a JSON object.")
    return body


def now() -> str:
    """The time as ARM writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def system_data(created_at: str | None = None) -> dict[str, str]:
    """Who made the resource, and when."""
    moment = now()
    return {
        "createdAt": created_at or moment,
        "createdBy": "local",
        "createdByType": "ManagedIdentity",
        "lastModifiedAt": moment,
    }
