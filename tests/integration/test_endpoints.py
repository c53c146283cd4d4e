"""Managed online endpoints, the router, Log Analytics and alerts, as the unmodified SDKs see them."""

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

pytestmark = [pytest.mark.localcloud, pytest.mark.timeout(300)]
ROOT = Path(__file__).resolve().parents[2]
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


@pytest.fixture(scope="module")
def client(local_cloud: Cloud) -> Any:
    from azure.ai.ml import MLClient
    from azure.identity import ManagedIdentityCredential

    names = ("UPKEEP_SUBSCRIPTION_ID", "UPKEEP_RESOURCE_GROUP", "UPKEEP_WORKSPACE")
    return MLClient(ManagedIdentityCredential(), *(local_cloud[name] for name in names))


@pytest.fixture(scope="module")
def gateway(local_cloud: Cloud) -> str:
    return local_cloud["UPKEEP_LOGS_ENDPOINT"]


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
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


def test_a_deployment_answers_with_its_model_and_its_variables(score: Score) -> None:
    response = score()
    assert response.status_code == 200
    assert (response.json()["y"], response.json()["who"]) == (8, "r0001")
    assert response.headers["azureml-model-deployment"] == "r0001"
    assert response.headers["x-request-id"]


def test_the_header_names_a_deployment_whatever_the_traffic(score: Score) -> None:
    assert score("r0002").json()["who"] == "r0002"
    assert score("r0009").status_code == 404


def test_live_traffic_is_split_by_its_shares(score: Score, traffic: Callable[..., None]) -> None:
    traffic({"r0001": 80, "r0002": 20})
    answered = Counter(score().headers["azureml-model-deployment"] for _ in range(200))
    assert answered["r0002"] == pytest.approx(40, abs=25)
    assert answered["r0001"] + answered["r0002"] == 200


def test_a_put_replaces_the_whole_traffic(client: Any, endpoint: str, traffic: Callable[..., None]) -> None:
    traffic({"r0002": 100})
    assert client.online_endpoints.get(endpoint).traffic == {"r0001": 0, "r0002": 100}


def test_without_traffic_nobody_answers(score: Score, traffic: Callable[..., None]) -> None:
    traffic({})
    assert score().status_code == 404


@pytest.mark.parametrize("shares", [{"r0001": 50}, {"r0001": 60, "r0002": 60}, {"r0009": 100}])
def test_wrong_traffic_is_refused_and_changes_nothing(client: Any, endpoint: str, shares: dict[str, int]) -> None:
    assert refused(lambda: set_traffic(client, endpoint, shares)) == 400
    assert client.online_endpoints.get(endpoint).traffic["r0001"] == 100


@pytest.mark.parametrize("mirror", [{"r0002": 51}, {"r0001": 10}, {"r0009": 10}])
def test_wrong_mirror_traffic_is_refused_and_changes_nothing(
    client: Any, endpoint: str, mirror: dict[str, int]
) -> None:
    assert refused(lambda: set_traffic(client, endpoint, {"r0001": 100}, mirror)) == 400
    assert not any(client.online_endpoints.get(endpoint).mirror_traffic.values())


def test_requests_are_mirrored_and_the_live_answer_is_the_clients(
    client: Any, endpoint: str, score: Score, traffic: Callable[..., None], copies: Callable[[], dict[str, int]]
) -> None:
    before = copies()
    traffic({"r0001": 100}, {"r0002": 50})
    assert client.online_endpoints.get(endpoint).mirror_traffic == {"r0002": 50}
    assert {score().json()["who"] for _ in range(40)} == {"r0001"}
    after = eventually(lambda: (now := copies())["pending"] == 0 and now)
    assert after["sent"] - before["sent"] == pytest.approx(20, abs=12)
    assert (after["failed"], after["dropped"]) == (before["failed"], before["dropped"])


def test_a_mirrored_request_stands_in_the_log_under_the_id_of_its_original(
    score: Score, traffic: Callable[..., None], query: Callable[..., list[list[Any]]]
) -> None:
    traffic({"r0001": 100}, {"r0002": 50})
    ids = [score().headers["x-request-id"] for _ in range(12)]
    text = (
        f"AmlOnlineEndpointTrafficLog | where XRequestId in ({', '.join(map(repr, ids))})"
        " | summarize n = count(), to = countif(DeploymentName == 'r0002') by XRequestId | where n > 1"
    )
    rows = eventually(lambda: query(text, timedelta(minutes=5)))
    assert {(found, to) for _, found, to in rows} == {(2, 1)}


