"""The file that model authors copy: what it makes for each task is judged, and is what the formulas say."""

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from sklearn import metrics  # type: ignore[import-untyped]  # ships no types

from shared.adapters.blob_archive import read_evaluation
from shared.domain.analysis import Finding
from shared.domain.evaluation import Evaluation
from shared.domain.gates import Verdict, judge
from shared.domain.metrics import Task
from shared.domain.spec_gates import Bound, Gates, Slices
from shared.operator.schema import evaluation_schema
from tests.unit.domain.judged import CASE, ROWS, gates, manifest, replace

TRAIN = Path(__file__).resolve().parents[2] / "models" / "flight-duration" / "train"
START = np.datetime64("2025-02-01T00:00:00")
TIMES = START + np.sort(np.random.default_rng(0).integers(0, 29 * 86_400, ROWS)).astype("timedelta64[s]")


@pytest.fixture(scope="module")
def helper() -> Iterator[Any]:
    """The module, from a folder that is no package."""
    sys.path.insert(0, str(TRAIN))
    yield importlib.import_module("evaluation_file")
    sys.path.remove(str(TRAIN))
    sys.modules.pop("evaluation_file", None)


def document(task: Task, scored: dict[str, dict[str, float]], **parts: Any) -> dict[str, Any]:
    """An evaluation with these metrics of candidate, champion and baseline."""
    return {
        "schema": "upkeep.evaluation/1",
        "task": task.value,
        "data_version": manifest().version,
        "held_out": {"parts": list(manifest().held_out), "rows": ROWS, "sha256": "0" * 64},
        "candidate": {"metrics": scored["candidate"]},
        "champion": {"version": "1", "metrics": scored["champion"]},
        "baseline": {"metrics": scored["baseline"]},
        "inputs": [{"name": "minutes", "type": "number"}],
        "artifact": {"sha256": "new", "bytes": 10},
        **parts,
    }


def verdict(limits: Gates, told: dict[str, Any]) -> Verdict:
    """Written, read and judged as in production."""
    Draft202012Validator(evaluation_schema()).validate(told)
    evaluation = read_evaluation(json.dumps(told, allow_nan=False).encode()).evaluation
    assert isinstance(evaluation, Evaluation)
    return judge(limits, evaluation, CASE)


def leaks(helper: Any) -> dict[str, Any]:
    keys = [str(number) for number in range(ROWS)]
    return dict(helper.leakage(["x", "y"], keys, np.array([START - 5]), TIMES))


def test_a_regression_is_judged_by_days(helper: Any) -> None:
    rng = np.random.default_rng(1)
    labels = rng.normal(100.0, 20.0, ROWS)
    said = {
        "candidate": labels + rng.normal(0.0, 8.0, ROWS),
        "champion": labels + rng.normal(1.0, 10.0, ROWS),
        "baseline": np.full(ROWS, labels.mean()),
    }
    losses = {who: np.abs(told - labels) for who, told in said.items()}
    days = helper.days(TIMES)
    scored = {
        who: {"mae": float(losses[who].mean()), "bias": float((told - labels).mean())} for who, told in said.items()
    }
    kinds = ["a" if number % 3 else "b" for number in range(ROWS)]
    told = document(
        Task.REGRESSION,
        scored,
        paired=helper.paired("mae", losses["candidate"], losses["champion"], days),
        slices=helper.slices("kind", kinds, "mae", losses["candidate"], losses["champion"], days),
        leakage=leaks(helper),
        scoring=helper.scoring(lambda rows: rows[:, 0], labels[:, np.newaxis], calls=5),
    )
    limits = gates("mae", Task.REGRESSION, slices=Slices(columns=("kind",)), max_bias=2.0, max_scoring_p95_ms=1_000)
    found = verdict(limits, told)
    assert found.passed, found.text
    assert found.facts["slices"] == 2


def classes(classes: int, better: float) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Labels, and probabilities of each class by who says them; `better` is how much clearer the candidate is."""
    rng = np.random.default_rng(2)
    labels = rng.integers(0, classes, ROWS)
    truth, noise = np.eye(classes)[labels], rng.gumbel(size=(ROWS, classes))
    said = {
        "candidate": truth * (1.5 + better) + noise,
        "champion": truth * 1.5 + noise,
        "baseline": np.zeros_like(truth),
    }
    odds = {who: np.exp(each) for who, each in said.items()}
    return labels, {who: each / each.sum(axis=1, keepdims=True) for who, each in odds.items()}


def auc(labels: np.ndarray, scores: np.ndarray) -> float:
    """The area under the curve by ranks, for scores without ties: in a tenth of scikit-learn's time."""
    ranks = np.argsort(np.argsort(scores))[labels == 1]
    positive = len(ranks)
    return float((ranks.sum() - positive * (positive - 1) / 2) / (positive * (len(labels) - positive)))


