"""Takes scoring requests, sends each to a deployment by the live traffic, mirrors some, and logs them.

Called over HTTP by whoever scores: POST /score/{endpoint}. It reads endpoints, deployments and servers, and
changes none of them.
"""

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from aiohttp import web

from localcloud.cloud import Cloud
from localcloud.endpoints.answers import Answer, refusal
from localcloud.endpoints.calls import Call, read_call
from localcloud.endpoints.documents import Document
from localcloud.endpoints.forward import Forwarder
from localcloud.endpoints.management import Endpoints
from localcloud.endpoints.mirror import Draw, Mirror
from localcloud.endpoints.traffic import DEPLOYMENT_HEADER, Split, may_score
from localcloud.endpoints.traffic_log import traffic_row
from localcloud.logs import Logs

# Whether Azure logs mirrored requests is not known: the local cloud can do either.
LOG_MIRRORED_SETTING = "UPKEEP_LOCAL_LOG_MIRRORED"


@dataclass(frozen=True)
class Route:
    """Where a request goes, or why nowhere. `split` is true when the live traffic chose."""

    deployment: Document | None = None
    refused: Answer | None = None
    split: bool = False


class Router:
    """The data plane of all endpoints."""

    def __init__(self, cloud: Cloud, endpoints: Endpoints, logs: Logs) -> None:
        self._documents = endpoints.documents
        self._logs = logs
        self._split = Split()
        self._copies = Draw()
        self._mirror = Mirror()
        self._forwarder = Forwarder(endpoints.servers, cloud.faults)
        self._logs_mirrored = os.environ.get(LOG_MIRRORED_SETTING, "on").lower() not in {"off", "false", "0"}

    def routes(self) -> list[web.RouteDef]:
        """The scoring URI, what lies below it, the description of its interface; what became of the copies."""
        return [
            web.post("/score/{endpoint}", self._score),
            web.post("/score/{endpoint}/{path:.*}", self._score),
            web.get("/score/{endpoint}/{path:.*}", self._score),
            web.get("/admin/mirror", self._mirrored),
        ]

    async def start(self) -> None:
        """Open the pool of connections to the scoring servers."""
        await self._forwarder.start()

    async def stop(self) -> None:
        """Give up the copies that are under way, and close it."""
        await self._mirror.stop()
        await self._forwarder.stop()

    async def _score(self, request: web.Request) -> web.Response:
        began, moment = time.perf_counter(), datetime.now(UTC)
        call = await read_call(request)
        endpoint = self._documents.find_endpoint(request.match_info["endpoint"])
        if endpoint is None:
            # Azure has no host name for it, and so no log either.
            missing = refusal(404, f"There is no endpoint {request.match_info['endpoint']!r}.")
            return _response(missing, None, call)
        route = self._route(request, endpoint)
        name = None if route.deployment is None else str(route.deployment["name"])
        answer = route.refused
        if route.deployment is not None:
            answer = await self._forwarder.send(call, route.deployment)
        assert answer is not None, "a route leads to a deployment or is refused"
        self._logs.record_traffic(traffic_row(endpoint, name, call, answer, moment, _ms_since(began)))
        if route.split:
            self._offer_copy(endpoint, call)
        return _response(answer, name, call)

    def _route(self, request: web.Request, endpoint: Document) -> Route:
        if not may_score(endpoint, request.headers.get("Authorization")):
            return Route(refused=refusal(401, "The key or token is missing or wrong."))
        named = request.headers.get(DEPLOYMENT_HEADER)
        name = named or self._split.draw(endpoint["name"], endpoint["properties"]["traffic"])
        if name is None:
            return Route(refused=refusal(404, "The endpoint has no deployment with positive traffic."))
        deployment = self._serving(endpoint, name)
        if deployment is None:
            return Route(refused=refusal(404, f"The endpoint has no deployment {name!r}."))
        return Route(deployment, split=not named)

    def _serving(self, endpoint: Document, name: str) -> Document | None:
        deployment = self._documents.find_deployment(endpoint["name"], name)
        return None if deployment is None or deployment["state"] == "Deleting" else deployment

    def _offer_copy(self, endpoint: Document, call: Call) -> None:
        # After the live answer: the copy competes with nobody's wait.
        name = self._copies.draw(endpoint["name"], endpoint["properties"].get("mirrorTraffic") or {})
        deployment = None if name is None else self._serving(endpoint, name)
        if deployment is not None:
            key = f"{endpoint['name']}/{deployment['name']}"
            self._mirror.offer(key, len(call.body), partial(self._send_copy, endpoint, deployment, call))

    async def _send_copy(self, endpoint: Document, deployment: Document, call: Call) -> bool:
        began, moment = time.perf_counter(), datetime.now(UTC)
        answer = await self._forwarder.send(call, deployment)
        if self._logs_mirrored:
            row = traffic_row(endpoint, deployment["name"], call, answer, moment, _ms_since(began))
            self._logs.record_traffic(row)
        return answer.status == 200

    async def _mirrored(self, _request: web.Request) -> web.Response:
        return web.json_response(self._mirror.counts())


def _ms_since(began: float) -> float:
    return (time.perf_counter() - began) * 1000


def _response(answer: Answer, deployment: str | None, call: Call) -> web.Response:
    headers = {**answer.headers, "x-request-id": call.request_id, "Content-Type": answer.content_type}
    if deployment is not None:
        headers[DEPLOYMENT_HEADER] = deployment
    return web.Response(status=answer.status, body=answer.body, headers=headers)
