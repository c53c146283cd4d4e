"""Plays the acts of plan.py, one after the other. Called by __main__.py.

Gives events and waits for what comes of them, with a limit; it never tells Upkeep what to do, but for the one thing
that is staged: a deployment that begins to fail.
"""

import json
from pathlib import Path
from typing import Any

from localcloud import flights
from localcloud.demo import plan
from localcloud.demo.azure import Azure
from localcloud.demo.ground import Ground
from localcloud.demo.plan import ACTS, Act
from localcloud.demo.users import COLUMNS, TABLE, Users
from localcloud.demo.voice import Voice
from localcloud.demo.watch import StoryBroke, Watch

REQUESTS_PER_S = 25.0
RELEASE_LIMIT_S = 240.0
INTAKE_LIMIT_S = 60.0
FAILING_RATE = 0.5
BREAK_AT_PCT = 50


class Story:
    """One play. After `play`, `watch` holds all that was decided, and `users` all that was answered."""

    def __init__(self, ground: Ground, azure: Azure, voice: Voice) -> None:
        self._ground, self._azure, self._voice = ground, azure, voice
        self.users = Users(azure, plan.ENDPOINT, REQUESTS_PER_S)
        self.watch = Watch(azure, self.users, voice)
        self.refused: list[dict[str, Any]] = []
        self.errors: dict[str, float] = {}
        self._files: dict[int, Path] = {}

    def play(self) -> None:
        """All of it. StoryBroke when something does not come as planned."""
        self._prepare()
        for index, act in enumerate(ACTS):
            if index == plan.BROKEN_BEFORE:
                self._voice.chapter(self._number(index), "A file with a broken column")
                self._drop_broken()
            self._voice.chapter(self._number(index) + (index >= plan.BROKEN_BEFORE), act.title)
            self._act(act)
        self._await_retirement()

    def _number(self, index: int) -> int:
        return index + 1

    def _prepare(self) -> None:
        months = [month for act in ACTS for month in act.months]
        files = flights.write_months(self._ground.files, [*months, plan.BROKEN_MONTH])
        self._files = dict(zip([*months, plan.BROKEN_MONTH], files, strict=True))
        self._azure.declare_table(TABLE, COLUMNS)
        self._azure.put_action_group()
        self._voice.say("upkeep publish", "bold", "$")
        for line in self._ground.upkeep("publish").splitlines():
            self._voice.say(line, "dim")

    def _act(self, act: Act) -> None:
        before = len(self.watch.milestones)
        if self.watch.milestones:
            self.users.fly(act.flown)
        for month in act.months:
            self._drop(self._files[month])
        if act.by_alert:
            self._await_alert()
        if act.breaks:
            self._break_canary(before)
        self.watch.until(f"{act.follows[-1]}", lambda status: self._ended(status, before), RELEASE_LIMIT_S)
        self._azure.mend()
        found = tuple(self.watch.milestones[before:])
        if found != act.follows:
            raise StoryBroke(f"planned were {', '.join(act.follows)}; there came {', '.join(found)}")
        if act.follows[-1] == "ReleaseLive":
            self._went_live(act)

    def _ended(self, status: dict[str, Any], before: int) -> bool:
        """Whether the release of this act has come to any end, planned or not."""
        return not status.get("release") and "ReleaseBegun" in self.watch.milestones[before:]

    def _drop(self, file: Path) -> None:
        arrived = self._arrived()
        self._voice.say(f"upkeep drop {file.name} --model {plan.MODEL}", "bold", "$")
        self._ground.upkeep("drop", str(file), "--model", plan.MODEL)
        self.watch.until(f"{file.name} to be taken in", lambda _: self._arrived() > arrived, INTAKE_LIMIT_S)

    def _arrived(self) -> int:
        return sum(told.why == "DataArrived" for told in self.watch.told)

    def _drop_broken(self) -> None:
        broken = flights.write_broken(
            self._files[plan.BROKEN_MONTH], self._ground.files / "flights-2013-12-broken.csv"
        )
        self._voice.say(f"upkeep drop {broken.name} --model {plan.MODEL}", "bold", "$")
        self._ground.upkeep("drop", str(broken), "--model", plan.MODEL)
        status = self.watch.until("the broken file to be refused", lambda s: bool(s["findings"]), INTAKE_LIMIT_S)
        self.refused = status["findings"]
        for finding in self.refused:
            self._voice.say(f"{finding['blob']} is {finding['state']}: {finding['why']}", "red", "!")

    def _break_canary(self, before: int) -> None:
        def halfway(_: dict[str, Any]) -> bool:
            shares = (t.facts.get("traffic_pct") for t in self.watch.told if t.why == "TrafficSeen")
            begun = "GatesPassed" in self.watch.milestones[before:]
            return begun and next(iter(reversed(list(shares))), None) == BREAK_AT_PCT

        status = self.watch.until(
            f"the canary to have {BREAK_AT_PCT} %",
            lambda status: halfway(status) or self._ended(status, before),
            RELEASE_LIMIT_S,
        )
        release = status.get("release")
        if not release:
            raise StoryBroke("the canary was over before it could be made to fail")
        self._azure.break_deployment(plan.ENDPOINT, release["deployment"], FAILING_RATE)
        self._voice.say(
            f"(staged) {release['deployment']} begins to answer 500 to half of its requests", "magenta", "#"
        )

    def _await_alert(self) -> None:
        self._voice.say("one month is no batch: nothing is trained; but the users fly in November", "", "·")

        def asked(_: dict[str, Any]) -> bool:
            self._voice.progress(f"the users meet {self._error_text()}")
            return "RetrainAsked" in self.watch.milestones

        self.watch.until("the alert", asked, RELEASE_LIMIT_S)
        self.errors["before"] = self.users.error_minutes() or 0.0

    def _went_live(self, act: Act) -> None:
        if len([why for why in self.watch.milestones if why == "ReleaseLive"]) == 1:
            self.users.fly(act.flown)
            self.users.begin()
            self._voice.say(f"the users begin: {REQUESTS_PER_S:g} real flights a second", "", "·")
        judged = float(self.watch.fact("GatesPassed", "candidate"))
        rule = plan.alert_rule(judged)
        self._azure.put_alert_rule(plan.ALERT_RULE, rule)
        self._voice.say(
            f"alert rule {plan.ALERT_RULE}: fires above {rule['threshold']} minutes, {plan.ALERT_RATIO} times"
            f" the {judged:.2f} that this model was judged by",
            "dim",
        )
        if act.by_alert:
            self._await_relief()

    def _await_relief(self) -> None:
        self.users.fly(ACTS[-1].flown)  # the same flights, counted afresh

        def known(_: dict[str, Any]) -> bool:
            return self.users.error_minutes() is not None

        self.watch.until("the users' new error", known, 60)
        self.errors["after"] = self.users.error_minutes() or 0.0
        self._voice.say(f"the users now meet {self._error_text()}", "green", "+")
        if self.errors["after"] >= self.errors["before"]:
            raise StoryBroke(f"the error did not come down: {self.errors}")

    def _error_text(self) -> str:
        error = self.users.error_minutes()
        return "too few answers to speak of an error" if error is None else f"a mean error of {error:.1f} minutes"

    def _await_retirement(self) -> None:
        def retired(status: dict[str, Any]) -> bool:
            live = status["live"]["deployment"]
            return self._deployments() == [live]

        self.watch.until("the old deployments to be retired", retired, 90)

    def _deployments(self) -> list[str]:
        return self._azure.deployments(plan.ENDPOINT)

    def score_one(self) -> tuple[str, int, str]:
        """A scored request, as one would type it: the command, status and answer."""
        flight, status, answer = self.users.one()
        url = f"{self._azure.url}/score/{plan.ENDPOINT}"
        body = json.dumps({"data": [flight]})
        command = (
            f"curl --cacert {self._ground.authority} -H 'Authorization: Bearer KEY'"
            f" -H 'Content-Type: application/json' -d '{body}' {url}"
        )
        return command, status, answer
