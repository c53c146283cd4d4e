"""What cannot be meant in a spec's gates is told in one sentence, with its place."""

from pathlib import Path

import pytest

from shared.errors import BadInput
from shared.operator.reading import read_spec
from tests.unit.operator.test_reading import GOOD

LINE = "gates: {metric: mae, direction: minimize, floor: 20}"


def problems(folder: Path, gates: str) -> list[str]:
    """What is told of a spec with these gates, without the file's name and the line's number."""
    for name in ("job.yml", "endpoint.yml", "deployment.yml", "sample.json"):
        (folder / name).write_text("{}")
    assert LINE in GOOD
    (folder / "upkeep.yaml").write_text(GOOD.replace(LINE, f"gates: {gates}"))
    try:
        read_spec(folder, None)
    except BadInput as caught:
        return [text.removeprefix(f"{folder / 'upkeep.yaml'}: ").rpartition(" (line")[0] for text in caught.problems]
    return []


@pytest.mark.parametrize(
    "gates",
    [
        "{metric: mae}",
        "{metric: r2, floor: -1}",
        "{metric: auc, task: binary, floor: 0.7}",
        "{metric: f1_macro, task: multiclass}",
        "{metric: profit, direction: maximize}",
        "{metric: mae, metrics: {rmse: {max_regression_pct: 5}, medae: {floor: 3}}}",
        "{metric: log_loss, task: binary, metrics: {auc: {floor: 0.7}}, leaks: {too_good: 0.01}}",
        "{metric: mae, slices: {columns: [zone]}, groups: none, leaks: null}",
        "{metric: mae, on_inconclusive: ask, confidence_pct: 99}",
    ],
)
def test_what_goes_together_is_right(tmp_path: Path, gates: str) -> None:
    assert problems(tmp_path, gates) == []


@pytest.mark.parametrize(
    ("gates", "told"),
    [
        ("{metric: ' '}", "gates.metric: must name a metric of evaluation.json"),
        (
            "{metric: auc}",
            (
                "gates.metric: auc is a metric of binary models, and gates.task is regression,"
                " whose metrics are mae, mse, rmse, msle, rmsle, mape, medae, r2"
            ),
        ),
        (
            "{metric: rmsee}",
            (
                'gates.metric: "rmsee" is no standard metric, and one of your own needs its direction;'
                " did you mean rmse?"
            ),
        ),
        (
            "{metric: accuracy, task: binary, direction: minimize}",
            "gates.direction: the better accuracy is the one that you maximize; leave direction out",
        ),
        (
            "{metric: accuracy, task: binary, floor: 80}",
            "gates.floor: 80 is nothing that accuracy can be: it is 0 or more and 1 or less",
        ),
        ("{metric: mae, floor: -1}", "gates.floor: -1 is nothing that mae can be: it is 0 or more"),
        (
            "{metric: mae, floor: 5, leaks: {too_good: 6}}",
            "gates.leaks.too_good: 6 is no better than gates.floor, 5",
        ),
        (
            "{metric: mae, metrics: {mae: {floor: 3}}}",
            "gates.metrics.mae: is the main metric already; its floor belongs to gates.floor",
        ),
        (
            "{metric: mae, metrics: {rmse: {}}}",
            "gates.metrics.rmse: asks for nothing; give it a floor, or max_regression_pct, or take it out",
        ),
        (
            "{metric: mae, slices: {columns: []}}",
            "gates.slices.columns: is empty; name a column, or leave gates.slices out",
        ),
        ("{metric: mae, slices: {columns: [a, a]}}", 'gates.slices.columns[1]: "a" stands twice'),
        (
            "{metric: mae, slices: {columns: ['']}}",
            "gates.slices.columns[0]: must name a column by which evaluation.json has slices",
        ),
        ("{metric: mae, groups: month}", 'gates.groups: must be day, hour, none or week, not "month"'),
        ("{metric: mae, min_groups: 1}", "gates.min_groups: 1 is less than 2, the least that is allowed"),
        ("{metric: mae, confidence_pct: 50}", "gates.confidence_pct: 50 is less than 80, the least that is allowed"),
        ("{metric: mae, task: ranking}", 'gates.task: must be regression, binary or multiclass, not "ranking"'),
    ],
)
def test_one_mistake_is_one_sentence(tmp_path: Path, gates: str, told: str) -> None:
    assert problems(tmp_path, gates) == [told]
