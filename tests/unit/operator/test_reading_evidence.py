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


GOOD_KQL = "T | where D == {deployment} | summarize value = avg(E)"


def queries(*bodies: str) -> str:
    return f"analysis: {{queries: [{', '.join('{' + body + '}' for body in bodies)}]}}"


def test_a_query_may_stand_in_a_file(folder: Path) -> None:
    (folder / "q.kql").write_text(GOOD_KQL)
    (query,) = read(folder, queries("name: q, file: q.kql, max_ratio: 2")).analysis.queries
    assert (query.file, query.max_ratio, query.on_no_data) == ("q.kql", 2, "hold")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (
            f'name: q, kql: "{GOOD_KQL}"',
            "[0]: has no limit: give it a min or max, or a min_ratio or max_ratio to the",
        ),
        ("name: q, max: 1", "[0]: needs either kql, the query itself, or file, where it stands"),
        ("name: q, max: 1, kql: T value, file: q.kql", "[0].file: there is no file"),
        (f'name: q, max: 1, min: 2, kql: "{GOOD_KQL}"', "[0].min: 2 is more than max, 1"),
        ('name: q, max: 1, kql: "T | take {x} | project value = 1"', "[0].kql: it knows no placeholder {x}"),
        ('name: q, max: 1, kql: "T | summarize avg(E)"', "[0].kql: it gives no column named value"),
        ('name: q, max_ratio: 1, kql: "T | project value = 1"', "[0].kql: it does not use {deployment}"),
        (f'name: Q, max: 1, kql: "{GOOD_KQL}"', '[0].name: "Q" will not do: a name of small letters'),
    ],
)
def test_a_query_that_cannot_be_meant_is_told(folder: Path, body: str, problem: str) -> None:
    assert problems(folder, queries(body))[0].startswith(f"rollout.analysis.queries{problem}")


def test_names_of_queries_are_their_own_and_there_are_not_too_many(folder: Path) -> None:
    told = problems(folder, queries(*(f'name: q, max: 1, kql: "{GOOD_KQL}"',) * 6))
    assert told[0].startswith("rollout.analysis.queries: has 6 queries, more than 5")
    assert told[1] == 'rollout.analysis.queries[1].name: "q" stands twice (line 11)'


@pytest.mark.parametrize(
    ("predictions", "problem"),
    [
        ("{max_psi: null}", "rollout.analysis.predictions: has no limit: give it a max_psi or a max_ks"),
        (
            "{min_rows: 50}",
            "rollout.analysis.predictions.min_rows: of 50 rows that do not differ at all the index is",
        ),
    ],
)
def test_predictions_that_cannot_be_compared_are_told(folder: Path, predictions: str, problem: str) -> None:
    (told,) = problems(folder, f"analysis: {{predictions: {predictions}}}")
    assert told.startswith(problem)


def test_a_load_test_has_a_pace_or_a_number_at_once(folder: Path) -> None:
    plan = read(folder, "load_test: {duration_s: 10, requests_per_s: 20, max_latency_p95_ms: 300}").load_test
    assert plan is not None
    assert (plan.requests_per_s, plan.concurrency, plan.max_error_rate_pct) == (20, None, 1)


@pytest.mark.parametrize(
    ("plan", "problem"),
    [
        ("{}", "rollout.load_test: needs either requests_per_s, a pace, or concurrency, requests at once (line 11)"),
        (
            "{requests_per_s: 2, concurrency: 4}",
            "rollout.load_test: needs either requests_per_s, a pace, or concurrency, requests at once (line 11)",
        ),
        (
            "{requests_per_s: 1, duration_s: 5}",
            "rollout.load_test: sends 5 requests in all; fewer than 20 say little (line 11)",
        ),
    ],
)
def test_a_load_test_that_cannot_be_meant_is_told(folder: Path, plan: str, problem: str) -> None:
    assert problems(folder, f"load_test: {plan}") == [problem]
