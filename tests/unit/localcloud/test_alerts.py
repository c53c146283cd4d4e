"""Alerts: fired once, resolved once, told to the action group, and not forgotten by a restart."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from localcloud.alerting.action_group import Delivery
from localcloud.alerting.rules import Rule, read_rule
from localcloud.alerts import RULES, Alerts
from localcloud.cloud import Cloud, Ports
from localcloud.faults import Faults
from localcloud.logs import QueryError
from localcloud.store import Store

PORTS = Ports(gateway=1, blob=2, queue=3, table=4, functions=5, egress=6)
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
URL = "http://127.0.0.1:7071/api/alerts?code=K"


class Bench:
    """Alerts over a workspace that answers with as many rows as the test says."""

    def __init__(self, folder: Path) -> None:
        self.cloud = Cloud(folder, PORTS, Store(folder / "cloud.sqlite"), Faults())
        self.rows: int | None = 0
        self.sent: list[dict[str, Any]] = []
        self.reachable = asyncio.Event()
        self.reachable.set()
        (folder / "action-group.json").write_text(f'{{"url": "{URL}"}}')

    async def query(self, query: str, timespan: str | None = None) -> dict[str, Any]:
        if self.rows is None:
            raise QueryError("SemanticError", "no such table")
        return {"tables": [{"columns": [], "rows": [[]] * self.rows}]}

    async def receive(self, url: str, body: dict[str, Any], ca_file: Path) -> Delivery:
        await self.reachable.wait()
        self.sent.append(body["data"])
        return Delivery(url, 202, 1)

    def alerts(self) -> Alerts:
        return Alerts(self.cloud, self, self.receive)

    async def pass_of(self, alerts: Alerts, rule: Rule, rows: int | None) -> None:
        self.rows = rows
        await alerts.evaluate(rule, NOW)
        await settled()

    @property
    def conditions(self) -> list[str]:
        return [data["essentials"]["monitorCondition"] for data in self.sent]


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def rule(**changes: Any) -> Rule:
    return read_rule("flight-duration-mae", {"query": "Perf_CL", "threshold": 1, "severity": 2, **changes})


def evaluated(bench: Bench, rows: list[int | None], the_rule: Rule) -> None:
    async def run() -> None:
        alerts = bench.alerts()
        for count in rows:
            await bench.pass_of(alerts, the_rule, count)

    asyncio.run(run())


def test_a_rule_fires_once_until_it_resolves_and_then_again(bench: Bench) -> None:
    evaluated(bench, [0, 2, 3, 2, 1, 0, 5], rule())
    assert bench.conditions == ["Fired", "Resolved", "Fired"]


def test_the_resolution_belongs_to_the_alert_that_fired(bench: Bench) -> None:
    evaluated(bench, [2, 0], rule())
    fired, resolved = (data["essentials"] for data in bench.sent)
    assert fired["alertId"] == resolved["alertId"]
    assert "resolvedDateTime" in resolved
    assert "resolvedDateTime" not in fired


def test_a_rule_without_automatic_mitigation_fires_at_each_evaluation(bench: Bench) -> None:
    evaluated(bench, [2, 2, 0], rule(auto_mitigate=False))
    assert bench.conditions == ["Fired", "Fired"]


def test_a_failing_query_neither_fires_nor_resolves(bench: Bench) -> None:
    evaluated(bench, [None, 2, None], rule())
    assert bench.conditions == ["Fired"]


def test_what_has_fired_stays_fired_over_a_restart(bench: Bench) -> None:
    evaluated(bench, [2], rule())
    evaluated(bench, [2, 0], rule())
    assert bench.conditions == ["Fired", "Resolved"]


def test_an_alert_whose_delivery_was_cut_off_is_told_after_the_restart(bench: Bench) -> None:
    the_rule = rule()
    bench.cloud.store.put(RULES, the_rule.name, {**the_rule.saved(), "enabled": False})

    async def cut_off_and_restarted() -> None:
        bench.reachable.clear()
        first = bench.alerts()
        await bench.pass_of(first, the_rule, 2)
        await first.stop()
        assert bench.sent == []
        bench.reachable.set()
        second = bench.alerts()
        await second.start()
        await settled()
        await second.stop()
        third = bench.alerts()
        await third.start()
        await settled()
        await third.stop()

    asyncio.run(cut_off_and_restarted())
    assert bench.conditions == ["Fired"]


def test_the_payload_is_the_common_alert_schema_with_a_log_alerts_context(bench: Bench) -> None:
    evaluated(bench, [2], rule(window_s=300, custom_properties={"model": "flight-duration"}))
    (data,) = bench.sent
    essentials, condition = data["essentials"], data["alertContext"]["condition"]
    assert essentials["alertRule"] == "flight-duration-mae"
    assert essentials["severity"] == "Sev2"
    assert essentials["monitoringService"] == "Log Alerts V2"
    assert (
        condition["allOf"][0] | {"operator": "GreaterThan", "threshold": "1", "metricValue": 2.0}
        == (condition["allOf"][0])
    )
    window = (condition["windowStartTime"], condition["windowEndTime"])
    assert [datetime.fromisoformat(text) for text in window] == [NOW - timedelta(minutes=5), NOW]
    assert data["customProperties"] == {"model": "flight-duration"}


def test_a_rules_own_url_beats_the_default_action_group(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    urls: list[str] = []

    async def receive(url: str, body: dict[str, Any], ca_file: Path) -> Delivery:
        urls.append(url)
        return Delivery(url, 202, 1)

    monkeypatch.setattr(bench, "receive", receive)
    evaluated(bench, [2], rule())
    evaluated(bench, [2], read_rule("other", {**rule().saved(), "name": "other", "action_url": "http://x/"}))
    assert urls == [URL, "http://x/"]


def test_the_function_key_is_not_shown() -> None:
    assert "K" not in str(Delivery(URL, 202, 1).shown()["url"])
