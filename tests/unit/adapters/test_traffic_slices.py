"""The queries of `upkeep check`, run on rows: percentiles by deployment and overall, and slices of the window."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from localcloud.loganalytics.columns import TRAFFIC_TABLE
from localcloud.loganalytics.kql import run_query
from localcloud.loganalytics.tables import Tables
from shared.adapters import traffic_log
from shared.adapters.traffic_log import query_text
from shared.domain.queries import literal

START = datetime(2026, 5, 4, 12, tzinfo=UTC)
END = START + timedelta(seconds=60)


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[Tables]:
    """A hundred requests in fifty seconds, each a millisecond slower, the last of them broken; and one lost one."""
    made = Tables(tmp_path / "logs.duckdb")
    for number in range(100):
        write(made, number * 0.5, "r0001", 200 if number < 99 else 500, number + 1)
    write(made, 3, None, 404, 1)
    yield made
    made.close()


def write(tables: Tables, second: float, deployment: str | None, status: int, ms: int) -> None:
    row = {
        "TimeGenerated": START + timedelta(seconds=second),
        "EndpointName": "flights",
        "AzureMLWorkspaceName": "mlw",
        "DeploymentName": deployment,
        "ResponseCode": status,
        "TotalDurationMs": ms,
    }
    tables.append(TRAFFIC_TABLE, [row], START)


def rows(tables: Tables, last: str, start: datetime = START) -> list[dict[str, Any]]:
    query = query_text("mlw", "flights", start, END, last)
    table = run_query(tables, query, None, END + timedelta(hours=1))["tables"][0]
    names = [column["name"] for column in table["columns"]]
    return [dict(zip(names, row, strict=True)) for row in table["rows"]]


def test_percentiles_are_told_by_deployment(tables: Tables) -> None:
    found = traffic_log._by_deployment(rows(tables, traffic_log.LATENCY))
    assert list(found) == ["r0001"]
    stats = found["r0001"]
    assert (stats.requests, stats.errors) == (100, 1)
    assert stats.latency_p50_ms == pytest.approx(50, abs=1)
    assert stats.latency_p95_ms == pytest.approx(95, abs=1)
    assert stats.latency_p99_ms == pytest.approx(99, abs=1)


def test_all_deployments_together_leave_out_what_reached_none(tables: Tables) -> None:
    write(tables, 4, "r0002", 200, 1)
    [row] = rows(tables, traffic_log.OVERALL)
    assert traffic_log._stats(row).requests == 101


def test_without_requests_there_is_no_percentile(tables: Tables) -> None:
    [row] = rows(tables, traffic_log.OVERALL, END)
    stats = traffic_log._stats(row)
    assert (stats.requests, stats.errors, stats.latency_p95_ms, stats.latency_p99_ms) == (0, 0, None, None)


def test_a_percentile_that_is_not_a_number_is_none() -> None:
    row = {"requests": 0, "errors": 0, "p95_ms": "NaN"}
    assert traffic_log._stats(row).latency_p95_ms is None


def test_slices_are_counted_from_the_start_of_the_window(tables: Tables) -> None:
    last = traffic_log.SLICES.format(start=literal(START), ms=20_000)
    found = {row["slice"]: row["requests"] for row in rows(tables, last)}
    assert found == {0: 40, 1: 40, 2: 20}
