"""The adapters against the local cloud: what the ports' contract cannot say, above all how trouble is told."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest
import requests

from shared.domain import names
from shared.domain.actions import SetTraffic
from shared.domain.observation import Grid
from shared.domain.publication import Publication
from shared.domain.sample import Sample
from shared.domain.spec_evidence import Answer
from shared.domain.split import MARK, Split
from shared.errors import NeedsPerson, RetryLater
from shared.reconcile.ports import Window
from shared.settings import Settings
from tests.contract.platforms import Bench, azure_bench, azure_publication

pytestmark = [pytest.mark.localcloud, pytest.mark.timeout(300)]
Cloud = Mapping[str, str]
Fail = Callable[[str, int], None]
GRID = Grid(slice_s=10, slow_ms=1_000, level_ratio=2.0)


@pytest.fixture(scope="module")
def publication(local_cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Publication:
    return azure_publication(local_cloud, tmp_path_factory.mktemp("code"))


@pytest.fixture
def bench(local_cloud: Cloud, publication: Publication) -> Bench:
    return azure_bench(local_cloud, publication, f"m{uuid4().hex[:12]}")


@pytest.fixture
def fail(local_cloud: Cloud) -> Iterator[Fail]:
    """Make the next calls that match fail with a status, until the test's end."""
    url = f"{local_cloud['UPKEEP_LOGS_ENDPOINT']}/admin/faults"

    def begin(match: str, status: int) -> None:
        requests.post(url, json={"match": match, "status": status}, timeout=10).raise_for_status()

    yield begin
    requests.delete(url, timeout=10).raise_for_status()


def put_blob(local_cloud: Cloud, container: str, path: str, content: bytes) -> None:
    from azure.storage.blob import BlobServiceClient

    from shared.adapters.credentials import credential

    blobs = BlobServiceClient(Settings.of(local_cloud).blob_service, credential=credential())
    blobs.get_blob_client(container, path).upload_blob(content, overwrite=True)


class TestTrouble:
    def test_a_service_that_fails_is_to_be_asked_later(self, bench: Bench, fail: Fail) -> None:
        fail("GET /subscriptions", 503)
        with pytest.raises(RetryLater):
            bench.platform.job(f"{bench.model}-0001-a1")

    def test_a_missing_role_is_named(self, bench: Bench, fail: Fail) -> None:
        fail("GET /subscriptions", 403)
        with pytest.raises(NeedsPerson, match="AzureML Data Scientist"):
            bench.platform.endpoint(bench.endpoint)

    def test_a_submission_that_fails_is_to_be_repeated(self, bench: Bench, fail: Fail) -> None:
        fail("PUT /subscriptions", 500)
        with pytest.raises(RetryLater):
            bench.platform.submit_job(bench.order(), bench.publication)

    def test_a_log_workspace_that_fails_is_no_silence(self, local_cloud: Cloud, fail: Fail) -> None:
        log = traffic_log(local_cloud)
        fail("POST /v1/workspaces", 503)
        with pytest.raises(RetryLater):
            log.stats("any", datetime.now(UTC) - timedelta(minutes=5), datetime.now(UTC), GRID)

    def test_a_query_that_is_refused_needs_a_person(self, local_cloud: Cloud, fail: Fail) -> None:
        log = traffic_log(local_cloud)
        fail("POST /v1/workspaces", 403)
        with pytest.raises(NeedsPerson, match="Log Analytics Reader"):
            log.stats("any", datetime.now(UTC) - timedelta(minutes=5), datetime.now(UTC), GRID)


class TestJobs:
    def test_a_job_of_that_name_for_another_release_needs_a_person(self, bench: Bench) -> None:
        bench.platform.submit_job(bench.order(), bench.publication)
        other = msgspec.structs.replace(bench.order(2), job=bench.order().job)
        with pytest.raises(NeedsPerson, match="was not made for this release"):
            bench.platform.submit_job(other, bench.publication)

    def test_a_job_that_a_stranger_made_is_not_ours(self, bench: Bench, local_cloud: Cloud) -> None:
        from azure.ai.ml import command

        job, training = f"{bench.model}-0001-a1", bench.publication.training
        stranger = command(name=job, command="true", environment=training.environment_id, compute="cpu")
        client(local_cloud).jobs.create_or_update(stranger)
        assert not bench.platform.job(job).ours

    def test_the_data_that_a_job_trains_on_is_registered(self, bench: Bench, local_cloud: Cloud) -> None:
        order = bench.order()
        bench.platform.submit_job(order, bench.publication)
        data = client(local_cloud).data.get(names.data_asset(bench.model), order.manifest.version)
        assert data.path.endswith(names.manifest_path(bench.model, order.manifest.version))

    def test_a_job_says_what_it_is_for(self, bench: Bench, local_cloud: Cloud) -> None:
        order = bench.order(3)
        bench.platform.submit_job(order, bench.publication)
        job = client(local_cloud).jobs.get(order.job)
        assert job.tags == {
            "upkeep_model": bench.model,
            "upkeep_release": "3",
            "upkeep_data_version": order.manifest.version,
            "upkeep_publication": bench.publication.hash,
        }

    def test_canceling_a_job_that_is_not_there_is_fine(self, bench: Bench) -> None:
        bench.platform.cancel_job(f"{bench.model}-0001-a1")

    def test_a_failed_job_says_where_to_look(self, bench: Bench) -> None:
        order = bench.order()
        broken = msgspec.structs.replace(bench.publication.training, command="exit 3")
        bench.platform.submit_job(order, msgspec.structs.replace(bench.publication, training=broken))
        bench.until(lambda: bench.platform.job(order.job).status == "failed")
        assert bench.platform.job(order.job).detail.startswith("Azure ML says Failed: https://")


