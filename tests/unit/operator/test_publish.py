"""Publishing writes what has changed, all of it once, and nothing when nothing has."""

from pathlib import Path
from typing import Any

import pytest

from shared.errors import BadInput
from shared.operator.publish import Published, told
from shared.operator.publish_target import Change, Target
from tests.unit.operator.publish_world import Publish, current, edit

EVERYTHING = ["environment", "code", "code", "component", "endpoint", "folder", "publication", "pointer"]


def test_the_first_run_writes_everything_and_the_pointer_last(publish: Publish) -> None:
    assert publish() == EVERYTHING


def test_the_second_run_writes_nothing(publish: Publish) -> None:
    publish()
    assert publish() == []


def test_a_dry_run_tells_the_same_and_writes_nothing(publish: Publish, target: Target) -> None:
    assert publish(dry_run=True) == EVERYTHING
    assert target.state.load("trips", 1) is None
    assert publish() == EVERYTHING


def test_an_endpoint_has_a_name_of_its_own_in_each_installation(publish: Publish, target: Any) -> None:
    """The name is unique in a region: dev, test and prod, and whoever else has this model there, must not meet."""
    publish(token="ab12cd34")
    assert list(target.registry.endpoints) == ["trips-ab12cd34"]
    assert current(target).serving.endpoint == "trips-ab12cd34"


def test_an_endpoints_name_leaves_room_for_the_token(publish: Publish, folder: Path) -> None:
    name = "t" * 24
    edit(folder / "score/endpoint.yml", "name: trips", f"name: {name}")
    edit(folder / "score/deployment.yml", "endpoint_name: trips", f"endpoint_name: {name}")
    with pytest.raises(BadInput, match=r"endpoint\.yml: name has 24 characters and may have 23"):
        publish()


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
    assert publish() == ["code", "component", "publication", "pointer"]


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


def test_a_query_is_published_with_the_text_of_its_file(folder: Path, publish: Publish, target: Target) -> None:
    (folder / "q.kql").write_text("T | project value = 1")
    query = "{name: q, file: q.kql, max: 1}"
    edit(folder / "upkeep.yaml", "sample-request.json", f"sample-request.json\n  analysis: {{queries: [{query}]}}")
    publish()
    published = current(target)
    assert published.kql(published.spec.rollout.analysis.queries[0]) == "T | project value = 1"


def test_predictions_are_compared_only_of_what_the_deployment_collects(folder: Path, publish: Publish) -> None:
    edit(folder / "upkeep.yaml", "sample-request.json", "sample-request.json\n  analysis: {predictions: {}}")
    with pytest.raises(BadInput, match="data_collector does not switch on model_outputs"):
        publish()


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
    changes = [Change(what="code", name="trips-train:1"), Change(what="schedule", name="old", how="switch off")]
    made = {"trips": Published(changes=changes, waiting=["m"]), "fares": Published(changes=[], waiting=[])}
    assert list(told(made, dry_run=False)) == [
        "trips: wrote code trips-train:1",
        "trips: switched off schedule old",
        "trips: monitor m waits for the first live deployment",
        "fares: nothing has changed",
    ]
    assert next(iter(told(made, dry_run=True))) == "trips: would write code trips-train:1"
