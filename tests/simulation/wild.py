"""A world in which a trace of moves is played: the real inbox, sweep and reconciler over the fakes, in virtual time.

world.py lets two workers interleave at every call, by chance. Here the interleaving is part of the trace: a move says
at which call a worker is held up, and what others do meanwhile. So a trace that breaks a promise can be shortened.
"""

import random
from datetime import timedelta
from itertools import count
from typing import Any

import msgspec

from shared.domain.events import AlertFired, CommandGiven, Event, JobEnded
from shared.domain.observation import EvaluationSeen, JobStatus, Stats
from shared.domain.publication import Publication
from shared.domain.record import Record
from shared.domain.spec import Approval, Freeze, NoData, Rollout, Shadow, Step
from shared.errors import NeedsPerson, RetryLater
from shared.reconcile.inbox import Inbox
from shared.reconcile.ports import Loaded, Pointer
from shared.reconcile.sweep import sweep
from tests.fakes.archive import FakeArchive
from tests.fakes.clock import FakeClock
from tests.fakes.examples import MODEL, a_publication, a_spec, data_arrived
from tests.fakes.nudges import FakeNudges
from tests.fakes.platform import Fate
from tests.simulation import moves
from tests.simulation.hands import by_hand, mended
from tests.simulation.promises import Promises, broken
from tests.simulation.world import INVISIBLE_S, Crash, Message, Parts

MOST_WAITS_TO_REST = 800


class Log:
    """The traffic log as a pass sees it, with gaps. All but the answers of `stats` is the platform's."""

    def __init__(self, world: "Wild") -> None:
        self._world = world
        self.gap, self.times = "", 0

    def stats(self, *asked: Any) -> dict[str, Stats]:
        found = self._world.platform.stats(*asked)
        if self.times == 0:
            return found
        self.times -= 1
        match self.gap:
            case "empty":
                return {}
            case "candidate missing":
                newest = max(found, default="")
                return {name: each for name, each in found.items() if name != newest}
            case "half":
                return {name: _half(each) for name, each in found.items()}
            case _:
                raise RetryLater("the log workspace does not answer")

    def __getattr__(self, name: str):  # type: ignore[no-untyped-def]
        return getattr(self._world.platform, name)


def _half(stats: Stats) -> Stats:
    """Every other slice of a window never came."""
    kept = stats.slices[::2]
    sums = {count: sum(getattr(each, count) for each in kept) for count in ("requests", "errors", "throttled")}
    return msgspec.structs.replace(stats, slices=kept, **sums)


