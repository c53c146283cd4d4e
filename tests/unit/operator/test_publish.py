"""Publishing writes what has changed, all of it once, and nothing when nothing has."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.adapters.azureml_files import EnvironmentFile
from shared.errors import BadInput
from shared.operator.publish import Change, Target, publish_to, told
from tests.fakes.archive import FakeArchive
from tests.fakes.state import FakeStateStore

UPKEEP = """\
version: 1
name: trips
data:
  time_column: at
  columns: {at: {type: timestamp}, fare: {type: float64}}
training: {job: train/job.yml}
gates: {metric: mae, direction: minimize, floor: 20}
rollout:
  endpoint: score/endpoint.yml
  deployment: score/deployment.yml
  sample_request: sample-request.json
retrain: {schedule: "0 3 * * 1"}
alerts: {trips-mae: retrain, trips-errors: rollback}
environments: {dev: {gates: {floor: 50}}, prod: {}}
"""
JOB = """\
type: command
code: .
command: >-
  python train.py --manifest ${{inputs.manifest}} --parts ${{inputs.parts}} --rate ${{inputs.rate}}
  --model ${{outputs.model}} --evaluation ${{outputs.evaluation}}
environment: {image: "mcr.microsoft.com/azureml/base:1", conda_file: conda.yml}
environment_variables: {OMP_NUM_THREADS: "2"}
compute: azureml:cpu-cluster
inputs:
  manifest: {type: uri_file, path: "azureml://datastores/a/paths/m.json"}
  parts: {type: uri_folder, path: "azureml://datastores/a/paths/parts/"}
  rate: 0.1
outputs:
  model: {type: uri_folder}
  evaluation: {type: uri_folder}
"""
CONDA = "name: t\ndependencies:\n  - python=3.11\n  - pip\n  - pip: [scikit-learn]\n"
ENDPOINT = "name: trips\nauth_mode: key\n"
DEPLOYMENT = """\
name: r0001
endpoint_name: trips
model: azureml:trips:1
code_configuration: {code: ., scoring_script: score.py}
environment: azureml:serving:3
instance_type: Standard_DS3_v2
instance_count: 2
request_settings: {request_timeout_ms: 3000, max_concurrent_requests_per_instance: 4, max_queue_wait_ms: 500}
liveness_probe: {initial_delay: 10, period: 11, timeout: 2, success_threshold: 1, failure_threshold: 30}
"""


class FakeBlobs(FakeArchive):
    """The archive with its folder for jobs that have no champion."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = False

    def has_no_champion(self) -> bool:
        return self.folder

    def put_no_champion(self) -> None:
        self.folder = True


