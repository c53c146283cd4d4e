"""Jobs as documents, their folder and their process."""

import asyncio
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from localcloud.cloud import Cloud, Ports
from localcloud.controlplane.blobs import Blobs
from localcloud.controlplane.job_book import JobBook
from localcloud.controlplane.job_folder import JobFolder, resolve
from localcloud.controlplane.job_process import JobProcess
from localcloud.controlplane.responses import ArmError
from localcloud.controlplane.runner import Runner, duration_s, end
from localcloud.faults import Fault, Faults
from localcloud.store import Store

JOB: dict[str, Any] = {
    "jobType": "Command",
    "command": "python train.py --model ${{outputs.model}}",
    "environmentId": "/subscriptions/S/resourceGroups/g/providers/p/workspaces/w/environments/e/versions/1",
    "outputs": {"model": {"jobOutputType": "uri_folder"}},
}


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    store = Store(tmp_path / "cloud.sqlite")
    yield Cloud(tmp_path, Ports(1, 2, 3, 4, 5, 6), store, Faults())
    store.close()


@pytest.fixture
def book(cloud: Cloud) -> JobBook:
    return JobBook(cloud)


class TestPut:
    def test_makes_a_job_that_has_not_started(self, book: JobBook) -> None:
        job, new = book.put("j", JOB)
        assert (new, job["resource"]["properties"]["status"]) == (True, "NotStarted")

    def test_fills_in_azures_place_for_an_output(self, book: JobBook) -> None:
        job, _ = book.put("j", JOB)
        uri = job["resource"]["properties"]["outputs"]["model"]["uri"]
        assert uri == "azureml://datastores/workspaceblobstore/paths/azureml/j/model/"

    def test_again_is_the_same_job(self, book: JobBook) -> None:
        book.put("j", JOB)
        _, new = book.put("j", {**JOB, "environmentId": JOB["environmentId"].lower()})
        assert not new

    @pytest.mark.parametrize(
        "change",
        [
            {"command": "python other.py --model ${{outputs.model}}"},
            {"environmentId": JOB["environmentId"].replace("/1", "/2")},
            {"inputs": {"rate": {"jobInputType": "literal", "value": "1"}}},
            {
                "outputs": {
                    "model": {"jobOutputType": "uri_folder", "uri": "azureml://datastores/upkeep_runs/paths/x"}
                }
            },
            {"limits": {"jobLimitsType": "Command", "timeout": "PT1H"}},
            {"environmentVariables": {"A": "1"}},
        ],
        ids=lambda change: next(iter(change)),
    )
    def test_of_another_content_is_refused(self, book: JobBook, change: dict[str, Any]) -> None:
        book.put("j", JOB)
        with pytest.raises(ArmError, match="JobPropertyImmutable") as refused:
            book.put("j", {**JOB, **change})
        assert refused.value.status == 400

    def test_may_change_tags(self, book: JobBook) -> None:
        book.put("j", {**JOB, "tags": {"a": "1"}})
        job, _ = book.put("j", {**JOB, "tags": {"a": "2"}})
        assert job["resource"]["properties"]["tags"] == {"a": "2"}

    @pytest.mark.parametrize(
        "wrong",
        [
            {"jobType": "Pipeline"},
            {"command": None},
            {"environmentId": None},
            {"command": "echo ${{inputs.nothing}}"},
            {"inputs": {"data": {"jobInputType": "uri_folder"}}},
            {"outputs": {"model": {"jobOutputType": "mltable"}}},
            {"outputs": {"model": {"jobOutputType": "uri_folder", "uri": "azureml://datastores/no/paths/x"}}},
            {"outputs": {"model": {"jobOutputType": "custom_model", "assetName": "m"}}},
        ],
        ids=[
            "kind",
            "no command",
            "no environment",
            "unknown input",
            "no uri",
            "unknown output type",
            "unknown datastore",
            "output to be registered",
        ],
    )
    def test_of_a_job_that_cannot_run_is_refused(self, book: JobBook, wrong: dict[str, Any]) -> None:
        with pytest.raises(ArmError) as refused:
            book.put("j", {**JOB, **wrong})
        assert refused.value.status == 400

    @pytest.mark.parametrize("name", ["-a", "a b", "a.b", "a" * 256])
    def test_of_a_name_that_azure_refuses_is_refused(self, book: JobBook, name: str) -> None:
        with pytest.raises(ArmError):
            book.put(name, JOB)


class TestMove:
    @pytest.fixture
    def told(self, cloud: Cloud) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = []

        async def listen(event: dict[str, Any]) -> None:
            events.append(event)

        cloud.listeners.append(listen)
        return events

    def test_tells_of_completion_under_the_runs_subject(self, book: JobBook, told: list[dict[str, Any]]) -> None:
        book.put("j", {**JOB, "experimentName": "flights"})
        asyncio.run(book.move("j", "Completed"))
        changed, completed = told
        assert changed["data"]["RunStatus"] == "Completed"
        assert completed["eventType"] == "Microsoft.MachineLearningServices.RunCompleted"
        assert completed["subject"] == f"experiments/{completed['data']['experimentId']}/runs/j"

    def test_raises_no_run_completed_for_a_failure(self, book: JobBook, told: list[dict[str, Any]]) -> None:
        book.put("j", JOB)
        asyncio.run(book.move("j", "Failed", error={"code": "UserError", "message": "m"}))
        assert [event["eventType"].rsplit(".", 1)[-1] for event in told] == ["RunStatusChanged"]

    def test_loses_the_event_that_a_fault_names(
        self, book: JobBook, cloud: Cloud, told: list[dict[str, Any]]
    ) -> None:
        cloud.faults.active.append(Fault("EVENT RunCompleted", 500))
        book.put("j", JOB)
        asyncio.run(book.move("j", "Completed"))
        assert [event["eventType"].rsplit(".", 1)[-1] for event in told] == ["RunStatusChanged"]

    def test_keeps_the_error_and_the_end(self, book: JobBook) -> None:
        book.put("j", JOB)
        job = asyncio.run(book.move("j", "Failed", error={"code": "UserError", "message": "m"}))
        assert job["resource"]["properties"]["error"]["message"] == "m"
        assert job["run"]["ended"] >= job["run"]["created"]


