"""The sidecars of all deployments that collect data: take what their servers post, write it every few seconds.

Used by the endpoints, which open a sidecar before a server starts and close it after the server is gone. A post is
answered as soon as it is in memory, as Azure's sidecar does: the scoring server never waits for the storage account,
and what is in memory when the gateway is killed is lost.
"""

import asyncio
import json
import logging
import os
from pathlib import Path
from uuid import uuid4

from aiohttp import web

from localcloud.cloud import DATASTORES, Cloud
from localcloud.collector import plan
from localcloud.collector.appends import AppendBlobs
from localcloud.collector.recorder import Recorder
from localcloud.collector.sidecar import Sidecar, free_port
from localcloud.controlplane.downloads import registered
from localcloud.controlplane.locations import locate
from localcloud.endpoints.documents import Document

KIND = "collector-sidecars"
ROOT = "modelDataCollector"
PATH = "/modeldata/log"
FLUSH_SETTING = "UPKEEP_LOCAL_COLLECTOR_FLUSH_S"
# How many requests may share a line. Azure batches too, and tells nobody how: a reader must not count lines.
BATCH_SETTING = "UPKEEP_LOCAL_COLLECTOR_BATCH"
MAX_POST_BYTES = 256 * 1024 * 1024
_LOG = logging.getLogger("localcloud.collector")


class Collector:
    """All sidecars, in the gateway's own loop, each on a port of its own."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._flush_s = float(os.environ.get(FLUSH_SETTING, "2"))
        self._recorder = Recorder(AppendBlobs(cloud), int(os.environ.get(BATCH_SETTING, "8")))
        self._sites: dict[str, web.TCPSite] = {}
        self._runner: web.AppRunner | None = None
        self._flusher: asyncio.Task[None] | None = None

    def routes(self) -> list[web.RouteDef]:
        """What became of the events, for the test bench. The sidecars' own routes are on their own ports."""
        return [web.get("/admin/collector", self._counts)]

    async def start(self) -> None:
        """Listen again for every server that may still run, and begin to write."""
        app = web.Application(client_max_size=MAX_POST_BYTES)
        app.router.add_post(PATH, self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        for _, document in self._cloud.store.items(KIND):
            await self._listen(Sidecar.load(document))
        self._flusher = asyncio.create_task(self._keep_flushing())

    async def stop(self) -> None:
        """Take no more, and write what is there. What is stored brings the sidecars back at the next start."""
        if self._flusher is not None:
            self._flusher.cancel()
            await asyncio.gather(self._flusher, return_exceptions=True)
        if self._runner is not None:
            await self._runner.cleanup()
        self._sites = {}
        for key in list(self._recorder.sidecars):
            await self._recorder.remove(key)

    async def open(self, deployment: Document, folder: Path) -> dict[str, str]:
        """The variables of a server that is about to start: none when its deployment collects nothing.

        `folder` is where the configuration of azureml-ai-monitoring may lie. Repeatable for one generation.
        """
        collections = plan.enabled(deployment["properties"])
        if not collections:
            return {}
        sidecar = Sidecar(
            endpoint=deployment["endpoint"],
            deployment=deployment["name"],
            generation=deployment["generation"],
            port=free_port(frozenset(one.port for one in self._recorder.sidecars.values())),
            instance_id=f"{deployment['name']}-{uuid4().hex[:10]}-{uuid4().hex[:5]}".lower(),
            rolling=plan.rolling(deployment["properties"]),
            places={one.name: self._place(deployment, one) for one in collections},
        )
        await self._close(sidecar.key)
        await self._listen(sidecar)
        self._cloud.store.put(KIND, sidecar.key, sidecar.saved())
        config = folder / "mdc-config.json"
        config.write_text(json.dumps(plan.config_file(collections)))
        return {
            "AZUREML_MDC_ENABLED": "true",
            "AZUREML_MDC_HOST": "127.0.0.1",
            "AZUREML_MDC_PORT": str(sidecar.port),
            "AZUREML_MDC_CONFIG_PATH": str(config),
        }

    async def close(self, endpoint: str, deployment: str, *, but: int | None = None) -> None:
        """End the deployment's sidecars, but for the one of that generation, and write what they have."""
        for sidecar in list(self._recorder.sidecars.values()):
            same = (sidecar.endpoint.lower(), sidecar.deployment.lower()) == (endpoint.lower(), deployment.lower())
            if same and sidecar.generation != but:
                await self._close(sidecar.key)

    async def drop(self, endpoint: str, deployment: str, generation: int) -> None:
        """End the sidecar of a generation that did not come to serve."""
        await self._close(f"{endpoint}/{deployment}/{generation}")

    def _place(self, deployment: Document, collection: plan.Collection) -> tuple[str, str]:
        if collection.data_id is None:
            path = f"{ROOT}/{deployment['endpoint']}/{deployment['name']}/{collection.name}"
            return DATASTORES["workspaceblobstore"], path
        # azure-ai-ml registers a data asset for each collection and names it here: its path is the place.
        location = locate(str(registered(self._cloud, "data", collection.data_id)["properties"]["dataUri"]))
        return location.container, location.path.rstrip("/")

    async def _listen(self, sidecar: Sidecar) -> None:
        assert self._runner is not None, "started before it is used"
        self._recorder.add(sidecar)
        site = web.TCPSite(self._runner, "127.0.0.1", sidecar.port)
        try:
            await site.start()
        except OSError:
            # Its server runs on and scores; what it posts is lost, until the deployment is updated.
            _LOG.exception("collector.port_taken deployment=%s port=%d", sidecar.key, sidecar.port)
            return
        self._sites[sidecar.key] = site

    async def _close(self, key: str) -> None:
        site = self._sites.pop(key, None)
        if site is not None:
            await site.stop()
        await self._recorder.remove(key)
        self._cloud.store.delete(KIND, key)

    async def _take(self, request: web.Request) -> web.Response:
        assert request.transport is not None, "the body is still to be read"
        port = request.transport.get_extra_info("sockname")[1]
        content = await request.read()
        key = next((key for key, sidecar in self._recorder.sidecars.items() if sidecar.port == port), None)
        if key is None:
            return web.Response(status=503, text="The sidecar is being closed.")
        status, text = self._recorder.accept(key, request.headers, content)
        return web.Response(status=status, text=text)

    async def _counts(self, _request: web.Request) -> web.Response:
        return web.json_response(self._recorder.counts())

    async def _keep_flushing(self) -> None:
        while True:
            await asyncio.sleep(self._flush_s)
            await self._recorder.flush()