class FakeRegistry:
    """Azure ML's assets in memory. Registering one that is there is what publishing must never do."""

    def __init__(self) -> None:
        self.environments: dict[tuple[str, str], EnvironmentFile] = {}
        self.codes: dict[tuple[str, str], dict[str, str]] = {}
        self.endpoints: dict[str, Any] = {}

    def id_of(self, kind: str, name: str, version: str) -> str:
        return f"/w/{kind}/{name}/versions/{version}"

    def has_environment(self, name: str, version: str) -> bool:
        return (name, version) in self.environments

    def register_environment(self, name: str, version: str, wanted: EnvironmentFile) -> None:
        assert (name, version) not in self.environments
        self.environments[name, version] = wanted

    def has_code(self, name: str, version: str) -> bool:
        return (name, version) in self.codes

    def register_code(self, name: str, version: str, folder: Path) -> None:
        assert (name, version) not in self.codes
        files = (path for path in folder.rglob("*") if path.is_file())
        self.codes[name, version] = {path.relative_to(folder).as_posix(): path.read_text() for path in files}

    def has_endpoint(self, name: str) -> bool:
        return name in self.endpoints

    def create_endpoint(self, wanted: Any) -> None:
        assert wanted.name not in self.endpoints
        self.endpoints[wanted.name] = wanted


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model's folder with everything that is needed and nothing else."""
    files = {
        "upkeep.yaml": UPKEEP,
        "sample-request.json": '{ "data": [ 1 ] }',
        "train/job.yml": JOB,
        "train/conda.yml": CONDA,
        "train/train.py": "print('train')\n",
        "score/endpoint.yml": ENDPOINT,
        "score/deployment.yml": DEPLOYMENT,
        "score/score.py": "def run(raw): ...\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def target() -> Target:
    return Target(FakeStateStore(), FakeBlobs(), FakeRegistry())


Publish = Callable[..., list[str]]


@pytest.fixture
def publish(folder: Path, target: Target) -> Publish:
    """Publish the folder; the kinds of what was written."""

    def run(environment: str = "prod", *, dry_run: bool = False, commit: str = "") -> list[str]:
        return [change.what for change in publish_to(target, folder, environment, dry_run=dry_run, commit=commit)]

    return run


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def current(target: Target) -> Any:
    loaded = target.state.load("trips", 1)
    assert loaded
    return target.blobs.publication("trips", loaded.pointer.publication)


EVERYTHING = ["environment", "code", "code", "endpoint", "folder", "publication", "pointer"]


def test_the_first_run_writes_everything_and_the_pointer_last(publish: Publish) -> None:
    assert publish() == EVERYTHING


def test_the_second_run_writes_nothing(publish: Publish) -> None:
    publish()
    assert publish() == []


def test_a_dry_run_tells_the_same_and_writes_nothing(publish: Publish, target: Target) -> None:
    assert publish(dry_run=True) == EVERYTHING
    assert target.state.load("trips", 1) is None
    assert publish() == EVERYTHING


def test_another_commit_alone_is_no_change(publish: Publish, target: Target) -> None:
    publish(commit="one")
    assert publish(commit="two") == []
    assert current(target).commit == "one"


def test_an_edited_spec_is_published_without_new_assets(publish: Publish, folder: Path, target: Target) -> None:
    publish()
    edit(folder / "upkeep.yaml", "floor: 20", "floor: 21")
    assert publish() == ["publication", "pointer"]
    assert current(target).spec.gates.floor == 21


def test_edited_code_is_registered_and_the_other_kept(publish: Publish, folder: Path) -> None:
    publish()
    edit(folder / "train/train.py", "train", "train harder")
    assert publish() == ["code", "publication", "pointer"]


def test_bytecode_and_ignored_files_are_no_change(publish: Publish, folder: Path) -> None:
    (folder / "train/.amlignore").write_text("notes/\n*.csv\n")
    publish()
    for name in ("__pycache__/train.pyc", "notes/today.md", "data.csv"):
        (folder / "train" / name).parent.mkdir(exist_ok=True)
        (folder / "train" / name).write_text("x")
    assert publish() == []


def test_what_is_uploaded_is_the_code_and_a_mark_that_makes_it_ours(publish: Publish, target: Any) -> None:
    publish()
    uploaded = {name: sorted(files) for (name, _), files in target.registry.codes.items()}
    assert uploaded["trips-score"] == [".upkeep-code", "deployment.yml", "endpoint.yml", "score.py"]


def test_a_comment_in_a_conda_file_makes_no_new_environment(publish: Publish, folder: Path, target: Any) -> None:
    publish()
    edit(folder / "train/conda.yml", "name: t\n", "name: t  # for training\n")
    publish()
    assert len(target.registry.environments) == 1


def test_the_overlay_of_the_environment_is_published(publish: Publish, target: Target) -> None:
    publish("dev")
    assert current(target).spec.gates.floor == 50


def test_the_pointer_tells_what_triggers_must_know(publish: Publish, target: Target) -> None:
    publish()
    loaded = target.state.load("trips", 1)
    assert loaded
    pointer = loaded.pointer
    assert (pointer.schedule, pointer.alerts) == ("0 3 * * 1", ("trips-errors", "trips-mae"))


def test_literals_of_the_job_are_put_into_the_command(publish: Publish, target: Target) -> None:
    publish()
    command = current(target).training.command
    assert "--rate 0.1 " in command
    assert "${{inputs.manifest}}" in command


def test_a_literal_cannot_add_to_the_command(publish: Publish, folder: Path, target: Target) -> None:
    edit(folder / "train/job.yml", "rate: 0.1", 'rate: "0.1; rm -rf /"')
    publish()
    assert "--rate '0.1; rm -rf /' " in current(target).training.command


def test_the_files_of_azure_ml_are_carried_over(publish: Publish, target: Target) -> None:
    publish()
    training, serving = current(target).training, current(target).serving
    assert (training.compute, training.environment_variables) == ("cpu-cluster", {"OMP_NUM_THREADS": "2"})
    assert (serving.instance_count, serving.request_timeout_ms, serving.max_queue_wait_ms) == (2, 3000, 500)
    assert (serving.liveness_probe.period_s, serving.readiness_probe) == (11, None)
    assert serving.environment_id == "/w/environments/serving/versions/3"
    assert current(target).sample_request == '{"data":[1]}'


def test_the_schema_of_the_answer_is_published_with_the_sample(
    folder: Path, publish: Publish, target: Target
) -> None:
    (folder / "answer.json").write_text('{ "type": "object" }')
    edit(folder / "upkeep.yaml", "sample-request.json", "sample-request.json\n  answer: {schema: answer.json}")
    publish()
    assert current(target).sample.schema == '{"type":"object"}'


@pytest.mark.parametrize(
    ("file", "old", "new", "told_of"),
    [
        ("train/job.yml", "compute:", "limits: {timeout: 5}\ncompute:", "limits"),
        ("train/job.yml", "type: command", "type: sweep", "job.yml"),
        ("train/job.yml", "code: .", "code: nowhere", "nowhere"),
        ("train/job.yml", "${{inputs.rate}}", "${{inputs.ratio}}", "inputs.ratio"),
        ("train/job.yml", "--manifest ${{inputs.manifest}}", "", "inputs.manifest"),
        ("train/job.yml", "--evaluation ${{outputs.evaluation}}", "", "outputs.evaluation"),
        ("train/job.yml", "rate: 0.1", "rate: {type: uri_file, path: 'azureml:x:1'}", "rate"),
        ("train/job.yml", "type: command", "type: [command", "not YAML"),
        ("score/deployment.yml", "endpoint_name: trips", "endpoint_name: other", "other"),
        ("score/deployment.yml", "azureml:serving:3", "azureml:serving@latest", "moves by itself"),
        (
            "score/deployment.yml",
            "instance_count",
            "egress_public_network_access: disabled\ninstance_count",
            "egress",
        ),
        ("score/deployment.yml", "scoring_script: score.py", "scoring_script: gone.py", "gone.py"),
        ("score/endpoint.yml", "auth_mode: key", "auth_mode: key\ntraffic: {r0001: 100}", "traffic"),
        ("sample-request.json", "[ 1 ]", "[ 1", "not JSON"),
        ("upkeep.yaml", "metric: mae", "metrik: mae", "metrik"),
    ],
)
def test_what_cannot_be_carried_over_is_refused_and_nothing_written(
    publish: Publish, folder: Path, target: Any, file: str, old: str, new: str, told_of: str
) -> None:
    edit(folder / file, old, new)
    with pytest.raises(BadInput) as refusal:
        publish()
    assert told_of in str(refusal.value)
    assert target.registry.codes == {}


def test_a_person_is_told_a_line_a_change() -> None:
    made = {"trips": [Change(what="code", name="trips-train:1")], "fares": []}
    assert list(told(made, dry_run=False)) == ["trips: wrote code trips-train:1", "fares: nothing has changed"]
    assert next(iter(told(made, dry_run=True))) == "trips: would write code trips-train:1"
