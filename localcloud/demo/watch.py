"""Follows what Upkeep decides and does, and tells it as it happens. Called by story.py.

It looks at the status API, at Azure ML's job and at what the users see; it has no influence on any of them.
"""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests

from localcloud.demo.azure import Azure
from localcloud.demo.plan import MILESTONES, MODEL
from localcloud.demo.users import Users
from localcloud.demo.voice import Voice

LOOK_EVERY_S = 0.7
MOST = 100
GOOD = frozenset({"GatesPassed", "ReleaseLive", "SmokePassed", "StepPassed"})
BAD = frozenset(
    {
        "GatesFailed",
        "GatesInconclusive",
        "AnalysisFailed",
        "TrainingFailed",
        "SmokeFailed",
        "DeploymentFailed",
        "NoData",
    }
)
TURN = frozenset({"RolledBack", "RetrainAsked", "TrainingRetried"})


class StoryBroke(Exception):  # noqa: N818 - reads as what happened
    """Something did not come as the plan says; the message says what was waited for."""


@dataclass(frozen=True)
class Told:
    """One reason of one decision."""

    seq: int
    at: str
    release: int | None
    why: str
    text: str
    facts: dict[str, Any]


class Watch:
    """Everything that was decided so far, in order, and the present state."""

    def __init__(self, azure: Azure, users: Users, voice: Voice) -> None:
        self._azure, self._users, self._voice = azure, users, voice
        self._seq = 0
        self._steps: Counter[tuple[str, int]] = Counter()
        self.told: list[Told] = []

    @property
    def milestones(self) -> list[str]:
        """The words of the story so far."""
        return [told.why for told in self.told if told.why in MILESTONES]

    def fact(self, why: str, name: str) -> Any:
        """A number of the newest decision that gave this reason."""
        return next((told.facts.get(name) for told in reversed(self.told) if told.why == why), None)

    def until(self, what: str, done: Callable[[dict[str, Any]], bool], limit_s: float) -> dict[str, Any]:
        """Look, and tell, until `done(status)`; the status. StoryBroke when it takes too long."""
        deadline_s = time.monotonic() + limit_s
        while True:
            status = self.look()
            if done(status):
                return status
            if self._users.troubles:
                raise StoryBroke(f"the users could not go on: {self._users.troubles[0]}")
            if time.monotonic() > deadline_s:
                raise StoryBroke(f"waited {limit_s:.0f} s for {what}; the story so far: {', '.join(self.milestones)}")
            time.sleep(LOOK_EVERY_S)

    def look(self) -> dict[str, Any]:
        """Tell what is new, and what is under way; the model's status."""
        # The status first: what it shows was decided by then, and so is in the history that is read after it.
        status = self._azure.models(MODEL)
        decisions = self._azure.models(f"{MODEL}/history?most={MOST}")["decisions"]
        for decision in reversed(decisions):
            if decision["seq"] > self._seq:
                self._seq = decision["seq"]
                self._tell(decision)
        self._tell_progress(status)
        return status

    def _tell(self, decision: dict[str, Any]) -> None:
        for reason in decision["reasons"]:
            told = Told(
                decision["seq"],
                decision["at"],
                decision.get("release"),
                reason["why"],
                reason["text"],
                reason.get("facts") or {},
            )
            self.told.append(told)
            style, mark = _look(told.why)
            self._voice.say(f"{told.why}: {told.text}", style, mark)
            if told.why in ("StepPassed", "AnalysisFailed") and self._steps:
                self._voice.say(f"the users saw {_counted(self._steps)}", "dim")
            if told.why in ("TrafficSeen", "StepPassed", "AnalysisFailed"):
                self._steps.clear()

    def _tell_progress(self, status: dict[str, Any]) -> None:
        seen = self._users.seen()
        self._steps.update(seen)
        release = status.get("release")
        if not release:
            return
        if release["phase"] == "training":
            self._voice.progress(self._training(release["job"]))
        elif release["phase"] in ("canary", "baking") and self._steps:
            self._voice.progress(f"{release['phase']}: {_counted(self._steps)}")
        elif release["phase"] in ("deploying", "testing", "registering"):
            self._voice.progress(f"{release['phase']} {release['deployment']}")

    def _training(self, job: str) -> str:
        try:
            state = self._azure.job_status(job)
            error = self._azure.metrics(job).get("train_mae")
        except requests.HTTPError:
            return f"{job}: about to be submitted"
        progress = "" if error is None else f", training error {error:.2f} minutes"
        return f"{job}: {state}{progress}"


def _look(why: str) -> tuple[str, str]:
    if why in GOOD:
        return "green", "+"
    if why in BAD:
        return "red", "!"
    return ("yellow", "!") if why in TURN else ("", "·")


def _counted(answers: Counter[tuple[str, int]]) -> str:
    by_deployment: dict[str, Counter[bool]] = {}
    for (deployment, status), count in answers.items():
        by_deployment.setdefault(deployment, Counter())[status == 200] += count
    parts = []
    for deployment, counts in sorted(by_deployment.items()):
        failed = f" and {counts[False]} failed" if counts[False] else ""
        parts.append(f"{deployment} {counts[True]} answered{failed}")
    return ", ".join(parts) or "nothing"
