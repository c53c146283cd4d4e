"""Runs one KQL query and gives the answer in the shape of the Log Analytics query API.

Called by the query API and by the alert rules, always in a thread: it blocks. DuckDB does the work through
duckdb-kql, whose refusals and errors become Log Analytics' own.
"""

import json
import math
import re
import uuid
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import duckdb_kql
from duckdb_kql.types import kusto_type

from localcloud.loganalytics.tables import Tables
from localcloud.loganalytics.timespans import read_timespan

_UNKNOWN_TABLE = re.compile(r"Table with name (\S+) does not exist")
_UNKNOWN_COLUMN = re.compile(r'Referenced column "([^"]+)" not found')

Answer = dict[str, Any]


class QueryError(Exception):
    """The query is refused. `body` is the error in Log Analytics' shape; the status is 400."""

    def __init__(self, code: str, message: str, inner: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        innererror = {"code": code, "message": message, **({"innererror": inner} if inner else {})}
        self.body = {
            "error": {
                "message": "The request had some invalid properties",
                "code": "BadArgumentError",
                "correlationId": str(uuid.uuid4()),
                "innererror": innererror,
            }
        }


def run_query(tables: Tables, query: str, timespan: str | None, now: datetime, resource: str | None = None) -> Answer:
    """The primary table of the query's answer; QueryError when it cannot be run."""
    if query.lstrip().startswith("."):
        raise _syntax_error("Control commands are not a query.")
    try:
        interval = read_timespan(timespan, now)
    except (ValueError, OverflowError) as error:
        raise QueryError("InvalidTimespan", str(error)) from error
    tables.flush()
    connection = tables.open_views(interval, resource, now)
    try:
        translated = duckdb_kql.to_sql(query, schema=tables.schema(), allow_write=False, query_now=now)
        result = connection.execute(str(translated), translated.parameters or None)
        columns = [{"name": entry[0], "type": kusto_type(entry[1])} for entry in result.description or []]
        rows = result.fetchall()
    except duckdb_kql.KqlSyntaxError as error:
        # The parser lists every word that could stand there instead.
        raise _syntax_error(str(error).partition(" expecting ")[0]) from error
    except duckdb_kql.KqlUnsupportedError as error:
        raise QueryError("NotEmulated", f"The local cloud cannot run this query: {error}") from error
    except (duckdb_kql.KqlError, duckdb.Error) as error:
        raise _semantic_error(str(error)) from error
    finally:
        connection.close()
    kinds = [column["type"] for column in columns]
    values = [[_json(value, kind) for value, kind in zip(row, kinds, strict=True)] for row in rows]
    return {"tables": [{"name": "PrimaryResult", "columns": columns, "rows": values}]}


def _syntax_error(message: str) -> QueryError:
    inner = {"code": "SYN0002", "message": message}
    return QueryError("SyntaxError", "A recognition error occurred in the query.", inner)


def _semantic_error(text: str) -> QueryError:
    table, column = _UNKNOWN_TABLE.search(text), _UNKNOWN_COLUMN.search(text)
    named = table or column
    if named is None:
        return QueryError("SemanticError", text)
    message = f"Failed to resolve {'table' if table else 'scalar'} expression named '{named[1]}'"
    inner = {"code": "SEM0100", "message": message}
    return QueryError("SemanticError", "A semantic error occurred.", inner)


def _json(value: object, kind: str) -> object:
    if value is None:
        return None
    if kind == "dynamic":
        return value if isinstance(value, str) else json.dumps(value, default=str)
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if isinstance(value, timedelta):
        return _timespan(value)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, date):
        return f"{value.isoformat()}T00:00:00Z"
    return str(value) if isinstance(value, time | uuid.UUID | Decimal | bytes) else value


def _timespan(value: timedelta) -> str:
    """Kusto's text of a timespan: [-][d.]hh:mm:ss[.fffffff]."""
    sign, size = ("-", -value) if value < timedelta(0) else ("", value)
    hours, rest = divmod(size.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    days = f"{size.days}." if size.days else ""
    fraction = f".{size.microseconds * 10:07d}" if size.microseconds else ""
    return f"{sign}{days}{hours:02d}:{minutes:02d}:{seconds:02d}{fraction}"
