"""Scenarios read as given / when / then: the real reconciler over the fakes, in virtual time."""

from datetime import timedelta

import msgspec

from shared.domain.events import AlertFired, Command, CommandGiven, Event
from shared.domain.lifecycle import Phase
from shared.domain.observation import EvaluationSeen
from shared.domain.publication import Publication
from shared.domain.reasons import Fact, Why
from shared.domain.record import Record
from shared.errors import RetryLater
from shared.reconcile.inbox import Inbox
from shared.reconcile.loop import Reconciler
from shared.reconcile.ports import Pointer
from tests.fakes.archive import FakeArchive
from tests.fakes.clock import FakeClock
from tests.fakes.examples import ENDPOINT, MODEL, a_publication, data_arrived
from tests.fakes.nudges import FakeNudges
from tests.fakes.platform import FakePlatform, Fate
from tests.fakes.state import FakeStateStore


class Story:
    """One model in a small world. `fates` says what becomes of each release; the rest go well.

    Calls that are named in `troubles` fail, to be repeated later, until they are taken out again.
    """

    def __init__(self, fates: dict[int, Fate] | None = None, publication: Publication | None = None) -> None:
        self.troubles: set[str] = set()
        self.clock, self.state, self.archive = FakeClock(), FakeStateStore(), FakeArchive(self._interrupt)
        self.fates = fates or {}
        self.platform = FakePlatform(
            self.clock, self.archive, lambda number: self.fates.get(number, Fate()), self._interrupt
        )
        self.nudges = FakeNudges(self.clock)
        self.inbox = Inbox(self.state, self.nudges, self.clock)
        self.reconciler = Reconciler(
            self.state, self.archive, self.platform, self.platform, self.nudges, self.clock, "story"
        )
        self.seen_traffic: list[dict[str, int]] = []
        self.publish(publication or a_publication())

    def publish(self, publication: Publication) -> None:
        """A new publication becomes the current one."""
        self.archive.put_publication(publication)
        pointer = Pointer(model=MODEL, publication=publication.hash, published_at=self.clock.now())
        self.state.publish(pointer)

    def _interrupt(self, point: str) -> None:
        if point.removeprefix("before ") in self.troubles:
            raise RetryLater(f"{point}: in trouble")

    # given and when

    def happens(self, *events: Event) -> None:
        """Record events, as triggers do."""
        for event in events:
            self.inbox.record(MODEL, event)

    def month(self, *months: int) -> None:
        """Uploads of these months were accepted."""
        self.happens(*(data_arrived(month, self.clock.now()) for month in months))

    def command(self, command: Command, reason: str = "", version: int | None = None) -> None:
        """A person asks."""
        now = self.clock.now()
        identity = f"{command}-{now.isoformat()}"
        event = CommandGiven(at=now, command=command, id=identity, by="ada", reason=reason, version=version)
        self.happens(event)

    def gives_artifact(self, job: str, sha256: str) -> None:
        """A job that was submitted makes this artifact."""
        evaluation = self.archive.evaluations[job].evaluation
        assert evaluation is not None
        artifact = msgspec.structs.replace(evaluation.artifact, sha256=sha256)
        evaluation = msgspec.structs.replace(evaluation, artifact=artifact)
        self.archive.evaluations[job] = EvaluationSeen(evaluation=evaluation)

    def alert(self, rule: str) -> None:
        """Azure Monitor fires."""
        now = self.clock.now()
        self.happens(AlertFired(at=now, rule=rule, alert_id=f"{rule}-{now.isoformat()}"))

    def passes(self, minutes: float) -> None:
        """Let time pass, running every nudge when it comes due."""
        end = self.clock.now() + timedelta(minutes=minutes)
        while self.nudges.queue and (nudge := min(self.nudges.queue)).visible <= end:
            self.nudges.queue.remove(nudge)
            self.clock.move_to(nudge.visible)
            self.reconciler.run(nudge.model, nudge.due)
            if not self.seen_traffic or self.seen_traffic[-1] != self.traffic:
                self.seen_traffic.append(dict(self.traffic))
        self.clock.move_to(end)

    def until(self, phase: Phase, minutes: float = 600) -> None:
        """Let time pass until the release is in a phase."""
        for _ in range(int(minutes * 6)):
            if self.record.phase is phase:
                return
            self.passes(1 / 6)
        raise AssertionError(f"still {self.record.phase} after {minutes} minutes, not {phase}")

    def until_why(self, why: Why, minutes: float = 600) -> None:
        """Let time pass until a reason was told."""
        for _ in range(int(minutes * 6)):
            if why in self.whys:
                return
            self.passes(1 / 6)
        raise AssertionError(f"{why} was never told")

    # then

    @property
    def record(self) -> Record:
        """The record as it is stored."""
        loaded = self.state.load(MODEL, 90)
        assert loaded is not None
        return loaded.record

    @property
    def traffic(self) -> dict[str, int]:
        """Live traffic of the endpoint."""
        return self.platform.endpoints[ENDPOINT].traffic

    @property
    def deployments(self) -> set[str]:
        """Deployments that exist."""
        self.platform.settle(ENDPOINT)
        return set(self.platform.endpoints[ENDPOINT].deployments)

    @property
    def whys(self) -> list[Why]:
        """All reasons so far, oldest first."""
        return [reason.why for row in self.state.decisions.get(MODEL, []) for reason in row.reasons]

    def text_of(self, why: Why) -> str:
        """The newest sentence under a reason."""
        rows = self.state.decisions[MODEL]
        return next(reason.text for row in rows[::-1] for reason in row.reasons if reason.why is why)

    def facts_of(self, why: Why) -> dict[str, Fact]:
        """The facts of the newest reason of that word."""
        rows = self.state.decisions[MODEL]
        return next(reason.facts for row in rows[::-1] for reason in row.reasons if reason.why is why)
