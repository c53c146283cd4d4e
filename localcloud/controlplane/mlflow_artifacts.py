"""MLflow's artifact routes: log_artifact, list_artifacts, download_artifacts, kept in blob storage.

Plugged in by mlflow.py, called over HTTPS by mlflow inside a job. Files lie where Azure ML keeps a run's own
files, so that `jobs.download` brings them too. Logged models, which are more than files, are not emulated.
"""

import asyncio

from aiohttp import web

from localcloud.controlplane.blobs import Blobs, MissingError
from localcloud.controlplane.locations import artifact
from localcloud.controlplane.responses import any_case

PREFIX = "/api/2.0/mlflow-artifacts/artifacts"


class MlflowArtifacts:
    """Files of runs; the first segment of a path is the run's id."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def routes(self, workspace: str) -> list[web.RouteDef]:
        """Below the workspace's tracking URI."""
        base = any_case(f"{workspace}{PREFIX}")
        return [
            web.get(base, self._list),
            web.get(base + "/{run}/{path:.+}", self._get),
            web.put(base + "/{run}/{path:.+}", self._put),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        run, _, folder = request.query.get("path", "").strip("/").partition("/")
        if not run:
            return _refused(400, "INVALID_PARAMETER_VALUE", "The query names no run's path.")
        found = await asyncio.to_thread(self._blobs.sizes, artifact(run, folder))
        files: dict[str, int | None] = {}
        for path, size in found.items():
            name, below, _ = path.partition("/")
            files[name] = None if below else size
        # MLflow chokes on a null: a folder has no size at all.
        listed = [
            {"path": name, "is_dir": True} if size is None else {"path": name, "is_dir": False, "file_size": size}
            for name, size in sorted(files.items())
        ]
        return web.json_response({"files": listed})

    async def _get(self, request: web.Request) -> web.Response:
        location = artifact(request.match_info["run"], request.match_info["path"])
        try:
            return web.Response(body=await asyncio.to_thread(self._blobs.read, location))
        except MissingError as error:
            return _refused(404, "RESOURCE_DOES_NOT_EXIST", str(error))

    async def _put(self, request: web.Request) -> web.Response:
        location = artifact(request.match_info["run"], request.match_info["path"])
        await asyncio.to_thread(self._blobs.upload, location, await request.read())
        return web.json_response({})


def _refused(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"error_code": code, "message": message}, status=status)
