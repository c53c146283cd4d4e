"""The workspace as a service: its lag, its restarts, its emptying."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from localcloud.cloud import Cloud, Ports
from localcloud.faults import Faults
from localcloud.logs import Logs
from localcloud.store import Store

PORTS = Ports(gateway=1, blob=2, queue=3, table=4, functions=5, egress=6)
Step = Callable[[Logs], Awaitable[None]]


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    monkeypatch.setenv("UPKEEP_LOCAL_LOG_LAG_S", "0")
    return Cloud(tmp_path, PORTS, Store(tmp_path / "cloud.sqlite"), Faults())


def during_a_run(cloud: Cloud, step: Step) -> None:
    async def run() -> None:
        logs = Logs(cloud)
        await logs.start()
        try:
            await step(logs)
        finally:
            await logs.stop()

    asyncio.run(run())


async def one_request(logs: Logs) -> None:
    logs.record_traffic({"TimeGenerated": datetime.now(UTC), "ResponseCode": 200})


def requests_seen(cloud: Cloud) -> int:
    seen: list[int] = []

    async def count(logs: Logs) -> None:
        answer = await logs.query("AmlOnlineEndpointTrafficLog | count", "PT1H")
        seen.append(answer["tables"][0]["rows"][0][0])

    during_a_run(cloud, count)
    return seen[0]


def test_what_was_logged_just_before_a_stop_is_there_after_it(cloud: Cloud) -> None:
    during_a_run(cloud, one_request)
    assert requests_seen(cloud) == 1


def test_an_emptied_store_empties_the_logs_with_it(cloud: Cloud) -> None:
    during_a_run(cloud, one_request)
    cloud.store.clear()
    assert requests_seen(cloud) == 0


def test_the_lag_of_the_first_start_is_kept(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    during_a_run(cloud, one_request)
    monkeypatch.setenv("UPKEEP_LOCAL_LOG_LAG_S", "60")
    lags: list[float] = []

    async def look(logs: Logs) -> None:
        lags.append(logs.lag_s)

    during_a_run(cloud, look)
    assert lags == [0.0]


def test_rows_of_any_table_get_the_time_that_they_lack(cloud: Cloud) -> None:
    times: list[str] = []

    async def write_and_read(logs: Logs) -> None:
        logs.append("Perf_CL", [{"Mae": 1.0}])
        answer = await logs.query("Perf_CL | project TimeGenerated", "PT1M")
        times.extend(row[0] for row in answer["tables"][0]["rows"])

    during_a_run(cloud, write_and_read)
    assert len(times) == 1