class Wild:
    """One world. `play` makes one move; `rest` lets everything come to its end in a world that is kind again."""

    def __init__(self, seed: int, parts: Parts | None = None) -> None:
        self.seed, self.parts = seed, parts or Parts()
        self.clock = FakeClock()
        self.quiet = True
        self.queue: list[Message] = []
        self.sent: list[Event] = []
        self.cut: tuple[int, moves.Cut] | None = None
        self.troubles: dict[str, tuple[int, bool]] = {}
        self.fates: dict[int, Fate] = {}
        self.spoiled: dict[str, str] = {}
        self.kind = False
        self.points, self._ids = 0, count()
        self.archive = FakeArchive(self.interrupt)
        self.state = self.parts.state(self.interrupt)
        self.platform = self.parts.platform(self.clock, self.archive, self.fate_of, self.interrupt)
        self.log = Log(self)
        self.nudges = FakeNudges(self.clock, self.interrupt)
        self.inbox = Inbox(self.state, self.nudges, self.clock)
        self.promises = Promises(self)
        self.publish(random.Random(seed).randrange(moves.VARIANTS))
        self.quiet = False

    # what the seed decides

    def fate_of(self, release: int) -> Fate:
        """What becomes of a release, drawn from the seed and its number alone."""
        if release not in self.fates:
            rng = random.Random(self.seed * 1_000 + release)
            self.fates[release] = Fate(
                job=rng.choices([JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELED], weights=[8, 1, 1])[0],
                job_s=rng.choice([0, 50, 300, 300, 9_000]),
                better=rng.random() < 0.8,
                deploys=rng.random() < 0.9,
                deploy_s=rng.choice([0, 100, 400]),
                smoke=rng.random() < 0.9,
                error_share=rng.choice([0.0, 0.0, 0.0, 0.3]),
                requests_per_s=rng.choice([5.0, 5.0, 5.0, 5.0 if self.kind else 0.0]),
            )
        return self.fates[release]

    def _spoil(self, job: str, release: int) -> None:
        """Some jobs leave an evaluation that says too little, changed files, or the artifact of another one."""
        rng = random.Random(self.seed * 1_000 + release * 7 + 1)
        hows = {"": 8, "missing": 1, "not finite": 1, "other data": 1, "changed": 1, "alike": 2}
        how = rng.choices(list(hows), weights=list(hows.values()))[0]
        seen = self.archive.evaluations[job]
        assert seen.evaluation is not None
        evaluation = seen.evaluation
        match how:
            case "missing":
                self.archive.evaluations[job] = EvaluationSeen(problem="it is missing")
            case "not finite":
                candidate = msgspec.structs.replace(evaluation.candidate, metrics={"mae": float("nan")})
                evaluation = msgspec.structs.replace(evaluation, candidate=candidate)
                self.archive.evaluations[job] = EvaluationSeen(evaluation=evaluation)
            case "other data":
                evaluation = msgspec.structs.replace(evaluation, data_version="0" * 32)
                self.archive.evaluations[job] = EvaluationSeen(evaluation=evaluation)
            case "alike":
                artifact = msgspec.structs.replace(evaluation.artifact, sha256=f"made of {rng.randrange(2)}")
                evaluation = msgspec.structs.replace(evaluation, artifact=artifact)
                self.archive.evaluations[job] = EvaluationSeen(evaluation=evaluation)
                self.archive.files[job] = {**self.archive.files[job], "model.skops": artifact.sha256}
            case "changed":
                self.archive.files[job] = {**self.archive.files[job], "model.skops": "another hand's"}
        self.spoiled[job] = how

    def publish(self, variant: int) -> None:
        """One of the specs becomes the current one."""
        publication, quiet, self.quiet = publication_of(variant), self.quiet, True
        self.archive.put_publication(publication)
        self.state.publish(Pointer(model=MODEL, publication=publication.hash, published_at=self.clock.now()))
        self.quiet = quiet

    # what happens between any two calls

    def interrupt(self, point: str) -> None:
        """Called by every fake before and after every effect."""
        if self.quiet:
            return
        self.points += 1
        when, _, call = point.partition(" ")
        if point == "after submit_job":
            for job in self.platform.jobs.keys() - self.spoiled.keys():
                self._spoil(job, self.platform.jobs[job].order.release)
        if when == "after":
            self.promises.after(call)
        if self.cut is not None and self.points >= self.cut[0]:
            (_, cut), self.cut = self.cut, None
            for move in cut.then:
                self.play(move)
            if cut.dies:
                raise Crash
        if when == "before":
            if call in self.troubles:
                self._trouble(call)
            self.promises.before(call)

    def _trouble(self, call: str) -> None:
        times, person = self.troubles.pop(call)
        if times > 1:
            self.troubles[call] = (times - 1, person)
        raise (NeedsPerson if person else RetryLater)(f"{call} is in trouble")

    # moves

    def play(self, move: moves.Any) -> None:
        """Make one move."""
        match move:
            case moves.Wait():
                self._wait(move.seconds)
            case moves.Leap():
                self.clock.move(move.seconds)
            case moves.Nudge():
                self._work(Message(visible=self.clock.now()))
            case moves.Sweep():
                self._work(Message(visible=self.clock.now(), sweep=True))
            case moves.Lose():
                self._lose(move.which)
            case moves.Publish():
                self.publish(move.variant)
            case moves.ByHand():
                by_hand(self.platform, move)
            case moves.Trouble():
                self.troubles[move.point] = (move.times, move.person)
            case moves.Quota():
                self.platform.quota_seen = msgspec.structs.replace(self.platform.quota_seen, free=move.free)
            case moves.Gap():
                self.log.gap, self.log.times = move.how, move.times
            case moves.Cut():
                self.cut = (self.points + move.at, move)
            case _:
                self._happen(move)

    def _lose(self, which: int) -> None:
        """Nudges may be lost; a sender of events sends again until it is heard."""
        nudges = [message for message in self.queue if message.event is None]
        if nudges:
            self.queue.remove(nudges[which % len(nudges)])

    def _happen(self, move: moves.Any) -> None:
        now = self.clock.now()
        match move:
            case moves.Repeat() if self.sent:
                self._send(self.sent[-1 - move.which % len(self.sent)])
            case moves.Upload():
                self._send(data_arrived(move.month, now))
            case moves.Fire():
                self._send(AlertFired(at=now, rule=move.rule, alert_id=f"alert-{next(self._ids)}"))
            case moves.Ask():
                identity = f"c{next(self._ids)}"
                self._send(CommandGiven(at=now, command=move.command, id=identity, by="test", version=move.version))

    def _send(self, event: Event) -> None:
        self.sent.append(event)
        self._work(Message(visible=self.clock.now(), event=event))

    def _wait(self, seconds: float) -> None:
        end = self.clock.now() + timedelta(seconds=seconds)
        while self.queue and (message := min(self.queue, key=lambda each: each.visible)).visible <= end:
            self.queue.remove(message)
            self.clock.move_to(message.visible)
            self._work(message)
            self._tell_of_jobs()
        self.clock.move_to(end)

    def _work(self, message: Message) -> None:
        """A worker takes the message. If it dies or fails, the message comes back."""
        try:
            self._handle(message)
        except (Crash, RetryLater):
            message.visible = self.clock.now() + timedelta(seconds=INVISIBLE_S)
            self.queue.append(message)
        except msgspec.ValidationError as trouble:
            broken("the record decodes", str(trouble))
        taken, self.nudges.queue[:] = list(self.nudges.queue), []
        self.queue += [Message(visible=visible, due=due) for visible, _, due in taken]

    def _handle(self, message: Message) -> None:
        if message.sweep:
            sweep(self.state, self.inbox, self.nudges, self.clock)
        elif message.event is not None:
            self.inbox.record(MODEL, message.event)
        else:
            owner = f"worker-{next(self._ids)}"
            reconciler = self.parts.reconciler(
                self.state, self.archive, self.platform, self.log, self.nudges, self.clock, owner
            )
            reconciler.run(MODEL, message.due)

    def _tell_of_jobs(self) -> None:
        """Azure ML tells of some jobs that ended, and of some it does not."""
        for name, job in list(self.platform.jobs.items()):
            status = job.status(self.clock.now())
            if status is not JobStatus.RUNNING and hash_of(self.seed, name) % 3:
                event = JobEnded(at=job.ends, job=name, status=status)
                if all(event.key != known.key for known in self.sent):
                    self._send(event)

    # looking

    def loaded(self) -> Loaded:
        """Record and unread events as they are stored. What is stored can be read: that is a promise of its own."""
        quiet, self.quiet = self.quiet, True
        try:
            found = self.state.load(MODEL, 1_000)
        except msgspec.MsgspecError as trouble:
            broken("the record decodes", str(trouble))
        finally:
            self.quiet = quiet
        assert found is not None
        return found

    @property
    def record(self) -> Record:
        """The record as it is stored."""
        return self.loaded().record

    # the end

    def rest(self) -> None:
        """Mend all that is broken, resume, and wait: every release comes to an end, and nothing is left over."""
        self.cut, self.log.times, self.kind = None, 0, True
        self.troubles.clear()
        mended(self.platform, self.record, self.fates)
        self.play(moves.Ask(moves.Command.RESUME))
        for number in range(MOST_WAITS_TO_REST):
            if number % 10 == 0:
                self.play(moves.Sweep())
            if self.record.hand_stands or self.record.paused is not None:
                self.play(moves.Ask(moves.Command.RESUME))
            self._wait(100)
            if self._at_rest():
                self.promises.at_rest()
                return
        broken("progress", f"still {self.record.phase} after {MOST_WAITS_TO_REST} waits in a kind world")

    def _at_rest(self) -> bool:
        loaded = self.loaded()
        heard = not loaded.unread and not any(message.event for message in self.queue)
        return heard and loaded.record.release is None and not loaded.record.retiring