def test_the_area_by_ranks_is_scikit_learns() -> None:
    labels, said = classes(2, 0.5)
    scores = said["champion"][:, 1]
    assert auc(labels, scores) == pytest.approx(metrics.roc_auc_score(labels, scores))


@pytest.mark.parametrize(("better", "outcome"), [(0.5, Finding.PASS), (-0.5, Finding.FAIL), (0.0, Finding.FAIL)])
def test_two_classes_are_judged_by_the_area_under_the_curve(helper: Any, better: float, outcome: Finding) -> None:
    labels, said = classes(2, better)
    scores = {who: told[:, 1] for who, told in said.items()}
    scored = {
        who: {"auc": float(metrics.roc_auc_score(labels, told)), "log_loss": float(metrics.log_loss(labels, told))}
        for who, told in scores.items()
    }
    told = document(
        Task.BINARY,
        scored,
        resampled=helper.resampled("auc", auc, labels, scores["candidate"], scores["champion"], helper.days(TIMES)),
        leakage=leaks(helper),
    )
    limits = gates("auc", Task.BINARY, metrics={"log_loss": Bound(floor=0.8, max_regression_pct=10.0)})
    assert verdict(limits, told).outcome is outcome


@pytest.mark.parametrize(("better", "outcome"), [(0.5, Finding.PASS), (-0.5, Finding.FAIL)])
def test_several_classes_are_judged_by_their_log_loss(helper: Any, better: float, outcome: Finding) -> None:
    labels, said = classes(4, better)
    losses = {who: -np.log(told[np.arange(ROWS), labels]) for who, told in said.items()}
    scored = {
        who: {"log_loss": float(losses[who].mean()), "accuracy": float((told.argmax(axis=1) == labels).mean())}
        for who, told in said.items()
    }
    told = document(
        Task.MULTICLASS,
        scored,
        paired=helper.paired("log_loss", losses["candidate"], losses["champion"], helper.days(TIMES)),
        leakage=leaks(helper),
    )
    assert verdict(gates("log_loss", Task.MULTICLASS), told).outcome is outcome


def test_a_group_of_rows_that_are_independent_gives_the_interval_of_the_formula(helper: Any) -> None:
    """The bootstrap of a mean agrees with the interval from sums: two ways to the same answer."""
    rng = np.random.default_rng(3)
    labels, days = np.zeros(ROWS), helper.days(TIMES)
    drift = rng.normal(0.0, 0.5, 60)[(TIMES - START).astype("timedelta64[D]").astype(int)]
    candidate, champion = rng.normal(0.0, 1.0, ROWS) - 0.3 + drift, rng.normal(0.0, 1.0, ROWS)
    drawn = helper.resampled("gain", lambda _, told: float(told.mean()), labels, candidate, champion, days)
    paired = helper.paired("gain", candidate, champion, days)
    told = document(
        Task.REGRESSION,
        {
            "candidate": {"gain": float(candidate.mean())},
            "champion": {"gain": float(champion.mean())},
            "baseline": {"gain": 9.0},
        },
        leakage=leaks(helper),
    )
    limits = replace(gates("gain", Task.REGRESSION), direction="minimize")
    by_sums = verdict(limits, {**told, "paired": paired}).facts
    by_draws = verdict(limits, {**told, "resampled": drawn}).facts
    for end in ("difference_low", "difference_high"):
        assert by_draws[end] == pytest.approx(by_sums[end], abs=0.05)


def test_an_input_that_holds_the_answer_is_the_strongest(helper: Any) -> None:
    rng = np.random.default_rng(4)
    rows = rng.normal(0.0, 1.0, (ROWS, 3))
    labels = rows[:, 1]
    found = helper.strongest_input(
        lambda given: given[:, 1] + 0.01 * given[:, 0], rows, ["a", "b", "c"], lambda told: np.abs(told - labels)
    )
    assert found["strongest_input"] == "b"
    assert found["strongest_share_pct"] > 95


def test_rows_that_were_trained_on_are_found(helper: Any) -> None:
    found = helper.leakage(["a", "b"], ["b", "c", "b"], TIMES[:2], TIMES[1:])
    assert found["overlapping_rows"] == 2
    assert found["train_until"] >= found["held_out_from"]


def test_a_number_that_is_not_finite_is_not_written(helper: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        helper.write(tmp_path, {"mae": float("nan")})
