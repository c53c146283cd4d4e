"""The workspace itself and its datastores, as ARM shows them. Both are fixed: nothing here is stored."""

from typing import Any

from aiohttp import web

from localcloud.cloud import (
    ACCOUNT,
    DATASTORES,
    LOCATION,
    RESOURCE_GROUP,
    STORAGE_ID,
    SUBSCRIPTION,
    WORKSPACE,
    WORKSPACE_GUID,
    WORKSPACE_ID,
    Cloud,
)
from localcloud.controlplane.blobs import ACCOUNT_KEY
from localcloud.controlplane.locations import CONTAINERS
from localcloud.controlplane.responses import not_found, page, route, system_data

_MADE = "2024-01-01T00:00:00.000000Z"


class Workspace:
    """Answers for the workspace and its datastores."""

    def __init__(self, cloud: Cloud) -> None:
        self._url = cloud.gateway_url
        self._ports = cloud.ports

    def routes(self) -> list[web.RouteDef]:
        """GET of the workspace, its discovery document and its datastores; POST listSecrets."""
        return [
            route("GET", "", self._workspace),
            web.get("/discovery/workspaces/{guid}", self._discovery),
            route("GET", "/datastores", self._list),
            route("GET", "/datastores/{name}", self._get),
            route("POST", "/datastores/{name}/listSecrets", self._secrets),
        ]

    async def _workspace(self, request: web.Request) -> web.Response:
        if request.match_info["workspace"].lower() != WORKSPACE.lower():
            raise not_found(f"Workspace {request.match_info['workspace']} was not found.")
        properties = {
            "workspaceId": WORKSPACE_GUID,
            "friendlyName": WORKSPACE,
            "storageAccount": STORAGE_ID,
            "discoveryUrl": f"{self._url}/discovery/workspaces/{WORKSPACE_GUID}",
            "mlFlowTrackingUri": f"{self._url}/mlflow/v1.0{WORKSPACE_ID}",
            "provisioningState": "Succeeded",
            "publicNetworkAccess": "Disabled",
        }
        return web.json_response(
            {
                "id": WORKSPACE_ID,
                "name": WORKSPACE,
                "type": "Microsoft.MachineLearningServices/workspaces",
                "location": LOCATION,
                "kind": "Default",
                "tags": {},
                "properties": properties,
                "systemData": system_data(_MADE),
            }
        )

    async def _discovery(self, request: web.Request) -> web.Response:
        del request
        services = ("api", "history", "experimentation", "mlflow", "modelmanagement", "studio")
        return web.json_response(dict.fromkeys(services, self._url))

    async def _list(self, request: web.Request) -> web.Response:
        only_default = request.query.get("isDefault", "").lower() == "true"
        return page(_datastore(name) for name in DATASTORES if not only_default or _is_default(name))

    async def _get(self, request: web.Request) -> web.Response:
        return web.json_response(_datastore(_known(request.match_info["name"])))

    async def _secrets(self, request: web.Request) -> web.Response:
        _known(request.match_info["name"])
        return web.json_response({"secretsType": "AccountKey", "key": ACCOUNT_KEY})


def _known(name: str) -> str:
    for known in CONTAINERS:
        if known.lower() == name.lower():
            return known
    raise not_found(f"Datastore {name} was not found in {RESOURCE_GROUP}/{WORKSPACE}.")


def _is_default(name: str) -> bool:
    return name == "workspaceblobstore"


def _datastore(name: str) -> dict[str, Any]:
    properties = {
        "datastoreType": "AzureBlob",
        "accountName": ACCOUNT,
        "containerName": CONTAINERS[name],
        "endpoint": "core.windows.net",
        "protocol": "https",
        "isDefault": _is_default(name),
        "credentials": {"credentialsType": "None"},
        "subscriptionId": SUBSCRIPTION,
        "resourceGroup": RESOURCE_GROUP,
        "serviceDataAccessAuthIdentity": "None",
        "tags": {},
        "properties": {},
    }
    return {
        "id": f"{WORKSPACE_ID}/datastores/{name}",
        "name": name,
        "type": "Microsoft.MachineLearningServices/workspaces/datastores",
        "properties": properties,
        "systemData": system_data(_MADE),
    }
