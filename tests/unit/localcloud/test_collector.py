"""From what azureml-ai-monitoring posts to JSON lines in blobs, without sockets and without waiting."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from azure.core.exceptions import ServiceRequestError

from localcloud.cloud import WORKSPACE_ID
from localcloud.collector import sidecar as sidecars
from localcloud.collector.recorder import Recorder
from localcloud.collector.sidecar import Sidecar
from localcloud.controlplane.locations import Location

FOLDER = "modelDataCollector/flights/r0002"
SIDECAR = Sidecar(
    endpoint="flights",
    deployment="r0002",
    generation=1,
    port=21000,
    instance_id="r0002-abc-de",
    rolling="%Y/%m/%d/%H",
    places={name: ("azureml-blobstore", f"{FOLDER}/{name}") for name in ("model_inputs", "model_outputs")},
)
# As azureml-ai-monitoring 1.0.0 posts; ce-time is 2026-03-01T09:59:58Z.
HEADERS = {
    "Content-Type": "application/json",
    "trace-id": "0f5b1c0e-0000-4000-8000-000000000001",
    "ce-time": "1772359198",
    "ce-type": "azureml.inference.model_inputs",
    "ce-collect-data-type": "pandas.DataFrame",
    "ce-agent": "azureml-ai-monitoring/1.0.0",
    "ce-x-request-id": "req-1",
    "ce-model-version": "default",
}
HOUR = f"{FOLDER}/model_inputs/2026/03/01/09/r0002-abc-de.jsonl"


class Files:
    """The storage account in memory. While `down`, it refuses everything."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = defaultdict(bytes)
        self.down = False

    def append(self, location: Location, lines: list[bytes]) -> None:
        self._refuse()
        self.blobs[location.path] += b"".join(line + b"\n" for line in lines)

    def write(self, location: Location, content: bytes) -> str:
        self._refuse()
        self.blobs[location.path] = content
        return f"https://account/{location.container}/{location.path}"

    def lines(self, path: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.blobs[path].splitlines()]

    def _refuse(self) -> None:
        if self.down:
            raise ServiceRequestError("the storage account is away")


@pytest.fixture
def files() -> Files:
    return Files()


@pytest.fixture
def recorder(files: Files) -> Recorder:
    made = Recorder(files, batch=8)
    made.add(SIDECAR)
    return made


def post(recorder: Recorder, rows: Any, **headers: str) -> tuple[int, str]:
    content = rows if isinstance(rows, bytes) else json.dumps(rows).encode()
    named: Mapping[str, str] = {key.replace("_", "-"): value for key, value in headers.items()}
    return recorder.accept(SIDECAR.key, {**HEADERS, **named}, content)


def flush(recorder: Recorder) -> None:
    asyncio.run(recorder.flush())


def test_a_post_becomes_a_cloud_event_of_its_hour(recorder: Recorder, files: Files) -> None:
    assert post(recorder, [{"request_id": "a", "x": 1}]) == (200, "accepted")
    flush(recorder)
    assert list(files.blobs) == [HOUR]
    assert files.lines(HOUR) == [
        {
            "specversion": "1.0",
            "id": "0f5b1c0e-0000-4000-8000-000000000001",
            "source": f"{WORKSPACE_ID}/onlineEndpoints/flights/deployments/r0002",
            "type": "azureml.inference.model_inputs",
            "datacontenttype": "application/json",
            "time": "2026-03-01T09:59:58Z",
            "data": [{"request_id": "a", "x": 1}],
            "correlationid": "req-1",
            "xrequestid": "req-1",
            "modelversion": "default",
            "collectdatatype": "pandas.DataFrame",
            "agent": "azureml-ai-monitoring/1.0.0",
            "contentrange": "bytes 0-25/26",
        }
    ]


def test_each_collection_and_hour_has_a_file_of_its_own(recorder: Recorder, files: Files) -> None:
    post(recorder, [1])
    post(recorder, [2], ce_type="azureml.inference.model_outputs")
    post(recorder, [3], ce_time="1772359201")
    flush(recorder)
    assert sorted(files.blobs) == [
        HOUR,
        f"{FOLDER}/model_inputs/2026/03/01/10/r0002-abc-de.jsonl",
        f"{FOLDER}/model_outputs/2026/03/01/09/r0002-abc-de.jsonl",
    ]


