"""An Azure ML registry, as far as models are shared by it: discovery, import, get, list, tags, signatures to read.

Called over HTTPS by the unmodified azure-ai-ml. There is one registry, of a fixed name, beside the one workspace; its
files lie in a container of their own. An import takes a moment and brings files, type and description, but neither
tags nor properties: whether Azure's brings them is not documented, and who relies on it should find out here.
"""

import asyncio
from typing import Any
from uuid import uuid4

from aiohttp import web

from localcloud.cloud import LOCATION, REGISTRY, RESOURCE_GROUP, SUBSCRIPTION, WORKSPACE_GUID, Cloud
from localcloud.controlplane.asset_ids import parse_import_id
from localcloud.controlplane.blobs import Blobs
from localcloud.controlplane.locations import Location, locate
from localcloud.controlplane.responses import (
    ArmError,
    Handler,
    any_case,
    body_of,
    not_found,
    page,
    reply,
    system_data,
    user_error,
)

MODELS = "registry-models"
_CONTAINER = "registry-upkeep-local"
_FRONT = "/mferp/managementfrontend"
_BASE = (
    "/subscriptions/{subscription}/resourceGroups/{group}"
    "/providers/Microsoft.MachineLearningServices/registries/{registry}"
)
_VERSION = "/models/{name}/versions/{version}"
_IMPORT_S = 0.2
Document = dict[str, Any]


