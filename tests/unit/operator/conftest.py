"""What the tests of publishing share."""

from pathlib import Path

import pytest

from shared.operator.publish import publish_to
from shared.operator.publish_files import read_folder
from shared.operator.publish_target import Target
from tests.fakes.state import FakeStateStore
from tests.unit.operator.publish_world import (
    CONDA,
    DEPLOYMENT,
    ENDPOINT,
    JOB,
    UPKEEP,
    FakeBlobs,
    FakeRegistry,
    FakeSchedules,
    Publish,
)


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
    return Target(FakeStateStore(), FakeBlobs(), FakeRegistry(), FakeSchedules())


@pytest.fixture
def publish(folder: Path, target: Target) -> Publish:
    """Publish the folder; the kinds of what was written."""

    def run(environment: str = "prod", *, dry_run: bool = False, commit: str = "", token: str = "") -> list[str]:
        made = publish_to(target, read_folder(folder, environment, token), dry_run=dry_run, commit=commit)
        return [change.what for change in made.changes]

    return run