def hash_of(seed: int, name: str) -> int:
    """A number that is the same in every process."""
    return random.Random(f"{seed}{name}").randrange(1_000)


def publication_of(variant: int) -> Publication:
    """One of the specs: shadow or none, who approves, freezes, which steps; what is made of silence, of changes by
    hand and of newer releases.
    """
    policies, approvals = list(NoData), ("never", "never", "always", "rules")
    steps = ((20, 100), (10, 50, 100))[variant % 2]
    nights = Freeze(days=("mon", "tue", "wed", "thu", "fri", "sat", "sun"), start="22:00", end="23:30",
                    time_zone="America/New_York")  # fmt: skip
    rollout = Rollout(
        endpoint="e",
        deployment="d",
        sample_request="s",
        shadow=Shadow(mirror_pct=20, hold_s=60, min_requests=20) if variant // 2 % 2 else None,
        steps=tuple(Step(traffic_pct=pct, hold_s=60, min_requests=20) for pct in steps),
        bake_s=100,
        log_lag_s=30,
        max_hold_s=300,
        max_wait_s=1_500,
        no_data=policies[variant // 4 % len(policies)],
        hand_made="put_right" if variant % 3 == 0 else "respect",
    )
    approval = Approval(required=approvals[variant // 8 % 4], expires_s=3_000)
    freezes = (nights,) if variant // 32 % 2 else ()
    example = a_spec()
    retrain = msgspec.structs.replace(example.retrain, when_newer="replace" if variant % 5 < 2 else "finish")
    spec = msgspec.structs.replace(
        example, rollout=rollout, approval=approval, freezes=freezes, retrain=retrain, poll_s=100
    )
    return a_publication(spec)