def test_a_mirror_that_sleeps_keeps_no_client_waiting(
    gateway: str, endpoint: str, score: Score, traffic: Callable[..., None]
) -> None:
    traffic({"r0001": 100}, {"r0002": 50})
    with fault(gateway, {"match": f"SCORE {endpoint} r0002", "delay_ms": 1500}):
        took_s = [score().elapsed.total_seconds() for _ in range(40)]
    assert max(took_s) < 1.5


def test_a_deployment_with_mirrored_traffic_cannot_be_deleted(
    client: Any, endpoint: str, traffic: Callable[..., None]
) -> None:
    traffic({"r0001": 100}, {"r0002": 10})
    assert refused(lambda: client.online_deployments.begin_delete("r0002", endpoint)) == 400


def test_traffic_cannot_be_set_when_the_endpoint_is_created(client: Any) -> None:
    from azure.ai.ml.entities import ManagedOnlineEndpoint

    wanted = ManagedOnlineEndpoint(name=f"t{uuid4().hex[:12]}", auth_mode="key", traffic={"r0001": 100})
    assert refused(lambda: client.online_endpoints.begin_create_or_update(wanted)) == 400


def test_a_deployment_with_live_traffic_cannot_be_deleted(client: Any, endpoint: str) -> None:
    assert refused(lambda: client.online_deployments.begin_delete("r0001", endpoint)) == 400


def test_a_request_without_the_key_is_not_allowed(client: Any, endpoint: str) -> None:
    uri = client.online_endpoints.get(endpoint).scoring_uri
    assert requests.post(uri, json={"x": 1}, timeout=10).status_code == 401
    assert requests.post(uri, json={}, headers={"Authorization": "Bearer x"}, timeout=10).status_code == 401


def test_keys_stay_until_they_are_regenerated(client: Any, empty_endpoint: str) -> None:
    before = client.online_endpoints.get_keys(empty_endpoint)
    client.online_endpoints.begin_regenerate_keys(empty_endpoint, key_type="primary").result()
    after = client.online_endpoints.get_keys(empty_endpoint)
    assert before.primary_key != after.primary_key
    assert before.secondary_key == after.secondary_key


def test_a_second_change_in_flight_is_a_conflict(client: Any, assets: Mapping[str, str], empty_endpoint: str) -> None:
    first = client.online_deployments.begin_create_or_update(deployment(assets, empty_endpoint, "r0001"))
    assert client.online_deployments.get("r0001", empty_endpoint).provisioning_state == "Creating"
    second = deployment(assets, empty_endpoint, "r0002")
    assert refused(lambda: client.online_deployments.begin_create_or_update(second)) == 409
    assert refused(lambda: set_traffic(client, empty_endpoint, {})) == 409
    assert first.result().provisioning_state == "Succeeded"


def test_a_server_that_does_not_start_fails_with_its_log(
    client: Any, assets: Mapping[str, str], empty_endpoint: str
) -> None:
    from azure.core.exceptions import HttpResponseError

    broken = deployment(assets, empty_endpoint, "broken", BROKEN="yes")
    with pytest.raises(HttpResponseError, match="failed to boot"):
        client.online_deployments.begin_create_or_update(broken).result()
    assert client.online_deployments.get("broken", empty_endpoint).provisioning_state == "Failed"
    assert "told to break" in client.online_deployments.get_logs("broken", empty_endpoint, 200)
    client.online_deployments.begin_delete("broken", empty_endpoint).result()
    assert "broken" not in [found.name for found in client.online_deployments.list(empty_endpoint)]


def test_an_update_that_fails_leaves_the_old_server_in_place(
    client: Any, assets: Mapping[str, str], endpoint: str, score: Score
) -> None:
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError):
        client.online_deployments.begin_create_or_update(deployment(assets, endpoint, "r0002", BROKEN="yes")).result()
    assert score("r0002").json()["who"] == "r0002"
    client.online_deployments.begin_create_or_update(deployment(assets, endpoint, "r0002")).result()
    assert score("r0002").json()["who"] == "r0002"


def test_a_model_that_fails_is_a_424(score: Score) -> None:
    response = score(fail=True)
    assert response.status_code == 424
    assert response.headers["ms-azureml-model-error-statuscode"] == "500"


def test_a_model_that_is_too_slow_is_a_408(score: Score) -> None:
    assert score(sleep_s=3).status_code == 408


