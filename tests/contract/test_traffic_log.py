"""The traffic log: the fake, and the adapter over the local cloud's Log Analytics, count the same way."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from localcloud.loganalytics.columns import TRAFFIC_TABLE
from localcloud.loganalytics.kql import run_query
from localcloud.loganalytics.tables import Tables
from shared.adapters.traffic_log import EndpointTrafficLog
from shared.domain.observation import Grid, Stats
from shared.reconcile.ports import TrafficLog
from tests.fakes.archive import FakeArchive
from tests.fakes.clock import FakeClock
from tests.fakes.examples import ENDPOINT
from tests.fakes.platform import Deployment, FakePlatform, Fate

START = FakeClock().now()
SECONDS, REQUESTS = 600, 300
GRID = Grid(slice_s=60, slow_ms=500, level_ratio=2.0)
FATE = Fate(requests_per_s=REQUESTS / SECONDS, error_share=0.1, throttled_share=0.05, latency_ms=600.0)


class Client:
    """Answers as LogsQueryClient does, from tables on disk."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def query_workspace(self, workspace: str, query: str, **_: Any) -> SimpleNamespace:
        [table] = run_query(self._tables, query, None, START + timedelta(days=1))["tables"]
        names = [column["name"] for column in table["columns"]]
        return SimpleNamespace(tables=[SimpleNamespace(columns=names, rows=table["rows"])])


def fake_log() -> TrafficLog:
    """One deployment with all of the traffic, from the start on."""
    platform = FakePlatform(FakeClock(), FakeArchive())
    endpoint = platform.endpoints[ENDPOINT]
    endpoint.traffic, endpoint.deployments = {"r0001": 100}, {"r0001": Deployment(version=1, ready=START, fate=FATE)}
    return platform


def azure_log(folder: Path) -> Iterator[TrafficLog]:
    """The same requests as rows."""
    tables = Tables(folder / "logs.duckdb")
    for number in range(REQUESTS):
        code = 500 if number % 10 == 9 else 429 if number % 20 == 4 else 200
        row = {
            "TimeGenerated": START + timedelta(seconds=number * SECONDS / REQUESTS),
            "EndpointName": ENDPOINT,
            "AzureMLWorkspaceName": "mlw",
            "DeploymentName": "r0001",
            "ResponseCode": code,
            "TotalDurationMs": 600,
        }
        tables.append(TRAFFIC_TABLE, [row], START)
    log = EndpointTrafficLog("workspace", "mlw", "https://logs", None)  # type: ignore[arg-type]  # it asks nobody
    log.__dict__["_client"] = Client(tables)
    yield log
    tables.close()


@pytest.fixture(params=["fake", "azure"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TrafficLog]:
    if request.param == "fake":
        yield fake_log()
    else:
        yield from azure_log(tmp_path)


def seen(log: TrafficLog, seconds: float = SECONDS) -> dict[str, Stats]:
    return log.stats(ENDPOINT, START, START + timedelta(seconds=seconds), GRID)


def test_a_window_is_counted_by_deployment(log: TrafficLog) -> None:
    stats = seen(log)["r0001"]
    assert (stats.requests, stats.errors, stats.throttled, stats.latency_p95_ms) == (300, 30, 15, 600.0)


def test_slices_add_up_to_the_window(log: TrafficLog) -> None:
    stats = seen(log)["r0001"]
    assert [each.requests for each in stats.slices] == [30] * 10
    assert sum(each.errors for each in stats.slices) == stats.errors
    assert sum(each.throttled for each in stats.slices) == stats.throttled


def test_every_answer_has_its_level_and_those_over_the_limit_are_slow(log: TrafficLog) -> None:
    assert {(each.slow, each.levels) for each in seen(log)["r0001"].slices} == {(30, ((9, 30),))}


def test_a_window_without_requests_is_empty(log: TrafficLog) -> None:
    assert seen(log, seconds=0) == {}
