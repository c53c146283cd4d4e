"""The stored endpoints and deployments, and how ARM shows them.

Called by the management handlers and the router. A document holds what was sent, plus `state` (the
provisioning state) and what the service adds (keys, generation). Decides nothing.
"""

import secrets
from typing import Any

from localcloud.cloud import LOCATION, WORKSPACE_ID, Cloud
from localcloud.controlplane.responses import ArmError, not_found, now, system_data
from localcloud.endpoints.rules import SETTLED

Document = dict[str, Any]

ENDPOINTS = "online-endpoints"
DEPLOYMENTS = "online-deployments"


class Documents:
    """Endpoints by name, deployments by ENDPOINT/NAME."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._store = cloud.store

    def endpoint(self, name: str) -> Document:
        """The endpoint; 404 if there is none."""
        document = self.find_endpoint(name)
        if document is None:
            raise not_found(f"There is no online endpoint {name!r}.")
        return document

    def find_endpoint(self, name: str) -> Document | None:
        """The endpoint, or None."""
        return self._store.get(ENDPOINTS, name)

    def deployment(self, endpoint: str, name: str) -> Document:
        """The deployment; 404 if there is none, or no such endpoint."""
        self.endpoint(endpoint)
        document = self.find_deployment(endpoint, name)
        if document is None:
            raise not_found(f"Endpoint {endpoint!r} has no deployment {name!r}.")
        return document

    def find_deployment(self, endpoint: str, name: str) -> Document | None:
        """The deployment, or None."""
        return self._store.get(DEPLOYMENTS, f"{endpoint}/{name}")

    def endpoints(self) -> list[Document]:
        """All endpoints."""
        return [document for _, document in self._store.items(ENDPOINTS)]

    def deployments(self, endpoint: str) -> list[Document]:
        """All deployments of one endpoint."""
        return [document for _, document in self._store.items(DEPLOYMENTS, f"{endpoint}/")]

    def save_endpoint(self, document: Document) -> None:
        """Write an endpoint."""
        self._store.put(ENDPOINTS, document["name"], {**document, "modifiedAt": now()})

    def save_deployment(self, document: Document) -> None:
        """Write a deployment."""
        key = f"{document['endpoint']}/{document['name']}"
        self._store.put(DEPLOYMENTS, key, {**document, "modifiedAt": now()})

    def remove_endpoint(self, name: str) -> None:
        """Forget an endpoint."""
        self._store.delete(ENDPOINTS, name)

    def remove_deployment(self, endpoint: str, name: str) -> None:
        """Forget a deployment."""
        self._store.delete(DEPLOYMENTS, f"{endpoint}/{name}")

    def require_idle(self, endpoint: str) -> None:
        """409 while the endpoint or one of its deployments is being changed."""
        for document in [self.endpoint(endpoint), *self.deployments(endpoint)]:
            if document["state"] not in SETTLED:
                raise ArmError(
                    409,
                    "Conflict",
                    f"Another operation is in progress on endpoint {endpoint!r}: "
                    f"{document['name']!r} is {document['state']}. Try again when it has ended.",
                )

    def show_endpoint(self, document: Document) -> Document:
        """The endpoint as ARM answers it."""
        name = document["name"]
        uri = f"{self._cloud.gateway_url}/score/{name}"
        properties = {
            "properties": {},
            "authMode": "Key",
            "traffic": {},
            "mirrorTraffic": {},
            "publicNetworkAccess": "Enabled",
            **document["properties"],
            "scoringUri": uri,
            "swaggerUri": f"{uri}/swagger.json",
            "provisioningState": document["state"],
        }
        return {**_resource(document, endpoint_id(name), "onlineEndpoints"), "properties": properties}

    def show_deployment(self, document: Document) -> Document:
        """The deployment as ARM answers it."""
        properties = {
            "properties": {},
            "endpointComputeType": "Managed",
            "scaleSettings": {"scaleType": "Default"},
            **document["properties"],
            "provisioningState": document["state"],
        }
        resource = _resource(
            document,
            f"{endpoint_id(document['endpoint'])}/deployments/{document['name']}",
            "onlineEndpoints/deployments",
        )
        return {**resource, "sku": document["sku"], "properties": properties}


def endpoint_id(name: str) -> str:
    """The full ARM id of an endpoint."""
    return f"{WORKSPACE_ID}/onlineEndpoints/{name}"


def new_key() -> str:
    """A key that scoring requests carry."""
    return secrets.token_urlsafe(32)


def _resource(document: Document, resource_id: str, kind: str) -> Document:
    return {
        "id": resource_id,
        "name": document["name"],
        "type": f"Microsoft.MachineLearningServices/workspaces/{kind}",
        "location": LOCATION,
        "tags": document.get("tags") or {},
        "kind": "Managed",
        "identity": document.get("identity") or {"type": "SystemAssigned"},
        "systemData": {**system_data(document["createdAt"]), "lastModifiedAt": document["modifiedAt"]},
    }
