"""A scheduled query rule, and what one evaluation of it means.

Called by alerts.py. Pure: an answer of Log Analytics in, a verdict out.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from operator import eq, ge, gt, le, lt
from typing import Any

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_. -]{0,259}")
OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThan": gt,
    "GreaterThanOrEqual": ge,
    "LessThan": lt,
    "LessThanOrEqual": le,
    "Equals": eq,
}
AGGREGATIONS: Mapping[str, Callable[[list[float]], float]] = {
    "Average": lambda values: sum(values) / len(values),
    "Maximum": max,
    "Minimum": min,
    "Total": sum,
}


@dataclass(frozen=True)
class Rule:
    """One rule. With `time_aggregation` Count the number of rows is measured, else `metric_measure_column`."""

    name: str
    query: str
    threshold: float
    operator: str = "GreaterThan"
    time_aggregation: str = "Count"
    metric_measure_column: str | None = None
    evaluation_period_s: float = 60.0
    window_s: float = 300.0
    severity: int = 3
    enabled: bool = True
    auto_mitigate: bool = True
    description: str = ""
    target: str | None = None  # resource that the alert is about; None: the log workspace
    action_url: str | None = None  # None: the default action group
    custom_properties: dict[str, str] = field(default_factory=dict)

    def saved(self) -> dict[str, Any]:
        """For the store and for GET."""
        return asdict(self)


def read_rule(name: str, body: Mapping[str, Any]) -> Rule:
    """Parse what was PUT; ValueError names what is wrong."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a name for a rule")
    known = {entry.name for entry in fields(Rule)}
    unknown = sorted(set(body) - known)
    if unknown:
        raise ValueError(f"unknown: {', '.join(unknown)}; there are: {', '.join(sorted(known))}")
    missing = sorted({"query", "threshold"} - set(body))
    if missing:
        raise ValueError(f"missing: {', '.join(missing)}")
    rule = Rule(**{**body, "name": name})
    if rule.operator not in OPERATORS:
        raise ValueError(f"operator must be one of {', '.join(OPERATORS)}")
    if rule.time_aggregation not in {"Count", *AGGREGATIONS}:
        raise ValueError(f"time_aggregation must be Count, {', '.join(AGGREGATIONS)}")
    if rule.time_aggregation != "Count" and not rule.metric_measure_column:
        raise ValueError(f"time_aggregation {rule.time_aggregation} needs a metric_measure_column")
    if rule.severity not in range(5):
        raise ValueError("severity must be 0 to 4")
    if rule.evaluation_period_s <= 0 or rule.window_s <= 0:
        raise ValueError("evaluation_period_s and window_s must be positive")
    return rule


def measure(rule: Rule, table: Mapping[str, Any]) -> float | None:
    """The measured value of an answer's table; None when there is nothing to aggregate."""
    if rule.time_aggregation == "Count":
        return float(len(table["rows"]))
    names = [column["name"] for column in table["columns"]]
    if rule.metric_measure_column not in names:
        raise ValueError(f"the query's answer has no column {rule.metric_measure_column!r}")
    index = names.index(rule.metric_measure_column)
    values = [float(row[index]) for row in table["rows"] if row[index] is not None]
    return AGGREGATIONS[rule.time_aggregation](values) if values else None


def breached(rule: Rule, value: float | None) -> bool:
    """Whether the condition is met. No data never meets it."""
    return value is not None and OPERATORS[rule.operator](value, rule.threshold)