class TestQuota:
    def test_a_lowered_limit_is_seen(self, bench: Bench, local_cloud: Cloud) -> None:
        url = f"{local_cloud['UPKEEP_LOGS_ENDPOINT']}/admin/quotas"
        requests.put(url, json={"standardDSv2Family": 0}, timeout=10).raise_for_status()
        try:
            seen = bench.platform.quota("Standard_DS3_v2")
        finally:
            requests.put(url, json={}, timeout=10).raise_for_status()
        assert (seen.free, seen.limited_by) == (0, "Standard DSv2 Family Cluster Dedicated vCPUs")

    def test_without_a_role_on_the_subscription_the_role_is_named(self, bench: Bench, fail: Fail) -> None:
        fail("/usages", 403)
        seen = bench.platform.quota("Standard_DS3_v2")
        assert (seen.free, "Upkeep Quota Reader" in seen.problem) == (None, True)


class TestEndpoints:
    def test_nobody_waits_for_a_deployment(self, bench: Bench) -> None:
        bench.register(1, "job-a")
        bench.until(lambda: taken(lambda: bench.deploy("r0001", 1)))
        bench.until(lambda: not any(thread.name.startswith("LROPoller") for thread in threading.enumerate()))
        assert bench.platform.endpoint(bench.endpoint).deployments["r0001"] == "changing"

    def test_a_busy_endpoint_is_to_be_asked_again_soon(self, bench: Bench) -> None:
        bench.register(1, "job-a")
        bench.until(lambda: taken(lambda: bench.deploy("r0002", 1)))
        with pytest.raises(RetryLater) as raised:
            bench.deploy("r0003", 1)
        assert raised.value.delay_s == 5

    def test_setting_traffic_keeps_what_others_set_on_the_endpoint(self, bench: Bench, local_cloud: Cloud) -> None:
        bench.register(1, "job-a")
        bench.until(lambda: taken(lambda: bench.deploy("r0004", 1)))
        bench.until(lambda: bench.platform.endpoint(bench.endpoint).deployments["r0004"] == "ready")
        all_to_it = SetTraffic(traffic={"r0004": 100}, before=Split())
        bench.until(lambda: taken(lambda: bench.platform.set_traffic(bench.endpoint, all_to_it)))
        bench.until(lambda: bench.platform.endpoint(bench.endpoint).traffic.get("r0004") == 100)
        tags = client(local_cloud).online_endpoints.get(bench.endpoint).tags
        assert tags == {"team": "flights", MARK: "r0004=100"}

    def test_what_users_scored_is_found_in_the_log_and_what_upkeep_did_is_not(
        self, bench: Bench, local_cloud: Cloud
    ) -> None:
        began = datetime.now(UTC) - timedelta(seconds=1)
        bench.register(1, "job-a")
        bench.until(lambda: taken(lambda: bench.deploy("r0005", 1)))
        bench.until(lambda: bench.platform.endpoint(bench.endpoint).deployments["r0005"] == "ready")
        assert bench.platform.smoke(bench.endpoint, "r0005", Sample(request="{}")).ok
        for _ in range(3):
            score(local_cloud, bench.endpoint, "r0005")
        log, end = traffic_log(local_cloud), datetime.now(UTC) + timedelta(seconds=1)
        whole = {
            "n": "AmlOnlineEndpointTrafficLog | where DeploymentName == {deployment} | summarize value = count()"
        }
        window = Window(began, end)
        bench.until(lambda: log.values(whole, bench.endpoint, "r0005", window)["n"].value == 4)
        stats = log.stats(bench.endpoint, began, end, GRID)["r0005"]
        assert (stats.requests, stats.errors) == (3, 0)
        assert sum(each.requests for each in stats.slices) == 3
        assert stats.latency_p95_ms is not None
        assert stats.latency_p95_ms > 0

    def test_well_formed_nonsense_is_told_without_its_content(self, bench: Bench, local_cloud: Cloud) -> None:
        bench.register(1, "job-a")
        bench.until(lambda: taken(lambda: bench.deploy("r0006", 1)))
        bench.until(lambda: bench.platform.endpoint(bench.endpoint).deployments["r0006"] == "ready")
        url = f"{local_cloud['UPKEEP_LOGS_ENDPOINT']}/admin/faults"
        sample = Sample(request='{"data": [1, 2]}', answer=Answer(min=0))
        told = {}
        for body in ('{"predictions": [NaN, 1]}', '{"predictions": [$rows(-7)]}', '{"predictions": [1]}'):
            fault = {"match": f"SCORE {bench.endpoint} r0006", "status": 200, "count": 1, "body": body}
            requests.post(url, json=fault, timeout=10).raise_for_status()
            told[body] = bench.platform.smoke(bench.endpoint, "r0006", sample)
        assert [seen.ok for seen in told.values()] == [False] * 3
        assert [seen.detail for seen in told.values()] == [
            "the answer holds NaN or Infinity, which JSON does not know",
            "a prediction is under 0 (answer.min)",
            "the answer holds 1 predictions for 2 rows",
        ]

    def test_an_endpoint_without_traffic_has_no_statistics(self, local_cloud: Cloud) -> None:
        now = datetime.now(UTC)
        assert traffic_log(local_cloud).stats("nobody's", now - timedelta(minutes=5), now, GRID) == {}


