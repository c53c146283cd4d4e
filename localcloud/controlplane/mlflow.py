"""The part of MLflow's REST tracking API that a training script uses: metrics, parameters, tags, runs.

Called over HTTPS by mlflow inside a job, under MLFLOW_TRACKING_URI. Not emulated: the model registry (the
control plane's models are the registry), logged models, traces, deleting and restoring.
"""

import re
from collections.abc import Awaitable, Callable
from operator import itemgetter
from typing import Any

from aiohttp import web

from localcloud.cloud import Cloud
from localcloud.controlplane.blobs import Blobs
from localcloud.controlplane.job_book import Document
from localcloud.controlplane.mlflow_artifacts import MlflowArtifacts
from localcloud.controlplane.mlflow_runs import MlflowRuns, value_of
from localcloud.controlplane.responses import any_case

_WORKSPACE = (
    "/mlflow/{version}/subscriptions/{subscription}/resourceGroups/{group}"
    "/providers/Microsoft.MachineLearningServices/workspaces/{workspace}"
)
_TERM = re.compile(r"^\s*([\w.]+(?:\.[`\"][^`\"]+[`\"])?)\s*(!=|>=|<=|=|>|<)\s*('[^']*'|\"[^\"]*\"|[-\w.+]+)\s*$")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
}
Call = Callable[[Document], Document]


