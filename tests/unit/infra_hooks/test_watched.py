"""What is watched of a model comes from its folder, so that adding a model is adding a folder."""

import json
import re
from pathlib import Path

import pytest

from infra.hooks.tools import Failed
from infra.hooks.watched import Watch, watched
from tests.unit.operator.publish_world import DEPLOYMENT, ENDPOINT, JOB, UPKEEP

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with one model, of which models.json says nothing."""
    files = {
        "infra/models.json": "[]",
        "models/trips/upkeep.yaml": UPKEEP,
        "models/trips/train/job.yml": JOB,
        "models/trips/score/endpoint.yml": ENDPOINT,
        "models/trips/score/deployment.yml": DEPLOYMENT,
        "models/trips/sample-request.json": "{}",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def only(root: Path, environment: str = "prod") -> Watch:
    [found] = watched(root, environment)
    return found


def test_a_folder_alone_is_watched_by_the_limits_of_its_spec(root: Path) -> None:
    assert only(root) == {
        "name": "trips",
        "endpoint": "trips",
        "errorRatePct": 5,
        "errorRateRequests": 50,
        "meanErrorAbove": 20,
        "meanErrorAnswers": 300,
        "latencyP95Ms": 0,
    }


def test_the_overlay_of_the_environment_counts(root: Path) -> None:
    assert only(root, "dev")["meanErrorAbove"] == 50


def test_a_metric_that_is_to_be_large_makes_no_rule_of_an_error(root: Path) -> None:
    spec = root / "models/trips/upkeep.yaml"
    spec.write_text(UPKEEP.replace("metric: mae, direction: minimize, floor: 20", "metric: r2, floor: 0.5"))
    assert only(root)["meanErrorAbove"] == 0


def test_what_models_json_says_comes_first_and_the_rest_is_derived(root: Path) -> None:
    (root / "infra/models.json").write_text(json.dumps([{"name": "trips", "meanErrorAbove": 7}]))
    assert (only(root)["meanErrorAbove"], only(root)["errorRatePct"]) == (7, 5)


def test_an_entry_without_a_folder_is_told(root: Path) -> None:
    (root / "infra/models.json").write_text(json.dumps([{"name": "gone"}]))
    with pytest.raises(Failed, match=r"speaks of gone, which no folder of models/ is"):
        watched(root, "prod")


def test_a_spec_that_is_wrong_is_told(root: Path) -> None:
    (root / "models/trips/upkeep.yaml").write_text("version: 2")
    with pytest.raises(Failed, match=r"upkeep\.yaml"):
        watched(root, "prod")


def test_an_entry_is_what_the_template_wants(root: Path) -> None:
    template = (ROOT / "infra/modules/watch.bicep").read_text()
    assert only(root).keys() == set(re.findall(r"^  (\w+): (?:string|int)$", template, re.MULTILINE))
