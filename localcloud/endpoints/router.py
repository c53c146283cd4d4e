"""Takes scoring requests, sends each to a deployment by the live traffic, and logs it.

Called over HTTP by whoever scores: POST /score/{endpoint}. It reads endpoints, deployments and servers, and
changes none of them.
"""

import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import aiohttp
from aiohttp import web

from localcloud.cloud import LOCATION, LOG_WORKSPACE_GUID, WORKSPACE, WORKSPACE_GUID, Cloud
from localcloud.endpoints.answers import Answer, from_model, phrase, refusal
from localcloud.endpoints.documents import Document, endpoint_id
from localcloud.endpoints.management import Endpoints
from localcloud.endpoints.traffic import DEPLOYMENT_HEADER, MAX_TIMEOUT_S, Split, auth_type, may_score, timeout_s
from localcloud.logs import Logs

IDLE_CONNECTION_S = 30  # shorter than the server's own, see process.py
# Headers that belong to one connection or to the router, and are not passed on.
_OWN_HEADERS = frozenset(
    {"host", "connection", "authorization", "content-length", "transfer-encoding", "accept-encoding"}
)


class Router:
    """The data plane of all endpoints."""

    def __init__(self, cloud: Cloud, endpoints: Endpoints, logs: Logs) -> None:
        self._cloud = cloud
        self._documents = endpoints.documents
        self._servers = endpoints.servers
        self._logs = logs
        self._split = Split()
        self._session: aiohttp.ClientSession | None = None

    def routes(self) -> list[web.RouteDef]:
        """The scoring URI, what lies below it, and the description of its interface."""
        return [
            web.post("/score/{endpoint}", self._score),
            web.post("/score/{endpoint}/{path:.*}", self._score),
            web.get("/score/{endpoint}/{path:.*}", self._score),
        ]

    async def start(self) -> None:
        """Open the pool of connections to the scoring servers."""
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE_CONNECTION_S)
        self._session = aiohttp.ClientSession(connector=connector, auto_decompress=False)

    async def stop(self) -> None:
        """Close it."""
        if self._session is not None:
            await self._session.close()

    async def _score(self, request: web.Request) -> web.Response:
        began, moment = time.perf_counter(), datetime.now(UTC)
        body = await request.read()
        read_ms = _ms_since(began)
        request_id = request.headers.get("x-request-id") or str(uuid4())
        endpoint = self._documents.find_endpoint(request.match_info["endpoint"])
        if endpoint is None:
            # Azure has no host name for it, and so no log either.
            missing = refusal(404, f"There is no endpoint {request.match_info['endpoint']!r}.")
            return _response(missing, None, request_id)
        deployment, answer = await self._answer(request, endpoint, body, request_id)
        self._logs.record_traffic(
            {
                "TimeGenerated": moment,
                **_endpoint_columns(endpoint, deployment),
                **_request_columns(request, body, request_id),
                "ResponseCode": answer.status,
                "ResponseCodeReason": answer.reason,
                "ModelStatusCode": answer.model_status,
                "ModelStatusReason": None if answer.model_status is None else phrase(answer.model_status),
                "TotalDurationMs": round(_ms_since(began)),
                "RequestDurationMs": round(read_ms),
                "ResponseDurationMs": round(answer.model_ms),
                "ResponsePayloadSize": len(answer.body),
            }
        )
        return _response(answer, deployment, request_id)

    async def _answer(
        self, request: web.Request, endpoint: Document, body: bytes, request_id: str
    ) -> tuple[str | None, Answer]:
        if not may_score(endpoint, request.headers.get("Authorization")):
            return None, refusal(401, "The key or token is missing or wrong.")
        named = request.headers.get(DEPLOYMENT_HEADER)
        name = named or self._split.draw(endpoint["name"], endpoint["properties"]["traffic"])
        if name is None:
            return None, refusal(404, "The endpoint has no deployment with positive traffic.")
        deployment = self._documents.find_deployment(endpoint["name"], name)
        if deployment is None or deployment["state"] == "Deleting":
            return None, refusal(404, f"The endpoint has no deployment {name!r}.")
        fault = self._cloud.faults.pick(f"SCORE {endpoint['name']} {deployment['name']}")
        if fault is not None:
            return deployment["name"], Answer(fault.status, fault.body.encode(), fault.status)
        return deployment["name"], await self._forward(request, deployment, body, request_id)

    async def _forward(self, request: web.Request, deployment: Document, body: bytes, request_id: str) -> Answer:
        url = self._servers.url(deployment["endpoint"], deployment["name"])
        if url is None:
            return refusal(503, f"Deployment {deployment['name']!r} has no server that is ready.")
        assert self._session is not None, "started before it is asked"
        path = request.match_info.get("path") or "score"
        headers = {key: value for key, value in request.headers.items() if key.lower() not in _OWN_HEADERS}
        # aiohttp would round a long timeout up to the next whole second of its clock.
        limit = aiohttp.ClientTimeout(total=timeout_s(deployment), ceil_threshold=2 * MAX_TIMEOUT_S)
        began = time.perf_counter()
        try:
            async with self._session.request(
                request.method,
                f"{url}/{path}",
                data=body,
                headers={**headers, "x-request-id": request_id},
                params=request.query,
                timeout=limit,
                allow_redirects=False,
            ) as response:
                content = await response.read()
                kind = response.headers.get("Content-Type", "application/octet-stream")
                return from_model(response.status, content, kind, _ms_since(began))
        except TimeoutError:
            return refusal(408, f"The model did not answer in {limit.total:g} s.")
        except aiohttp.ClientError as error:
            return refusal(502, f"The scoring server broke off: {type(error).__name__}.")


def _ms_since(began: float) -> float:
    return (time.perf_counter() - began) * 1000


def _endpoint_columns(endpoint: Document, deployment: str | None) -> dict[str, Any]:
    return {
        "TenantId": LOG_WORKSPACE_GUID,
        "EndpointName": endpoint["name"],
        "DeploymentName": deployment,
        "AzureMLWorkspaceName": WORKSPACE,
        "AzureMLWorkspaceId": WORKSPACE_GUID,
        "AuthType": auth_type(endpoint),
        "Location": LOCATION,
        "Type": "AmlOnlineEndpointTrafficLog",
        # Log Analytics stores resource ids in small letters.
        "_ResourceId": endpoint_id(endpoint["name"]).lower(),
    }


def _request_columns(request: web.Request, body: bytes, request_id: str) -> dict[str, Any]:
    return {
        "Method": request.method,
        "Path": "/" + (request.match_info.get("path") or "score"),
        "Protocol": f"HTTP/{request.version.major}.{request.version.minor}",
        "RequestThrottlingDelayMs": 0,
        "ResponseThrottlingDelayMs": 0,
        "RequestPayloadSize": len(body),
        "UserAgent": request.headers.get("User-Agent"),
        "XRequestId": request_id,
        "XMSClientRequestId": request.headers.get("x-ms-client-request-id"),
        "OperationName": "Score",
    }


def _response(answer: Answer, deployment: str | None, request_id: str) -> web.Response:
    headers = {**answer.headers, "x-request-id": request_id, "Content-Type": answer.content_type}
    if deployment is not None:
        headers[DEPLOYMENT_HEADER] = deployment
    return web.Response(status=answer.status, body=answer.body, headers=headers)
