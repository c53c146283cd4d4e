"""What a release is judged by is read whole or refused: the answer, the load test, queries and predictions."""

from pathlib import Path

import pytest

from shared.domain.spec import Rollout
from shared.errors import BadInput
from shared.operator.reading import read_spec

HEAD = """\
version: 1
name: trips
data: {time_column: at, columns: {at: {type: timestamp}}}
training: {job: job.yml}
gates: {metric: mae, direction: minimize, floor: 20}
rollout:
  endpoint: endpoint.yml
  deployment: deployment.yml
  sample_request: sample.json
  steps: [{traffic_pct: 50, hold_s: 60}, {traffic_pct: 100, hold_s: 60}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("job.yml", "endpoint.yml", "deployment.yml"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "sample.json").write_text('{"data": [[1], [2]]}')
    (tmp_path / "answer.json").write_text('{"type": "object"}')
    (tmp_path / "broken.json").write_text('{"type": "objekt"}')
    return tmp_path


def read(folder: Path, rollout: str) -> Rollout:
    (folder / "upkeep.yaml").write_text(f"{HEAD}  {rollout}\n")
    return read_spec(folder, None).rollout


def problems(folder: Path, rollout: str) -> list[str]:
    with pytest.raises(BadInput) as caught:
        read(folder, rollout)
    return [problem.removeprefix(f"{folder / 'upkeep.yaml'}: ") for problem in caught.value.problems]


def test_an_answer_with_bounds_and_a_schema_is_read(folder: Path) -> None:
    answer = read(folder, "answer: {min: 0, max: 9, schema: answer.json}").answer
    assert answer is not None
    assert (answer.rows, answer.predictions, answer.min, answer.max) == ("data", "predictions", 0, 9)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("{min: 3, max: 2}", "rollout.answer.min: 3 is more than max, 2 (line 11)"),
        (
            "{rows: rows}",
            'rollout.answer.rows: sample.json has no list at "rows": name the keys that lead to its rows (line 11)',
        ),
        ("{schema: none.json}", 'rollout.answer.schema: there is no file "none.json" in {folder} (line 11)'),
        (
            "{schema: ../answer.json}",
            'rollout.answer.schema: "../answer.json" leads out of the model\'s folder (line 11)',
        ),
    ],
)
def test_an_answer_that_cannot_be_meant_is_told(folder: Path, answer: str, problem: str) -> None:
    assert problems(folder, f"answer: {answer}") == [problem.replace("{folder}", str(folder))]


def test_a_schema_that_is_none_is_told(folder: Path) -> None:
    (problem,) = problems(folder, "answer: {schema: broken.json}")
    assert problem.startswith("rollout.answer.schema: broken.json: $.type: 'objekt' is not valid")