class MlflowError(Exception):
    """An answer in MLflow's error shape."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class Mlflow:
    """Serves the tracking API for runs and experiments."""

    def __init__(self, cloud: Cloud) -> None:
        self._runs = MlflowRuns(cloud)
        self._artifacts = MlflowArtifacts(Blobs(cloud))

    def routes(self) -> list[web.RouteDef]:
        """One route for each call of the tracking API that is emulated."""
        calls: list[tuple[str, str, Call]] = [
            ("POST", "runs/create", self._create_run),
            ("GET", "runs/get", self._get_run),
            ("POST", "runs/update", self._update_run),
            ("POST", "runs/search", self._search),
            ("POST", "runs/log-metric", self._log_metric),
            ("POST", "runs/log-parameter", self._log_parameter),
            ("POST", "runs/log-batch", self._log_batch),
            ("POST", "runs/set-tag", self._set_tag),
            ("POST", "runs/delete-tag", self._delete_tag),
            ("POST", "runs/log-inputs", self._accept),
            ("GET", "metrics/get-history", self._history),
            ("GET", "experiments/get", self._get_experiment),
            ("GET", "experiments/get-by-name", self._get_experiment),
            ("POST", "experiments/create", self._create_experiment),
            ("GET", "experiments/search", self._experiments),
            ("POST", "experiments/search", self._experiments),
        ]
        served = [
            web.route(method, any_case(f"{_WORKSPACE}/api/2.0/mlflow/{path}"), _reply(call))
            for method, path, call in calls
        ]
        return [*served, *self._artifacts.routes(_WORKSPACE)]

    async def start(self) -> None:
        """Nothing runs in the background."""

    async def stop(self) -> None:
        """Nothing runs in the background."""

    def _create_run(self, body: Document) -> Document:
        start_ms = int(body["start_time"]) if body.get("start_time") else None
        run = self._runs.create(
            str(body.get("experiment_id") or self._runs.experiment("Default")["experiment_id"]),
            body.get("run_name"),
            start_ms,
            body.get("tags") or [],
        )
        return {"run": run}

    def _get_run(self, body: Document) -> Document:
        return {"run": self._known(body)}

    def _update_run(self, body: Document) -> Document:
        return {"run_info": self._runs.update(self._id(body), body)}

    def _search(self, body: Document) -> Document:
        tests = [_term(term) for term in _terms(body.get("filter") or "")]
        found = [
            run
            for run in self._runs.runs([str(each) for each in body.get("experiment_ids") or []])
            if all(test(run) for test in tests)
        ]
        for order in reversed(body.get("order_by") or []):
            found = ordered(found, order)
        return {"runs": found[: int(body.get("max_results") or 1000)]}

    def _log_metric(self, body: Document) -> Document:
        self._runs.log(self._id(body), [body])
        return {}

    def _log_parameter(self, body: Document) -> Document:
        self._log_params(self._id(body), [body])
        return {}

    def _log_batch(self, body: Document) -> Document:
        run_id = self._id(body)
        self._log_params(run_id, body.get("params") or [])
        self._runs.log(run_id, body.get("metrics") or [])
        self._runs.tag(run_id, {tag["key"]: str(tag["value"]) for tag in body.get("tags") or []})
        return {}

    def _log_params(self, run_id: str, params: list[Document]) -> None:
        clash = self._runs.param(run_id, {param["key"]: str(param["value"]) for param in params})
        if clash is not None:
            raise MlflowError(400, "INVALID_PARAMETER_VALUE", f"Parameter {clash} was logged with another value.")

    def _set_tag(self, body: Document) -> Document:
        self._runs.tag(self._id(body), {body["key"]: str(body["value"])})
        return {}

    def _delete_tag(self, body: Document) -> Document:
        self._runs.untag(self._id(body), body["key"])
        return {}

    def _accept(self, body: Document) -> Document:
        self._id(body)
        return {}

    def _history(self, body: Document) -> Document:
        return {"metrics": self._runs.history(self._id(body), str(body["metric_key"]))}

    def _get_experiment(self, body: Document) -> Document:
        for experiment in self._runs.experiments():
            if (
                body.get("experiment_id") == experiment["experiment_id"]
                or body.get("experiment_name") == experiment["name"]
            ):
                return {"experiment": experiment}
        raise MlflowError(404, "RESOURCE_DOES_NOT_EXIST", "There is no such experiment.")

    def _create_experiment(self, body: Document) -> Document:
        return {"experiment_id": self._runs.experiment(str(body["name"]))["experiment_id"]}

    def _experiments(self, body: Document) -> Document:
        del body
        return {"experiments": self._runs.experiments()}

    def _known(self, body: Document) -> Document:
        run_id = body.get("run_id") or body.get("run_uuid")
        run = self._runs.run(str(run_id)) if run_id else None
        if run is None:
            raise MlflowError(404, "RESOURCE_DOES_NOT_EXIST", f"Run {run_id} was not found.")
        return run

    def _id(self, body: Document) -> str:
        return str(self._known(body)["info"]["run_id"])


def _reply(call: Call) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answered(request: web.Request) -> web.Response:
        try:
            body = dict(request.query) if request.method == "GET" else await request.json()
            return web.json_response(call(body))
        except MlflowError as error:
            return web.json_response({"error_code": error.code, "message": str(error)}, status=error.status)
        except (ValueError, KeyError) as error:
            message = f"The request cannot be read: {error!r}"
            return web.json_response({"error_code": "INVALID_PARAMETER_VALUE", "message": message}, status=400)

    return answered


def ordered(runs: list[Document], order: str) -> list[Document]:
    """The runs by one term such as "metrics.mae DESC"; those without the value come last."""
    path, _, direction = order.strip().partition(" ")
    path = path if "." in path else f"attributes.{path}"
    valued = [(value_of(run, path), run) for run in runs]
    known = [(value, run) for value, run in valued if value is not None]
    known.sort(key=itemgetter(0), reverse="desc" in direction.lower())
    return [run for _, run in known] + [run for value, run in valued if value is None]


def _terms(text: str) -> list[str]:
    return [term for term in re.split(r"\s+and\s+", text, flags=re.IGNORECASE) if term.strip()]


def _term(text: str) -> Callable[[Document], bool]:
    found = _TERM.match(text)
    if not found:
        raise MlflowError(400, "INVALID_PARAMETER_VALUE", f"The filter {text!r} is not understood.")
    path, operator, quoted = found.groups()
    wanted = quoted.strip("'\"")

    def test(run: Document) -> bool:
        value = value_of(run, path if "." in path else f"attributes.{path}")
        if value is None:
            return False
        return _COMPARE[operator](value, type(value)(wanted))

    return test
