"""The training is published as a component too: from its own file, or made of the job's."""

from pathlib import Path
from typing import Any

import pytest

from shared.errors import BadInput
from tests.unit.operator.publish_world import Publish, edit

COMPONENT = """\
$schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json
type: command
name: anything
version: "7"
display_name: Train trips
code: .
command: >-
  python train.py
  --manifest ${{inputs.manifest}} --parts ${{inputs.parts}} --rate ${{inputs.rate}}
  --model ${{outputs.model}} --evaluation ${{outputs.evaluation}}
environment: {image: "mcr.microsoft.com/azureml/base:1", conda_file: conda.yml}
inputs:
  parts: {type: uri_folder, description: the parts}
  manifest: {type: uri_file}
  rate: {type: number, default: 0.1}
outputs: {model: {type: uri_folder}, evaluation: {type: uri_folder}}
"""


@pytest.fixture
def with_file(folder: Path) -> Path:
    """The folder with a component's file."""
    edit(folder / "upkeep.yaml", "{job: train/job.yml}", "{job: train/job.yml, component: train/component.yml}")
    (folder / "train/component.yml").write_text(COMPONENT)
    return folder


def only(target: Any) -> dict[str, Any]:
    [made] = target.registry.components.values()
    return made


def test_without_a_file_the_component_is_made_of_the_job(publish: Publish, target: Any) -> None:
    publish()
    made = only(target)
    assert made["name"] == "trips_train"
    assert made["inputs"] == {
        "manifest": {"type": "uri_file"},
        "parts": {"type": "uri_folder"},
        "rate": {"type": "number", "default": "0.1"},
    }
    assert "--rate ${{inputs.rate}}" in made["command"]


def test_the_component_names_code_and_environment_by_id(publish: Publish, target: Any) -> None:
    publish()
    made, [environment] = only(target), target.registry.environments
    train = next(version for name, version in target.registry.codes if name == "trips-train")
    assert made["code"] == f"azureml:/w/codes/trips-train/versions/{train}"
    assert made["environment"] == f"azureml:/w/environments/trips-train/versions/{environment[1]}"


def test_the_file_gives_labels_and_upkeep_name_and_version(publish: Publish, with_file: Path, target: Any) -> None:
    publish()
    made = only(target)
    assert (made["name"], made["display_name"]) == ("trips_train", "Train trips")
    assert made["version"] not in ("7", "")
    assert made["inputs"]["parts"] == {"type": "uri_folder", "description": "the parts"}


def test_another_version_in_the_file_is_no_change(publish: Publish, with_file: Path, target: Any) -> None:
    (with_file / "train/.amlignore").write_text("component.yml\n")
    publish()
    edit(with_file / "train/component.yml", 'version: "7"', 'version: "8"')
    assert publish() == []


def test_changed_code_is_another_version_of_the_component(publish: Publish, with_file: Path, target: Any) -> None:
    publish()
    edit(with_file / "train/train.py", "train", "train harder")
    assert "component" in publish()
    assert len({version for _, version in target.registry.components}) == 2


@pytest.mark.parametrize(
    ("old", "new", "told_of"),
    [
        ("--rate ${{inputs.rate}}", "", "command is not that of"),
        ("base:1", "base:2", "environment is not that of"),
        ("parts: {type: uri_folder", "parts: {type: uri_file", "inputs.parts is not that of"),
        ("outputs: {", "outputs: {log: {type: uri_folder}, ", "outputs.log is not that of"),
        ("type: command", "type: spark", "component.yml"),
        ("code: .", "limits: {timeout: 5}\ncode: .", "limits"),
    ],
)
def test_a_component_that_is_another_training_is_refused(
    publish: Publish, with_file: Path, target: Any, old: str, new: str, told_of: str
) -> None:
    edit(with_file / "train/component.yml", old, new)
    with pytest.raises(BadInput) as refusal:
        publish()
    assert told_of in str(refusal.value)
    assert target.registry.codes == {}
