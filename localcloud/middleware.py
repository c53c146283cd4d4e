"""What every call to the gateway passes through: injected faults, one log line, errors in ARM's shape.

Called by gateway.py. Scoring calls are left to the router for faults, because only it knows the deployment.
"""

import asyncio
import json
import logging
import time

from aiohttp import web
from aiohttp.typedefs import Handler

from localcloud.faults import Fault, Faults

log = logging.getLogger("localcloud.gateway")
FAULTS = web.AppKey("faults", Faults)
# The harness itself must stay reachable; scoring calls draw their faults in the router.
SPARED = ("/admin/", "/health", "/score/")


def arm_error(status: int, code: str, message: str) -> web.Response:
    """An error as Azure Resource Manager words it."""
    return web.json_response({"error": {"code": code, "message": message}}, status=status)


@web.middleware
async def access_log(request: web.Request, handler: Handler) -> web.StreamResponse:
    """One line a call, whatever became of it."""
    start_s = time.perf_counter()
    status = 500
    try:
        response = await handler(request)
        status = response.status
    finally:
        log.info(
            "gateway.call method=%s path=%s status=%d ms=%.1f",
            request.method,
            request.path,
            status,
            (time.perf_counter() - start_s) * 1000,
        )
    return response


@web.middleware
async def arm_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn what was raised into ARM's error shape; a route that nobody serves is named in the log."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        if request.match_info.http_exception is not None:
            log.warning("gateway.unemulated_route method=%s path=%s", request.method, request.path_qs)
            message = f"the local cloud does not emulate {request.method} {request.path}"
            return arm_error(error.status, "UnemulatedRoute", message)
        return arm_error(error.status, type(error).__name__.removeprefix("HTTP"), error.text or error.reason)
    except json.JSONDecodeError as error:
        return arm_error(400, "InvalidRequestContent", f"the body is not JSON: {error}")
    except Exception as error:
        # The edge: reported in full, answered as Azure would.
        log.exception("gateway.failed method=%s path=%s", request.method, request.path)
        return arm_error(500, "InternalServerError", f"{type(error).__name__}: {error}")


@web.middleware
async def injected_faults(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer late, or with a fault instead, when one was injected for this call."""
    if not request.path.startswith(SPARED):
        fault = request.app[FAULTS].pick(f"{request.method} {request.path}")
        if fault is not None:
            await asyncio.sleep(fault.delay_s)
            if fault.status is not None:
                return fault_response(fault.status, fault)
    return await handler(request)


def fault_response(status: int, fault: Fault) -> web.Response:
    """The response that a fault stands for."""
    return web.Response(status=status, text=fault.body, content_type="application/json")


ALL = (access_log, arm_errors, injected_faults)
