"""The published JSON Schemas are those of the types."""

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from shared.operator import schema


@pytest.mark.parametrize("file", list(schema.texts()))
def test_a_published_schema_is_up_to_date(file: Path) -> None:
    assert file.read_text() == schema.texts()[file], "run: make schema"


@pytest.mark.parametrize("body", [schema.schema(), schema.evaluation_schema()])
def test_a_schema_is_a_schema(body: dict[str, object]) -> None:
    Draft202012Validator.check_schema(body)


def test_the_schema_refuses_a_key_that_there_is_not() -> None:
    errors = list(Draft202012Validator(schema.schema()).iter_errors({"version": 1, "nmae": "trips"}))
    assert any("nmae" in error.message for error in errors)
