"""The spec's own queries and the collected data, by the unmodified SDKs against the local cloud."""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import requests

from shared.domain.queries import Value
from shared.domain.spec_evidence import Predictions
from shared.errors import RetryLater
from shared.reconcile.ports import Window
from shared.settings import Settings

pytestmark = [pytest.mark.localcloud, pytest.mark.timeout(120)]
Cloud = Mapping[str, str]
KQL = "| where DeploymentName == {deployment} and TimeGenerated between ({start} .. {end})"


@pytest.fixture
def log(local_cloud: Cloud) -> Any:
    from shared.adapters.credentials import credential
    from shared.adapters.traffic_log import EndpointTrafficLog

    found = Settings.of(local_cloud)
    return EndpointTrafficLog(found.log_workspace_id, found.workspace, found.logs_endpoint, credential())


@pytest.fixture
def table(local_cloud: Cloud) -> str:
    """A table of a test's own: the candidate's error is 8, the live one's 10."""
    name = f"Perf{uuid4().hex[:8]}_CL"
    rows = [
        {"TimeGenerated": datetime.now(UTC).isoformat(), "DeploymentName": deployment, "E": error}
        for deployment, error in (("r0002", 7.0), ("r0002", 9.0), ("r0001", 10.0))
    ]
    url = f"{local_cloud['UPKEEP_LOGS_ENDPOINT']}/dataCollectionRules/r/streams/Custom-{name}"
    requests.post(url, json=rows, headers={"Authorization": "Bearer x"}, timeout=10).raise_for_status()
    return name


def window() -> Window:
    return Window(datetime.now(UTC) - timedelta(minutes=5), datetime.now(UTC) + timedelta(minutes=1))


def eventually(what: Callable[[], Any], wanted: Any) -> None:
    deadline_s = time.monotonic() + 30
    while (found := what()) != wanted:
        assert time.monotonic() < deadline_s, f"still {found}"
        time.sleep(0.2)


def test_queries_are_run_for_the_deployment_that_they_are_about(log: Any, table: str) -> None:
    queries = {
        "mean": f"{table} {KQL} | summarize value = avg(E)",
        "count": f"{table} {KQL} | summarize value = count()",
    }
    eventually(
        lambda: log.values(queries, "flights", "r0002", window()),
        {"mean": Value(value=8.0), "count": Value(value=2.0)},
    )
    assert log.values(queries, "flights", "r0001", window())["mean"] == Value(value=10.0)


def test_no_row_is_no_number_and_a_query_that_cannot_be_run_is_told_beside_one_that_can(log: Any, table: str) -> None:
    queries = {
        "none": f"{table} {KQL} | project value = E",
        "mean": f"{table} {KQL} | summarize value = avg(E)",
        "wrong": f"{table} | where Nope > 1 | project value = E",
        "right": "print value = 1.5",
    }
    eventually(lambda: log.values({"n": f"{table} | summarize value = count()"}, "f", "d", window())["n"].value, 3.0)
    found = log.values(queries, "flights", "r0009", window())
    assert (found["none"], found["mean"], found["right"]) == (Value(), Value(), Value(value=1.5))
    assert "Nope" in found["wrong"].problem


def test_what_is_told_of_a_query_is_the_same_at_every_look(log: Any) -> None:
    looks = {log.values({"q": "Nope | project value = 1"}, "f", "d", window())["q"].problem for _ in range(3)}
    assert len(looks) == 1


@pytest.fixture
def failing(local_cloud: Cloud) -> Iterator[None]:
    url = f"{local_cloud['UPKEEP_LOGS_ENDPOINT']}/admin/faults"
    requests.post(url, json={"match": "POST /v1/$batch", "status": 503}, timeout=10).raise_for_status()
    yield
    requests.delete(url, timeout=10).raise_for_status()


@pytest.mark.usefixtures("failing")
def test_a_service_that_fails_says_nothing_about_the_queries(log: Any) -> None:
    with pytest.raises(RetryLater):
        log.values({"q": "print value = 1"}, "f", "d", window())


def test_the_workspace_says_where_its_deployments_collect(local_cloud: Cloud) -> None:
    from shared.adapters.azureml_workspace import Workspace
    from shared.adapters.collected_data import CollectedData
    from shared.adapters.credentials import credential

    found = Settings.of(local_cloud)
    workspace = Workspace(found.subscription_id, found.resource_group, found.workspace, credential())
    assert CollectedData(workspace, credential())._asked().startswith("https://devstoreaccount1.blob.")
    assert CollectedData(workspace, credential())._asked().endswith("/azureml-blobstore")


def test_a_deployment_that_never_collected_has_no_predictions(local_cloud: Cloud) -> None:
    from shared.adapters.azureml import AzureMl
    from shared.adapters.credentials import credential

    found = Settings.of(local_cloud)
    platform = AzureMl(
        found.subscription_id, found.resource_group, found.workspace, credential(), found.collected_data
    )
    assert platform.predictions("flights", f"r{uuid4().int % 10**6}", Predictions(), window()).values == ()
