"""Log Analytics and Azure Monitor's alerts, as the unmodified SDK and a webhook see them."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.integration.endpoints_fixture import Cloud, Score, eventually, refused

pytest_plugins = ["tests.integration.endpoints_fixture"]
pytestmark = [pytest.mark.localcloud, pytest.mark.timeout(300)]


def test_every_request_is_logged_with_what_became_of_it(
    query: Callable[..., list[list[Any]]], endpoint: str, score: Score
) -> None:
    request_id = score("r0002", fail=True).headers["x-request-id"]
    rows = eventually(
        lambda: query(
            f"AmlOnlineEndpointTrafficLog | where XRequestId == '{request_id}'"
            " | project EndpointName, DeploymentName, Method, Path, ResponseCode, ModelStatusCode",
            timedelta(minutes=5),
        )
    )
    assert rows == [[endpoint, "r0002", "POST", "/score", 424, 500]]


def test_a_query_of_the_endpoints_resource_sees_its_requests_only(
    client: Any, local_cloud: Cloud, endpoint: str, score: Score
) -> None:
    from azure.identity import ManagedIdentityCredential
    from azure.monitor.query import LogsQueryClient

    score()
    logs = LogsQueryClient(ManagedIdentityCredential(), endpoint=f"{local_cloud['UPKEEP_LOGS_ENDPOINT']}/v1")
    resource = client.online_endpoints.get(endpoint).id
    query = "AmlOnlineEndpointTrafficLog | distinct EndpointName"
    rows = eventually(lambda: logs.query_resource(resource, query, timespan=None).tables[0].rows)
    assert [list(row) for row in rows] == [[endpoint]]


def test_a_batch_answers_each_query_for_itself(local_cloud: Cloud) -> None:
    from azure.identity import ManagedIdentityCredential
    from azure.monitor.query import LogsBatchQuery, LogsQueryClient

    logs = LogsQueryClient(ManagedIdentityCredential(), endpoint=local_cloud["UPKEEP_LOGS_ENDPOINT"])
    workspace = local_cloud["UPKEEP_LOG_WORKSPACE_ID"]
    queries = [LogsBatchQuery(workspace, text, timespan=None) for text in ("print x = 1", "NoSuchTable")]
    good, bad = logs.query_batch(queries)
    assert list(good.tables[0].rows[0]) == [1]
    assert "NoSuchTable" in bad.message


def test_a_wrong_query_is_refused_with_400(query: Callable[..., list[list[Any]]]) -> None:
    assert refused(lambda: query("NoSuchTable | take 1")) == 400


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A webhook on loopback, and what it was sent."""
    received: list[dict[str, Any]] = []

    class Webhook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["data"])
            self.send_response(202)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Webhook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/api/alerts?code=K", received
    server.shutdown()
    server.server_close()


def test_a_measurement_that_was_ingested_fires_a_rule_and_resolves_it(
    gateway: str, receiver: tuple[str, list[dict[str, Any]]]
) -> None:
    url, received = receiver
    table, rule = f"Perf{uuid4().hex[:8]}_CL", f"rule-{uuid4().hex[:8]}"
    body = {
        "query": table,
        "metric_measure_column": "Mae",
        "time_aggregation": "Maximum",
        "threshold": 15,
        "evaluation_period_s": 0.3,
        "window_s": 5,
        "action_url": url,
    }
    stream = f"{gateway}/dataCollectionRules/dcr-0/streams/Custom-{table}?api-version=2023-01-01"
    rows = [{"Model": "flight-duration", "Mae": 20.5}]
    requests.put(f"{gateway}/admin/alerts/rules/{rule}", json=body, timeout=10).raise_for_status()
    try:
        sent = requests.post(stream, json=rows, headers={"Authorization": "Bearer x"}, timeout=10)
        assert sent.status_code == 204
        eventually(lambda: len(received) == 2)
    finally:
        requests.delete(f"{gateway}/admin/alerts/rules/{rule}", timeout=10)
    assert [data["essentials"]["monitorCondition"] for data in received] == ["Fired", "Resolved"]
    assert received[0]["alertContext"]["condition"]["allOf"][0]["metricValue"] == 20.5


def test_an_alert_can_be_fired_by_hand(gateway: str, receiver: tuple[str, list[dict[str, Any]]]) -> None:
    url, received = receiver
    body = {"rule": "flight-duration-mae", "severity": "Sev1", "customProperties": {"a": "b"}, "url": url}
    answer = requests.post(f"{gateway}/admin/alerts/fire", json=body, timeout=10)
    assert answer.json()["delivery"]["status"] == 202
    assert received[0]["essentials"]["alertRule"] == "flight-duration-mae"
    assert received[0]["essentials"]["severity"] == "Sev1"
