"""Answers scoring requests: {"data": [flight, ...]} → {"predictions": [minutes, ...]}.

Run by Azure ML's inference server, which calls init() once and run() for each request. The model takes raw columns
and its folder says which, so nothing of the training's code is needed here. A bad request is told what is wrong
with it, with status 400; it is never guessed at. Where the deployment collects data, each flight leaves a row in
model_inputs and one in model_outputs under the same request_id and row; collecting never fails a request.
"""

import json
import logging
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import skops.io  # type: ignore[import-untyped]  # ships no types
from azureml_inference_server_http.api.aml_response import AMLResponse  # type: ignore[import-not-found]  # in the scoring environment

TRUSTED = [  # as in training; never asked of the file itself
    "functools.partial",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.utils.validation.check_array",
]
MAX_ROWS = 10_000
MAX_TEXT = 64
log = logging.getLogger("flight_duration")


class BadRequestError(Exception):
    """The caller's mistake, in one sentence."""


class _Serving:
    """What init() loaded."""

    model: Any
    inputs: dict[str, str]
    collectors: dict[str, Any]
    troubles: set[str]


def init() -> None:
    """Load the model; it lies anywhere below AZUREML_MODEL_DIR, as the registry keeps the folder's name."""
    found = sorted(Path(os.environ["AZUREML_MODEL_DIR"]).rglob("model.skops"))
    if len(found) != 1:
        raise RuntimeError(f"{len(found)} files model.skops below AZUREML_MODEL_DIR, there must be one")
    signature = json.loads(found[0].with_name("signature.json").read_text())
    _Serving.inputs = {entry["name"]: entry["type"] for entry in signature["inputs"]}
    _Serving.model = skops.io.load(found[0], trusted=TRUSTED)
    _Serving.troubles = set()
    _Serving.collectors = _collectors()


def run(raw: str | bytes, request_headers: Mapping[str, str] | None = None) -> dict[str, list[float]] | AMLResponse:
    """Predict minutes in the air for each flight of the request."""
    try:
        rows = _rows(raw)
    except BadRequestError as error:
        return AMLResponse({"error": str(error)}, 400, json_str=True)
    predictions = [round(float(value), 2) for value in _Serving.model.predict(rows)]
    if _Serving.collectors:
        _collect(rows, predictions, request_headers or {})
    return {"predictions": predictions}


def _collectors() -> dict[str, Any]:
    # Both are how Azure ML says that the deployment collects; without either nothing is imported.
    if os.environ.get("AZUREML_MDC_ENABLED", "").lower() != "true" and not os.environ.get("AZUREML_MDC_CONFIG_PATH"):
        return {}
    from azureml.ai.monitoring import Collector  # type: ignore[import-not-found]  # in the scoring environment

    # Without on_error a full queue, or a collection that is off, would raise into the request.
    return {name: Collector(name=name, on_error=_tell_once) for name in ("model_inputs", "model_outputs")}


def _collect(rows: np.ndarray, predictions: list[float], headers: Mapping[str, str]) -> None:
    import pandas as pd  # type: ignore[import-untyped]  # its stubs are a package of their own

    # Azure ML may write several requests into one line: only a column can tell them apart, and pair in with out.
    sent = next((value for name, value in headers.items() if name.lower() == "x-request-id"), "")
    key = {"request_id": sent or str(uuid4()), "row": range(len(rows))}
    columns = {name: rows[:, index] for index, name in enumerate(_Serving.inputs)}
    _Serving.collectors["model_inputs"].collect(pd.DataFrame({**key, **columns}))
    _Serving.collectors["model_outputs"].collect(pd.DataFrame({**key, "prediction": predictions}))


def _tell_once(error: Exception) -> None:
    if str(error) not in _Serving.troubles:
        _Serving.troubles.add(str(error))
        log.warning("collector.failed error=%s", error)


def _rows(raw: str | bytes) -> np.ndarray:
    try:
        request = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise BadRequestError(f"The body is not JSON: {error}.") from error
    flights = request.get("data") if isinstance(request, dict) else None
    if not isinstance(flights, list) or not 0 < len(flights) <= MAX_ROWS:
        raise BadRequestError(f'The body must be {{"data": [...]}} with 1 to {MAX_ROWS} flights.')
    rows = np.empty((len(flights), len(_Serving.inputs)), dtype=object)
    for index, flight in enumerate(flights):
        if not isinstance(flight, dict):
            raise BadRequestError(f"data[{index}] is not an object.")
        rows[index] = [_cell(flight, index, name, kind) for name, kind in _Serving.inputs.items()]
    return rows


def _cell(flight: dict[str, Any], index: int, name: str, kind: str) -> str | float:
    if name not in flight:
        raise BadRequestError(f"data[{index}] has no {name}.")
    value = flight[name]
    if kind == "string":
        if isinstance(value, str) and 0 < len(value) <= MAX_TEXT:
            return value
        raise BadRequestError(f"data[{index}].{name} must be a text of 1 to {MAX_TEXT} characters.")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadRequestError(f"data[{index}].{name} must be a number.")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise BadRequestError(f"data[{index}].{name} must be a finite number.")
    return number
