"""A model's folder, and a target in memory, for the tests of publishing beside this file."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from shared.adapters.azureml_files import EnvironmentFile
from shared.adapters.azureml_schedule_file import ScheduleFile
from shared.adapters.azureml_schedules import GONE, ScheduleSeen
from shared.operator.publish_target import Target
from tests.fakes.archive import FakeArchive

Publish = Callable[..., list[str]]

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
        self.components: dict[tuple[str, str], dict[str, Any]] = {}
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

    def has_component(self, name: str, version: str) -> bool:
        return (name, version) in self.components

    def register_component(self, text: str) -> None:
        made = json.loads(text)
        assert (made["name"], made["version"]) not in self.components
        self.components[made["name"], made["version"]] = made

    def has_endpoint(self, name: str) -> bool:
        return name in self.endpoints

    def create_endpoint(self, wanted: Any) -> None:
        assert wanted.name not in self.endpoints
        self.endpoints[wanted.name] = wanted


class FakeSchedules:
    """Azure ML's schedules in memory, with what each was made from."""

    def __init__(self) -> None:
        self.there: dict[str, ScheduleSeen] = {}
        self.made: dict[str, ScheduleFile] = {}

    def seen(self) -> list[ScheduleSeen]:
        return list(self.there.values())

    def put(self, model: str, content: str, wanted: ScheduleFile, *, enabled: bool) -> None:
        self.there[wanted.name] = ScheduleSeen(
            name=wanted.name, model=model, content=content, enabled=enabled, watches=wanted.watched
        )
        self.made[wanted.name] = wanted

    def switch_off(self, name: str) -> None:
        self.there[name] = msgspec.structs.replace(self.there[name], content=GONE, enabled=False)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def current(target: Target) -> Any:
    loaded = target.state.load("trips", 1)
    assert loaded
    return target.blobs.publication("trips", loaded.pointer.publication)