class Registry:
    """Serves the one registry."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud, self._store = cloud, cloud.store
        self._blobs = Blobs(cloud)
        self._imports: dict[str, asyncio.Task[None]] = {}

    def routes(self) -> list[web.RouteDef]:
        """Discovery, and the registry's own routes behind the address that it tells."""

        def below(method: str, tail: str, handler: Handler) -> web.RouteDef:
            return web.route(method, any_case(_FRONT + _BASE + tail), reply(self._known(handler)))

        return [
            web.get("/registrymanagement/v1.0/registries/{registry}/discovery", reply(self._known(self._discovery))),
            below("POST", "/import", self._import),
            below("GET", "/imports/{operation}", self._operation),
            below("GET", "/models/{name}", self._container),
            below("GET", "/models/{name}/versions", self._versions),
            below("GET", _VERSION, self._get),
            below("PUT", _VERSION, self._put),
            below("PUT", "/tempdatarefs/{name}/versions/{version}", self._upload),
            below("POST", "/datarefs/{name}/versions/{version}", self._read),
        ]

    async def start(self) -> None:
        """Imports of an earlier gateway are gone; who asked for them asks again."""

    async def stop(self) -> None:
        """Let imports that are under way end."""
        await asyncio.gather(*self._imports.values(), return_exceptions=True)

    def _known(self, handler: Handler) -> Handler:
        async def checked(request: web.Request) -> web.StreamResponse:
            if request.match_info["registry"].lower() != REGISTRY:
                raise not_found(
                    f"There is no registry {request.match_info['registry']}; the local one is {REGISTRY}."
                )
            return await handler(request)

        return checked

    async def _discovery(self, request: web.Request) -> web.Response:
        del request
        url = f"{self._cloud.gateway_url}/"
        return web.json_response(
            {
                "registryName": REGISTRY,
                "primaryRegion": LOCATION,
                "primaryRegionResourceProviderUri": url,
                "registryFqdns": {LOCATION: {"uri": url}},
                "subscriptionId": SUBSCRIPTION,
                "resourceGroup": RESOURCE_GROUP,
            }
        )

    async def _import(self, request: web.Request) -> web.Response:
        wanted = (await body_of(request)).get("properties") or {}
        source = parse_import_id(str(wanted.get("sourceAssetId", "")))
        if source is None or source[0].lower() != WORKSPACE_GUID:
            raise user_error(f"{wanted.get('sourceAssetId')!r} is no model of the workspace.")
        model = self._store.get("models", f"{source[1]}/{source[2]}")
        if model is None:
            raise not_found(f"The workspace has no model {source[1]}:{source[2]}.")
        name, version = str(wanted["destinationName"]), str(wanted["destinationVersion"])
        key = f"{name}/{version}"
        if self._find(name, version) or (key in self._imports and not self._imports[key].done()):
            raise ArmError(409, "Conflict", f"The registry has a model {name}:{version}, or imports it right now.")
        self._imports[key] = asyncio.create_task(self._bring(name, version, model["properties"]))
        url = f"{self._cloud.gateway_url}{_FRONT}{request.path.removeprefix(_FRONT).rpartition('/')[0]}"
        where = f"{url}/imports/{name}:{version}?api-version=2021-10-01-dataplanepreview"
        return web.Response(
            status=202, headers={"Azure-AsyncOperation": where, "x-ms-async-operation-timeout": "PT1H"}
        )

    async def _bring(self, name: str, version: str, model: Document) -> None:
        await asyncio.sleep(_IMPORT_S)
        uri = await asyncio.to_thread(self._blobs.make_container, _CONTAINER)
        folder = f"{name}/{version}/{uuid4().hex[:8]}"
        await asyncio.to_thread(self._blobs.copy, locate(str(model["modelUri"])), Location(_CONTAINER, folder))
        kept = {key: model[key] for key in ("modelType", "description") if model.get(key)}
        self._save(name, version, {**kept, "modelUri": f"{uri}/{folder}", "tags": {}, "properties": {}})

    async def _operation(self, request: web.Request) -> web.Response:
        task = self._imports.get(request.match_info["operation"].replace(":", "/"))
        if task is None:
            raise not_found("There is no such import.")
        status = "InProgress" if not task.done() else "Failed" if task.exception() else "Succeeded"
        return web.json_response({"status": status})

    async def _container(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if not self._all(name):
            raise not_found(f"The registry has no model {name}.")
        numbers = [int(each["name"]) for each in self._all(name) if each["name"].isdigit()]
        properties = {
            "latestVersion": str(max(numbers, default=0)),
            "tags": {},
            "properties": {},
            "isArchived": False,
        }
        document = {"id": _id(name), "name": name, "properties": properties, "systemData": system_data()}
        return web.json_response(document)

    async def _versions(self, request: web.Request) -> web.Response:
        """Youngest first. None of a model that is not there: to azure-ai-ml a 404 would be a failure."""
        found = self._all(request.match_info["name"])
        found.sort(key=lambda document: str(document["systemData"]["createdAt"]), reverse=True)
        return page(found[: int(request.query.get("$top") or len(found))])

    async def _get(self, request: web.Request) -> web.Response:
        return web.json_response(self._named(request))

    async def _put(self, request: web.Request) -> web.Response:
        """Change tags, description or stage of a version; models of a client's own are not taken."""
        properties = (await body_of(request)).get("properties") or {}
        known = self._named(request)["properties"]
        if properties.get("modelUri") not in (None, known["modelUri"]):
            raise user_error("Asset paths cannot be updated.")
        changed = {
            key: properties[key] for key in ("tags", "description", "stage") if properties.get(key) is not None
        }
        name, version = request.match_info["name"], request.match_info["version"]
        return web.json_response(self._save(name, version, {**known, **changed}))

    async def _upload(self, request: web.Request) -> web.Response:
        self._named(request)
        raise ArmError(409, "Conflict", "The version is there already: there is nothing to upload.")

    async def _read(self, request: web.Request) -> web.Response:
        uri = str(self._named(request)["properties"]["modelUri"])
        signature = self._blobs.container_sas(_CONTAINER)
        credential = {"credentialType": "SAS", "sasUri": f"{self._cloud.blob_url}/{_CONTAINER}?{signature}"}
        return web.json_response({"blobReferenceForConsumption": {"blobUri": uri, "credential": credential}})

    def _find(self, name: str, version: str) -> Document | None:
        return self._store.get(MODELS, f"{REGISTRY}/{name}/{version}")

    def _all(self, name: str) -> list[Document]:
        return [document for _, document in self._store.items(MODELS, f"{REGISTRY}/{name}/")]

    def _named(self, request: web.Request) -> Document:
        name, version = request.match_info["name"], request.match_info["version"]
        document = self._find(name, version)
        if document is None:
            raise not_found(f"The registry has no model {name}:{version}.")
        return document

    def _save(self, name: str, version: str, properties: Document) -> Document:
        before = self._find(name, version)
        blank = {"isArchived": False, "isAnonymous": False, "flavors": {}, "stage": ""}
        document = {
            "id": f"{_id(name)}/versions/{version}",
            "name": version,
            "type": "Microsoft.MachineLearningServices/registries/models/versions",
            "properties": {**blank, **properties},
            "systemData": system_data(before["systemData"]["createdAt"] if before else None),
        }
        self._store.put(MODELS, f"{REGISTRY}/{name}/{version}", document)
        return document


def _id(name: str) -> str:
    return f"azureml://registries/{REGISTRY}/models/{name}"
