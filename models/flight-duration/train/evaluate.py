"""Scores candidate, champion and a baseline on the same held-out rows, and says so in evaluation.json.

Called by train.py. It reports numbers and judges nothing: whether they are good enough is decided by the gates
of upkeep.yaml, outside the job. Errors are minutes in the air, predicted minus flown. What is the same for every
model stands in evaluation_file.py.
"""

from dataclasses import dataclass
from typing import Any

import evaluation_file
import features
import numpy as np
from data import KEY, TIME, Manifest, Rows
from model_file import MODEL, Loaded

Scores = dict[str, dict[str, float]]
LOSS = "mae"
SLICES = ("carrier", "origin")
SAMPLED = 4_000  # rows, evenly over the held-out ones, on which the importance of inputs is measured


@dataclass(frozen=True)
class Written:
    """The candidate as it was read back from its file, and what the file is."""

    loaded: Loaded
    sha256: str
    size: int


def route_medians(train: Rows, held_out: Rows) -> np.ndarray:
    """The baseline's answers: the median time of the same route in the training rows.

    One median for all flights would be off by an hour, and anything beats that. A route never seen gets the
    median of all flights.
    """
    minutes = train.minutes
    routes = _routes(train)
    order = np.argsort(routes, kind="stable")
    names, starts = np.unique(routes[order], return_index=True)
    by_route = {
        name: float(np.median(part)) for name, part in zip(names, np.split(minutes[order], starts[1:]), strict=True)
    }
    fallback = float(np.median(minutes))
    return np.array([by_route.get(route, fallback) for route in _routes(held_out)])


def scores(predicted: np.ndarray, minutes: np.ndarray) -> Scores:
    """Mean absolute error, root mean squared error and bias."""
    error = predicted - minutes
    return {
        "metrics": {
            "mae": float(np.abs(error).mean()),
            "rmse": float(np.sqrt(np.square(error).mean())),
            "bias": float(error.mean()),
        }
    }


def evaluation(
    manifest: Manifest,
    rows: dict[str, Rows],
    predictions: dict[str, np.ndarray],
    champion_version: str | None,
    candidate: Written,
) -> dict[str, Any]:
    """The content of evaluation.json. `rows` are train and held_out; `predictions` of candidate, baseline and, if
    there is one, champion on the held-out ones.
    """
    held_out = rows["held_out"]
    minutes, groups = held_out.minutes, evaluation_file.days(_times(held_out))
    losses = {who: np.abs(predicted - minutes) for who, predicted in predictions.items()}
    ours, theirs = losses["candidate"], losses.get("champion")
    scored = {who: scores(predicted, minutes) for who, predicted in predictions.items()}
    return {
        "schema": "upkeep.evaluation/1",
        "task": "regression",
        "data_version": manifest.version,
        "held_out": {
            "parts": [part.name for part in manifest.held_out],
            "rows": len(minutes),
            "sha256": held_out.sha256,
        },
        "candidate": scored["candidate"],
        "champion": None if theirs is None else {"version": champion_version, **scored["champion"]},
        "baseline": scored["baseline"],
        "paired": None if theirs is None else evaluation_file.paired(LOSS, ours, theirs, groups),
        "slices": [
            one
            for column in SLICES
            for one in evaluation_file.slices(column, held_out.table[column].to_pylist(), LOSS, ours, theirs, groups)
        ],
        "leakage": _leakage(rows["train"], held_out, candidate.loaded),
        "inputs": [{"name": name, "type": kind} for name, kind in candidate.loaded.inputs.items()],
        "scoring": evaluation_file.scoring(
            candidate.loaded.model.predict, features.matrix(held_out.table, candidate.loaded.inputs)
        ),
        "artifact": {"sha256": candidate.sha256, "path": MODEL, "bytes": candidate.size},
    }


def _leakage(train: Rows, held_out: Rows, candidate: Loaded) -> dict[str, Any]:
    matrix, minutes = features.matrix(held_out.table, candidate.inputs), held_out.minutes
    some = slice(None, None, max(1, len(minutes) // SAMPLED))
    strongest = evaluation_file.strongest_input(
        candidate.model.predict,
        matrix[some],
        list(candidate.inputs),
        lambda predicted: np.abs(predicted - minutes[some]),
    )
    seen = evaluation_file.leakage(_keys(train), _keys(held_out), _times(train), _times(held_out))
    return {**seen, **strongest}


def _keys(rows: Rows) -> list[str]:
    return ["|".join(map(str, key)) for key in zip(*(rows.table[name].to_pylist() for name in KEY), strict=True)]


def _times(rows: Rows) -> np.ndarray:
    times: np.ndarray = rows.table[TIME].to_numpy().astype("datetime64[s]")
    return times


def _routes(rows: Rows) -> np.ndarray:
    pairs = zip(rows.table["origin"].to_pylist(), rows.table["dest"].to_pylist(), strict=True)
    return np.array([f"{origin}-{dest}" for origin, dest in pairs])
