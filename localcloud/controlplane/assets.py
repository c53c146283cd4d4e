"""The asset half of the emulated Azure ML control plane: codes, environments, data, components, models.

Called by gateway.py, and over HTTPS by the unmodified azure-ai-ml. Job and endpoint routes are not here.
Versions are immutable as on Azure: a PUT that would change a path or a definition is refused. Not emulated:
computes, image builds, mltable schemas, labels other than latest.
"""

import asyncio
import hashlib
from typing import Any
from uuid import uuid4

from aiohttp import web

from localcloud.cloud import Cloud
from localcloud.controlplane.asset_store import KINDS, AssetStore, Document
from localcloud.controlplane.blobs import Blobs
from localcloud.controlplane.datastores import Workspace
from localcloud.controlplane.events import publish
from localcloud.controlplane.responses import body_of, page, route, user_error

_KIND = "{kind:(?i:" + "|".join(KINDS) + ")}"


class Assets:
    """Serves the workspace, its datastores and every versioned asset."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._blobs = Blobs(cloud)
        self._workspace = Workspace(cloud)
        self._stores = {kind: AssetStore(cloud.store, kind) for kind in KINDS}

    def routes(self) -> list[web.RouteDef]:
        """Containers and versions below the workspace."""
        one, many = f"/{_KIND}/{{name}}/versions/{{version}}", f"/{_KIND}/{{name}}/versions"
        return [
            *self._workspace.routes(),
            route("GET", f"/{_KIND}", self._containers),
            route("GET", f"/{_KIND}/{{name}}", self._container),
            route("PUT", f"/{_KIND}/{{name}}", self._put_container),
            route("DELETE", f"/{_KIND}/{{name}}", self._delete_container),
            route("GET", many, self._versions),
            route("GET", one, self._get),
            route("PUT", one, self._put),
            route("DELETE", one, self._delete),
            route("POST", f"{one}/startPendingUpload", self._start_upload),
        ]

    async def start(self) -> None:
        """Nothing runs in the background."""

    async def stop(self) -> None:
        """Nothing runs in the background."""

    def _store(self, request: web.Request) -> AssetStore:
        return self._stores[request.match_info["kind"].lower()]

    async def _containers(self, request: web.Request) -> web.Response:
        found = self._store(request).containers()
        return page(document for document in found if _listed(request, document))

    async def _container(self, request: web.Request) -> web.Response:
        return web.json_response(self._store(request).container(request.match_info["name"]))

    async def _put_container(self, request: web.Request) -> web.Response:
        properties = (await body_of(request)).get("properties") or {}
        return web.json_response(self._store(request).put_container(request.match_info["name"], properties))

    async def _delete_container(self, request: web.Request) -> web.Response:
        deleted = self._store(request).delete(request.match_info["name"])
        return web.Response(status=200 if deleted else 204)

    async def _versions(self, request: web.Request) -> web.Response:
        store, name = self._store(request), request.match_info["name"]
        if store.kind == "codes" and "hash" in request.query:
            # Azure looks for the content under every name: the client asks with a name it just drew.
            found = [each for container in store.containers() for each in store.versions(container["name"])]
        else:
            found = store.versions(name)
        if "createdtime asc" in request.query.get("$orderBy", "").lower():
            found.reverse()
        chosen = [document for document in found if _listed(request, document) and _matches(request, document)]
        skip, top = int(request.query.get("$skip") or 0), int(request.query.get("$top") or len(chosen))
        return page(chosen[skip : skip + top])

    async def _get(self, request: web.Request) -> web.Response:
        return web.json_response(self._store(request).get(*_name_and_version(request)))

    async def _put(self, request: web.Request) -> web.Response:
        store = self._store(request)
        properties = (await body_of(request)).get("properties")
        if not isinstance(properties, dict):
            raise user_error("The resource has no properties.")
        name, version = _name_and_version(request)
        document, new = store.put(name, version, properties)
        if new and store.kind == "models":
            data = _model_registered(name, version, document["properties"])
            await publish(self._cloud, "ModelRegistered", f"models/{name}:{version}", data)
        return web.json_response(document, status=201 if new else 200)

    async def _delete(self, request: web.Request) -> web.Response:
        deleted = self._store(request).delete(*_name_and_version(request))
        return web.Response(status=200 if deleted else 204)

    async def _start_upload(self, request: web.Request) -> web.Response:
        kind = self._store(request).kind
        name, version = _name_and_version(request)
        container = "upload-" + hashlib.sha256(f"{kind}/{name}/{version}".lower().encode()).hexdigest()[:32]
        url = await asyncio.to_thread(self._blobs.make_container, container)
        credential = {"credentialType": "SAS", "sasUri": f"{url}?{self._blobs.container_sas(container)}"}
        reference = {"blobUri": url, "storageAccountArmId": "", "credential": credential}
        return web.json_response(
            {
                "blobReferenceForConsumption": reference,
                "pendingUploadId": str(uuid4()),
                "pendingUploadType": "TemporaryBlobReference",
            }
        )


def _name_and_version(request: web.Request) -> tuple[str, str]:
    return request.match_info["name"], request.match_info["version"]


def _listed(request: web.Request, document: Document) -> bool:
    archived = bool(document["properties"].get("isArchived"))
    view = request.query.get("listViewType", "ActiveOnly").lower()
    return view == "all" or archived == (view == "archivedonly")


def _matches(request: web.Request, document: Document) -> bool:
    properties, query = document["properties"], request.query
    own: dict[str, Any] = properties.get("properties") or {}
    if "hash" in query and query["hash"] != own.get("hash_sha256"):
        return False
    if "stage" in query and query["stage"].lower() != str(properties.get("stage") or "").lower():
        return False
    if "version" in query and query["version"] != document["name"]:
        return False
    return _holds(query.get("tags"), properties.get("tags") or {}) and _holds(query.get("properties"), own)


def _holds(wanted: str | None, pairs: dict[str, Any]) -> bool:
    """Whether all of "key,key=value" are there."""
    for term in filter(None, (wanted or "").split(",")):
        key, equals, value = term.partition("=")
        if key not in pairs or (equals and str(pairs[key]) != value):
            return False
    return True


def _model_registered(name: str, version: str, properties: Document) -> Document:
    return {
        "ModelName": name,
        "ModelVersion": version,
        "ModelTags": properties.get("tags") or {},
        "ModelProperties": properties.get("properties") or {},
    }
