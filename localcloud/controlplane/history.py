"""Run history: the routes behind `jobs.stream` and `jobs.download`, and the update of a run's tags.

Plugged in by jobs.py. Reads job documents; starts and ends nothing.
"""

import asyncio
from typing import Any

from aiohttp import web

from localcloud.controlplane.blobs import Blobs
from localcloud.controlplane.events import experiment_id
from localcloud.controlplane.job_book import Document, JobBook
from localcloud.controlplane.locations import artifact
from localcloud.controlplane.responses import body_of, not_found, route

_ROOT = "/history/v1.0"


class History:
    """Runs as run history shows them."""

    def __init__(self, book: JobBook, blobs: Blobs) -> None:
        self._book = book
        self._blobs = blobs

    def routes(self) -> list[web.RouteDef]:
        """A run, its details and its metadata."""
        served = [
            route("POST", "/rundata", self._run_data, _ROOT),
            route("POST", "/dataversion/batchGetResolvedUris", self._resolve_outputs, "/data/v1.0"),
        ]
        for prefix in ("", "/experiments/{experiment}", "/experimentids/{experiment}"):
            run = f"{prefix}/runs/{{name}}"
            served += [
                route("GET", run, self._run, _ROOT),
                route("PATCH", run, self._change, _ROOT),
                route("GET", f"{run}/details", self._details, _ROOT),
                route("GET", f"{run}/children", self._children, _ROOT),
            ]
        return served

    async def _run(self, request: web.Request) -> web.Response:
        return web.json_response(_run(self._book.get(request.match_info["name"])))

    async def _change(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        name = request.match_info["name"]
        self._book.get(name)
        return web.json_response(_run(self._book.change(name, body)))

    async def _details(self, request: web.Request) -> web.Response:
        job = self._book.get(request.match_info["name"])
        name = str(job["resource"]["name"])
        logs = await asyncio.to_thread(self._logs, name)
        return web.json_response({**_run(job), "logFiles": logs, "inputDatasets": [], "outputDatasets": []})

    async def _children(self, request: web.Request) -> web.Response:
        self._book.get(request.match_info["name"])
        return web.json_response({"value": []})

    async def _run_data(self, request: web.Request) -> web.Response:
        name = (await body_of(request)).get("runId")
        if not isinstance(name, str):
            raise not_found("The request names no run.")
        return web.json_response({"runMetadata": _run(self._book.get(name))})

    async def _resolve_outputs(self, request: web.Request) -> web.Response:
        """The storage URIs behind the ids that rundata gave to a run's outputs."""
        ids = (await body_of(request)).get("values") or []
        uris = {each: {"uri": self._output_uri(str(each)), "type": "uri_folder"} for each in ids}
        return web.json_response({"values": uris})

    def _output_uri(self, output_id: str) -> str:
        _, name, _, output = output_id.rsplit("/", 3)
        outputs = self._book.get(name)["resource"]["properties"]["outputs"]
        if output not in outputs:
            raise not_found(f"Job {name} has no output {output}.")
        return str(outputs[output]["uri"])

    def _logs(self, name: str) -> dict[str, str]:
        found = self._blobs.names(artifact(name, "user_logs"))
        return {f"user_logs/{file}": self._blobs.readable_url(artifact(name, f"user_logs/{file}")) for file in found}


def _run(job: Document) -> dict[str, Any]:
    properties, run = job["resource"]["properties"], job["run"]
    shown = {
        "runId": job["resource"]["name"],
        "rootRunId": job["resource"]["name"],
        "experimentId": experiment_id(properties["experimentName"]),
        "displayName": properties["displayName"],
        "description": properties.get("description"),
        "status": properties["status"],
        "target": str(properties.get("computeId") or "").rsplit("/", 1)[-1],
        "runType": "azureml.scriptrun",
        "createdUtc": run["created"],
        "createdTimeUtc": run["created"],
        "startTimeUtc": run.get("started"),
        "endTimeUtc": run.get("ended"),
        "tags": properties.get("tags") or {},
        "properties": properties.get("properties") or {},
        "inputs": {},
        "outputs": _outputs(job),
        "warnings": [],
        "error": {"error": run["error"]} if run.get("error") else None,
    }
    return {key: value for key, value in shown.items() if value is not None}


def _outputs(job: Document) -> dict[str, Any]:
    """References to the outputs that were uploaded, by an id that _resolve_outputs understands."""
    if job["resource"]["properties"]["status"] != "Completed":
        return {}
    names = job["resource"]["properties"]["outputs"]
    prefix = f"azureml://jobs/{job['resource']['name']}/outputs"
    return {name: {"assetId": f"{prefix}/{name}", "type": "uri_folder"} for name in names}