class TestCommand:
    def folder(self, tmp_path: Path, command: str, **inputs: dict[str, Any]) -> JobFolder:
        outputs = {"o": {"jobOutputType": "uri_folder", "uri": "azureml://datastores/upkeep_runs/paths/o"}}
        return JobFolder(tmp_path, {"command": command, "inputs": inputs, "outputs": outputs})

    def test_gets_literals_and_paths(self, tmp_path: Path) -> None:
        folder = self.folder(
            tmp_path,
            "run ${{inputs.rate}} ${{ inputs.data }} ${{outputs.o}}",
            rate={"jobInputType": "literal", "value": "0.5"},
            data={"jobInputType": "uri_folder", "uri": "azureml://datastores/upkeep_runs/paths/x"},
        )
        assert folder.command() == f"run 0.5 {tmp_path}/inputs/data {tmp_path}/outputs/o"

    def test_gets_the_uri_itself_of_a_direct_input(self, tmp_path: Path) -> None:
        given = {"jobInputType": "uri_folder", "mode": "Direct", "uri": "azureml://datastores/d/paths/x"}
        assert self.folder(tmp_path, "${{inputs.x}}", x=given).command() == "azureml://datastores/d/paths/x"

    def test_keeps_an_optional_part_only_with_its_input(self, tmp_path: Path) -> None:
        command = "run $[[--rate ${{inputs.rate}}]] $[[--seed ${{inputs.seed}}]]"
        folder = self.folder(tmp_path, command, rate={"jobInputType": "literal", "value": "1"})
        assert folder.command().split() == ["run", "--rate", "1"]

    def test_finds_the_output_of_another_job(self, cloud: Cloud, book: JobBook) -> None:
        book.put("j", JOB)
        found = resolve(cloud, "azureml://jobs/j/outputs/model/paths/deep/", "uri_folder")
        assert found == "azureml://datastores/workspaceblobstore/paths/azureml/j/model/deep/"


class TestProcess:
    @pytest.fixture
    def process(self, tmp_path: Path) -> Iterator[JobProcess]:
        for name in ("code", "user_logs"):
            (tmp_path / name).mkdir()
        process = JobProcess(tmp_path)
        yield process
        process.send(signal.SIGKILL)

    def until_ended(self, process: JobProcess) -> None:
        deadline_s = time.monotonic() + 20
        while process.runs():
            assert time.monotonic() < deadline_s
            time.sleep(0.02)

    def test_leaves_its_exit_code_and_its_output(self, process: JobProcess) -> None:
        process.start("echo said; exit 7", os.environ)
        self.until_ended(process)
        assert process.exit_code() == 7
        assert (process.folder / "user_logs" / "std_log.txt").read_text() == "said\n"

    def test_is_found_again_by_its_folder_alone(self, process: JobProcess) -> None:
        process.start("sleep 60", os.environ)
        assert JobProcess(process.folder).runs()

    def test_leaves_no_exit_code_when_killed(self, process: JobProcess) -> None:
        process.start("sleep 60", os.environ)
        process.send(signal.SIGKILL)
        self.until_ended(process)
        assert process.exit_code() is None

    def test_is_ended_with_a_child_that_ignores_polite_signals(self, process: JobProcess) -> None:
        process.start(
            "bash -c 'trap \"\" TERM; touch ready; sleep 60' & while [ ! -e ready ]; do :; done", os.environ
        )
        self.until_ended(process)
        assert process.leaves_children()
        asyncio.run(end(process, grace_s=0.1))
        assert not process.leaves_children()

    def test_of_a_reused_id_is_never_signalled(self, process: JobProcess) -> None:
        stranger = subprocess.Popen(["sleep", "60"], start_new_session=True)
        (process.folder / "process.json").write_text(json.dumps({"pid": stranger.pid, "created": 1.0}))
        process.send(signal.SIGKILL)
        assert (process.runs(), process.leaves_children(), stranger.poll()) == (False, False, None)
        stranger.kill()
        stranger.wait()

    def test_that_was_never_started_does_not_run(self, tmp_path: Path) -> None:
        process = JobProcess(tmp_path)
        assert (process.was_started(), process.runs(), process.exit_code()) == (False, False, None)


def test_a_process_of_a_forgotten_job_is_ended_at_the_next_start(cloud: Cloud, book: JobBook) -> None:
    process = JobProcess(cloud.folder / "jobs" / "forgotten")
    for name in ("code", "user_logs"):
        (process.folder / name).mkdir(parents=True)
    process.start("sleep 60", os.environ)
    pid = json.loads((process.folder / "process.json").read_text())["pid"]
    asyncio.run(resume(cloud, book))
    deadline_s = time.monotonic() + 20
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline_s
        time.sleep(0.02)
    assert not process.folder.exists()


async def resume(cloud: Cloud, book: JobBook) -> None:
    Runner(cloud, book, Blobs(cloud)).resume()


@pytest.mark.parametrize(
    ("text", "expected_s"), [("PT1H30M", 5400), ("PT90S", 90), ("P1DT1S", 86401), ("PT0.5S", 0.5), ("90", None)]
)
def test_reads_iso_durations(text: str, expected_s: float | None) -> None:
    assert duration_s(text) == expected_s
