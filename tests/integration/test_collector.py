"""The model data collector, from the unmodified azureml-ai-monitoring in a scoring server to lines in blobs."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

pytestmark = [pytest.mark.localcloud, pytest.mark.timeout(300)]
ROOT = Path(__file__).resolve().parents[2]
CONDA = ROOT / "models" / "flight-duration" / "score" / "environment.yml"  # built for the demo anyway
DEADLINE_S = 30
SCORE = """
import json, os
import pandas as pd

def init():
    global inputs, outputs
    inputs = outputs = None
    if os.environ.get("AZUREML_MDC_ENABLED"):
        from azureml.ai.monitoring import Collector
        inputs = Collector(name="model_inputs", on_error=print)
        outputs = Collector(name="model_outputs", on_error=print)

def run(raw):
    x = json.loads(raw)["x"]
    if inputs:
        inputs.collect(pd.DataFrame({"x": [x]}))
        outputs.collect(pd.DataFrame({"y": [x + 1]}))
    return {"y": x + 1, "collects": inputs is not None, "pid": os.getpid()}
"""
Read = Callable[[str, str], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def read(local_cloud: Mapping[str, str]) -> Read:
    """The lines that a deployment's collection has by now, of all instances and hours."""
    from azure.identity import ManagedIdentityCredential
    from azure.storage.blob import BlobServiceClient

    service = BlobServiceClient(local_cloud["UPKEEP_STORAGE__blobServiceUri"], credential=ManagedIdentityCredential())
    container = service.get_container_client("azureml-blobstore")

    def lines(deployment: str, collection: str) -> list[dict[str, Any]]:
        prefix = f"modelDataCollector/{deployment}/{collection}/"
        texts = [
            container.download_blob(name).readall() for name in container.list_blob_names(name_starts_with=prefix)
        ]
        return [json.loads(line) for text in texts for line in text.splitlines()]

    return lines


@pytest.fixture(scope="module")
def endpoint(client: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An endpoint with a deployment that collects its inputs alone, and one that collects nothing."""
    from azure.ai.ml.entities import (
        CodeConfiguration,
        DataCollector,
        DeploymentCollection,
        Environment,
        ManagedOnlineDeployment,
        ManagedOnlineEndpoint,
    )

    name = f"c{uuid4().hex[:12]}"
    code = tmp_path_factory.mktemp("score")
    (code / "score.py").write_text(SCORE)
    environment = client.environments.create_or_update(
        Environment(name=name, version="1", image="ignored", conda_file=str(CONDA))
    )
    client.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name=name, auth_mode="key")).result()
    on, off = DeploymentCollection(enabled="true"), DeploymentCollection(enabled="false")
    collectors = {
        "collects": DataCollector(collections={"model_inputs": on, "model_outputs": off}, rolling_rate="day"),
        "silent": None,
    }
    for deployment, collector in collectors.items():
        client.online_deployments.begin_create_or_update(
            ManagedOnlineDeployment(
                name=deployment,
                endpoint_name=name,
                environment=environment.id,
                code_configuration=CodeConfiguration(code=str(code), scoring_script="score.py"),
                instance_type="Standard_DS3_v2",
                instance_count=1,
                data_collector=collector,
            )
        ).result()
    yield name
    client.online_endpoints.begin_delete(name).result()


@pytest.fixture
def score(client: Any, endpoint: str) -> Callable[[str, int], dict[str, Any]]:
    uri = client.online_endpoints.get(endpoint).scoring_uri
    key = client.online_endpoints.get_keys(endpoint).primary_key

    def post(deployment: str, x: int) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {key}", "azureml-model-deployment": deployment}
        answer = requests.post(uri, json={"x": x}, headers=headers, timeout=10)
        answer.raise_for_status()
        return dict(answer.json())

    return post


def eventually(what: Callable[[], Any]) -> Any:
    deadline_s = time.monotonic() + DEADLINE_S
    while not (answer := what()):
        assert time.monotonic() < deadline_s, "it did not become true in time"
        time.sleep(0.1)
    return answer


def values(lines: list[dict[str, Any]]) -> list[int]:
    return [row["x"] for line in lines for row in line["data"]]


def test_what_was_asked_becomes_lines_of_the_deployment(
    endpoint: str, score: Callable[[str, int], dict[str, Any]], read: Read
) -> None:
    for x in range(100, 110):
        assert score("collects", x)["collects"]
    lines = eventually(lambda: set(values(read(f"{endpoint}/collects", "model_inputs"))) >= set(range(100, 110)))
    assert lines
    line = read(f"{endpoint}/collects", "model_inputs")[0]
    assert line["source"].endswith(f"/onlineEndpoints/{endpoint}/deployments/collects")
    assert line["type"] == "azureml.inference.model_inputs"
    assert line["agent"].startswith("azureml-ai-monitoring/")


def test_what_was_collected_is_read_back_as_predictions(
    endpoint: str, score: Callable[[str, int], dict[str, Any]], local_cloud: Mapping[str, str]
) -> None:
    from shared.adapters.azureml import AzureMl
    from shared.adapters.credentials import credential
    from shared.domain.spec_evidence import Predictions
    from shared.reconcile.ports import Window
    from shared.settings import Settings

    found = Settings.of(local_cloud)
    platform = AzureMl(
        found.subscription_id, found.resource_group, found.workspace, credential(), found.collected_data
    )
    wanted = Predictions(column="x", collection="model_inputs")
    began = datetime.now(UTC) - timedelta(seconds=2)
    for x in range(400, 420):
        score("collects", x)

    def collected() -> set[Any]:
        window = Window(began, datetime.now(UTC))
        return set(platform.predictions(endpoint, "collects", wanted, window).values)

    eventually(lambda: collected() >= set(range(400, 420)))


def test_a_collection_that_is_off_leaves_nothing(
    endpoint: str, score: Callable[[str, int], dict[str, Any]], read: Read
) -> None:
    score("collects", 200)
    eventually(lambda: 200 in values(read(f"{endpoint}/collects", "model_inputs")))
    assert read(f"{endpoint}/collects", "model_outputs") == []


def test_a_deployment_without_collector_is_not_told_of_one(score: Callable[[str, int], dict[str, Any]]) -> None:
    assert not score("silent", 1)["collects"]


def test_the_sdk_reads_back_what_it_sent(client: Any, endpoint: str) -> None:
    collector = client.online_deployments.get("collects", endpoint).data_collector
    assert {name: each.enabled for name, each in collector.collections.items()} == {
        "model_inputs": "true",
        "model_outputs": "false",
    }
    assert client.online_deployments.get("silent", endpoint).data_collector is None


def test_collecting_goes_on_after_a_crash_of_the_gateway(
    endpoint: str, score: Callable[[str, int], dict[str, Any]], read: Read, local_cloud: Mapping[str, str]
) -> None:
    before = score("collects", 300)["pid"]
    folder = local_cloud["LOCALCLOUD_FOLDER"]
    command = [sys.executable, "-m", "localcloud", "restart-gateway", "--kill", "--folder", folder]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)

    def answers() -> bool:
        try:
            return bool(score("collects", 301)["pid"] == before)
        except requests.HTTPError:
            return False

    eventually(answers)
    eventually(lambda: 301 in values(read(f"{endpoint}/collects", "model_inputs")))
