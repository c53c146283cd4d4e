"""The query of a rollout, run on rows: counts by deployment and slice, throttling, durations by level."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from localcloud.loganalytics.columns import TRAFFIC_TABLE
from localcloud.loganalytics.kql import run_query
from localcloud.loganalytics.tables import Tables
from shared.adapters.traffic_log import by_slices, grid_text
from shared.domain.observation import Grid, Slice, Stats

START = datetime(2026, 5, 4, 12, tzinfo=UTC)
END = START + timedelta(seconds=60)
GRID = Grid(slice_s=10, slow_ms=100, level_ratio=2.0)


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[Tables]:
    made = Tables(tmp_path / "logs.duckdb")
    yield made
    made.close()


def write(tables: Tables, second: float, deployment: str | None, ms: int | None = 50, **columns: int) -> None:
    row = {
        "TimeGenerated": START + timedelta(seconds=second),
        "EndpointName": "flights",
        "AzureMLWorkspaceName": "mlw",
        "DeploymentName": deployment,
        "TotalDurationMs": ms,
        "ResponseCode": 200,
        **columns,
    }
    tables.append(TRAFFIC_TABLE, [row], START)


def seen(tables: Tables, grid: Grid = GRID) -> dict[str, Stats]:
    query = grid_text("mlw", "flights", START, END, grid)
    table = run_query(tables, query, None, END + timedelta(hours=1))["tables"][0]
    names = [column["name"] for column in table["columns"]]
    return by_slices(dict(zip(names, row, strict=True)) for row in table["rows"])


def test_requests_are_counted_by_deployment_and_slice(tables: Tables) -> None:
    for second in (0, 9.99, 10, 59):
        write(tables, second, "r0001")
    write(tables, 5, "r0002")
    found = seen(tables)
    assert [each.requests for each in found["r0001"].slices] == [2, 1, 1]
    assert (found["r0001"].requests, found["r0002"].requests) == (4, 1)


def test_a_failure_of_the_model_is_an_error_and_a_bad_request_is_none(tables: Tables) -> None:
    for code, model in ((500, 0), (408, 0), (424, 500), (424, 400), (400, 0)):
        write(tables, 1, "r0001", ResponseCode=code, ModelStatusCode=model)
    assert seen(tables)["r0001"].errors == 3


def test_too_many_requests_are_counted_by_themselves(tables: Tables) -> None:
    write(tables, 1, "r0001", ResponseCode=429)
    write(tables, 1, "r0001", ResponseCode=424, ModelStatusCode=429)
    found = seen(tables)["r0001"]
    assert (found.errors, found.throttled, found.slices[0].throttled) == (0, 2, 2)


def test_requests_slowed_down_for_their_size_are_counted(tables: Tables) -> None:
    write(tables, 1, "r0001", RequestThrottlingDelayMs=3)
    write(tables, 1, "r0001", ResponseThrottlingDelayMs=3)
    write(tables, 1, "r0001")
    assert seen(tables)["r0001"].delayed == 2


def test_durations_are_counted_by_level_and_over_the_limit(tables: Tables) -> None:
    for ms in (0, 1, 3, 100, 101, 200):
        write(tables, 1, "r0001", ms)
    assert seen(tables)["r0001"].slices == (Slice(requests=6, slow=2, levels=((0, 2), (1, 1), (6, 2), (7, 1))),)


def test_without_a_limit_nothing_is_slow(tables: Tables) -> None:
    write(tables, 1, "r0001", 179_000)
    assert seen(tables, Grid(slice_s=10, slow_ms=None, level_ratio=2.0))["r0001"].slices[0].slow == 0


def test_a_request_without_a_duration_is_of_no_level(tables: Tables) -> None:
    write(tables, 1, "r0001", None)
    assert seen(tables)["r0001"].slices == (Slice(requests=1),)
    assert seen(tables)["r0001"].latency_p95_ms is None


def test_the_95th_percentile_is_that_of_the_whole_window(tables: Tables) -> None:
    for number in range(100):
        write(tables, number * 0.5, "r0001", number + 1)
    assert seen(tables)["r0001"].latency_p95_ms == pytest.approx(95, abs=1)


def test_requests_that_reached_no_deployment_are_left_out(tables: Tables) -> None:
    write(tables, 1, None)
    assert seen(tables) == {}
