"""The published JSON Schema is that of the types."""

import msgspec
from jsonschema import Draft202012Validator

from shared.operator import schema


def test_the_published_schema_is_up_to_date() -> None:
    assert schema.FILE.read_text() == schema.text(), "run: python -m shared.operator.schema"


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(msgspec.json.decode(schema.text()))


def test_the_schema_refuses_a_key_that_there_is_not() -> None:
    errors = list(Draft202012Validator(schema.schema()).iter_errors({"version": 1, "nmae": "trips"}))
    assert any("nmae" in error.message for error in errors)
