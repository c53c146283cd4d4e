"""Holds the answer of a deployment against what the sample promises. Called by scoring.py for every sample request.

What it tells names a key of the spec or a place of the schema, and never a value: answers may hold data of people.
"""

import json
import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from shared.domain.sample import Sample
from shared.domain.spec_evidence import Answer

_MISSING = object()


class _NotANumberError(ValueError):
    """A word such as NaN, which Python reads and JSON does not know."""


def fault(content: bytes, sample: Sample) -> str:
    """What is wrong with the answer, as the end of a sentence; empty when it is right."""
    try:
        answer = json.loads(content, parse_constant=_refuse)
        if isinstance(answer, str):
            # A scoring script that returns json.dumps(…) is answered for with that text as one JSON string.
            answer = json.loads(answer, parse_constant=_refuse)
    except _NotANumberError:
        return "the answer holds NaN or Infinity, which JSON does not know"
    except (ValueError, RecursionError):
        return "the answer is not JSON"
    found = _against_schema(answer, sample.schema) if sample.schema else ""
    return found or (_against(answer, sample.answer, sample.request) if sample.answer else "")


def at(value: Any, path: str) -> Any:
    """What stands at the keys, joined by dots, or an object of its own where there is nothing. Empty: the whole."""
    for key in path.split(".") if path else ():
        value = value.get(key, _MISSING) if isinstance(value, dict) else _MISSING
    return value


def schema_problem(text: str) -> str:
    """Why the text cannot be used as the schema of an answer, in one sentence; empty when it can."""
    import jsonschema  # type: ignore[import-untyped]  # its stubs are a package of their own
    from jsonschema.exceptions import SchemaError  # type: ignore[import-untyped]

    schema = json.loads(text)
    if not isinstance(schema, dict | bool):
        return "a JSON Schema is an object"
    try:
        jsonschema.validators.validator_for(schema, jsonschema.Draft202012Validator).check_schema(schema)
    except SchemaError as error:
        return f"{error.json_path}: {error.message}"
    far = [ref for ref in _references(schema) if not ref.startswith("#")]
    return f'"$ref" may only lead into the file itself, to "#/…", not to "{far[0]}"' if far else ""


def _refuse(_word: str) -> None:
    raise _NotANumberError


def _against(answer: Any, wanted: Answer, request: str) -> str:
    predictions = at(answer, wanted.predictions)
    if not isinstance(predictions, list):
        where = f'at "{wanted.predictions}"' if wanted.predictions else "as its whole"
        return f"the answer has no list {where} (answer.predictions)"
    rows = _rows(request, wanted.rows)
    if len(predictions) != rows:
        return f"the answer holds {len(predictions)} predictions for {rows} rows"
    return next((problem for value in _leaves(predictions) if (problem := _value(value, wanted))), "")


@lru_cache(16)
def _rows(request: str, path: str) -> int | None:
    found = at(json.loads(request), path)
    return len(found) if isinstance(found, list) else None


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, list | dict):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _leaves(inner)
    else:
        yield value


def _value(value: Any, wanted: Answer) -> str:
    if value is None:
        return "a prediction is null"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""  # a label: what it may be is the schema's to say
    if not math.isfinite(value):
        return "a prediction is no finite number"
    if wanted.min is not None and value < wanted.min:
        return f"a prediction is under {wanted.min:g} (answer.min)"
    if wanted.max is not None and value > wanted.max:
        return f"a prediction is over {wanted.max:g} (answer.max)"
    return ""


def _against_schema(answer: Any, text: str) -> str:
    error = next(_validator(text).iter_errors(answer), None)
    if error is None:
        return ""
    place = "/".join(str(step) for step in error.absolute_schema_path)
    return f"the answer breaks its schema at {place}"


@lru_cache(16)
def _validator(text: str) -> Any:
    import jsonschema
    from referencing import Registry

    schema = json.loads(text)
    # Given a registry of nothing, it fetches nothing: by default it would follow a "$ref" into the network.
    return jsonschema.validators.validator_for(schema, jsonschema.Draft202012Validator)(schema, registry=Registry())


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in {"$ref", "$dynamicRef"} and isinstance(inner, str):
                yield inner
            else:
                yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)
