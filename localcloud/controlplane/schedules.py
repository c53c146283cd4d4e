"""Schedules of the emulated control plane: kept, listed, switched off and deleted; none of them ever fires.

Called by gateway.py, and over HTTPS by the unmodified azure-ai-ml. A monitor would need Spark and a schedule a
pipeline, of which the local cloud has neither.
"""

from aiohttp import web

from localcloud.cloud import WORKSPACE_ID, Cloud
from localcloud.controlplane.responses import ArmError, body_of, not_found, page, route, system_data, user_error

KIND = "schedules"
ACTIONS = frozenset({"CreateJob", "CreateMonitor", "ImportData"})


class Schedules:
    """Serves the schedules of the workspace."""

    def __init__(self, cloud: Cloud) -> None:
        self._store = cloud.store

    def routes(self) -> list[web.RouteDef]:
        """The collection and its members."""
        one = "/schedules/{name}"
        return [
            route("GET", "/schedules", self._list),
            route("GET", one, self._get),
            route("PUT", one, self._put),
            route("DELETE", one, self._delete),
        ]

    async def start(self) -> None:
        """Nothing runs in the background."""

    async def stop(self) -> None:
        """Nothing runs in the background."""

    async def _list(self, request: web.Request) -> web.Response:
        view = request.query.get("listViewType", "EnabledOnly").lower()
        wanted = {"enabledonly": {True}, "disabledonly": {False}}.get(view, {True, False})
        return page(each for _, each in self._store.items(KIND) if each["properties"]["isEnabled"] in wanted)

    async def _get(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if (document := self._store.get(KIND, name)) is None:
            raise not_found(f"Schedule {name} was not found in the workspace.")
        return web.json_response(document)

    async def _put(self, request: web.Request) -> web.Response:
        name, properties = request.match_info["name"], (await body_of(request)).get("properties")
        if not isinstance(properties, dict):
            raise user_error("The resource has no properties.")
        action = properties.get("action")
        if not isinstance(action, dict) or action.get("actionType") not in ACTIONS or not properties.get("trigger"):
            raise user_error("A schedule has a trigger and an action that creates a job or a monitor.")
        before = self._store.get(KIND, name)
        enabled = properties.get("isEnabled") is not False
        document = {
            "id": f"{WORKSPACE_ID}/{KIND}/{name}",
            "name": name,
            "type": "Microsoft.MachineLearningServices/workspaces/schedules",
            "properties": {
                "tags": {},
                "properties": {},
                **{key: value for key, value in properties.items() if value is not None},
                "isEnabled": enabled,
                "provisioningState": "Succeeded",
            },
            "systemData": system_data(before["systemData"]["createdAt"] if before else None),
        }
        self._store.put(KIND, name, document)
        return web.json_response(document, status=200 if before else 201)

    async def _delete(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        found = self._store.get(KIND, name)
        if found is not None and found["properties"]["isEnabled"]:
            raise ArmError(400, "UserError", f"Schedule {name} is enabled; disable it before it is deleted.")
        return web.Response(status=200 if self._store.delete(KIND, name) else 204)
