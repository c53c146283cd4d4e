"""Rollouts of real processes on a whole local cloud: each candidate ends as its spec says, and no client is harmed.

Every case is a model of its own, with an endpoint of its own, and all of them share one local cloud side by side. A
first release goes live; then clients begin to ask, faults are laid out for the second deployment, and new data
brings a second release. The clients ask at a steady rate until all is over.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from localcloud.demo.azure import Azure
from localcloud.demo.ground import ROOT, Ground
from tests.e2e import pulse
from tests.e2e.callers import Callers, Got
from tests.e2e.conftest import LOOK_EVERY_S

pytestmark = [pytest.mark.localcloud, pytest.mark.timeout(600)]

Json = dict[str, Any]
BETTER, WORSE = (1, 1, 2, 2), (1, 1, 7, 1)
"""The slope of y over x in four months. A release trains on the odd ones, and is judged by the even ones."""
CANDIDATE = "r0002"
QUICK: Json = {"bake_s": 2, "log_lag_s": 3, "max_hold_s": 8}
STEPS = [
    {"traffic_pct": 25, "hold_s": 3, "min_requests": 8},
    {"traffic_pct": 50, "hold_s": 3, "min_requests": 10},
    {"traffic_pct": 100, "hold_s": 3, "min_requests": 15},
]
ONE_LONG_STEP = [{"traffic_pct": 50, "hold_s": 3, "min_requests": 150}, {"traffic_pct": 100, "hold_s": 3}]


@dataclass(frozen=True)
class Case:
    """A model, its data, its clients and the fault of its second deployment."""

    rollout: Json = field(default_factory=dict)
    months: tuple[float, ...] = BETTER
    per_second: float = 0
    fault: Json | None = None

    @property
    def spec(self) -> Json:
        """The rollout of its spec."""
        return {**QUICK, "steps": STEPS, **self.rollout}


def silent(no_data: str) -> Case:
    """An endpoint that nobody asks."""
    return Case({"no_data": no_data})


SLOW_MS = 3_000
NEVER_MS = 25_000
NONSENSE = '{"predictions": [$rows(-1000000)]}'
CASES = {
    "better": Case({"shadow": {"mirror_pct": 50, "hold_s": 3, "min_requests": 8}}, per_second=8),
    "worse": Case(months=WORSE, per_second=2),
    "slow": Case(
        {"analysis": {"max_latency_p95_ms": 2_000}, "max_hold_s": 60},
        per_second=8,
        fault={"match": "SCORE", "delay_ms": SLOW_MS},
    ),
    "failing": Case(
        {"steps": ONE_LONG_STEP, "max_hold_s": 120},
        per_second=20,
        fault={"match": "SCORE", "status": 500, "rate": 0.05},
    ),
    "stuck": Case(
        {"deploy_timeout_s": 6},
        per_second=2,
        fault={"match": "PROVISION", "status": 504, "delay_ms": NEVER_MS, "body": "never ready"},
    ),
    "nonsense": Case(
        {"answer": {"min": -100, "max": 100}},
        per_second=2,
        fault={"match": "SCORE", "status": 200, "body": NONSENSE},
    ),
    "silent-hold": silent("hold"),
    "silent-back": silent("rollback"),
    "silent-on": silent("promote"),
    "silent-probed": Case({"no_data": "probe", "probe": {"requests": 20, "requests_per_s": 10}}),
    "unlogged": Case({"no_data": "rollback"}, per_second=4),
}


class Stage:
    """One local cloud with all the models, as the tests see it."""

    def __init__(self, folder: Path) -> None:
        self.ground = Ground(folder / "cloud")
        self.folder = folder
        self.ground.start()
        self.azure = Azure(self.ground.settings, self.ground.authority)
        folders = [pulse.folder(folder, _model(name), case.spec) for name, case in CASES.items()]
        self.ground.upkeep("publish", *map(str, folders))

    def upload(self, names: list[str], months: slice) -> None:
        """Upload some of the four months for each of these cases."""
        numbered = {name: list(enumerate(CASES[name].months, 1))[months] for name in names}
        files = [
            f"{_model(name)}={pulse.month(self.folder, number, slope)}"
            for name, these in numbered.items()
            for number, slope in these
        ]
        line = [sys.executable, "-m", "tests.e2e.dropping", *files]
        environment = {**os.environ, **self.ground.settings}
        subprocess.run(line, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=120)

    def admin(self, method: str, path: str, body: Json) -> None:
        """Call the local cloud's test bench."""
        self.azure._call(method, f"{self.azure.url}/admin/{path}", body=body)

    def until(self, name: str, what: str, reached: Callable[[Json], bool], limit_s: float = 200) -> Json:
        """Look at a case until it is as wanted; fail when that takes too long."""
        end_s, status = time.monotonic() + limit_s, None
        while time.monotonic() < end_s:
            with suppress(requests.RequestException):  # a busy app answers the next time
                status = self.azure.models(_model(name))
                if reached(status):
                    return status
            time.sleep(LOOK_EVERY_S)
        pytest.fail(f"{name}: waited {limit_s:.0f} s for {what}; status: {status}; {self.told(name)}")

    def outcome(self, name: str) -> str:
        """How the second release ended, once it has."""
        status = self.until(name, "an end", lambda seen: seen["last"] and seen["last"]["release"] == 2)
        return str(status["last"]["phase"])

    def told(self, name: str) -> list[Json]:
        """The reasons of the second release, oldest first."""
        decisions = self.azure.models(f"{_model(name)}/history")["decisions"]
        return [reason for row in decisions[::-1] if row["release"] == 2 for reason in row["reasons"]]

    def text(self, name: str, why: str) -> str:
        """The newest sentence under a reason."""
        return str([reason["text"] for reason in self.told(name) if reason["why"] == why][-1])

    def shares(self, name: str) -> list[int]:
        """The candidate's shares of live traffic that were seen in force."""
        return [reason["facts"]["traffic_pct"] for reason in self.told(name) if reason["why"] == "TrafficSeen"]


