"""Answers scoring requests: {"data": [flight, ...]} → {"predictions": [minutes, ...]}.

Run by Azure ML's inference server, which calls init() once and run() for each request. The model takes raw columns
and its folder says which, so nothing of the training's code is needed here. A bad request is told what is wrong
with it, with status 400; it is never guessed at.
"""

import json
import math
import os
from pathlib import Path
from typing import Any

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


class BadRequestError(Exception):
    """The caller's mistake, in one sentence."""


class _Serving:
    """What init() loaded."""

    model: Any
    inputs: dict[str, str]


def init() -> None:
    """Load the model; it lies anywhere below AZUREML_MODEL_DIR, as the registry keeps the folder's name."""
    found = sorted(Path(os.environ["AZUREML_MODEL_DIR"]).rglob("model.skops"))
    if len(found) != 1:
        raise RuntimeError(f"{len(found)} files model.skops below AZUREML_MODEL_DIR, there must be one")
    signature = json.loads(found[0].with_name("signature.json").read_text())
    _Serving.inputs = {entry["name"]: entry["type"] for entry in signature["inputs"]}
    _Serving.model = skops.io.load(found[0], trusted=TRUSTED)


def run(raw: str | bytes) -> dict[str, list[float]] | AMLResponse:
    """Predict minutes in the air for each flight of the request."""
    try:
        rows = _rows(raw)
    except BadRequestError as error:
        return AMLResponse({"error": str(error)}, 400, json_str=True)
    return {"predictions": [round(float(value), 2) for value in _Serving.model.predict(rows)]}


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
