"""Which requests the router mirrors, and what of them stands in the traffic log. Servers are played by faults."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from localcloud.cloud import Cloud, Ports
from localcloud.endpoints.documents import Documents
from localcloud.endpoints.management import Endpoints
from localcloud.endpoints.router import LOG_MIRRORED_SETTING, Router
from localcloud.faults import Fault, Faults
from localcloud.logs import Logs
from localcloud.store import Store

ENDPOINT = {
    "name": "flights",
    "keys": {"primaryKey": "first", "secondaryKey": "second"},
    "token": "issued",
    "properties": {"authMode": "Key", "traffic": {"r0001": 100}, "mirrorTraffic": {"r0002": 50}},
    "state": "Succeeded",
}
REQUESTS = 60


class Bench:
    """A router over an endpoint with a live deployment and a mirrored one, and the log that it writes."""

    def __init__(self, folder: Path) -> None:
        self.rows: list[dict[str, Any]] = []
        self.faults = Faults([Fault("SCORE flights", status=200, body="[]")])
        cloud = Cloud(folder, Ports(1, 2, 3, 4, 5, 6), Store(folder / "cloud.sqlite"), self.faults)
        self.documents = Documents(cloud)
        self.documents.save_endpoint(dict(ENDPOINT))
        for name in ("r0001", "r0002"):
            self.documents.save_deployment(
                {"endpoint": "flights", "name": name, "properties": {}, "state": "Succeeded"}
            )
        endpoints = SimpleNamespace(documents=self.documents, servers=SimpleNamespace(url=lambda *_: None))
        logs = SimpleNamespace(record_traffic=self.rows.append)
        self.router = Router(cloud, cast("Endpoints", endpoints), cast("Logs", logs))
        (self._handler,) = {
            route.handler
            for route in self.router.routes()
            if isinstance(route, web.RouteDef) and route.path == "/score/{endpoint}"
        }

    def score(self, **headers: str) -> list[web.Response]:
        """POST one request after the other, and let the copies come to their end."""
        return asyncio.run(self._score({"Authorization": "Bearer first", **headers}))

    async def _score(self, headers: dict[str, str]) -> list[web.Response]:
        answers = []
        for number in range(REQUESTS):
            request = make_mocked_request(
                "POST",
                "/score/flights",
                headers={"x-request-id": f"req-{number}", **headers},
                match_info={"endpoint": "flights"},
            )
            request._read_bytes = b"{}"
            answers.append(await cast("Any", self._handler)(request))
        while any(counts["pending"] for counts in self.router._mirror.counts().values()):
            await asyncio.sleep(0)
        return answers

    def ids(self, deployment: str) -> list[str]:
        """The request ids that stand in the log for a deployment."""
        return [row["XRequestId"] for row in self.rows if row["DeploymentName"] == deployment]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_about_the_share_of_requests_is_copied_and_the_live_deployment_answers_all(bench: Bench) -> None:
    answers = bench.score()
    assert {answer.headers["azureml-model-deployment"] for answer in answers} == {"r0001"}
    assert len(bench.ids("r0001")) == REQUESTS
    assert len(bench.ids("r0002")) == pytest.approx(REQUESTS / 2, abs=12)


def test_a_copy_carries_the_id_of_its_request(bench: Bench) -> None:
    bench.score()
    assert set(bench.ids("r0002")) < set(bench.ids("r0001"))


def test_a_copys_row_has_the_same_columns_as_any_other(bench: Bench) -> None:
    bench.score()
    assert {frozenset(row) for row in bench.rows} == {frozenset(bench.rows[0])}


def test_a_request_that_names_its_deployment_is_not_mirrored(bench: Bench) -> None:
    bench.score(**{"azureml-model-deployment": "r0001"})
    assert bench.ids("r0002") == []


def test_a_request_that_is_not_allowed_is_not_mirrored(bench: Bench) -> None:
    bench.score(Authorization="Bearer wrong")
    assert bench.ids("r0002") == []


@pytest.mark.parametrize(
    "fault", [Fault("SCORE flights r0002", status=500), Fault("SCORE flights r0002", status=408)]
)
def test_a_mirror_that_fails_is_seen_by_nobody_but_the_log(bench: Bench, fault: Fault) -> None:
    bench.faults.active.insert(0, fault)
    assert {answer.status for answer in bench.score()} == {200}
    failed = [row["DeploymentName"] for row in bench.rows if row["ResponseCode"] != 200]
    assert set(failed) == {"r0002"}


def test_copies_are_sent_without_being_logged_where_azure_would_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LOG_MIRRORED_SETTING, "off")
    bench = Bench(tmp_path)
    bench.score()
    assert bench.ids("r0002") == []
    assert bench.router._mirror.counts()["flights/r0002"]["sent"] > 0


def test_a_mirror_that_is_being_deleted_gets_no_copies(bench: Bench) -> None:
    document = bench.documents.deployment("flights", "r0002")
    bench.documents.save_deployment({**document, "state": "Deleting"})
    bench.score()
    assert bench.ids("r0002") == []