class TestArchive:
    def test_the_manifest_lies_where_jobs_read_it(self, bench: Bench, local_cloud: Cloud) -> None:
        from azure.storage.blob import BlobServiceClient

        from shared.adapters.credentials import credential

        manifest = bench.order().manifest
        blobs = BlobServiceClient(Settings.of(local_cloud).blob_service, credential=credential())
        blob = blobs.get_blob_client("accepted", f"{bench.model}/manifests/{manifest.version}.json")
        assert json.loads(blob.download_blob().readall())["held_out"] == []

    def test_an_evaluation_is_read_from_where_the_job_left_it(self, bench: Bench, local_cloud: Cloud) -> None:
        evaluation = {
            "schema": "upkeep.evaluation/1",
            "data_version": "v",
            "held_out": {"parts": [], "rows": 1, "sha256": "0"},
            "candidate": {"metrics": {"mae": 2.0}},
            "artifact": {"sha256": "1"},
        }
        path = f"{bench.model}/j/evaluation/evaluation.json"
        put_blob(local_cloud, "runs", path, json.dumps(evaluation).encode())
        seen = bench.archive.evaluation(bench.model, "j").evaluation
        assert seen
        assert seen.candidate.metrics == {"mae": 2.0}

    def test_an_evaluation_that_is_far_too_large_is_not_read_whole(self, bench: Bench, local_cloud: Cloud) -> None:
        put_blob(local_cloud, "runs", f"{bench.model}/j/evaluation/evaluation.json", b" " * 9_000_000)
        assert "larger" in bench.archive.evaluation(bench.model, "j").problem

    def test_an_evaluation_that_is_empty_is_told(self, bench: Bench, local_cloud: Cloud) -> None:
        put_blob(local_cloud, "runs", f"{bench.model}/j/evaluation/evaluation.json", b"")
        assert bench.archive.evaluation(bench.model, "j").problem

    def test_a_publication_that_is_gone_needs_a_person(self, bench: Bench) -> None:
        with pytest.raises(NeedsPerson, match="There is no blob"):
            bench.archive.publication(bench.model, "0" * 32)


def taken(change: Callable[[], None]) -> bool:
    try:
        change()
    except RetryLater:
        return False
    return True


def workspace(local_cloud: Cloud) -> Any:
    from shared.adapters.azureml_workspace import Workspace
    from shared.adapters.credentials import credential

    settings = Settings.of(local_cloud)
    return Workspace(settings.subscription_id, settings.resource_group, settings.workspace, credential())


def client(local_cloud: Cloud) -> Any:
    return workspace(local_cloud).client


def traffic_log(local_cloud: Cloud) -> Any:
    from shared.adapters.credentials import credential
    from shared.adapters.traffic_log import EndpointTrafficLog

    settings = Settings.of(local_cloud)
    return EndpointTrafficLog(settings.log_workspace_id, settings.workspace, settings.logs_endpoint, credential())


def score(local_cloud: Cloud, endpoint: str, deployment: str) -> None:
    """One request as a user's, to a named deployment."""
    opened = client(local_cloud).online_endpoints
    key = opened.get_keys(endpoint).primary_key
    headers = {"Authorization": f"Bearer {key}", "azureml-model-deployment": deployment}
    requests.post(opened.get(endpoint).scoring_uri, data="{}", headers=headers, timeout=10).raise_for_status()