def test_requests_of_one_flush_may_share_a_line_but_no_more_than_the_batch(recorder: Recorder, files: Files) -> None:
    for number in range(10):
        post(recorder, [{"n": number}], trace_id=f"t{number}")
    flush(recorder)
    lines = files.lines(HOUR)
    assert [len(line["data"]) for line in lines] == [8, 2]
    assert [row["n"] for line in lines for row in line["data"]] == list(range(10))
    assert [line["id"] for line in lines] == ["t0", "t8"]


def test_requests_to_different_model_versions_do_not_share_a_line(recorder: Recorder, files: Files) -> None:
    post(recorder, [1], ce_model_version="1")
    post(recorder, [2], ce_model_version="2")
    flush(recorder)
    assert [line["modelversion"] for line in files.lines(HOUR)] == ["1", "2"]


def test_a_file_grows_with_every_flush(recorder: Recorder, files: Files) -> None:
    for number in (1, 2):
        post(recorder, [number])
        flush(recorder)
    assert [line["data"] for line in files.lines(HOUR)] == [[1], [2]]


@pytest.mark.parametrize("kind", ["application/octet-stream", "image/png"])
def test_what_is_not_json_lies_in_a_blob_that_its_line_points_to(recorder: Recorder, files: Files, kind: str) -> None:
    post(recorder, b"\x00\x01\x02", Content_Type=kind)
    flush(recorder)
    (line,) = files.lines(HOUR)
    raw = f"{HOUR.removesuffix('.jsonl')}/{HEADERS['trace-id']}"
    assert (line["datainblob"], line["data"]) == ("true", f"https://account/azureml-blobstore/{raw}")
    assert (files.blobs[raw], line["contentrange"]) == (b"\x00\x01\x02", "bytes 0-2/3")


def test_more_than_4_mb_lie_in_a_blob_too(recorder: Recorder, files: Files) -> None:
    post(recorder, ["x" * (4 * 1024 * 1024)])
    flush(recorder)
    assert files.lines(HOUR)[0]["datainblob"] == "true"


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{", {}, 400),
        (b'{"x": 1}', {}, 400),
        (b"[1]", {"ce_type": "something.else"}, 400),
        (b"[1]", {"ce_time": "yesterday"}, 400),
        (b"[1]", {"ce_type": "azureml.inference.other"}, 404),
    ],
)
def test_anything_else_is_refused_and_nothing_is_written(
    recorder: Recorder, files: Files, content: bytes, headers: dict[str, str], status: int
) -> None:
    assert post(recorder, content, **headers)[0] == status
    flush(recorder)
    assert not files.blobs


def test_what_the_storage_account_refuses_is_written_later(recorder: Recorder, files: Files) -> None:
    files.down = True
    post(recorder, [1])
    flush(recorder)
    assert recorder.counts()[SIDECAR.key] == {"received": 1, "written": 0, "dropped": 0, "waiting": 1}
    files.down = False
    flush(recorder)
    assert recorder.counts()[SIDECAR.key] == {"received": 1, "written": 1, "dropped": 0, "waiting": 0}
    assert len(files.lines(HOUR)) == 1


def test_a_full_memory_refuses_and_counts(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sidecars, "MAX_WAITING_BYTES", 5)
    assert [post(recorder, [1])[0] for _ in range(2)] == [200, 429]
    assert recorder.counts()[SIDECAR.key]["dropped"] == 1


def test_a_sidecar_that_ends_writes_what_it_has(recorder: Recorder, files: Files) -> None:
    post(recorder, [1])
    asyncio.run(recorder.remove(SIDECAR.key))
    assert len(files.lines(HOUR)) == 1
    assert recorder.counts() == {}


def test_what_a_sidecar_cannot_write_at_its_end_is_told_as_lost(
    recorder: Recorder, files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    files.down = True
    post(recorder, [1])
    asyncio.run(recorder.remove(SIDECAR.key))
    assert "collector.lost deployment=flights/r0002/1 events=1" in caplog.text


def test_a_sidecar_comes_back_from_the_store_as_it_was() -> None:
    assert Sidecar.load(json.loads(json.dumps(SIDECAR.saved()))) == SIDECAR


def test_the_file_rolls_as_the_deployment_says(recorder: Recorder, files: Files) -> None:
    daily = replace(SIDECAR, rolling="%Y/%m/%d")
    recorder.add(daily)
    post(recorder, [1])
    flush(recorder)
    assert list(files.blobs) == [f"{FOLDER}/model_inputs/2026/03/01/r0002-abc-de.jsonl"]
