"""A rule: what is accepted as one, what it measures, when it is breached."""

from typing import Any

import pytest

from localcloud.alerting.rules import Rule, breached, measure, read_rule

TABLE = {"columns": [{"name": "Model"}, {"name": "mae"}], "rows": [["a", 10.0], ["b", 20.0], ["c", None]]}


def rule(**changes: Any) -> Rule:
    return read_rule("flight-duration-mae", {"query": "Perf_CL", "threshold": 15, **changes})


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"operator": "~"}, "operator"),
        ({"time_aggregation": "Median"}, "time_aggregation"),
        ({"time_aggregation": "Maximum"}, "metric_measure_column"),
        ({"severity": 5}, "severity"),
        ({"window_s": 0}, "window_s"),
        ({"treshold": 1}, "treshold"),
    ],
)
def test_a_wrong_rule_is_refused_by_the_field_that_is_wrong(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        rule(**changes)


def test_a_rule_without_query_or_threshold_is_refused() -> None:
    with pytest.raises(ValueError, match="query, threshold"):
        read_rule("r", {})


@pytest.mark.parametrize(
    ("aggregation", "value"), [("Count", 3), ("Maximum", 20), ("Minimum", 10), ("Average", 15), ("Total", 30)]
)
def test_rows_are_counted_or_a_column_is_aggregated(aggregation: str, value: float) -> None:
    assert measure(rule(time_aggregation=aggregation, metric_measure_column="mae"), TABLE) == value


def test_a_column_without_values_measures_nothing() -> None:
    empty = {**TABLE, "rows": []}
    assert measure(rule(time_aggregation="Maximum", metric_measure_column="mae"), empty) is None


def test_a_column_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ValueError, match="'mse'"):
        measure(rule(time_aggregation="Maximum", metric_measure_column="mse"), TABLE)


@pytest.mark.parametrize(
    ("operator", "met"),
    [
        ("GreaterThan", [False, False, True]),
        ("GreaterThanOrEqual", [False, True, True]),
        ("LessThan", [True, False, False]),
        ("LessThanOrEqual", [True, True, False]),
        ("Equals", [False, True, False]),
    ],
)
def test_the_value_is_compared_with_the_threshold(operator: str, met: list[bool]) -> None:
    assert [breached(rule(operator=operator), value) for value in (14, 15, 16)] == met


def test_no_data_is_not_bad_data() -> None:
    assert not breached(rule(operator="LessThan"), None)
