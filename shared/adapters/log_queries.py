"""Runs the spec's own KQL queries in Log Analytics, all of them in one call.

Used by traffic_log.py. A query that cannot be run is an answer about that query, and is told; trouble with the
service as a whole is raised.
"""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shared.domain.queries import Value
from shared.reconcile.ports import Window

if TYPE_CHECKING:
    from azure.monitor.query import LogsQueryClient

SERVER_TIMEOUT_S = 30
COLUMN = "value"
_LONGEST_PROBLEM = 300


def run(
    client: "LogsQueryClient", log_workspace_id: str, queries: Mapping[str, str], window: Window
) -> dict[str, Value]:
    """What each query gives, by its name. The texts are filled in already."""
    from azure.monitor.query import LogsBatchQuery

    batch = [
        LogsBatchQuery(log_workspace_id, text, timespan=(window.start, window.end), server_timeout=SERVER_TIMEOUT_S)
        for text in queries.values()
    ]
    return dict(zip(queries, map(read_value, client.query_batch(batch)), strict=True))


def read_value(answer: Any) -> Value:
    """The one number of an answer, or what is wrong with it."""
    from azure.monitor.query import LogsQueryError, LogsQueryPartialResult

    if isinstance(answer, LogsQueryError):
        # Its message holds no id of this one call: what is told of a query must not change from look to look.
        return Value(problem=" ".join(f"{answer.code}: {answer.message}".split())[:_LONGEST_PROBLEM].rstrip("."))
    if isinstance(answer, LogsQueryPartialResult):
        return Value(problem="Log Analytics gave a partial result only")
    rows = [dict(zip(table.columns, row, strict=True)) for table in answer.tables for row in table.rows]
    if not rows:
        return Value()
    if len(rows) > 1:
        return Value(problem="it gave several rows; it must give one")
    if COLUMN not in rows[0]:
        return Value(problem=f"it gave no column {COLUMN}")
    return _number(rows[0][COLUMN])


def _number(cell: Any) -> Value:
    """The mean of no rows is NaN in KQL, and comes as null or as that word: it is no number, and no mistake."""
    if cell is None or cell == "":
        return Value()
    try:
        number = float(cell) if not isinstance(cell, bool) else None
    except (TypeError, ValueError):
        number = None
    if number is None:
        return Value(problem=f"its {COLUMN} is no number")
    return Value(value=number) if math.isfinite(number) else Value()
