"""The started platform: what unmodified clients see of it, and the events that it sends."""

import json

import psutil
import pytest

from tests.integration.platform_fixture import Platform

pytest_plugins = ["tests.integration.platform_fixture"]
pytestmark = pytest.mark.localcloud


def test_the_unmodified_sdks_sign_in_and_reach_storage(platform: Platform) -> None:
    done = platform.child(
        "import os\n"
        "from azure.identity import DefaultAzureCredential\n"
        "from azure.storage.blob import BlobServiceClient\n"
        "uri = os.environ['UPKEEP_STORAGE__blobServiceUri']\n"
        "service = BlobServiceClient(uri, credential=DefaultAzureCredential())\n"
        "print(*[container.name for container in service.list_containers()])\n"
    )
    assert done.stdout.split() == ["accepted", "azureml-blobstore", "landing", "quarantine", "runs", "upkeep"]


def test_azure_ai_ml_takes_the_gateway_for_its_cloud(platform: Platform) -> None:
    done = platform.child(
        "from azure.ai.ml._azure_environments import _get_base_url_from_metadata\n"
        "print(_get_base_url_from_metadata())\n"
    )
    assert done.stdout.strip().rstrip("/") == platform.url


def test_a_token_is_refused_without_the_identity_header(platform: Platform) -> None:
    answer = platform.call("GET", "/msi/token?resource=https://storage.azure.com")
    assert answer.status_code == 401


def test_a_route_that_is_not_emulated_is_refused_as_arm_would_and_named_in_the_log(platform: Platform) -> None:
    answer = platform.call("GET", "/subscriptions/s/providers/Microsoft.Quantum/x")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "UnemulatedRoute"
    assert (
        "unemulated_route method=GET path=/subscriptions/s/providers/Microsoft.Quantum/x"
        in (platform.folder / "logs" / "gateway.log").read_text()
    )


def test_a_fault_hits_as_many_calls_as_were_asked_for(platform: Platform) -> None:
    fault = {"match": "GET /metadata/endpoints", "status": 503, "count": 2}
    assert platform.call("POST", "/admin/faults", json=fault).status_code == 201
    assert [platform.call("GET", "/metadata/endpoints").status_code for _ in range(3)] == [503, 503, 200]


def test_a_fault_with_a_misspelt_field_is_refused(platform: Platform) -> None:
    answer = platform.call("POST", "/admin/faults", json={"match": "GET /", "status": 503, "counts": 2})
    assert answer.status_code == 400
    assert "counts" in answer.json()["error"]["message"]


def test_an_upload_by_any_client_is_told_of_in_the_uploads_queue(platform: Platform) -> None:
    written = platform.blob("landing", "m/a b.csv").upload_blob(b"a,b\n1,2\n")
    (event,) = platform.events("uploads", 1)
    assert event["subject"] == "/blobServices/default/containers/landing/blobs/m/a b.csv"
    assert event["data"]["eTag"] == written["etag"].strip('"')
    assert event["data"]["contentLength"] == 8


def test_the_three_ways_to_complete_a_blob_are_told_apart(platform: Platform) -> None:
    source = platform.blob("landing", "m/put.csv")
    source.upload_blob(b"a")
    blocks = platform.blob("landing", "m/blocks.csv")
    blocks.stage_block("AA==", b"a")
    blocks.commit_block_list(["AA=="])
    platform.blob("landing", "m/copy.csv").start_copy_from_url(source.url)
    events = platform.events("uploads", 3)
    apis = {event["subject"].rsplit("/", 1)[1]: event["data"]["api"] for event in events}
    assert apis == {"put.csv": "PutBlob", "blocks.csv": "PutBlockList", "copy.csv": "CopyBlob"}


def test_an_upload_while_the_gateway_was_killed_is_told_of_when_it_is_back(platform: Platform) -> None:
    pid = json.loads((platform.folder / "pids" / "gateway.json").read_text())["pid"]
    psutil.Process(pid).kill()
    platform.blob("landing", "m/meanwhile.csv").upload_blob(b"a")
    assert platform.up().returncode == 0
    (event,) = platform.events("uploads", 1)
    assert event["subject"].endswith("meanwhile.csv")


def test_held_events_arrive_after_a_release(platform: Platform) -> None:
    platform.call("PUT", "/admin/events/conditions", json={"hold": True})
    event = {"eventType": "Microsoft.MachineLearningServices.RunCompleted", "subject": "experiments/e/runs/r"}
    assert platform.call("POST", "/admin/events", json=event).status_code == 202
    assert [kept["undelivered"] for kept in platform.call("GET", "/admin/events").json()] == [1]
    platform.call("PUT", "/admin/events/conditions", json={})
    assert [taken["subject"] for taken in platform.events("azureml-events", 1)] == ["experiments/e/runs/r"]
