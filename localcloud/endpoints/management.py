"""Managed online endpoints as a part of the local cloud: the control plane of endpoints and their keys.

Called over HTTP by azure-ai-ml and az ml, and by the router for what it has to know. Traffic is data here;
who follows it is the router.
"""

import asyncio
import os
import time
from functools import partial
from typing import Any

from aiohttp import web

from localcloud.cloud import Cloud
from localcloud.collector.service import Collector
from localcloud.controlplane.responses import body_of, now, page, route, user_error
from localcloud.endpoints.deployments import Deployments
from localcloud.endpoints.documents import Document, Documents, new_key
from localcloud.endpoints.operations import Operations
from localcloud.endpoints.provisioning import discard_unknown
from localcloud.endpoints.rules import (
    SETTLED,
    check_name,
    read_mirror_traffic,
    read_traffic,
    traffic_at_creation,
)
from localcloud.endpoints.servers import Servers

_PATH = "/onlineEndpoints"
TOKEN_LIFE_S = 12 * 3600
# How long a change of an endpoint stays in flight. Azure needs tens of seconds; zero would hide every 409.
OPERATION_SETTING = "UPKEEP_LOCAL_OPERATION_S"
READY_LIMIT_SETTING = "UPKEEP_LOCAL_READY_LIMIT_S"


class Endpoints:
    """Endpoints and deployments. The router reads `documents` and `servers`."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self.documents = Documents(cloud)
        self.servers = Servers(cloud, float(os.environ.get(READY_LIMIT_SETTING, "120")))
        self._operations = Operations(cloud)
        self._collector = Collector(cloud)
        self._deployments = Deployments(cloud, self.documents, self._operations, self.servers, self._collector)
        self._operation_s = float(os.environ.get(OPERATION_SETTING, "0.3"))

    def routes(self) -> list[web.RouteDef]:
        """Routes of endpoints, deployments and operations."""
        return [
            route("GET", _PATH, self._list),
            route("GET", f"{_PATH}/{{endpoint}}", self._get),
            route("PUT", f"{_PATH}/{{endpoint}}", self._put),
            route("PATCH", f"{_PATH}/{{endpoint}}", self._patch),
            route("DELETE", f"{_PATH}/{{endpoint}}", self._delete),
            route("POST", f"{_PATH}/{{endpoint}}/listKeys", self._list_keys),
            route("POST", f"{_PATH}/{{endpoint}}/regenerateKeys", self._regenerate_keys),
            route("POST", f"{_PATH}/{{endpoint}}/token", self._token),
            *self._deployments.routes(),
            *self._operations.routes(),
            *self._collector.routes(),
        ]

    async def start(self) -> None:
        """Bring back the servers, and take up the operations that were not finished."""
        await asyncio.to_thread(discard_unknown, self._cloud)
        await self._collector.start()
        await self.servers.resume()
        self._deployments.resume()
        for document in self.documents.endpoints():
            if document["state"] == "Deleting":
                self._operations.begin(document["operation"], partial(self._remove, document))
            elif document["state"] not in SETTLED:
                self._operations.begin(document["operation"], partial(self._settle, document))

    async def stop(self) -> None:
        """Stop all scoring servers; what is stored brings them back at the next start."""
        await self._operations.stop()
        await self.servers.stop()
        await self._collector.stop()

    async def _list(self, _request: web.Request) -> web.Response:
        return page(map(self.documents.show_endpoint, self.documents.endpoints()))

    async def _get(self, request: web.Request) -> web.Response:
        return web.json_response(self.documents.show_endpoint(self._named(request)))

    async def _put(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        before = self.documents.find_endpoint(request.match_info["endpoint"])
        properties = self._checked(request.match_info["endpoint"], before, dict(body.get("properties") or {}))
        operation = self._operations.new()
        document = {
            "name": request.match_info["endpoint"],
            "keys": {"primaryKey": new_key(), "secondaryKey": new_key()},
            "token": new_key(),
            "createdAt": now(),
            **(before or {}),
            "tags": body.get("tags"),
            "identity": body.get("identity"),
            "properties": properties,
            "state": "Updating" if before else "Creating",
            "operation": operation,
            "modifiedAt": now(),
        }
        self.documents.save_endpoint(document)
        self._operations.begin(operation, partial(self._settle, document))
        return web.json_response(
            self.documents.show_endpoint(document),
            status=200 if before else 201,
            headers=self._operations.headers(operation),
        )

    def _checked(self, name: str, before: Document | None, properties: dict[str, Any]) -> dict[str, Any]:
        if before is None:
            check_name(name, "endpoint")
            traffic_at_creation(properties.get("traffic"))
            traffic_at_creation(properties.get("mirrorTraffic"), "Mirror traffic")
            return {**properties, "traffic": {}, "mirrorTraffic": {}}
        self.documents.require_idle(name)
        deployments = [deployment["name"] for deployment in self.documents.deployments(name)]
        traffic = read_traffic(properties.get("traffic"), deployments)
        mirror = read_mirror_traffic(properties.get("mirrorTraffic"), traffic, deployments)
        return {**properties, "traffic": traffic, "mirrorTraffic": mirror}

    async def _patch(self, request: web.Request) -> web.Response:
        document = self._named(request)
        self.documents.require_idle(document["name"])
        body = await body_of(request)
        document = {**document, "tags": {**(document["tags"] or {}), **(body.get("tags") or {})}}
        if body.get("identity"):
            document["identity"] = body["identity"]
        self.documents.save_endpoint(document)
        return web.json_response(self.documents.show_endpoint(document))

    async def _delete(self, request: web.Request) -> web.Response:
        document = self.documents.find_endpoint(request.match_info["endpoint"])
        if document is None:
            return web.Response(status=204)
        self.documents.require_idle(document["name"])
        operation = self._operations.new()
        document = {**document, "state": "Deleting", "operation": operation}
        self.documents.save_endpoint(document)
        self._operations.begin(operation, partial(self._remove, document))
        return web.Response(status=202, headers=self._operations.headers(operation))

    async def _list_keys(self, request: web.Request) -> web.Response:
        return web.json_response(self._named(request)["keys"])

    async def _regenerate_keys(self, request: web.Request) -> web.Response:
        document = self._named(request)
        body = await body_of(request)
        kind = {"primary": "primaryKey", "secondary": "secondaryKey"}.get(str(body.get("keyType")).lower())
        if kind is None:
            raise user_error(f"keyType must be Primary or Secondary, not {body.get('keyType')!r}.")
        self.documents.require_idle(document["name"])
        given = body.get("keyValue")
        # azure-ai-ml sends the key that is to be replaced.
        key = given if given and given != document["keys"][kind] else new_key()
        keys = {**document["keys"], kind: key}
        self.documents.save_endpoint({**document, "keys": keys})
        return web.Response(status=200)

    async def _token(self, request: web.Request) -> web.Response:
        document = self._named(request)
        return web.json_response(
            {
                "accessToken": document["token"],
                "tokenType": "Bearer",
                "expiryTimeUtc": int(time.time()) + TOKEN_LIFE_S,
                "refreshAfterTimeUtc": int(time.time()) + TOKEN_LIFE_S // 2,
            }
        )

    async def _settle(self, document: Document) -> None:
        await asyncio.sleep(self._operation_s)
        self.documents.save_endpoint({**document, "state": "Succeeded"})

    async def _remove(self, document: Document) -> None:
        for deployment in self.documents.deployments(document["name"]):
            await self._deployments.remove(deployment)
        self.documents.remove_endpoint(document["name"])

    def _named(self, request: web.Request) -> Document:
        return self.documents.endpoint(request.match_info["endpoint"])
