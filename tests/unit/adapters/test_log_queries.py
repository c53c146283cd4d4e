"""The one number of a query's answer, and everything that is none."""

from types import SimpleNamespace
from typing import Any

import pytest
from azure.monitor.query import LogsQueryError, LogsQueryPartialResult

from shared.adapters.log_queries import read_value
from shared.domain.queries import Value


def answer(*rows: tuple[Any, ...], columns: tuple[str, ...] = ("value",)) -> Any:
    return SimpleNamespace(tables=[SimpleNamespace(columns=columns, rows=rows)])


@pytest.mark.parametrize(
    ("given", "value"),
    [
        (answer((1.5,)), Value(value=1.5)),
        (answer((3,)), Value(value=3.0)),
        (answer(("2.50",)), Value(value=2.5)),
        (answer(("x", 7), columns=("label", "value")), Value(value=7.0)),
        (answer(), Value()),
        (answer((None,)), Value()),
        (answer(("NaN",)), Value()),
        (answer((float("inf"),)), Value()),
        (answer((1,), (2,)), Value(problem="it gave several rows; it must give one")),
        (answer((1,), columns=("avg_E",)), Value(problem="it gave no column value")),
        (answer((True,)), Value(problem="its value is no number")),
        (answer(("high",)), Value(problem="its value is no number")),
        (LogsQueryPartialResult(), Value(problem="Log Analytics gave a partial result only")),
        (
            LogsQueryError(code="BadArgumentError", message="Failed to resolve\n 'Foo'."),
            Value(problem="BadArgumentError: Failed to resolve 'Foo'"),
        ),
    ],
)
def test_an_answer_is_a_number_or_nothing_or_a_problem(given: Any, value: Value) -> None:
    assert read_value(given) == value