def _model(name: str) -> str:
    return f"pulse-{name}"


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stage, Callers]]:
    """All cases under way, with the first releases live, but for the one whose log is emptied in the end."""
    stage = Stage(tmp_path_factory.mktemp("rollouts"))
    try:
        stage.upload(list(CASES), slice(0, 2))
        for name in CASES:
            stage.until(name, "the first release", lambda seen: bool(seen["live"]))
        asked = {_model(name): case.per_second for name, case in CASES.items() if case.per_second}
        callers = Callers(stage.azure, stage.ground.authority, asked)
        callers.begin()
        for name, case in CASES.items():
            if case.fault:
                stage.admin(
                    "POST", "faults", {**case.fault, "match": f"{case.fault['match']} {_model(name)} {CANDIDATE}"}
                )
        stage.upload([name for name in CASES if name != "unlogged"], slice(2, 4))
        yield stage, callers
    finally:
        stage.ground.stop()


@pytest.fixture(scope="module")
def stage(played: tuple[Stage, Callers]) -> Stage:
    return played[0]


def test_a_better_model_goes_live_through_mirror_and_three_steps(stage: Stage) -> None:
    assert stage.outcome("better") == "live"
    assert stage.shares("better") == [0, 25, 50, 100, 100]
    assert "ShadowPassed" in {reason["why"] for reason in stage.told("better")}


def test_a_worse_model_is_refused_with_its_interval(stage: Stage) -> None:
    assert stage.outcome("worse") == "rejected"
    refusal = next(reason for reason in stage.told("worse") if reason["why"] == "GatesFailed")
    assert 0 < refusal["facts"]["difference_low"] < refusal["facts"]["difference_high"]
    assert "% interval" in refusal["text"]


def test_a_candidate_that_answers_slowly_is_taken_back(stage: Stage) -> None:
    assert stage.outcome("slow") == "rolled_back"
    assert "ms" in stage.text("slow", "AnalysisFailed")


def test_a_candidate_that_fails_one_request_in_twenty_is_taken_back(stage: Stage) -> None:
    assert stage.outcome("failing") == "rolled_back"
    assert "requests failed" in stage.text("failing", "AnalysisFailed")


def test_a_candidate_that_never_becomes_ready_gets_no_traffic(stage: Stage) -> None:
    assert stage.outcome("stuck") == "rolled_back"
    assert stage.shares("stuck") == []
    assert "took too long" in stage.text("stuck", "DeploymentFailed")


def test_a_candidate_that_answers_well_formed_nonsense_gets_no_traffic(stage: Stage) -> None:
    assert stage.outcome("nonsense") == "rolled_back"
    assert stage.shares("nonsense") == []
    assert "-1" in stage.text("nonsense", "SmokeFailed")


def test_without_requests_a_canary_holds_for_a_person(stage: Stage) -> None:
    stage.until(
        "silent-hold", "the hold", lambda _: "NoData" in {reason["why"] for reason in stage.told("silent-hold")}
    )
    assert stage.shares("silent-hold") == [25]
    assert stage.azure.models(_model("silent-hold"))["phase"] == "canary"


def test_without_requests_a_canary_is_taken_back(stage: Stage) -> None:
    assert stage.outcome("silent-back") == "rolled_back"
    assert "NoData" in {reason["why"] for reason in stage.told("silent-back")}


def test_without_requests_a_canary_is_let_on(stage: Stage) -> None:
    assert stage.outcome("silent-on") == "live"
    assert stage.shares("silent-on") == [25, 50, 100, 100]


def test_without_requests_a_canary_is_let_on_by_probes(stage: Stage) -> None:
    assert stage.outcome("silent-probed") == "live"
    assert "Probed" in {reason["why"] for reason in stage.told("silent-probed")}


def test_with_an_empty_log_a_canary_is_taken_back(stage: Stage) -> None:
    stage.admin("PUT", "logs/lag", {"lag_s": 3_600})
    stage.upload(["unlogged"], slice(2, 4))
    assert stage.outcome("unlogged") == "rolled_back"
    assert "NoData" in {reason["why"] for reason in stage.told("unlogged")}


def test_no_request_failed_that_a_live_deployment_was_given(played: tuple[Stage, Callers]) -> None:
    stage, callers = played
    asked = [name for name, case in CASES.items() if case.per_second]
    for name in asked:
        stage.outcome(name)
    callers.end()
    faulty = {_model(name) for name in asked if CASES[name].fault}
    harmed = [
        (got, times)
        for got, times in callers.got.items()
        if not (got.status == 200 and got.sense)
        and (got.endpoint, got.deployment) not in {(e, CANDIDATE) for e in faulty}
    ]
    assert harmed == []
    answered = {name: callers.got[Got(_model(name), "r0001", 200, sense=True)] for name in asked}
    assert min(answered.values()) > 20, answered
