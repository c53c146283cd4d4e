"""A small world in which everything that can go wrong between two writes does, repeatably, by seed.

Two workers take messages from one at-least-once queue and run the real inbox, sweep and reconciler over the
fakes. Before and after every read, write and call the seed may kill the worker, hand control to the other one
or let time stand long enough for a lease to run out. Senders repeat, delay and reorder what they send.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
from greenlet import getcurrent, greenlet

from shared.domain import names
from shared.domain.events import AlertFired, Command, CommandGiven, Event, JobEnded
from shared.domain.observation import JobStatus
from shared.domain.reasons import Why
from shared.domain.spec import NoData, Registry, RegistryMode, Rollout, Shadow, Step
from shared.domain.split import MARK
from shared.errors import RetryLater
from shared.reconcile.inbox import Inbox
from shared.reconcile.loop import Inputs, Reconciler
from shared.reconcile.ports import Pointer
from shared.reconcile.sweep import sweep
from tests.fakes.archive import FakeArchive
from tests.fakes.clock import FakeClock
from tests.fakes.examples import ENDPOINT, MODEL, a_publication, a_spec, data_arrived
from tests.fakes.nudges import FakeNudges
from tests.fakes.platform import FakePlatform, Fate, Violation
from tests.fakes.state import FakeStateStore

INVISIBLE_S = 150
SWEEP_S = 600
MOST_STEPS = 6_000
SERVICES = frozenset(
    f"before {call}"
    for call in (
        *("job", "submit_job", "evaluation", "artifact", "model", "register_model", "set_stage"),
        *("endpoint", "put_endpoint", "stats", "shared", "share_model", "monitor", "point_monitor"),
    )
)
"""Calls that fail now and then, as Azure's do: with an answer that says to come again."""


class Crash(BaseException):
    """The worker's process died here. Not an Exception: no code of ours runs after it."""


@dataclass
class Message:
    """A message of the one queue; `event` None is a nudge, `sweep` is the timer."""

    visible: datetime
    event: Event | None = None
    due: datetime | None = None
    sweep: bool = False


@dataclass
class Parts:
    """What a world is built from; a test swaps one of them for one with a bug in it."""

    state: type[FakeStateStore] = FakeStateStore
    platform: type[FakePlatform] = FakePlatform
    reconciler: type[Reconciler] = Reconciler


