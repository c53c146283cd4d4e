"""Well-formed nonsense is no answer, and what is wrong with one is told without its values."""

import json
from typing import Any

import pytest

from shared.adapters.answers import fault, schema_problem
from shared.domain.sample import Sample
from shared.domain.spec_evidence import Answer

REQUEST = json.dumps({"data": [{"x": 1}, {"x": 2}]})
MINUTES = Answer(min=0, max=1440)


def told(content: str, answer: Answer | None = MINUTES, schema: Any = None, request: str = REQUEST) -> str:
    text = "" if schema is None else json.dumps(schema)
    return fault(content.encode(), Sample(request=request, answer=answer, schema=text))


def test_one_finite_prediction_a_row_within_bounds_is_right() -> None:
    assert told('{"predictions": [0, 1440.0]}') == ""


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("<html>", "the answer is not JSON"),
        ("[" * 100_000, "the answer is not JSON"),
        ('{"predictions": [1, NaN]}', "the answer holds NaN or Infinity, which JSON does not know"),
        ('{"predictions": [1, 1e999]}', "a prediction is no finite number"),
        ('{"predictions": [1, null]}', "a prediction is null"),
        ('{"predictions": [1]}', "the answer holds 1 predictions for 2 rows"),
        ('{"predictions": [1, 2, 3]}', "the answer holds 3 predictions for 2 rows"),
        ('{"predictions": [1, -5]}', "a prediction is under 0 (answer.min)"),
        ('{"predictions": [1, 1441]}', "a prediction is over 1440 (answer.max)"),
        ('{"predictions": [[1, 2], [3, 9000]]}', "a prediction is over 1440 (answer.max)"),
        ('{"predictions": {"0": 1}}', 'the answer has no list at "predictions" (answer.predictions)'),
        ('{"result": [1, 2]}', 'the answer has no list at "predictions" (answer.predictions)'),
        ("[1, 2]", 'the answer has no list at "predictions" (answer.predictions)'),
    ],
)
def test_nonsense_is_told(content: str, problem: str) -> None:
    assert told(content) == problem


def test_without_a_promise_any_json_will_do_but_no_nan() -> None:
    assert told('{"error": "no model"}', answer=None) == ""
    assert told('{"y": [NaN]}', answer=None)


def test_rows_and_predictions_may_lie_deeper_or_be_the_whole() -> None:
    mlflow = json.dumps({"input_data": {"columns": ["x"], "data": [[1], [2]]}})
    assert told("[1, 2]", Answer(rows="input_data.data", predictions=""), request=mlflow) == ""


def test_labels_and_probabilities_are_predictions_too() -> None:
    assert told('{"predictions": ["cat", "dog"]}') == ""
    assert told('{"predictions": [{"label": "cat", "score": 0.4}, {"label": "dog", "score": 7}]}', Answer(max=1))


def test_a_scoring_script_that_answers_a_text_of_json_is_read() -> None:
    assert told(json.dumps('{"predictions": [1, 2]}')) == ""
    assert told(json.dumps('{"predictions": [1]}')) == "the answer holds 1 predictions for 2 rows"


SCHEMA = {"properties": {"predictions": {"items": {"enum": ["cat", "dog"]}}}, "required": ["predictions"]}


def test_the_schema_of_the_answer_holds() -> None:
    assert told('{"predictions": ["cat", "dog"]}', schema=SCHEMA) == ""


def test_what_breaks_the_schema_is_told_by_its_place_and_not_by_its_value() -> None:
    problem = told('{"predictions": ["cat", "Ada Lovelace"]}', schema=SCHEMA)
    assert problem == "the answer breaks its schema at properties/predictions/items/enum"


def test_a_schema_may_refer_into_itself_and_nowhere_else() -> None:
    inner = {"$defs": {"n": {"type": "number"}}, "items": {"$ref": "#/$defs/n"}}
    assert schema_problem(json.dumps(inner)) == ""
    assert "may only lead into the file itself" in schema_problem('{"$ref": "https://example.org/schema.json"}')


@pytest.mark.parametrize("text", ['{"type": "nmber"}', "[]"])
def test_what_is_no_schema_is_told(text: str) -> None:
    assert schema_problem(text)