def test_a_server_that_dies_is_started_again(score: Score) -> None:
    before = score("r0002").json()["pid"]
    assert score("r0002", die=True).status_code == 502
    after = eventually(lambda: (response := score("r0002")).status_code == 200 and response.json()["pid"])
    assert after != before


def test_an_injected_fault_hits_its_deployment_only(gateway: str, endpoint: str, score: Score) -> None:
    with fault(gateway, {"match": f"SCORE {endpoint} r0002", "status": 500}):
        assert (score("r0001").status_code, score("r0002").status_code) == (200, 500)
    assert score("r0002").status_code == 200


def test_a_deployment_can_be_made_slow(gateway: str, endpoint: str, score: Score) -> None:
    with fault(gateway, {"match": f"SCORE {endpoint} r0002", "delay_ms": 400}):
        slow = score("r0002")
        assert (slow.status_code, slow.json()["who"]) == (200, "r0002")
        assert slow.elapsed.total_seconds() > 0.4
        assert score("r0001").elapsed.total_seconds() < 0.4


def test_a_deployment_can_be_made_to_answer_well_formed_nonsense(gateway: str, endpoint: str, score: Score) -> None:
    nonsense = {"match": f"SCORE {endpoint} r0002", "status": 200, "body": '{"predictions": [$rows(-1)]}'}
    with fault(gateway, nonsense):
        answer = score("r0002", data=[1, 2, 3])
    assert (answer.status_code, answer.json()) == (200, {"predictions": [-1, -1, -1]})


def test_a_deployment_can_be_kept_from_becoming_ready(
    client: Any, assets: Mapping[str, str], gateway: str, empty_endpoint: str
) -> None:
    from azure.core.exceptions import HttpResponseError

    stuck = {"match": f"PROVISION {empty_endpoint} stuck", "status": 504, "delay_ms": 800, "body": "never ready"}
    with fault(gateway, stuck):
        begun = client.online_deployments.begin_create_or_update(deployment(assets, empty_endpoint, "stuck"))
        assert client.online_deployments.get("stuck", empty_endpoint).provisioning_state == "Creating"
        with pytest.raises(HttpResponseError, match="never ready"):
            begun.result()
    assert client.online_deployments.get("stuck", empty_endpoint).provisioning_state == "Failed"
    client.online_deployments.begin_delete("stuck", empty_endpoint).result()


def test_a_fault_that_would_do_nothing_is_refused(gateway: str) -> None:
    answer = requests.post(f"{gateway}/admin/faults", json={"match": "SCORE"}, timeout=10)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidFault")


@pytest.fixture(scope="module")
def query(local_cloud: Cloud) -> Callable[..., list[list[Any]]]:
    """Run KQL by azure-monitor-query; the rows of the answer."""
    from azure.identity import ManagedIdentityCredential
    from azure.monitor.query import LogsQueryClient

    logs = LogsQueryClient(ManagedIdentityCredential(), endpoint=local_cloud["UPKEEP_LOGS_ENDPOINT"])
    workspace = local_cloud["UPKEEP_LOG_WORKSPACE_ID"]

    def run(text: str, timespan: timedelta | None = None) -> list[list[Any]]:
        return [list(row) for row in logs.query_workspace(workspace, text, timespan=timespan).tables[0].rows]

    return run


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


def test_servers_survive_a_crash_of_the_gateway(local_cloud: Cloud, score: Score) -> None:
    before = score().json()["pid"]
    restart(local_cloud, "--kill")
    assert eventually(lambda: score().status_code == 200)
    assert score().json()["pid"] == before


def test_a_deployment_that_a_crash_cut_off_is_finished_after_it(
    client: Any, assets: Mapping[str, str], endpoint: str, local_cloud: Cloud, score: Score
) -> None:
    client.online_deployments.begin_create_or_update(deployment(assets, endpoint, "r0003"))
    restart(local_cloud, "--kill")
    eventually(lambda: client.online_deployments.get("r0003", endpoint).provisioning_state == "Succeeded")
    assert score("r0003").json()["who"] == "r0003"


def test_servers_come_back_after_a_restart_of_the_gateway(local_cloud: Cloud, score: Score) -> None:
    before = score().json()["pid"]
    restart(local_cloud)
    assert eventually(lambda: score().status_code == 200)
    assert score().json()["pid"] != before


def restart(local_cloud: Cloud, *options: str) -> None:
    folder = local_cloud["LOCALCLOUD_FOLDER"]
    command = [sys.executable, "-m", "localcloud", "restart-gateway", "--folder", folder, *options]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
