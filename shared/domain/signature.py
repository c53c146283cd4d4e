"""Whether a model takes what it will be given: its declared inputs against the data contract and the sample request.

Called by gates.py; what the scoring script makes of a request is shown by the smoke test only.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from shared.domain.case import Case
from shared.domain.evaluation import Input
from shared.domain.gatecheck import GateCheck, failed
from shared.domain.reasons import Fact
from shared.domain.spec import ColumnType

GATE = "inputs"
_COLUMNS = {
    "string": {ColumnType.STRING},
    "number": {ColumnType.INT64, ColumnType.FLOAT64, ColumnType.BOOL},
    "bool": {ColumnType.BOOL},
    "timestamp": {ColumnType.TIMESTAMP},
}
_VALUES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "bool": (bool,),
    "timestamp": (str, int, float),
}
_ROWS = ("data", "input_data", "instances", "inputs", "rows")


def look(inputs: tuple[Input, ...], case: Case) -> GateCheck:
    """Fail: an input that uploads do not have, or that the sample request does not give."""
    rows = sample_rows(case.sample, case.rows_at)
    facts: dict[str, Fact] = {"inputs": len(inputs), "sample_rows": len(rows)}
    sentences = [*_contract(inputs, case), *_sample(inputs, rows)]
    return failed(GATE, " ".join(sentences), facts) if sentences else GateCheck(gate=GATE, facts=facts)


def declared(inputs: tuple[Input, ...]) -> dict[str, str]:
    """Inputs as they are remembered: type by name, in the model's order."""
    return {each.name: each.type for each in inputs}


def sample_rows(sample: str, rows_at: str | None) -> list[dict[str, Any]]:
    """The rows of a sample request, as far as its shape is known: empty where it is the scoring script's own.

    `rows_at` are the keys that lead to them, joined by dots. Without it they are looked for under "data" and the
    like. Known are a list of objects, and MLflow's "columns" beside "data".
    """
    try:
        body = msgspec.json.decode(sample)
    except msgspec.DecodeError:
        return []
    for path in _ROWS if rows_at is None else (rows_at,):
        found = _rows_in(_under(body, path))
        if found:
            return found
    return []


def _under(body: Any, path: str) -> Any:
    for key in path.split(".") if path else ():
        body = body.get(key) if isinstance(body, dict) else None
    return body


def _rows_in(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, list) and all(isinstance(row, dict) for row in value):
        return value
    if isinstance(value, dict):
        columns, data = value.get("columns"), value.get("data")
        if isinstance(columns, list) and isinstance(data, list):
            return [dict(zip(columns, row, strict=False)) for row in data if isinstance(row, list)]
    return []


def _contract(inputs: tuple[Input, ...], case: Case) -> Iterator[str]:
    for each in inputs:
        column = case.columns.get(each.name)
        if column is None:
            yield f"The model takes {each.name}, which is none of the contract's columns."
        elif column.type not in _COLUMNS[each.type]:
            yield f"The model takes {each.name} as a {each.type}; the contract has {column.type}."


def _sample(inputs: tuple[Input, ...], rows: list[dict[str, Any]]) -> Iterator[str]:
    for each in inputs:
        wrong = next((row for row in rows if not _given(each, row)), None)
        if wrong is not None and each.name not in wrong:
            yield f"The model takes {each.name}, which the sample request does not give."
        elif wrong is not None:
            yield f"The model takes {each.name} as a {each.type}; the sample request gives {wrong[each.name]!r:.40}."


def _given(wanted: Input, row: dict[str, Any]) -> bool:
    if wanted.name not in row:
        return False
    value = row[wanted.name]
    if value is None:
        return True  # whether an input may be empty is the model's own affair
    if isinstance(value, bool) and wanted.type == "number":
        return False
    return isinstance(value, _VALUES[wanted.type])
