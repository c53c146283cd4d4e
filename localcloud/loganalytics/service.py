"""The workspace as a part of the local cloud: query API, ingestion API, and the rows that the router logs.

The query API is what azure-monitor-query calls, the ingestion API what a script or function posts its own
measurements to. Queries run in a thread: the gateway's loop also carries the scoring traffic.
"""

import asyncio
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from aiohttp import web

from localcloud.cloud import LOG_WORKSPACE_GUID, Cloud
from localcloud.loganalytics.columns import TRAFFIC_TABLE, declared
from localcloud.loganalytics.kql import Answer, QueryError, run_query
from localcloud.loganalytics.tables import Row, Tables, visible_after

FLUSH_S = 0.5
LAG_SETTING = "UPKEEP_LOCAL_LOG_LAG_S"
DEFAULT_LAG_S = 2.0
KIND = "log-analytics"


class Logs:
    """Log Analytics. Router and alerts call it directly; everyone else over HTTP."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._opened: Tables | None = None
        self._flusher: asyncio.Task[None] | None = None
        self._lag_s = DEFAULT_LAG_S

    @property
    def lag_s(self) -> float:
        """Seconds between a row's arrival and its being seen by queries."""
        return self._lag_s

    def routes(self) -> list[web.RouteDef]:
        """Query API (by workspace, by resource, batch), ingestion API, and the administration of both."""
        return [
            web.post("/v1/workspaces/{workspace}/query", self._query_workspace),
            web.post("/v1/$batch", self._batch),
            web.post("/v1/{resource:.+}/query", self._query_resource),
            web.post("/dataCollectionRules/{rule}/streams/{stream}", self._ingest),
            web.put("/admin/logs/lag", self._set_lag),
            web.put("/admin/logs/tables/{table}", self._declare),
        ]

    async def start(self) -> None:
        """Open the tables and begin to write the buffered rows."""
        self._opened = await asyncio.to_thread(Tables, self._cloud.folder / "logs.duckdb")
        settings = self._cloud.store.get(KIND, "settings")
        if settings is None:
            # The store is new or was emptied, and so shall the logs be that belonged to it.
            await asyncio.to_thread(self._tables.clear)
            settings = {"lag_s": float(os.environ.get(LAG_SETTING, DEFAULT_LAG_S))}
            self._cloud.store.put(KIND, "settings", settings)
        self._lag_s = settings["lag_s"]
        self._flusher = asyncio.create_task(self._keep_flushing())

    async def stop(self) -> None:
        """Write what is buffered and close the file."""
        if self._flusher is not None:
            self._flusher.cancel()
            await asyncio.gather(self._flusher, return_exceptions=True)
            self._flusher = None
        await asyncio.to_thread(self._tables.close)

    def record_traffic(self, row: Row) -> None:
        """Log one scoring request. Only buffers, so that it may be called in the request's path."""
        self._tables.append(TRAFFIC_TABLE, [row], visible_after(self._lag_s))

    def append(self, table: str, rows: Iterable[Row]) -> None:
        """Take rows for any table; what lacks TimeGenerated gets the time of now."""
        now = datetime.now(UTC)
        stamped = [{"TimeGenerated": now, "Type": table, **row} for row in rows]
        self._tables.append(table, stamped, visible_after(self._lag_s, now))

    async def query(self, query: str, timespan: str | None = None, resource: str | None = None) -> Answer:
        """Run KQL; raises QueryError."""
        return await asyncio.to_thread(run_query, self._tables, query, timespan, datetime.now(UTC), resource=resource)

    @property
    def _tables(self) -> Tables:
        assert self._opened is not None, "started before it is used"
        return self._opened

    async def _keep_flushing(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_S)
            await asyncio.to_thread(self._tables.flush)

    async def _query_workspace(self, request: web.Request) -> web.Response:
        _authorize(request)
        if request.match_info["workspace"].lower() != LOG_WORKSPACE_GUID:
            return _error(404, "WorkspaceNotFoundError", "The workspace could not be found")
        return await self._answer(await _object(request))

    async def _query_resource(self, request: web.Request) -> web.Response:
        _authorize(request)
        resource = "/" + request.match_info["resource"].strip("/")
        return await self._answer(await _object(request), resource)

    async def _answer(self, body: dict[str, Any], resource: str | None = None) -> web.Response:
        try:
            return web.json_response(await self.query(body.get("query") or "", body.get("timespan"), resource))
        except QueryError as error:
            return web.json_response(error.body, status=400)

    async def _batch(self, request: web.Request) -> web.Response:
        _authorize(request)
        requests = (await _object(request)).get("requests", [])
        return web.json_response({"responses": [await self._one_of_batch(one) for one in requests]})

    async def _one_of_batch(self, one: dict[str, Any]) -> dict[str, Any]:
        status, body = 200, {}
        if str(one.get("workspace")).lower() != LOG_WORKSPACE_GUID:
            status, body = 404, _error_body("WorkspaceNotFoundError", "The workspace could not be found")
        else:
            try:
                body = await self.query(one["body"]["query"], one["body"].get("timespan"))
            except QueryError as error:
                status, body = 400, error.body
        return {"id": one["id"], "status": status, "headers": {}, "body": body}

    async def _ingest(self, request: web.Request) -> web.Response:
        _authorize(request)
        try:
            rows = await request.json()
        except ValueError:
            return _error(400, "InvalidPayload", "The body is not JSON")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            return _error(400, "InvalidPayload", "The body is not an array of objects")
        try:
            self.append(request.match_info["stream"].removeprefix("Custom-"), [_checked(row) for row in rows])
        except ValueError as error:
            return _error(400, "InvalidPayload", str(error))
        return web.Response(status=204, headers={"x-ms-request-id": str(uuid4())})

    async def _set_lag(self, request: web.Request) -> web.Response:
        self._lag_s = float((await _object(request))["lag_s"])
        self._cloud.store.put(KIND, "settings", {"lag_s": self._lag_s})
        return web.json_response({"lag_s": self._lag_s})

    async def _declare(self, request: web.Request) -> web.Response:
        try:
            columns = declared((await _object(request))["columns"])
        except (KeyError, ValueError) as error:
            return _error(400, "InvalidSchema", str(error))
        await asyncio.to_thread(self._tables.declare, request.match_info["table"], columns)
        return web.json_response({"columns": self._tables.columns(request.match_info["table"])})


def _checked(row: dict[str, Any]) -> dict[str, Any]:
    given = row.get("TimeGenerated")
    if given is None:
        return {name: value for name, value in row.items() if name != "TimeGenerated"}
    moment = datetime.fromisoformat(str(given))
    return {**row, "TimeGenerated": moment if moment.tzinfo else moment.replace(tzinfo=UTC)}


def _authorize(request: web.Request) -> None:
    if not request.headers.get("Authorization", "").startswith("Bearer "):
        body = '{"error":{"message":"Valid authentication was not provided","code":"AuthorizationRequiredError"}}'
        raise web.HTTPUnauthorized(text=body, content_type="application/json")


async def _object(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        text = '{"error":{"message":"The body is not a JSON object","code":"BadArgumentError"}}'
        raise web.HTTPBadRequest(text=text, content_type="application/json")
    return body


def _error(status: int, code: str, message: str) -> web.Response:
    return web.json_response(_error_body(code, message), status=status)


def _error_body(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}
