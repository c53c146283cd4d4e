"""Jobs of the emulated Azure ML control plane, as the unmodified azure-ai-ml and MLflow see them."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.controlplane_fixture import (
    DEADLINE_S,
    Cloud,
    admin,
    alive,
    ended,
    events,
    folder_output,
    job_folder,
    register_environment,
    wait,
)

pytest_plugins = ["tests.integration.controlplane_fixture"]
pytestmark = pytest.mark.localcloud
ROOT = Path(__file__).resolve().parents[2]


class TestJobs:
    def test_run_to_completion_with_inputs_and_outputs(
        self, client: Any, blobs: Any, submit: Callable[..., Any], unique: str
    ) -> None:
        from azure.ai.ml import Input
        from azure.ai.ml.entities import Data

        blobs.get_blob_client("accepted", f"{unique}/manifests/h.json").upload_blob(b"the manifest")
        blobs.get_blob_client("accepted", f"{unique}/parts/deep/a.parquet").upload_blob(b"part a")
        manifest = client.data.create_or_update(
            Data(
                name=f"{unique}-data",
                version="1",
                type="uri_file",
                path=f"azureml://datastores/upkeep_accepted/paths/{unique}/manifests/h.json",
            )
        )
        parts = f"azureml://datastores/upkeep_accepted/paths/{unique}/parts/"
        submit(
            "whole",
            "python package/hello.py > ${{outputs.model}}/hello.txt"
            " && cat ${{inputs.manifest}} ${{inputs.parts}}/deep/a.parquet > ${{outputs.model}}/read.txt"
            " && echo ${{inputs.rate}} > ${{outputs.model}}/rate.txt",
            inputs={
                "manifest": Input(type="uri_file", path=manifest.id),
                "parts": Input(type="uri_folder", mode="ro_mount", path=parts),
                "rate": 0.5,
            },
            outputs={"model": folder_output(f"azureml://datastores/upkeep_runs/paths/{unique}/model")},
        )
        assert ended(client, f"whole-{unique}") == "Completed"
        written = {
            name: blobs.get_blob_client("runs", f"{unique}/model/{name}.txt").download_blob().readall()
            for name in ("hello", "read", "rate")
        }
        assert written == {
            "hello": b"hello from the code asset\n",
            "read": b"the manifestpart a",
            "rate": b"0.5\n",
        }

    def test_read_a_blob_anew_after_it_was_changed(
        self, client: Any, blobs: Any, submit: Callable[..., Any], unique: str
    ) -> None:
        from azure.ai.ml import Input

        path = f"azureml://datastores/upkeep_accepted/paths/{unique}/"
        for content in (b"old", b"new"):
            blobs.get_blob_client("accepted", f"{unique}/f.txt").upload_blob(content, overwrite=True)
            output = folder_output(f"azureml://datastores/upkeep_runs/paths/{unique}/{content.decode()}")
            submit(
                content.decode(),
                "cp ${{inputs.x}}/f.txt ${{outputs.o}}/f.txt",
                inputs={"x": Input(type="uri_folder", path=path)},
                outputs={"o": output},
            )
            assert ended(client, f"{content.decode()}-{unique}") == "Completed"
            copied = blobs.get_blob_client("runs", f"{unique}/{content.decode()}/f.txt").download_blob().readall()
            assert copied == content

    def test_put_outputs_at_azures_default_place(
        self, client: Any, blobs: Any, submit: Callable[..., Any], unique: str
    ) -> None:
        from azure.ai.ml import Output

        submit("default", "echo 1 > ${{outputs.o}}/x", outputs={"o": Output(type="uri_folder")})
        assert ended(client, f"default-{unique}") == "Completed"
        blob = blobs.get_blob_client("azureml-blobstore", f"azureml/default-{unique}/o/x")
        assert blob.download_blob().readall() == b"1\n"

    def test_show_their_log_while_streamed(
        self, client: Any, submit: Callable[..., Any], unique: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        submit("log", "echo the first line; sleep 3")
        client.jobs.stream(f"log-{unique}")
        assert "the first line" in capsys.readouterr().out

    def test_that_fail_say_why(self, client: Any, submit: Callable[..., Any], unique: str) -> None:
        from azure.ai.ml.exceptions import JobException

        submit("fail", "echo no such column; exit 3")
        assert ended(client, f"fail-{unique}") == "Failed"
        with pytest.raises(JobException, match=r"exited with code 3.*no such column"):
            client.jobs.stream(f"fail-{unique}")

    def test_upload_nothing_when_they_fail(
        self, client: Any, blobs: Any, submit: Callable[..., Any], unique: str
    ) -> None:
        output = folder_output(f"azureml://datastores/upkeep_runs/paths/{unique}/model")
        submit("half", "echo half > ${{outputs.o}}/x; exit 1", outputs={"o": output})
        assert ended(client, f"half-{unique}") == "Failed"
        assert not list(blobs.get_container_client("runs").list_blobs(name_starts_with=unique))

    def test_fail_when_an_input_is_not_there(self, client: Any, submit: Callable[..., Any], unique: str) -> None:
        from azure.ai.ml import Input

        path = f"azureml://datastores/upkeep_accepted/paths/{unique}/none/"
        submit("input", "ls ${{inputs.x}}", inputs={"x": Input(type="uri_folder", path=path)})
        assert ended(client, f"input-{unique}") == "Failed"

    def test_end_with_all_their_children_when_canceled(
        self, client: Any, submit: Callable[..., Any], unique: str, local_cloud: Cloud
    ) -> None:
        submit("cancel", "sleep 300 & echo $! > child.pid; sleep 300")
        file = job_folder(local_cloud, f"cancel-{unique}") / "code" / "child.pid"
        deadline_s = time.monotonic() + DEADLINE_S
        while not (file.exists() and file.read_text().strip()):
            assert time.monotonic() < deadline_s
            time.sleep(0.05)
        client.jobs.begin_cancel(f"cancel-{unique}").result()
        assert ended(client, f"cancel-{unique}") == "Canceled"
        assert not alive(int(file.read_text()))

    def test_leave_nothing_behind_when_they_complete(
        self, client: Any, submit: Callable[..., Any], unique: str, local_cloud: Cloud
    ) -> None:
        submit("stray", "sleep 300 & echo $! > child.pid")
        assert ended(client, f"stray-{unique}") == "Completed"
        assert not alive(int((job_folder(local_cloud, f"stray-{unique}") / "code" / "child.pid").read_text()))

    def test_end_at_their_time_limit(self, client: Any, submit: Callable[..., Any], unique: str) -> None:
        submit("limit", "sleep 300", timeout_s=1)
        assert ended(client, f"limit-{unique}") == "Canceled"

    def test_wait_for_room_on_their_compute(self, client: Any, submit: Callable[..., Any], unique: str) -> None:
        for name in ("a", "b"):
            submit(name, "sleep 300", compute=f"small-{unique}")
            wait(client, f"{name}-{unique}", "Running")
        submit("c", "true", compute=f"small-{unique}")
        assert wait(client, f"c-{unique}", "Queued") == "Queued"
        client.jobs.begin_cancel(f"a-{unique}").result()
        assert ended(client, f"c-{unique}") == "Completed"
        client.jobs.begin_cancel(f"b-{unique}").result()

    def test_that_wait_can_be_canceled(self, client: Any, submit: Callable[..., Any], unique: str) -> None:
        for name in ("a", "b", "c"):
            submit(name, "sleep 300", compute=f"small-{unique}")
        wait(client, f"c-{unique}", "Queued")
        client.jobs.begin_cancel(f"c-{unique}").result()
        assert client.jobs.get(f"c-{unique}").status.value == "Canceled"
        for name in ("a", "b"):
            client.jobs.begin_cancel(f"{name}-{unique}").result()

    def test_are_the_same_job_when_put_twice(self, client: Any, submit: Callable[..., Any], unique: str) -> None:
        submit("twice", "echo once")
        assert ended(client, f"twice-{unique}") == "Completed"
        assert submit("twice", "echo once").status.value == "Completed"

    def test_refuse_a_change_under_their_name(self, client: Any, submit: Callable[..., Any], unique: str) -> None:
        from azure.core.exceptions import HttpResponseError

        submit("twice", "echo once")
        with pytest.raises(HttpResponseError, match=r"JobPropertyImmutable.*already exists") as refused:
            submit("twice", "echo another")
        assert refused.value.status_code == 400
        assert ended(client, f"twice-{unique}") == "Completed"

    def test_take_new_tags_after_they_were_fetched(
        self, client: Any, submit: Callable[..., Any], unique: str
    ) -> None:
        submit("tags", "true", tags={"a": "1"})
        assert ended(client, f"tags-{unique}") == "Completed"
        job = client.jobs.get(f"tags-{unique}")
        job.tags["b"] = "2"
        client.jobs.create_or_update(job)
        assert client.jobs.get(f"tags-{unique}").tags == {"a": "1", "b": "2"}

    def test_of_an_unregistered_environment_are_refused(self, submit: Callable[..., Any], unique: str) -> None:
        from azure.core.exceptions import HttpResponseError

        with pytest.raises(HttpResponseError, match="There is no asset"):
            submit("lost", "true", environment=f"azureml:{unique}:1")

    def test_fail_before_they_run_when_a_fault_says_so(
        self, client: Any, submit: Callable[..., Any], unique: str
    ) -> None:
        admin("POST", "/faults", {"match": f"JOB fault-{unique}", "status": 500, "count": 1})
        submit("fault", "true")
        assert ended(client, f"fault-{unique}") == "Failed"

    def test_that_are_unknown_are_not_found(self, client: Any, unique: str) -> None:
        from azure.core.exceptions import ResourceNotFoundError

        with pytest.raises(ResourceNotFoundError):
            client.jobs.get(unique)

    def test_fail_when_their_environment_cannot_be_built(
        self, client: Any, submit: Callable[..., Any], unique: str, tmp_path: Path
    ) -> None:
        from azure.ai.ml.entities import Environment

        (tmp_path / "conda.yml").write_text("dependencies: [gcc=12]")
        environment = client.environments.create_or_update(
            Environment(name=unique, version="1", image="x", conda_file=tmp_path / "conda.yml")
        )
        submit("gcc", "true", environment=environment.id)
        assert ended(client, f"gcc-{unique}") == "Failed"

    def test_tell_event_grid_when_they_complete(self, client: Any, submit: Callable[..., Any], unique: str) -> None:
        submit("event", "true", experiment_name="flights")
        ended(client, f"event-{unique}")
        types = [event["eventType"].rsplit(".", 1)[-1] for event in events(f"/runs/event-{unique}")]
        assert types.count("RunCompleted") == 1
        assert types.count("RunStatusChanged") >= 4

    def test_raise_no_event_that_a_fault_swallows(self, client: Any, submit: Callable[..., Any], unique: str) -> None:
        admin("POST", "/faults", {"match": "EVENT RunCompleted", "status": 500, "count": 1})
        submit("mute", "true")
        assert ended(client, f"mute-{unique}") == "Completed"
        types = [event["eventType"].rsplit(".", 1)[-1] for event in events(f"/runs/mute-{unique}")]
        assert "RunCompleted" not in types

    def test_give_their_files_to_download(
        self, client: Any, submit: Callable[..., Any], unique: str, tmp_path: Path, local_cloud: Cloud
    ) -> None:
        from azure.ai.ml import Output

        submit("files", "echo said; echo written > ${{outputs.o}}/x", outputs={"o": Output(type="uri_folder")})
        assert ended(client, f"files-{unique}") == "Completed"
        # The SDK builds the account's host name here, which the guard of started processes resolves to loopback.
        script = (
            "import os, sys; from azure.ai.ml import MLClient; from azure.identity import ManagedIdentityCredential\n"
            "names = ('UPKEEP_SUBSCRIPTION_ID', 'UPKEEP_RESOURCE_GROUP', 'UPKEEP_WORKSPACE')\n"
            "client = MLClient(ManagedIdentityCredential(), *(os.environ[name] for name in names))\n"
            "client.jobs.download(sys.argv[1], download_path=sys.argv[2], all=True)\n"
        )
        guard = {"PYTHONPATH": str(ROOT / "localcloud" / "guard")}
        subprocess.run(
            [sys.executable, "-c", script, f"files-{unique}", str(tmp_path)],
            env={**os.environ, **local_cloud, **guard},
            check=True,
        )
        assert (tmp_path / "named-outputs" / "o" / "x").read_text() == "written\n"
        assert (tmp_path / "artifacts" / "user_logs" / "std_log.txt").read_text() == "said\n"


class TestRestart:
    @pytest.mark.parametrize("how", [[], ["--kill"]], ids=["stopped", "killed"])
    def test_jobs_outlive_their_gateway(
        self, client: Any, blobs: Any, submit: Callable[..., Any], unique: str, local_cloud: Cloud, how: list[str]
    ) -> None:
        # The job waits for a file, so that it surely runs through the restart.
        output = folder_output(f"azureml://datastores/upkeep_runs/paths/{unique}/o")
        submit("long", "while [ ! -e go ]; do sleep 0.1; done; echo 1 > ${{outputs.o}}/x", outputs={"o": output})
        wait(client, f"long-{unique}", "Running")
        restart_gateway(local_cloud, how)
        (job_folder(local_cloud, f"long-{unique}") / "code" / "go").touch()
        assert ended(client, f"long-{unique}") == "Completed"
        assert blobs.get_blob_client("runs", f"{unique}/o/x").download_blob().readall() == b"1\n"

    def test_a_job_that_ended_meanwhile_is_finished(
        self, client: Any, submit: Callable[..., Any], unique: str, local_cloud: Cloud
    ) -> None:
        submit("short", "sleep 0.3")
        wait(client, f"short-{unique}", "Running")
        restart_gateway(local_cloud, ["--kill"])
        assert ended(client, f"short-{unique}") == "Completed"

    def test_a_job_whose_process_vanished_has_failed(
        self, client: Any, submit: Callable[..., Any], unique: str, local_cloud: Cloud
    ) -> None:
        submit("gone", "sleep 300")
        wait(client, f"gone-{unique}", "Running")
        pid = json.loads((job_folder(local_cloud, f"gone-{unique}") / "process.json").read_text())["pid"]
        os.killpg(pid, 9)
        assert ended(client, f"gone-{unique}") == "Failed"


def restart_gateway(local_cloud: Cloud, arguments: list[str]) -> None:
    folder = local_cloud["LOCALCLOUD_FOLDER"]
    command = [sys.executable, "-m", "localcloud", "restart-gateway", "--folder", folder, *arguments]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)


class TestMlflow:
    def test_takes_what_a_job_logs(
        self, client: Any, blobs: Any, submit: Callable[..., Any], unique: str, tmp_path: Path
    ) -> None:
        script = (
            "import mlflow; mlflow.log_metric('mae', 9.5); mlflow.log_metric('mae', 8.25, step=1); "
            "mlflow.log_params({'rate': 0.5}); mlflow.log_metrics({'rmse': 11.0}); mlflow.set_tag('part', 'p'); "
            "mlflow.log_text('a report', 'reports/a.txt'); "
            "print(mlflow.artifacts.load_text(mlflow.get_artifact_uri('reports/a.txt')))"
        )
        environment = register_environment(client, tmp_path, "mlflow", ["mlflow-skinny>=3,<4"])
        submit("mlflow", f'python -c "{script}"', environment=environment, experiment_name="flights")
        assert ended(client, f"mlflow-{unique}") == "Completed"
        run = tracking("GET", f"/runs/get?run_id=mlflow-{unique}")["run"]
        metrics = {metric["key"]: metric["value"] for metric in run["data"]["metrics"]}
        assert metrics == {"mae": 8.25, "rmse": 11.0}
        assert {"key": "rate", "value": "0.5"} in run["data"]["params"]
        assert {"key": "part", "value": "p"} in run["data"]["tags"]
        assert run["info"]["status"] == "FINISHED"
        kept = blobs.get_blob_client("azureml-blobstore", f"ExperimentRun/dcid.mlflow-{unique}/reports/a.txt")
        assert kept.download_blob().readall() == b"a report"

    def test_knows_a_run_as_soon_as_the_job_is_made(
        self, client: Any, submit: Callable[..., Any], unique: str
    ) -> None:
        submit("run", "true", experiment_name="flights")
        assert tracking("GET", f"/runs/get?run_id=run-{unique}")["run"]["info"]["run_id"] == f"run-{unique}"
        assert ended(client, f"run-{unique}") == "Completed"

    def test_finds_the_runs_of_an_experiment_by_metric(
        self, client: Any, submit: Callable[..., Any], unique: str
    ) -> None:
        for name, value in (("low", 1.0), ("high", 9.0)):
            submit(name, "true", experiment_name=unique)
            assert ended(client, f"{name}-{unique}") == "Completed"
            metric = {"run_id": f"{name}-{unique}", "key": "mae", "value": value, "timestamp": 1, "step": 0}
            tracking("POST", "/runs/log-metric", metric)
        experiment = tracking("GET", f"/experiments/get-by-name?experiment_name={unique}")["experiment"]
        query = {"experiment_ids": [experiment["experiment_id"]], "filter": "metrics.mae < 5"}
        found = tracking("POST", "/runs/search", query)["runs"]
        assert [run["info"]["run_id"] for run in found] == [f"low-{unique}"]


def tracking(method: str, path: str, body: Any = None) -> Any:
    base = os.environ["IDENTITY_ENDPOINT"].removesuffix("/msi/token")
    workspace = (
        f"/subscriptions/{os.environ['UPKEEP_SUBSCRIPTION_ID']}/resourceGroups/{os.environ['UPKEEP_RESOURCE_GROUP']}"
        f"/providers/Microsoft.MachineLearningServices/workspaces/{os.environ['UPKEEP_WORKSPACE']}"
    )
    data = None if body is None else json.dumps(body).encode()
    url = f"{base}/mlflow/v1.0{workspace}/api/2.0/mlflow{path}"
    with urllib.request.urlopen(urllib.request.Request(url, data, method=method), timeout=30) as answer:
        return json.loads(answer.read())
