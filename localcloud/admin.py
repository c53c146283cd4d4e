"""The test bench of the local cloud: reset it, make it fail, delay or double its events, see what is going on.

Called by tests, the demo and the supervisor, under /admin. No Azure service has these routes, so the product
must never call them. Alerts are fired at /admin/alerts, in alerts.py.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

from aiohttp import web

from localcloud.cloud import Cloud, Service
from localcloud.eventgrid import Conditions, EventGrid
from localcloud.faults import Fault
from localcloud.middleware import arm_error
from localcloud.processes import Processes, end
from localcloud.storage import Storage


class Admin:
    """The routes under /admin. `services` are all the others, in the order in which they are started."""

    def __init__(self, cloud: Cloud, storage: Storage, event_grid: EventGrid, services: Sequence[Service]) -> None:
        self._cloud = cloud
        self._storage = storage
        self._event_grid = event_grid
        self._services = services
        self._resetting = asyncio.Lock()

    def routes(self) -> list[web.RouteDef]:
        """Reset, health, faults, events."""
        return [
            web.get("/admin/health", self._health),
            web.post("/admin/reset", self._reset),
            web.get("/admin/faults", self._list_faults),
            web.post("/admin/faults", self._add_fault),
            web.delete("/admin/faults", self._clear_faults),
            web.get("/admin/events", self._list_events),
            web.post("/admin/events", self._publish),
            web.get("/admin/events/conditions", self._get_conditions),
            web.put("/admin/events/conditions", self._put_conditions),
            web.post("/admin/events/{id}/replay", self._replay),
        ]

    async def start(self) -> None:
        """Nothing runs in the background."""

    async def stop(self) -> None:
        """Nothing runs in the background."""

    async def _health(self, _request: web.Request) -> web.Response:
        events = self._event_grid.history()
        return web.json_response(
            {
                "status": "ok",
                "services": [type(service).__name__ for service in self._services],
                "faults": len(self._cloud.faults.active),
                "events": {"total": len(events), "undelivered": sum(e["undelivered"] for e in events)},
            }
        )

    async def _reset(self, _request: web.Request) -> web.Response:
        # One at a time: a second reset would start services that the first is stopping.
        async with self._resetting:
            for service in reversed(self._services):
                await service.stop()
            # Jobs outlive a stop of the gateway by design; an empty local cloud has none.
            await asyncio.to_thread(lambda: end(Processes(self._cloud.folder).orphans()))
            await self._storage.empty()
            self._cloud.store.clear()
            self._cloud.faults.active.clear()
            for service in self._services:
                await service.start()
        return web.json_response({"status": "empty"})

    async def _list_faults(self, _request: web.Request) -> web.Response:
        return web.json_response([asdict(fault) for fault in self._cloud.faults.active])

    async def _add_fault(self, request: web.Request) -> web.Response:
        try:
            fault = Fault(**_known(await request.json(), Fault))
        except TypeError as error:
            return arm_error(400, "InvalidFault", str(error))
        self._cloud.faults.active.append(fault)
        return web.json_response(asdict(fault), status=201)

    async def _clear_faults(self, _request: web.Request) -> web.Response:
        self._cloud.faults.active.clear()
        return web.Response(status=204)

    async def _list_events(self, _request: web.Request) -> web.Response:
        return web.json_response(self._event_grid.history())

    async def _publish(self, request: web.Request) -> web.Response:
        event = await request.json()
        if not isinstance(event, dict) or not {"eventType", "subject"} <= event.keys():
            return arm_error(400, "InvalidEvent", "an event is an object with eventType and subject")
        await self._cloud.publish(event)
        return web.Response(status=202)

    async def _get_conditions(self, _request: web.Request) -> web.Response:
        return web.json_response(asdict(self._event_grid.conditions))

    async def _put_conditions(self, request: web.Request) -> web.Response:
        try:
            conditions = Conditions(**_known(await request.json(), Conditions))
        except TypeError as error:
            return arm_error(400, "InvalidConditions", str(error))
        self._event_grid.impose(conditions)
        return web.json_response(asdict(conditions))

    async def _replay(self, request: web.Request) -> web.Response:
        event_id = request.match_info["id"]
        if not self._event_grid.replay(event_id):
            return arm_error(404, "EventNotFound", f"no event has the id {event_id}")
        return web.Response(status=202)


def _known(body: Any, shape: type[Any]) -> dict[str, Any]:
    """The body, if it is an object that names only fields of the shape."""
    if not isinstance(body, dict):
        raise TypeError("the body must be an object")
    names = [field.name for field in fields(shape)]
    unknown = sorted(body.keys() - set(names))
    if unknown:
        raise TypeError(f"unknown: {', '.join(unknown)}; there are: {', '.join(names)}")
    return body
