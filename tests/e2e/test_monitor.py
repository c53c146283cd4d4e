"""`upkeep check` against a live release: it passes good answers, fails a broken deployment, and takes no silence for
health. One local cloud, and one release, serve all of these tests.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from localcloud.demo.ground import ROOT
from localcloud.demo.users import Users
from tests.e2e.conftest import MODEL, Cloud

pytestmark = [pytest.mark.localcloud, pytest.mark.timeout(600)]

PER_SECOND = 15
# Seconds for minutes. What a percentile does on a machine that runs everything at once is not what is tested.
SHORT = ["--minutes", "0.15", "--every", "2", "--max-latency-p95-ms", "30000", "--max-latency-ratio", "1000"]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A local cloud with a live release."""
    cloud = Cloud(tmp_path_factory.mktemp("monitor") / "cloud")
    try:
        cloud.drop()
        cloud.wait("the release to be live", lambda seen: bool(seen["live"]))
        yield cloud
    finally:
        cloud.ground.stop()


@pytest.fixture
def whole(live: Cloud) -> Iterator[Cloud]:
    """The same, with every fault taken back afterwards."""
    yield live
    live.azure.mend()


@contextmanager
def users(cloud: Cloud) -> Iterator[Users]:
    """People who ask for flights, for as long as the block lasts."""
    asking = Users(cloud.azure, MODEL, PER_SECOND)
    asking.fly(2)
    asking.begin()
    try:
        yield asking
    finally:
        asking.end()
    assert not asking.troubles


def check(cloud: Cloud, *arguments: str, name: str = MODEL, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a pipeline does."""
    command = str(Path(sys.executable).with_name("upkeep"))
    pipelines = {"UPKEEP_", "GITHUB_", "TF_BUILD"}
    outside = {key: value for key, value in os.environ.items() if not key.startswith(tuple(pipelines))}
    settings = str(cloud.ground.folder / "operator.env")
    return subprocess.run(
        [command, "check", name, *SHORT, *arguments, "--env-file", settings],
        cwd=ROOT,
        env={**outside, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


def verdicts(report: dict[str, Any]) -> dict[str, str]:
    """Verdict by aspect of the only endpoint."""
    return {one["aspect"]: one["verdict"] for one in report["endpoints"][0]["checks"]}


def test_good_answers_pass(live: Cloud) -> None:
    with users(live):
        done = check(live, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    found = verdicts(json.loads(done.stdout))
    assert {"traffic", "requests", "error_rate", "latency_p95", "release"} <= set(found)
    assert set(found.values()) == {"pass"}


def test_the_report_shows_what_the_users_saw(live: Cloud, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    with users(live):
        done = check(live, "--baseline", "0.5", GITHUB_STEP_SUMMARY=str(summary))
    assert done.returncode == 0, done.stdout + done.stderr
    text = summary.read_text()
    assert "Upkeep check: pass" in text
    row = next(line for line in text.splitlines() if line.startswith("| **r0001** (100 %)"))
    requests, *_, p95, p99 = [cell.strip() for cell in row.strip("|").split("|")][1:]
    assert int(requests) >= 30
    assert float(p95.removesuffix(" ms")) <= float(p99.removesuffix(" ms"))
    bars = next(line for line in text.splitlines() if line.startswith("requests "))
    assert "█" in bars


def test_a_deployment_that_breaks_fails_and_is_named(whole: Cloud, tmp_path: Path) -> None:
    with users(whole):
        whole.azure.break_deployment(MODEL, "r0001", 1.0)
        done = check(whole, "--report", str(tmp_path), "--junit", str(tmp_path / "check.xml"), TF_BUILD="True")
    assert done.returncode == 1, done.stdout + done.stderr
    report = (tmp_path / "upkeep-check.md").read_text()
    assert "| r0001 error rate | ❌ FAIL |" in report
    assert f"##vso[task.uploadsummary]{tmp_path}/upkeep-check.md" in done.stdout
    assert '<testcase classname="flight-duration" name="r0001 error rate"' in (tmp_path / "check.xml").read_text()


def test_silence_is_no_data(live: Cloud) -> None:
    done = check(live, "--json")
    assert done.returncode == 3, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    assert answer["verdict"] == "no_data"
    assert verdicts(answer)["requests"] == "no_data"


def test_a_misspelt_name_is_one_sentence(live: Cloud) -> None:
    done = check(live, name="flight-durations")
    assert done.returncode == 1
    assert "did you mean flight-duration?" in done.stderr
    assert done.stderr.count("\n") == 1
