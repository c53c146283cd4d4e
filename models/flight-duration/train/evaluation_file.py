"""Makes the parts of evaluation.json that any model can use: copy this file into your own train/ as it is.

Called by evaluate.py. Nothing in it knows about flights. It needs numpy alone; labels, predictions and losses are
arrays with one entry a held-out row, all in the same order. docs/reference/evaluation.md says what each field means
and what Upkeep checks of it. It judges nothing: whether the numbers are good enough is for the gates of upkeep.yaml.
"""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

Losses = np.ndarray  # one loss a row; less is better
Predict = Callable[[np.ndarray], np.ndarray]


def days(times: np.ndarray) -> np.ndarray:
    """The group of each row: its day, in UTC. Rows of a day share what the day was like."""
    return times.astype("datetime64[D]")


def paired(loss: str, candidate: Losses, champion: Losses, groups: np.ndarray, by: str = "day") -> dict[str, Any]:
    """Row by row, the candidate's loss minus the champion's: what is hard for one is hard for both."""
    difference = candidate - champion
    return {
        "metric": loss,
        "rows": len(difference),
        "mean_difference": float(difference.mean()),
        "standard_deviation": _deviation(difference),
        "groups": _sums(difference, groups, by),
    }


def resampled(
    name: str,
    metric: Callable[[np.ndarray, np.ndarray], float],
    labels: np.ndarray,
    candidate: np.ndarray,
    champion: np.ndarray,
    groups: np.ndarray,
    *,
    by: str = "day",
    confidence_pct: float = 95.0,
    replicates: int = 1_000,
    seed: int = 0,
) -> dict[str, Any]:
    """An interval for a metric that is no mean over rows, such as auc or f1: `metric(labels, predictions)`.

    The paired bootstrap over groups, by percentiles: whole groups are drawn, and both models are scored on the same
    draw. Source: Efron and Tibshirani (1993), chapters 8.6 and 13; for groups Field and Welsh (2007), Journal of the
    Royal Statistical Society B 69. A draw for which the metric is not defined ends the job.
    """
    members = _members(groups)
    rng = np.random.default_rng(seed)
    found = np.empty(replicates)
    for number in range(replicates):
        drawn = np.concatenate([members[group] for group in rng.integers(0, len(members), len(members))])
        found[number] = metric(labels[drawn], candidate[drawn]) - metric(labels[drawn], champion[drawn])
    tail = (100 - confidence_pct) / 2
    low, high = np.percentile(found, [tail, 100 - tail])
    return {
        "metric": name,
        "method": "percentile",
        "by": by,
        "groups": len(members),
        "rows": len(labels),
        "replicates": replicates,
        "seed": seed,
        "confidence_pct": confidence_pct,
        "difference": float(metric(labels, candidate) - metric(labels, champion)),
        "low": float(low),
        "high": float(high),
    }


def slices(
    column: str,
    values: Sequence[str],
    loss: str,
    candidate: Losses,
    champion: Losses | None,
    groups: np.ndarray,
    by: str = "day",
) -> list[dict[str, Any]]:
    """The mean losses for each value of a column. Without a champion there is nothing to be worse than."""
    of_row = np.asarray(values, dtype=str)
    found = []
    for value in np.unique(of_row):
        rows = of_row == value
        one = {
            "name": column,
            "value": str(value),
            "metric": loss,
            "rows": int(rows.sum()),
            "candidate": float(candidate[rows].mean()),
        }
        if champion is not None:
            difference = candidate[rows] - champion[rows]
            one |= {
                "champion": float(champion[rows].mean()),
                "standard_deviation": _deviation(difference),
                "groups": _sums(difference, groups[rows], by),
            }
        found.append(one)
    return found


def leakage(
    train_keys: Sequence[str], held_out_keys: Sequence[str], train_times: np.ndarray, held_out_times: np.ndarray
) -> dict[str, Any]:
    """Held-out rows that training saw too, by key, and whether the held-out rows are the later ones."""
    seen = set(train_keys)
    return {
        "overlapping_rows": sum(key in seen for key in held_out_keys),
        "train_until": _moment(train_times.max()),
        "held_out_from": _moment(held_out_times.min()),
    }


def strongest_input(
    predict: Predict, rows: np.ndarray, names: Sequence[str], loss: Callable[[np.ndarray], Losses], *, seed: int = 0
) -> dict[str, Any]:
    """The input that counts most, and its share in the importance of all.

    That is how much the mean loss rises when the input is shuffled; `loss(predictions)` gives a loss a row.
    Permutation importance as by Breiman (2001), Machine Learning 45.
    """
    rng, usual = np.random.default_rng(seed), loss(predict(rows)).mean()
    rises = []
    for column in range(rows.shape[1]):
        shuffled = rows.copy()
        shuffled[:, column] = rng.permutation(shuffled[:, column])
        rises.append(max(0.0, float(loss(predict(shuffled)).mean() - usual)))
    total, best = sum(rises), int(np.argmax(rises))
    return {"strongest_input": names[best], "strongest_share_pct": 100 * rises[best] / total if total else 0.0}


def scoring(predict: Predict, rows: np.ndarray, calls: int = 30) -> dict[str, Any]:
    """How long the model takes for one row at a time, as it will be asked, without the first call, which warms up."""
    took_ms = []
    for number in range(calls + 1):
        row = rows[number % len(rows)][np.newaxis]
        began = time.perf_counter()
        predict(row)
        took_ms.append(1_000 * (time.perf_counter() - began))
    return {
        "calls": calls,
        "p50_ms": float(np.percentile(took_ms[1:], 50)),
        "p95_ms": float(np.percentile(took_ms[1:], 95)),
    }


def write(folder: Path, document: dict[str, Any]) -> None:
    """Write evaluation.json; a number that is not finite is our bug and fails here."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "evaluation.json").write_text(json.dumps(document, allow_nan=False) + "\n")


def _sums(difference: np.ndarray, groups: np.ndarray, by: str) -> dict[str, Any]:
    """Rows and sum of each group: all that an interval needs which takes a group's rows for one piece of news."""
    names, of_row = np.unique(groups, return_inverse=True)
    counts = np.bincount(of_row, minlength=len(names))
    return {
        "by": by,
        "rows": [int(count) for count in counts],
        "sums": [float(total) for total in np.bincount(of_row, weights=difference, minlength=len(names))],
    }


def _members(groups: np.ndarray) -> list[np.ndarray]:
    order = np.argsort(groups, kind="stable")
    _, starts = np.unique(groups[order], return_index=True)
    return np.split(order, starts[1:])


def _deviation(values: np.ndarray) -> float | None:
    return float(values.std(ddof=1)) if len(values) > 1 else None


def _moment(when: np.datetime64) -> str:
    return str(when.astype("datetime64[s]")) + "Z"