@dataclass
class World:
    """One seeded schedule."""

    seed: int
    parts: Parts = field(default_factory=Parts)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.clock = FakeClock()
        self.calm = False
        self.queue: list[Message] = []
        self.sent: Counter[str] = Counter()
        self.served = False
        self.jobs_seen = 0
        self.crashes = 0
        self.fates: dict[int, Fate] = {}
        self.archive = FakeArchive(self.interrupt)
        self.state = self.parts.state(self.interrupt)
        self.platform = self.parts.platform(self.clock, self.archive, self.fate_of, self.interrupt)
        self.nudges = FakeNudges(self.clock, self.interrupt)
        self.inbox = Inbox(self.state, self.nudges, self.clock)
        self.scheduler = getcurrent()
        self.workers: list[tuple[greenlet, Message]] = []
        self.next_sweep = self.clock.now()
        self._publish()

    def _publish(self) -> None:
        self.calm = True
        rollout = Rollout(
            endpoint="e",
            deployment="d",
            sample_request="s",
            shadow=Shadow(mirror_pct=20, hold_s=60, min_requests=20) if self.seed % 3 == 0 else None,
            steps=(
                Step(traffic_pct=20, hold_s=60, min_requests=20),
                Step(traffic_pct=100, hold_s=60, min_requests=20),
            ),
            bake_s=100,
            log_lag_s=30,
            max_hold_s=300,
            no_data=NoData.ROLLBACK,
        )
        registry = Registry(name="models", mode=RegistryMode.SHARE) if self.seed % 5 == 0 else None
        spec = msgspec.structs.replace(a_spec(), rollout=rollout, poll_s=100, registry=registry)
        publication = a_publication(spec)
        self.archive.put_publication(publication)
        self.state.publish(Pointer(model=MODEL, publication=publication.hash, published_at=self.clock.now()))
        self.calm = False

    def fate_of(self, release: int) -> Fate:
        """Drawn once for each release, from the seed and its number alone."""
        if release not in self.fates:
            rng = random.Random(self.seed * 1_000 + release)
            self.fates[release] = Fate(
                job=rng.choices([JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELED], weights=[8, 1, 1])[0],
                job_s=rng.choice([0, 50, 300]),
                better=rng.random() < 0.8,
                deploys=rng.random() < 0.9,
                deploy_s=rng.choice([0, 100, 400]),
                smoke=rng.random() < 0.9,
                error_share=rng.choice([0.0, 0.0, 0.0, 0.3]),
                requests_per_s=rng.choice([5.0, 5.0, 5.0, 0.0]),
            )
        return self.fates[release]

    # what may happen at any point

    def interrupt(self, point: str) -> None:
        """Called by every fake before and after every effect."""
        current = getcurrent()
        if current is self.scheduler or self.calm:
            return
        draw = self.rng.random()
        if draw < 0.004:
            self.crashes += 1
            raise Crash
        if draw < 0.006:
            self.clock.move(61)  # long enough for the lease to run out
        if draw < 0.05:
            self.scheduler.switch()
        if point in SERVICES and self.rng.random() < 0.02:
            raise RetryLater(f"{point}: the service does not answer")

    # senders

    def send(self, event: Event) -> None:
        """At least once, not in order, some of it late."""
        self.sent[event.key] += 1
        for _ in range(self.rng.choice([1, 1, 2, 3])):
            delay = self.rng.choice([0, 0, 5, 200, 2_000])
            self.queue.append(Message(visible=self.clock.now() + timedelta(seconds=delay), event=event))

    def script(self) -> list[tuple[float, Callable[[], Event]]]:
        """What happens outside, with the seconds after the start at which it does."""
        rng, now = self.rng, self.clock.now
        script: list[tuple[float, Callable[[], Event]]] = []
        months = list(range(1, rng.choice([2, 2, 3, 4]) + 1))
        rng.shuffle(months)
        script += [(rng.uniform(0, 1_500), lambda month=month: data_arrived(month, now())) for month in months]
        for number in range(rng.choice([0, 0, 1])):
            rule = rng.choice(["mae", "error-rate", "unknown"])
            alert = f"alert-{number}"
            script.append((rng.uniform(0, 2_500), lambda rule=rule, alert=alert: AlertFired(
                at=now(), rule=rule, alert_id=alert)))  # fmt: skip
        for number in range(rng.choice([0, 0, 1, 2])):
            command = rng.choice(list(Command))
            script.append((rng.uniform(0, 2_500), lambda command=command, number=number: CommandGiven(
                at=now(), command=command, id=f"c{number}", by="test")))  # fmt: skip
        return sorted(script, key=lambda entry: entry[0])

    # the run

    def run(self) -> None:
        """Play the script, then let the world calm down, then look at what is left."""
        start, script = self.clock.now(), self.script()
        for _ in range(MOST_STEPS):
            while script and self.clock.now() >= start + timedelta(seconds=script[0][0]):
                self.send(script.pop(0)[1]())
            if not script and not self.calm and self._all_heard():
                self.calm = True
                self.send(CommandGiven(at=self.clock.now(), command=Command.RESUME, id="end", by="test"))
            if self.calm and not self.workers and self._at_rest():
                return self.check()
            self._step(script, start)
            self._check_always()
        raise Violation(f"not at rest after {MOST_STEPS} steps, in phase {self._record().phase}")

    def _step(self, script: list[tuple[float, Callable[[], Event]]], start: datetime) -> None:
        now = self.clock.now()
        self._take_nudges()
        if now >= self.next_sweep:
            self.next_sweep = now + timedelta(seconds=SWEEP_S)
            self.queue.append(Message(visible=now, sweep=True))
        visible = [message for message in self.queue if message.visible <= now]
        if visible and len(self.workers) < 2 and (not self.workers or self.rng.random() < 0.5):
            message = self.rng.choice(visible)
            message.visible = now + timedelta(seconds=INVISIBLE_S)
            self.workers.append((self._worker(message), message))
        if self.workers:
            worker, message = self.rng.choice(self.workers)
            self._resume(worker, message)
        elif not visible:
            times = [message.visible for message in self.queue] + [self.next_sweep]
            times += [start + timedelta(seconds=script[0][0])] if script else []
            self.clock.move_to(min(times))

    def _worker(self, message: Message) -> greenlet:
        return greenlet(lambda: self._handle(message), parent=self.scheduler)

    def _resume(self, worker: greenlet, message: Message) -> None:
        try:
            worker.switch()
        except Crash:
            self.workers.remove((worker, message))
        except RetryLater:
            self.workers.remove((worker, message))
        else:
            if worker.dead:
                self.workers.remove((worker, message))
                if message in self.queue:
                    self.queue.remove(message)

    def _take_nudges(self) -> None:
        for visible, _, due in self.nudges.queue:
            if self.calm or self.rng.random() > 0.02:
                self.queue.append(Message(visible=visible, due=due))
        self.nudges.queue.clear()
        for name, job in self.platform.jobs.items():
            ended = job.status(self.clock.now())
            if ended is not JobStatus.RUNNING and f"job|{name}|{ended}" not in self.sent and not self.calm:
                event = JobEnded(at=self.clock.now(), job=name, status=ended)
                if self.rng.random() < 0.7:
                    self.send(event)

    def _handle(self, message: Message) -> None:
        owner = f"worker-{self.rng.random()}"
        if message.sweep:
            sweep(self.state, self.inbox, self.nudges, self.clock)
        elif message.event is not None:
            self.inbox.record(MODEL, message.event)
        else:
            reconciler = self.parts.reconciler(
                self.state, self.archive, self.platform, self.platform, self.nudges, self.clock, owner
            )
            reconciler.run(MODEL, message.due)

    # what must hold

    def _record(self):  # type: ignore[no-untyped-def]
        calm, self.calm = self.calm, True
        loaded = self.state.load(MODEL, 1_000)
        self.calm = calm
        assert loaded is not None
        self.unread = loaded.unread
        return loaded.record

    def _all_heard(self) -> bool:
        if self.workers or any(message.event is not None for message in self.queue):
            return False
        self._record()
        return not self.unread

    def _at_rest(self) -> bool:
        if any(message.event is not None for message in self.queue) or self.nudges.queue:
            return False
        record = self._record()
        left = record.retiring or record.stages or record.shares
        return not self.unread and record.release is None and not left and record.asked is None

    def _check_always(self) -> None:
        endpoint = self.platform.endpoints[ENDPOINT]
        total = sum(endpoint.traffic.values())
        if self.served and total != 100:
            raise Violation(f"live traffic went from 100 to {total}")
        self.served = self.served or total == 100
        if len(self.platform.jobs) != self.jobs_seen:
            self.jobs_seen = len(self.platform.jobs)
            last = self._record().last_release
            if any(job.order.release > last for job in self.platform.jobs.values()):
                raise Violation("a job was submitted before the record named it")
        per_attempt = Counter(
            (job.order.release, job.order.job.rpartition("-a")[2][:1]) for job in self.platform.jobs.values()
        )
        if any(times > 1 for times in per_attempt.values()):
            raise Violation("one attempt of a release has two jobs")

    def check(self) -> None:
        """The promises, at rest."""
        self.platform.settle(ENDPOINT)
        record, endpoint = self._record(), self.platform.endpoints[ENDPOINT]
        rows = self.state.decisions.get(MODEL, [])
        self._check_consumed(rows)
        begun = {
            reason.facts["release"]: reason.facts["data_version"]
            for row in rows
            for reason in row.reasons
            if reason.why is Why.RELEASE_BEGUN
        }
        for name, job in self.platform.jobs.items():
            if begun.get(job.order.release) != job.order.manifest.version:
                raise Violation(f"job {name} trains what no record names")
            if name != names.job(MODEL, job.order.release, int(name.rpartition("-a")[2])):
                raise Violation(f"job {name} has a stray name")
        if {name: value for name, value in endpoint.tags.items() if name != MARK} != {"team": "flights"}:
            raise Violation("somebody else's tags were wiped out")
        if record.live is not None:
            self._check_live(record.live.release, record.live.version, endpoint.traffic, set(endpoint.deployments))
            self._check_stages(record.live.version)
        elif len(endpoint.deployments) > 1:
            raise Violation(f"deployments are left over: {sorted(endpoint.deployments)}")

    def _check_stages(self, live: int) -> None:
        stages = self.platform.stages
        if [version for version, stage in stages.items() if stage == "Production"] != [live]:
            raise Violation(f"version {live} is live, but the stages are {stages}")
        shared = self.platform.registries.get("models")
        if self.seed % 5 == 0 and (shared is None or live not in shared.versions or not shared.versions[live].marks):
            raise Violation(f"version {live} is live and not shared")

    def _check_consumed(self, rows) -> None:  # type: ignore[no-untyped-def]
        consumed: Counter[str] = Counter()
        for row in rows:
            inputs = msgspec.json.decode(self.archive.blobs[MODEL, row.inputs], type=Inputs)
            consumed.update(event.key for event in inputs.events)
        if set(consumed) != set(self.sent):
            raise Violation(f"events lost or invented: {sorted(set(consumed) ^ set(self.sent))}")
        if any(times > 1 for times in consumed.values()):
            raise Violation("an event was acted on twice")
        arrived = sum(key.startswith("data|") for key in self.sent)
        if len(self._record().parts) != arrived:
            raise Violation(f"{len(self._record().parts)} parts are known of {arrived}")

    def _check_live(self, release: int, version: int, traffic: dict[str, int], deployments: set[str]) -> None:
        if traffic != {names.deployment(release): 100}:
            raise Violation(f"release {release} is live, but traffic is {traffic}")
        if deployments != {names.deployment(release)}:
            raise Violation(f"deployments are left over: {sorted(deployments)}")
        if not self.fate_of(version).better:
            raise Violation(f"version {version} is live past a failed verdict")
        fate = self.fate_of(release)
        if not (fate.deploys and fate.smoke):
            raise Violation(f"release {release} is live past a failed deployment")
