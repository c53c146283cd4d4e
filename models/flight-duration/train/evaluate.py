"""Scores candidate, champion and a baseline on the same held-out rows, and says so in evaluation.json.

Called by train.py. It reports numbers and judges nothing: whether they are good enough is decided by the gates
of upkeep.yaml, outside the job. Errors are minutes in the air, predicted minus flown.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from data import Manifest, Rows
from model_file import MODEL

Scores = dict[str, dict[str, float]]
LOSS = "mae"


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


def paired(candidate: np.ndarray, champion: np.ndarray, minutes: np.ndarray) -> dict[str, Any]:
    """Row by row, the candidate's absolute error minus the champion's: the same flight is hard for both."""
    difference = np.abs(candidate - minutes) - np.abs(champion - minutes)
    return {
        "metric": LOSS,
        "rows": len(difference),
        "mean_difference": float(difference.mean()),
        "standard_deviation": float(difference.std(ddof=1)) if len(difference) > 1 else None,
    }


def evaluation(
    manifest: Manifest,
    held_out: Rows,
    predictions: dict[str, np.ndarray],
    champion_version: str | None,
    artifact_sha256: str,
) -> dict[str, Any]:
    """The content of evaluation.json. `predictions` has candidate, baseline and, if there is one, champion."""
    minutes = held_out.minutes
    champion = predictions.get("champion")
    return {
        "schema": "upkeep.evaluation/1",
        "task": "regression",
        "data_version": manifest.version,
        "held_out": {
            "parts": [part.name for part in manifest.held_out],
            "rows": len(minutes),
            "sha256": held_out.sha256,
        },
        "candidate": scores(predictions["candidate"], minutes),
        "champion": None if champion is None else {"version": champion_version, **scores(champion, minutes)},
        "baseline": scores(predictions["baseline"], minutes),
        "paired": None if champion is None else paired(predictions["candidate"], champion, minutes),
        "artifact": {"sha256": artifact_sha256, "path": MODEL},
    }


def write(folder: Path, document: dict[str, Any]) -> None:
    """Write evaluation.json; a number that is not finite is our bug and fails here."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "evaluation.json").write_text(json.dumps(document, indent=2, allow_nan=False) + "\n")


def _routes(rows: Rows) -> np.ndarray:
    pairs = zip(rows.table["origin"].to_pylist(), rows.table["dest"].to_pylist(), strict=True)
    return np.array([f"{origin}-{dest}" for origin, dest in pairs])
