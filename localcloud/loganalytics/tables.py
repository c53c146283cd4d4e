"""The tables of the Log Analytics workspace: append-only, in one DuckDB file of the state folder.

Called by the query API, by whatever writes rows (router, ingestion) and by nothing else. Rows wait in memory
until the next flush, because a single insert costs DuckDB as much as a thousand; they become visible to
queries only after the ingestion lag, as on Azure.
"""

import json
import threading
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import duckdb_kql

from localcloud.loganalytics.columns import (
    STORED_AS,
    TIME,
    TRAFFIC_COLUMNS,
    TRAFFIC_TABLE,
    Columns,
    inferred,
    wider,
)
from localcloud.loganalytics.timespans import Interval

Row = Mapping[str, Any]

_VISIBLE = "_visible_at"
_RAW = "raw"


class Tables:
    """Thread-safe. `append` only buffers; `flush` and `open_views` touch the file."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._waiting: dict[str, list[tuple[datetime, Row]]] = {}
        self._db = duckdb_kql.connect(str(path))
        # A query comes from outside: it may not read the machine's files.
        self._db.execute("set enable_external_access = false")
        self._db.execute("set threads = 2")
        self._db.execute(f"create schema if not exists {_RAW}")
        self._columns = self._read_columns()
        self.declare(TRAFFIC_TABLE, TRAFFIC_COLUMNS)

    def columns(self, table: str) -> Columns | None:
        """The table's columns, or None when there is no such table."""
        with self._lock:
            known = self._columns.get(table)
            return None if known is None else dict(known)

    def schema(self) -> dict[str, list[str]]:
        """The columns of every table in their order, as queries see them."""
        with self._lock:
            return {table: list(columns) for table, columns in self._columns.items()}

    def declare(self, table: str, columns: Columns) -> None:
        """Make the table, or add to it the columns that it lacks."""
        with self._lock:
            if table not in self._columns:
                self._db.execute(f"create table {_RAW}.{_quoted(table)} ({_VISIBLE} TIMESTAMPTZ, {TIME} TIMESTAMPTZ)")
                self._columns[table] = {TIME: "datetime"}
            for name, kind in columns.items():
                self._fit(table, name, kind)

    def append(self, table: str, rows: Iterable[Row], visible_at: datetime) -> None:
        """Take rows, which are seen from then on. The columns of an unknown table are inferred from them."""
        with self._lock:
            self._waiting.setdefault(table, []).extend((visible_at, row) for row in rows)

    def flush(self) -> None:
        """Write the rows that wait."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
            for table, rows in waiting.items():
                if table != TRAFFIC_TABLE:
                    self.declare(table, inferred(row for _, row in rows))
                self._insert(table, rows)

    def open_views(self, interval: Interval | None, resource: str | None, now: datetime) -> duckdb.DuckDBPyConnection:
        """A connection of its own that sees each table within the interval, as far as it is visible now.

        The views are temporary, so that two queries with different intervals do not meet.
        """
        with self._lock:
            cursor = self._db.cursor()
            cursor.execute("set TimeZone = 'UTC'")
            for table, columns in self._columns.items():
                where = _conditions(columns, interval, resource, now)
                name = _quoted(table)
                cursor.execute(
                    f"create temp view {name} as select * exclude ({_VISIBLE}) from {_RAW}.{name} where {where}"  # noqa: S608 - names are quoted, values are ours
                )
        return cursor

    def clear(self) -> None:
        """Forget all rows and every table but the built-in one."""
        with self._lock:
            self._waiting = {}
            for table in list(self._columns):
                self._db.execute(f"drop table {_RAW}.{_quoted(table)}")
            self._columns = {}
            self.declare(TRAFFIC_TABLE, TRAFFIC_COLUMNS)

    def close(self) -> None:
        """Write what waits and close the file."""
        with self._lock:
            self.flush()
            self._db.close()

    def _read_columns(self) -> dict[str, Columns]:
        kinds = {stored: kind for kind, stored in STORED_AS.items()}
        kinds["TIMESTAMP WITH TIME ZONE"] = "datetime"
        rows = self._db.execute(
            "select table_name, column_name, data_type from duckdb_columns() where schema_name = ?"
            " order by table_name, column_index",
            [_RAW],
        ).fetchall()
        found: dict[str, Columns] = {}
        for table, column, stored in rows:
            if column != _VISIBLE:
                found.setdefault(table, {})[column] = kinds[stored]
        return found

    def _fit(self, table: str, name: str, kind: str) -> None:
        columns = self._columns[table]
        target = f"alter table {_RAW}.{_quoted(table)}"
        if name not in columns:
            self._db.execute(f"{target} add column {_quoted(name)} {STORED_AS[kind]}")
        elif (widened := wider(columns[name], kind)) != columns[name] and columns[name] in _WIDENED:
            kind = widened
            self._db.execute(f"{target} alter column {_quoted(name)} type {STORED_AS[kind]}")
        else:
            return
        columns[name] = kind

    def _insert(self, table: str, rows: list[tuple[datetime, Row]]) -> None:
        columns = self._columns[table]
        names = ", ".join([_VISIBLE, *(_quoted(name) for name in columns)])
        lists: list[list[Any]] = [[visible.isoformat() for visible, _ in rows]]
        for name, kind in columns.items():
            lists.append([_stored(row.get(name), kind) for _, row in rows])
        # DuckDB casts the text itself: a list of nulls alone has no type of its own. What cannot be cast
        # becomes null, so that one odd value does not cost a whole batch.
        kinds = ["TIMESTAMPTZ", *(STORED_AS[kind] for kind in columns.values())]
        values = ", ".join(f"try_cast(unnest(?::VARCHAR[]) as {kind})" for kind in kinds)
        self._db.execute(f"insert into {_RAW}.{_quoted(table)} ({names}) select {values}", lists)


_WIDENED = frozenset({"int", "long", "real", "bool"})  # the types that inference can have guessed too narrowly


def _stored(value: object, kind: str) -> str | None:
    if value is None or isinstance(value, str):
        if kind == "dynamic" and value is not None:
            return json.dumps(value)
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    return json.dumps(value)


def _conditions(columns: Columns, interval: Interval | None, resource: str | None, now: datetime) -> str:
    parts = [f"{_VISIBLE} <= {_literal(now)}"]
    if interval is not None:
        parts.append(f"{TIME} between {_literal(interval[0])} and {_literal(interval[1])}")
    if resource is not None and "_ResourceId" in columns:
        prefix = resource.lower().rstrip("/").replace("'", "''")
        parts.append(f"(_ResourceId = '{prefix}' or starts_with(_ResourceId, '{prefix}/'))")
    return " and ".join(parts)


def _literal(moment: datetime) -> str:
    return f"timestamptz '{moment.astimezone(UTC).isoformat()}'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def visible_after(lag_s: float, now: datetime | None = None) -> datetime:
    """When a row that comes in now will be seen."""
    return (now or datetime.now(UTC)) + timedelta(seconds=lag_s)
