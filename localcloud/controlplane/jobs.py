"""The job half of the emulated Azure ML control plane: create, look, list, cancel, stream.

Called by gateway.py, and over HTTPS by the unmodified azure-ai-ml. Jobs are real processes (runner.py).
Not emulated: jobs other than command jobs, distribution, several nodes, images, identities and secrets, services
to connect to, registering an output as an asset, quotas and the time that a cluster takes to grow.
"""

import asyncio
import shutil
from typing import Any

from aiohttp import web

from localcloud.cloud import Cloud
from localcloud.controlplane.blobs import Blobs, MissingError
from localcloud.controlplane.downloads import registered
from localcloud.controlplane.history import History
from localcloud.controlplane.job_book import TERMINAL, JobBook
from localcloud.controlplane.responses import ArmError, body_of, page, route, user_error
from localcloud.controlplane.runner import Runner


class Jobs:
    """Serves jobs and run history, and runs what was asked for."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._book = JobBook(cloud)
        blobs = Blobs(cloud)
        self._runner = Runner(cloud, self._book, blobs)
        self._history = History(self._book, blobs)

    def routes(self) -> list[web.RouteDef]:
        """Jobs below the workspace, and run history."""
        return [
            route("GET", "/jobs", self._list),
            route("GET", "/jobs/{name}", self._get),
            route("PUT", "/jobs/{name}", self._put),
            route("DELETE", "/jobs/{name}", self._delete),
            route("POST", "/jobs/{name}/cancel", self._cancel),
            *self._history.routes(),
        ]

    async def start(self) -> None:
        """Go on with the jobs of an earlier run."""
        self._runner.resume()

    async def stop(self) -> None:
        """Let go of the jobs; their processes go on."""
        await self._runner.stop()

    async def _list(self, request: web.Request) -> web.Response:
        tag = request.query.get("tag")
        view = request.query.get("listViewType", "ActiveOnly").lower()
        jobs = [job["resource"] for job in self._book.all()]
        return page(job for job in jobs if _shown(job["properties"], view, tag))

    async def _get(self, request: web.Request) -> web.Response:
        return web.json_response(self._book.get(request.match_info["name"])["resource"])

    async def _put(self, request: web.Request) -> web.Response:
        properties = (await body_of(request)).get("properties")
        if not isinstance(properties, dict):
            raise user_error("The resource has no properties.")
        name = request.match_info["name"]
        self._refuse_unknown_assets(properties)
        job, new = self._book.put(name, properties)
        if new:
            self._runner.begin(name)
        return web.json_response(job["resource"], status=201 if new else 200)

    async def _cancel(self, request: web.Request) -> web.Response:
        await self._runner.cancel(request.match_info["name"])
        return web.Response(status=200)

    async def _delete(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        job = self._book.find(name)
        if job is None:
            return web.Response(status=204)
        if job["resource"]["properties"]["status"] not in TERMINAL:
            raise ArmError(409, "Conflict", f"Job {name} has not ended: cancel it first.")
        self._book.delete(name)
        folder = self._runner.folder(str(job["resource"]["name"]))
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        return web.Response(status=200)

    def _refuse_unknown_assets(self, properties: dict[str, Any]) -> None:
        for kind, key in (("environments", "environmentId"), ("codes", "codeId")):
            if properties.get(key):
                try:
                    registered(self._cloud, kind, str(properties[key]))
                except (MissingError, ValueError) as error:
                    raise user_error(str(error)) from error


def _shown(properties: dict[str, object], view: str, tag: str | None) -> bool:
    archived = bool(properties.get("isArchived"))
    tags = properties.get("tags")
    tagged = tag is None or (isinstance(tags, dict) and tag in tags)
    return tagged and (view == "all" or archived == (view == "archivedonly"))
