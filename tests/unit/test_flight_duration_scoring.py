"""The example's scoring script, as the inference server calls it, on a model fitted on a few real flights."""

import importlib.util
import itertools
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from localcloud import flights

MODEL = Path(__file__).resolve().parents[2] / "models" / "flight-duration"
FLIGHT = {
    "carrier": "UA",
    "origin": "EWR",
    "dest": "IAH",
    "distance": 1400,
    "sched_dep_time": 515,
    "sched_arr_time": 819,
}


@dataclass
class Answer:
    """Stands for the server's AMLResponse, whose package pins what this environment has newer."""

    message: Any
    status_code: int
    json_str: bool = False


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder as a deployment mounts it: below a folder of its own."""
    folder = tmp_path_factory.mktemp("registry") / "model"
    sys.path.insert(0, str(MODEL / "train"))
    try:
        features, model_file = (importlib.import_module(name) for name in ("features", "model_file"))
        flown = [row for row in itertools.islice(flights.rows([1]), 3_000) if row["air_time"]]
        rows = np.array([list(flights.scoring_request(row).values()) for row in flown], dtype=object)
        minutes = np.array([float(row["air_time"]) for row in flown])
        model_file.save(folder, features.fit(rows, minutes, lambda _number, _error: None, 60), features.INPUTS)
    finally:
        sys.path.remove(str(MODEL / "train"))
        for path in (MODEL / "train").glob("*.py"):
            sys.modules.pop(path.stem, None)
    return folder.parent


class Collector:
    """Stands for azureml-ai-monitoring's: keeps what is collected; `full` is its queue that takes no more."""

    kept: dict[str, list[dict[str, Any]]]
    full: bool

    def __init__(self, *, name: str, on_error: Callable[[Exception], None]) -> None:
        self.name = name
        self.on_error = on_error

    def collect(self, data: Any) -> None:
        if Collector.full:
            self.on_error(RuntimeError("message queue is full"))
            return
        Collector.kept.setdefault(self.name, []).extend(json.loads(data.to_json(orient="records")))


@pytest.fixture
def collecting(score: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The scoring script in a deployment that collects data."""
    package = ModuleType("azureml.ai.monitoring")
    package.Collector = Collector  # type: ignore[attr-defined]  # a module made here has no declared names
    monkeypatch.setitem(sys.modules, package.__name__, package)
    monkeypatch.setenv("AZUREML_MDC_ENABLED", "true")
    Collector.kept, Collector.full = {}, False
    score.init()
    return score


@pytest.fixture
def score(model_dir: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    server = ModuleType("azureml_inference_server_http.api.aml_response")
    server.AMLResponse = Answer  # type: ignore[attr-defined]  # a module made here has no declared names
    for name in ("azureml_inference_server_http", "azureml_inference_server_http.api"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, server.__name__, server)
    monkeypatch.setenv("AZUREML_MODEL_DIR", str(model_dir))
    spec = importlib.util.spec_from_file_location("flight_duration_score", MODEL / "score" / "score.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.init()
    return module


def test_the_sample_request_gets_three_plausible_times(score: ModuleType):
    answer = score.run((MODEL / "sample-request.json").read_text())
    assert len(answer["predictions"]) == 3
    assert all(100 < minutes < 300 for minutes in answer["predictions"])


def test_bytes_are_answered_like_text(score: ModuleType):
    body = json.dumps({"data": [FLIGHT]})
    assert score.run(body.encode()) == score.run(body)


def test_an_airport_never_seen_is_answered_all_the_same(score: ModuleType):
    answer = score.run(json.dumps({"data": [{**FLIGHT, "dest": "QQQ"}]}))
    assert np.isfinite(answer["predictions"]).all()


def test_a_column_that_the_model_does_not_take_changes_nothing(score: ModuleType):
    told = score.run(json.dumps({"data": [{**FLIGHT, "arr_delay": 300}]}))
    assert told == score.run(json.dumps({"data": [FLIGHT]}))


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("", "not JSON"),
        ("[1]", "must be"),
        ('{"data": []}', "must be"),
        ('{"data": ["UA"]}', "data[0] is not an object"),
        ('{"data": [{"carrier": "UA"}]}', "data[0] has no origin"),
        (json.dumps({"data": [FLIGHT, {**FLIGHT, "distance": "far"}]}), "data[1].distance must be a number"),
        (json.dumps({"data": [{**FLIGHT, "distance": True}]}), "data[0].distance must be a number"),
        (json.dumps({"data": [{**FLIGHT, "distance": float("nan")}]}), "must be a finite number"),
        (json.dumps({"data": [{**FLIGHT, "distance": 10**400}]}), "must be a finite number"),
        (json.dumps({"data": [{**FLIGHT, "carrier": None}]}), "data[0].carrier must be a text"),
    ],
)
def test_a_bad_request_is_told_what_is_wrong_with_it(score: ModuleType, body: str, sentence: str):
    answer = score.run(body)
    assert answer.status_code == 400
    assert sentence in answer.message["error"]


def test_a_model_folder_without_a_model_stops_the_server(
    score: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AZUREML_MODEL_DIR", str(tmp_path))
    with pytest.raises(RuntimeError, match="0 files"):
        score.init()


def test_every_flight_leaves_its_input_and_its_output_under_one_key(collecting: ModuleType):
    body = json.dumps({"data": [FLIGHT, {**FLIGHT, "carrier": "AA"}]})
    answer = collecting.run(body, {"X-Request-Id": "req-7"})
    inputs, outputs = Collector.kept["model_inputs"], Collector.kept["model_outputs"]
    assert [(row["request_id"], row["row"], row["carrier"]) for row in inputs] == [
        ("req-7", 0, "UA"),
        ("req-7", 1, "AA"),
    ]
    assert [(row["request_id"], row["row"]) for row in outputs] == [("req-7", 0), ("req-7", 1)]
    assert [row["prediction"] for row in outputs] == answer["predictions"]


def test_requests_without_an_id_get_one_each(collecting: ModuleType):
    for _ in range(2):
        collecting.run(json.dumps({"data": [FLIGHT]}))
    keys = {name: [row["request_id"] for row in rows] for name, rows in Collector.kept.items()}
    assert keys["model_inputs"] == keys["model_outputs"]
    assert len(set(keys["model_inputs"])) == 2


def test_a_bad_request_leaves_nothing(collecting: ModuleType):
    collecting.run("[1]")
    assert Collector.kept == {}


def test_a_collector_that_takes_no_more_fails_no_request_and_is_told_once(
    collecting: ModuleType, caplog: pytest.LogCaptureFixture
):
    Collector.full = True
    for _ in range(3):
        assert len(collecting.run(json.dumps({"data": [FLIGHT]}))["predictions"]) == 1
    assert caplog.text.count("message queue is full") == 1


def test_a_deployment_that_does_not_collect_does_not_load_the_package(
    score: ModuleType, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "azureml.ai.monitoring", None)
    score.init()
    assert len(score.run(json.dumps({"data": [FLIGHT]}))["predictions"]) == 1
