"""What the tests of online endpoints share: an endpoint with two deployments, its traffic, injected faults."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
import requests

DEADLINE_S = 60
Cloud = Mapping[str, str]
Score = Callable[..., requests.Response]

SCORE = """
import json, os, time

def init():
    global bias
    with open(os.path.join(os.environ["AZUREML_MODEL_DIR"], "model", "bias.txt")) as file:
        bias = int(file.read())
    if os.environ.get("BROKEN"):
        raise RuntimeError("told to break")

def run(raw):
    request = json.loads(raw)
    if request.get("die"):
        os.kill(os.getppid(), 9)
        os._exit(1)
    if request.get("fail"):
        raise ValueError("told to fail")
    time.sleep(request.get("sleep_s", 0))
    return {"y": request["x"] + bias, "who": os.environ["WHO"], "pid": os.getppid()}
"""
CONDA = {
    "name": "scoring",
    "dependencies": ["python=3.11", "pip", {"pip": ["azureml-inference-server-http==1.5.1", "setuptools<81"]}],
}


@pytest.fixture(scope="session")
def assets(client: Any, local_cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """Ids of a model that adds 7, a scoring environment and a scoring script."""
    from azure.ai.ml.entities import Environment, Model
    from azure.identity import ManagedIdentityCredential
    from azure.storage.blob import BlobServiceClient

    unique = uuid4().hex[:12]
    service = BlobServiceClient(local_cloud["UPKEEP_STORAGE__blobServiceUri"], credential=ManagedIdentityCredential())
    service.get_container_client("runs").upload_blob(f"{unique}/j/model/bias.txt", b"7")
    path = f"azureml://datastores/upkeep_runs/paths/{unique}/j/model"
    model = client.models.create_or_update(Model(name=unique, version="1", type="custom_model", path=path))
    environment = client.environments.create_or_update(
        Environment(name=f"e{unique}", version="1", image="ignored", conda_file=CONDA)
    )
    code = tmp_path_factory.mktemp("score")
    (code / "score.py").write_text(SCORE)
    return {"model": model.id, "environment": environment.id, "code": str(code)}


def deployment(assets: Mapping[str, str], endpoint: str, name: str, **variables: str) -> Any:
    from azure.ai.ml.entities import CodeConfiguration, ManagedOnlineDeployment, OnlineRequestSettings

    return ManagedOnlineDeployment(
        name=name,
        endpoint_name=endpoint,
        model=assets["model"],
        environment=assets["environment"],
        code_configuration=CodeConfiguration(code=assets["code"], scoring_script="score.py"),
        instance_type="Standard_DS3_v2",
        instance_count=1,
        request_settings=OnlineRequestSettings(request_timeout_ms=2000),
        environment_variables={"WHO": name, **variables},
    )


@pytest.fixture(scope="session")
def endpoint(client: Any, assets: Mapping[str, str]) -> Iterator[str]:
    """An endpoint with two deployments, all live traffic on the first."""
    from azure.ai.ml.entities import ManagedOnlineEndpoint

    name = f"t{uuid4().hex[:12]}"
    client.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name=name, auth_mode="key")).result()
    for release in ("r0001", "r0002"):
        client.online_deployments.begin_create_or_update(deployment(assets, name, release)).result()
    set_traffic(client, name, {"r0001": 100})
    yield name
    client.online_endpoints.begin_delete(name).result()


@pytest.fixture(scope="session")
def empty_endpoint(client: Any) -> Iterator[str]:
    """An endpoint without deployments."""
    from azure.ai.ml.entities import ManagedOnlineEndpoint

    name = f"t{uuid4().hex[:12]}"
    client.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name=name, auth_mode="key")).result()
    yield name
    client.online_endpoints.begin_delete(name).result()


@pytest.fixture
def score(client: Any, endpoint: str) -> Iterator[Score]:
    """POST to the endpoint with its key; `to` names a deployment."""
    uri = client.online_endpoints.get(endpoint).scoring_uri
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {client.online_endpoints.get_keys(endpoint).primary_key}"

        def post(to: str | None = None, **body: Any) -> requests.Response:
            headers = {"azureml-model-deployment": to} if to else {}
            return session.post(uri, json={"x": 1, **body}, headers=headers, timeout=30)

        yield post


@pytest.fixture
def traffic(client: Any, endpoint: str) -> Iterator[Callable[..., None]]:
    """Set the live traffic, and the mirrored one, for the length of a test."""
    yield lambda shares, mirror=None: set_traffic(client, endpoint, shares, mirror)
    set_traffic(client, endpoint, {"r0001": 100})


def set_traffic(client: Any, endpoint: str, shares: dict[str, int], mirror: dict[str, int] | None = None) -> None:
    current = client.online_endpoints.get(endpoint)
    current.traffic = shares
    current.mirror_traffic = mirror or {}
    client.online_endpoints.begin_create_or_update(current).result()


@pytest.fixture
def copies(gateway: str, endpoint: str) -> Callable[[], dict[str, int]]:
    """What became of the copies that were sent to r0002."""
    none = dict.fromkeys(("sent", "failed", "dropped", "pending"), 0)
    return lambda: requests.get(f"{gateway}/admin/mirror", timeout=10).json().get(f"{endpoint}/r0002", none)


@contextmanager
def fault(gateway: str, body: dict[str, Any]) -> Iterator[None]:
    """Inject a fault for the length of a block."""
    requests.post(f"{gateway}/admin/faults", json=body, timeout=10).raise_for_status()
    try:
        yield
    finally:
        requests.delete(f"{gateway}/admin/faults", timeout=10).raise_for_status()


def refused(call: Callable[[], Any]) -> int:
    """The status with which Azure Resource Manager refuses the call."""
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError) as caught:
        call()
    assert caught.value.status_code is not None
    return int(caught.value.status_code)


def eventually(what: Callable[[], Any]) -> Any:
    """Ask until the answer is true; fail at the deadline."""
    deadline_s = time.monotonic() + DEADLINE_S
    while not (answer := what()):
        assert time.monotonic() < deadline_s, "it did not become true in time"
        time.sleep(0.1)
    return answer
