"""`upkeep check` ends with 0, 1 or 3, and its answer stands alone on the standard output when that is JSON."""

import argparse
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shared.domain.health import Limits, ReleaseSeen
from shared.domain.lifecycle import Phase
from shared.operator import cli, monitor_command
from shared.operator.monitoring import Target
from tests.unit.operator.monitor_world import LAG_S, World
from tests.unit.operator.test_api import Answering, api

Check = Callable[..., int]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder to stand in, and no pipeline around."""
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_STEP_SUMMARY", "TF_BUILD", "AGENT_TEMPDIRECTORY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch) -> Check:
    """Run the command on a world."""

    def run(world: World, *arguments: str) -> int:
        target = Target(endpoint="flights", limits=Limits(), log_lag_s=LAG_S)

        def look_with(options: argparse.Namespace, environ: Any) -> Any:
            return [target], world.eyes()

        monkeypatch.setattr(monitor_command, "_look_with", look_with)
        return cli.main(["check", "flights", *arguments])

    return run


def test_good_answers_end_with_0(check: Check) -> None:
    assert check(World()) == 0


def test_a_failure_ends_with_1(check: Check) -> None:
    assert check(World(ok=lambda _: False)) == 1


def test_no_data_ends_with_3(check: Check) -> None:
    assert check(World(per_s=0)) == 3


@pytest.mark.parametrize(("counts_as", "code"), [("pass", 0), ("fail", 1)])
def test_no_data_can_be_made_to_count(check: Check, counts_as: str, code: int) -> None:
    assert check(World(per_s=0), "--no-data", counts_as) == code


def test_a_failure_stays_one_whatever_no_data_counts_as(check: Check) -> None:
    assert check(World(ok=lambda _: False), "--no-data", "pass") == 1


def test_minutes_may_have_decimals(check: Check) -> None:
    world = World()
    check(world, "--minutes", "0.5", "--every", "7")
    assert world.passed_s == 30 + LAG_S


def test_the_answer_names_verdict_deployment_and_numbers(check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    check(World(ok=lambda _: False))
    said = capsys.readouterr().out
    assert said.startswith("endpoint flights: FAIL\n")
    assert "  FAIL    r0002 error rate: " in said
    assert "the limit is 1 %" in said


def test_progress_is_kept_out_of_the_json(check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    check(World(), "--json")
    said = capsys.readouterr()
    answer = json.loads(said.out)
    assert (answer["verdict"], answer["endpoints"][0]["verdict"]) == ("pass", "pass")
    assert "12:00:00 flights: " in said.err


def test_azure_pipelines_is_told_where_the_report_is(
    check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TF_BUILD", "True")
    check(World(), "--report", "out")
    assert capsys.readouterr().out.splitlines()[-1] == f"##vso[task.uploadsummary]{tmp_path}/out/upkeep-check.md"


def test_report_and_junit_are_written_for_a_failure_too(check: Check, tmp_path: Path) -> None:
    check(World(ok=lambda _: False), "--report", "report.md", "--junit", "tests/check.xml")
    assert "❌" in (tmp_path / "report.md").read_text()
    assert "<failure" in (tmp_path / "tests" / "check.xml").read_text()


def test_a_deployment_still_to_come_cannot_be_checked(check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(World(), "--since", "2026-01-05T12:00:01Z") == 1
    assert capsys.readouterr().err == "upkeep: --since 2026-01-05T12:00:01+00:00 is still to come\n"


@pytest.mark.parametrize(
    "wrong",
    [
        ["--minutes", "0"],
        ["--minutes", "nan"],
        ["--every", "-1"],
        ["--baseline", "-1"],
        ["--min-requests", "0"],
        ["--max-latency-ratio", "0.5"],
        ["--max-error-rate-pct", "-1"],
        ["--max-error-rate-pct", "1000"],
        ["--report", "x.txt"],
        ["--since", "yesterday"],
        ["--no-data", "maybe"],
    ],
)
def test_arguments_that_are_wrong_end_with_2(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["check", "flights", *wrong])
    assert caught.value.code == 2
    assert wrong[0] in capsys.readouterr().err


def test_a_rate_above_all_requests_is_answered_by_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["check", "flights", "--max-error-rate-pct", "1000"])
    said = "argument --max-error-rate-pct: must be 0 to 100: it is a share of the requests, in per cent\n"
    assert capsys.readouterr().err.endswith(said)


def test_a_check_that_is_refused_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("UPKEEP_SUBSCRIPTION_ID", raising=False)
    assert cli.main(["check", "flights", "--report", "out", "--junit", "tests/check.xml"]) == 1
    assert "UPKEEP_SUBSCRIPTION_ID" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_app_is_asked_how_a_model_stands() -> None:
    last = {"release": 2, "phase": "rolled_back", "at": "2026-01-05T12:00:00Z", "text": "Too many errors."}
    status = {"model": "flights", "phase": "canary", "release": {"number": 3, "phase": "canary"}, "last": last}
    found = monitor_command.release_of(api(Answering(body=status)))("flights")
    assert (found.phase, found.number) == (Phase.CANARY, 3)
    assert found.last is not None
    assert (found.last.phase, found.last.at) == (Phase.ROLLED_BACK, datetime(2026, 1, 5, 12, tzinfo=UTC))


def test_a_model_without_a_release_is_told_so() -> None:
    status = {"model": "flights", "phase": "collecting", "release": None, "last": None}
    assert monitor_command.release_of(api(Answering(body=status)))("flights") == ReleaseSeen(phase=Phase.COLLECTING)
