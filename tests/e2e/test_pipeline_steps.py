"""The steps of the pipelines that speak with Upkeep, taken out of the workflow and run against a local cloud.

The steps around them speak with Azure Resource Manager, which the local cloud does not play; tests/pipelines runs
those against an `az` that notes what it is asked.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localcloud import flights
from localcloud.demo.azure import Azure
from localcloud.demo.ground import ROOT, Ground
from localcloud.demo.users import Users
from tests.e2e.conftest import MODEL, Cloud
from tests.pipelines.files import JOBS

pytestmark = [pytest.mark.localcloud, pytest.mark.timeout(600)]

STEPS = {step["name"]: step["run"] for step in JOBS["deploy", "deploy"]["steps"] if "run" in step}
BY_HAND = next(step["run"] for step in JOBS["train", "train"]["steps"] if step.get("name") == "Train")


class Runner(Cloud):
    """A runner of a pipeline beside a local cloud to which nothing was published."""

    def __init__(self, folder: Path) -> None:
        self.ground = Ground(folder / "cloud")
        self.ground.start()
        self.azure = Azure(self.ground.settings, self.ground.authority)
        self.files = flights.write_months(self.ground.files, [1, 2])
        self.reports = folder / "reports"
        self.page = folder / "summary.md"

    def run(self, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a step as GitHub Actions does."""
        outside = {key: value for key, value in os.environ.items() if not key.startswith("UPKEEP_")}
        environ = {
            **outside,
            "GITHUB_ACTIONS": "true",
            "GITHUB_RUN_ID": "7",
            "GITHUB_ACTOR": "ann",
            "GITHUB_SHA": "0123456789abcdef",
            "UPKEEP_ENVIRONMENT": "local",
            "GITHUB_STEP_SUMMARY": str(self.page),
            "UPKEEP_ENV_FILE": str(self.ground.folder / "operator.env"),
            "UPKEEP_REPORTS": str(self.reports),
            "UPKEEP_RETRY_S": "1",
            "UPKEEP_CHECK_MINUTES": "0.1",
            **variables,
        }
        return subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", script],
            cwd=ROOT,
            env=environ,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    def history(self) -> list[dict[str, Any]]:
        """The model's decisions, newest first."""
        found: list[dict[str, Any]] = self.azure.models(f"{MODEL}/history")["decisions"]
        return found


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    """A fresh local cloud with nothing published."""
    made = Runner(tmp_path)
    try:
        yield made
    finally:
        made.ground.stop()


def passed(done: subprocess.CompletedProcess[str]) -> str:
    """What a step said, which must have succeeded."""
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_steps_of_a_deployment_lead_to_a_model_in_production_and_a_report(runner: Runner) -> None:
    passed(runner.run(STEPS["Smoke test"]))
    assert '"publication"' in passed(runner.run(STEPS["Publish"]))
    assert "retrain of flight-duration is recorded" in passed(runner.run(STEPS["Train what changed"]))
    runner.wait("the training to be answered", lambda _: any("NotEnoughData" in str(one) for one in runner.history()))

    assert '"what"' not in passed(runner.run(STEPS["Publish"])), "the same content again writes nothing"
    assert "nothing to train" in passed(runner.run(STEPS["Train what changed"]))
    assert "::warning::too few requests" in passed(runner.run(STEPS["Check"]))

    runner.drop()
    runner.wait("the first release to be live", lambda status: bool(status["live"]))
    users = Users(runner.azure, MODEL, per_second=15)
    users.fly(1)
    users.begin()
    try:
        passed(runner.run(STEPS["Check"], UPKEEP_ON_NO_DATA="fail"))
    finally:
        users.end()
    assert "pass" in runner.page.read_text().lower()
    assert (runner.reports / "check.xml").is_file()

    for _ in range(2):
        passed(runner.run(BY_HAND, MODELS=MODEL, GITHUB_RUN_ID="8"))
    runner.wait("the second release", lambda status: bool(status["release"] or status["last"]["release"] == 2))
    asked = [one for one in runner.history() if "asked for by ann, run 8" in str(one)]
    assert len(asked) == 1, "a run that is repeated asks once"
