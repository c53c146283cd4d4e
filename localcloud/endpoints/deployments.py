"""The control plane of deployments: PUT, PATCH, GET, list, DELETE, logs.

Called over HTTP by azure-ai-ml and az ml. A PUT is answered at once; the server is prepared behind an
operation, as on Azure, where it takes minutes.
"""

import asyncio
import shutil
from functools import partial
from typing import Any

from aiohttp import web

from localcloud.cloud import Cloud
from localcloud.collector.service import Collector
from localcloud.controlplane.responses import body_of, now, page, route
from localcloud.endpoints.documents import Document, Documents
from localcloud.endpoints.operations import OperationError, Operations
from localcloud.endpoints.provisioning import deployment_folder, discard_older, prepare
from localcloud.endpoints.rules import SETTLED, check_deletable, check_name, check_room, read_deployment
from localcloud.endpoints.servers import ServerError, Servers
from localcloud.processes import tail

_PATH = "/onlineEndpoints/{endpoint}/deployments"


class Deployments:
    """Handlers of …/onlineEndpoints/{endpoint}/deployments."""

    def __init__(
        self, cloud: Cloud, documents: Documents, operations: Operations, servers: Servers, collector: Collector
    ) -> None:
        self._cloud = cloud
        self._collector = collector
        self._documents = documents
        self._operations = operations
        self._servers = servers

    def routes(self) -> list[web.RouteDef]:
        """Routes below the endpoint."""
        return [
            route("GET", _PATH, self._list),
            route("GET", f"{_PATH}/{{name}}", self._get),
            route("PUT", f"{_PATH}/{{name}}", self._put),
            route("PATCH", f"{_PATH}/{{name}}", self._patch),
            route("DELETE", f"{_PATH}/{{name}}", self._delete),
            route("POST", f"{_PATH}/{{name}}/getLogs", self._logs),
        ]

    def resume(self) -> None:
        """Take up the operations that an earlier gateway left unfinished."""
        for endpoint in self._documents.endpoints():
            for document in self._documents.deployments(endpoint["name"]):
                if document["state"] == "Deleting":
                    self._operations.begin(document["operation"], partial(self.remove, document))
                elif document["state"] not in SETTLED:
                    self._operations.begin(document["operation"], partial(self._provision, document))

    async def remove(self, document: Document) -> None:
        """Stop the server and forget the deployment."""
        endpoint, name = document["endpoint"], document["name"]
        await self._servers.remove(f"{endpoint}/{name}")
        await self._collector.close(endpoint, name)
        folder = deployment_folder(self._cloud, endpoint, name)
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        self._documents.remove_deployment(endpoint, name)

    async def _list(self, request: web.Request) -> web.Response:
        endpoint = self._documents.endpoint(request.match_info["endpoint"])
        return page(map(self._documents.show_deployment, self._documents.deployments(endpoint["name"])))

    async def _get(self, request: web.Request) -> web.Response:
        return web.json_response(self._documents.show_deployment(self._named(request)))

    async def _put(self, request: web.Request) -> web.Response:
        endpoint = self._documents.endpoint(request.match_info["endpoint"])["name"]
        name = request.match_info["name"]
        body = await body_of(request)
        before = self._documents.find_deployment(endpoint, name)
        if before is None:
            check_name(name, "deployment")
            check_room(len(self._documents.deployments(endpoint)))
        properties: dict[str, Any] = read_deployment(body.get("properties") or {})
        self._documents.require_idle(endpoint)
        operation = self._operations.new()
        document = {
            "name": before["name"] if before else name,
            "endpoint": endpoint,
            "tags": body.get("tags"),
            "identity": body.get("identity"),
            "sku": body.get("sku") or {"name": "Default", "capacity": 1},
            "properties": properties,
            "state": "Updating" if before else "Creating",
            "generation": before["generation"] + 1 if before else 1,
            "operation": operation,
            "createdAt": before["createdAt"] if before else now(),
            "modifiedAt": now(),
        }
        self._documents.save_deployment(document)
        self._operations.begin(operation, partial(self._provision, document))
        shown = self._documents.show_deployment(document)
        return web.json_response(shown, status=200 if before else 201, headers=self._operations.headers(operation))

    async def _patch(self, request: web.Request) -> web.Response:
        document = self._named(request)
        self._documents.require_idle(document["endpoint"])
        body = await body_of(request)
        tags = {**(document["tags"] or {}), **(body.get("tags") or {})}
        document = {**document, "tags": tags, "sku": {**document["sku"], **(body.get("sku") or {})}}
        self._documents.save_deployment(document)
        return web.json_response(self._documents.show_deployment(document))

    async def _delete(self, request: web.Request) -> web.Response:
        endpoint = self._documents.endpoint(request.match_info["endpoint"])
        document = self._documents.find_deployment(endpoint["name"], request.match_info["name"])
        if document is None:
            return web.Response(status=204)
        self._documents.require_idle(endpoint["name"])
        check_deletable(document["name"], endpoint["properties"])
        operation = self._operations.new()
        document = {**document, "state": "Deleting", "operation": operation}
        self._documents.save_deployment(document)
        self._operations.begin(operation, partial(self.remove, document))
        return web.Response(status=202, headers=self._operations.headers(operation))

    async def _logs(self, request: web.Request) -> web.Response:
        document = self._named(request)
        lines = int((await body_of(request)).get("tail") or 1000)
        log = deployment_folder(self._cloud, document["endpoint"], document["name"]) / "server.log"
        content = await asyncio.to_thread(tail, log, lines)
        if document.get("error"):
            content = f"{content}\n{document['error']}".strip()
        return web.json_response({"content": content})

    async def _provision(self, document: Document) -> None:
        endpoint, name = document["endpoint"], document["name"]
        try:
            await self._suffer(f"PROVISION {endpoint} {name}")
            launch = await prepare(self._cloud, self._collector, document)
            await self._servers.replace(f"{endpoint}/{name}", launch)
        except ServerError as fault:
            await self._collector.drop(endpoint, name, document["generation"])
            self._documents.save_deployment({**document, "state": "Failed"})
            raise OperationError("ContainerNotReady", str(fault)) from fault
        except Exception as error:
            await self._collector.drop(endpoint, name, document["generation"])
            self._documents.save_deployment({**document, "state": "Failed", "error": str(error)})
            raise
        # Only now: the old server has ended, and has posted what it had.
        await self._collector.close(endpoint, name, but=document["generation"])
        await asyncio.to_thread(discard_older, self._cloud, document)
        self._documents.save_deployment({**document, "state": "Succeeded"})

    async def _suffer(self, call: str) -> None:
        """An injected fault: the server takes that much longer, and with a status it never becomes ready."""
        fault = self._cloud.faults.pick(call)
        if fault is not None:
            await asyncio.sleep(fault.delay_s)
            if fault.status is not None:
                raise OperationError("ContainerNotReady", fault.body)

    def _named(self, request: web.Request) -> Document:
        return self._documents.deployment(request.match_info["endpoint"], request.match_info["name"])
