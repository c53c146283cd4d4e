"""What must hold whatever happens: looked at after every write that the product makes, and after every move.

What a promise leans on is the world's own knowledge and the history of what was committed, never the product's own
judgement: a candidate is good here because this world made it good.
"""

from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from shared.domain import names
from shared.domain.events import Command, CommandGiven
from shared.domain.freeze import frozen
from shared.domain.lifecycle import ENDS, TRANSITIONS, Phase
from shared.domain.observation import DeploymentState, Stats
from shared.domain.publication import Publication
from shared.domain.reasons import Why
from shared.domain.record import CauseKind, Record, Release
from shared.domain.spec import Step
from shared.reconcile.loop import Inputs
from shared.reconcile.ports import DecisionRow
from tests.fakes.examples import ENDPOINT, MODEL
from tests.fakes.platform import Violation

if TYPE_CHECKING:
    from tests.simulation.wild import Wild

Shares = dict[str, int]
AT_ONCE = (Step(traffic_pct=100),)
TAKEN_OUT = {Why.APPROVAL_REFUSED, Why.GATES_FAILED, Why.ROLLED_BACK, Why.NOTHING_TO_ROLL_BACK_TO}
ROLLOUT = (Phase.TESTING, Phase.SHADOWING, Phase.CANARY, Phase.BAKING, Phase.LIVE)


def broken(promise: str, text: str) -> NoReturn:
    """Say which promise was broken."""
    raise Violation(f"{promise}: {text}")


def _reachable(begin: Phase, signals: int) -> set[Phase]:
    """The phases that the table leads to by so many signals or fewer."""
    reached = {begin}
    for _ in range(signals):
        reached |= {end for (start, _), end in TRANSITIONS.items() if start in reached}
    return reached


class Promises:
    """Watches one world."""

    def __init__(self, world: "Wild") -> None:
        self._world = world
        self._before: tuple[Shares, set[str]] = ({}, set())
        self._healthy: set[str] = set()
        self._record = Record(model=MODEL)
        self._splits: set[str] = {_split({}, {})}
        self._named: set[tuple[str, str]] = set()
        self._begun: set[int] = set()
        self._passed: set[int] = set()
        self._asked: set[int] = set()
        self._approved: set[int] = set()
        self._served: set[str] = set()
        self._broken_off: set[int] = set()
        self._was_live: set[int] = set()
        self._taken_out: dict[str, int] = {}
        self._artifacts: dict[int, str] = {}

    # called by the world

    def before(self, call: str) -> None:
        """The product is about to make a call; nothing comes in between."""
        if call in ("put_endpoint", "delete_deployment"):
            self._before = (dict(self._endpoint.traffic), self._there())
            self._healthy = {each for each in self._there() if self._state(each) is DeploymentState.READY}

    def after(self, call: str) -> None:
        """The product has made a call."""
        match call:
            case "commit":
                self._committed()
            case "put_endpoint":
                self._put()
            case "delete_deployment":
                self._deleted()
            case "submit_job":
                for job in self._world.platform.jobs:
                    self._is_named("job", job)
            case "create_deployment":
                for deployment in self._there():
                    if names.release_of_deployment(deployment) is not None:
                        self._is_named("deployment", deployment)
            case "register_model":
                for version in self._world.platform.versions:
                    self._is_named("version", str(version))

    def after_move(self) -> None:
        """What can be seen from outside at any time."""
        endpoint = self._endpoint
        if sum(endpoint.traffic.values()) not in (0, 100):
            broken("traffic sums to 0 or 100", f"it is {endpoint.traffic}")
        if set(endpoint.traffic) & set(endpoint.mirror):
            broken("live and mirrored traffic exclude each other", f"{endpoint.traffic}, {endpoint.mirror}")
        self._world.loaded()

    def at_rest(self) -> None:
        """When all is quiet, each event was acted on once, and what is live has the traffic."""
        rows = self._world.state.decisions.get(MODEL, [])
        heard = [event.key for row in rows for event in self._inputs(row).events]
        sent = {event.key for event in self._world.sent}
        if len(heard) != len(set(heard)):
            broken("one event, one effect", "an event was acted on twice")
        if set(heard) != sent:
            broken("no event is lost", f"{sorted(set(heard) ^ sent)[:3]}")

    # commits

    def _committed(self) -> None:
        before, after = self._record, self._world.record
        if after == before:
            return
        row, self._record = self._world.state.decisions[MODEL][-1], after
        self._one_in_flight(before, after)
        self._remember(before, after)
        self._remember_verdicts(before, row)
        if before.paused is not None or (before.release or after.release) is not None:
            self._held(before, after, row)
        if before.release is not None and before.release.restores is None:
            self._not_past_a_failed_window(before, after, row)
        self._legal(before, row)
        if row.after == Phase.LIVE:
            self._went_live(before)

    def _one_in_flight(self, before: Record, after: Record) -> None:
        """A release begins when none is in flight, once, under the next number."""
        old, new = before.release, after.release
        if new is not None and (old is None or old.number != new.number):
            if old is not None:
                broken("one release in flight", f"{old.number} was in flight when {new.number} began")
            if new.number in self._begun or new.number != before.last_release + 1:
                broken("one release in flight", f"release {new.number} began after {before.last_release}")
            self._begun.add(new.number)
        if old is not None and new is None:
            last = after.last
            if last is None or last.release != old.number or last.phase not in ENDS:
                broken("one release in flight", f"release {old.number} was dropped in phase {old.phase}")

    def _remember(self, before: Record, after: Record) -> None:
        publication = self._publication(after)
        for release in filter(None, (before.release, after.release)):
            self._artifacts[release.number] = release.artifact or self._artifact_of(release)
        self._splits |= {_split(*split) for split in permitted(publication, after)}
        if after.release is not None:
            self._named |= {
                ("job", after.release.job(MODEL)),
                ("deployment", after.release.deployment),
                ("version", str(after.release.version)),
            }

    def _remember_verdicts(self, before: Record, row: DecisionRow) -> None:
        if before.release is None:
            return
        number, whys = before.release.number, {reason.why for reason in row.reasons}
        commands = {event.command for event in self._inputs(row).events if isinstance(event, CommandGiven)}
        if before.release.restores is not None and Command.ABORT in commands:
            self._broken_off.add(number)  # a person changed their mind: nothing is wrong with what was to come back
        if Why.GATES_PASSED in whys:
            self._passed.add(number)
            approval = self._publication(before).spec.approval
            first = approval.required == "rules" and approval.first_release and before.live is None
            if approval.required == "always" or first:
                self._asked.add(number)
        if Why.APPROVED in whys:
            self._approved.add(number)
        artifact = self._artifacts.get(number)
        served = {each.artifact for each in (before.live, *before.kept) if each is not None}
        no_better = artifact in served and Why.GATES_FAILED in whys
        if (
            artifact
            and not no_better
            and number not in self._broken_off
            and row.after in (Phase.REJECTED, Phase.ROLLED_BACK)
            and whys & TAKEN_OUT
        ):
            self._taken_out.setdefault(artifact, number)

    def _legal(self, before: Record, row: DecisionRow) -> None:
        """One step of the life a pass, and one for each event that was heard in it."""
        signals = 1 + len(self._inputs(row).events)
        if before.release is not None and Phase(row.after) not in _reachable(Phase(row.before), signals):
            broken("the table of the life", f"{row.before} went to {row.after}")

    def _held(self, before: Record, after: Record, row: DecisionRow) -> None:
        """While a pause or a freeze is on, nothing begins and nothing goes forward but at a person's word."""
        inputs = self._inputs(row)
        spec = self._world.archive.publications[MODEL, inputs.publication].spec
        person = {event.command for event in inputs.events if isinstance(event, CommandGiven)}
        moved = before.release is not None and before.release.restores is None and _forward(before, after, row)
        if moved and not person & {Command.PROMOTE, Command.RESUME}:
            if before.paused is not None:
                broken("a pause holds", f"{row.before} went on to {row.after}")
            if frozen(spec, row.at):
                broken("a freeze holds", f"{row.before} went on to {row.after}")
        began = before.release is None and after.release is not None and after.release.restores is None
        if began and before.paused is not None and Command.RESUME not in person:
            broken("a pause holds", "a release began")
        if began and frozen(spec, row.at) and after.release.cause.kind is not CauseKind.COMMAND:  # type: ignore[union-attr]
            broken("a freeze holds", "a release began")

    def _not_past_a_failed_window(self, before: Record, after: Record, row: DecisionRow) -> None:
        """Where the log plainly says that the candidate fails and live does not, nobody but a person goes on."""
        inputs, release = self._inputs(row), before.release
        assert release is not None
        commands = {event.command for event in inputs.events if isinstance(event, CommandGiven)}
        traffic = inputs.seen.traffic
        if traffic is None or release.hurried or Command.PROMOTE in commands or not _forward(before, after, row):
            return
        live = traffic.of(before.live.deployment) if before.live is not None else Stats(requests=0, errors=0)
        if _plainly_fails(traffic.of(release.deployment)) and not live.errors:
            broken("no promotion past a failed window", f"{row.before} went on to {row.after}")

    def _went_live(self, before: Record) -> None:
        release = before.release
        assert release is not None
        self._may_serve(release.number, "went live")
        self._was_live.add(release.version)

    # writes to Azure

    def _put(self) -> None:
        (before, _), endpoint, record = self._before, self._endpoint, self._record
        if sum(before.values()) == 100 and sum(endpoint.traffic.values()) != 100:
            broken("what serves goes on serving", f"traffic went from {before} to {endpoint.traffic}")
        if _split(endpoint.traffic, endpoint.mirror) not in self._splits:
            broken("nothing is done unrecorded", f"traffic {endpoint.traffic}, {endpoint.mirror} was never decided")
        for name, pct in endpoint.traffic.items():
            if pct > before.get(name, 0):
                self._gains(name, record)
            if pct == 100:
                self._served.add(name)

    def _gains(self, name: str, record: Record) -> None:
        """A deployment got more live traffic than it had."""
        number = names.release_of_deployment(name)
        if number is None:
            return
        if self._state(name) is not DeploymentState.READY:
            broken("only what is healthy is given traffic", f"{name} is {self._state(name)}")
        self._may_serve(number, "was given traffic")
        live = record.live is not None and record.live.deployment == name
        artifact = self._artifacts.get(number, "")
        out = self._taken_out.get(artifact)
        release = record.release
        asked = release is not None and release.restores is not None and release.cause.kind is CauseKind.COMMAND
        # A person may bring anything back. And what is live is what a failed rollout goes back to, whatever was
        # said of it meanwhile.
        if not live and not asked and out is not None and out != number:
            broken("what was taken out stays out", f"{name} has the artifact of release {out}, and got traffic")

    def _may_serve(self, number: int, what: str) -> None:
        """A verdict was passed on it, and rightly; or it brings back what was live before."""
        restored = self._restored(number)
        if restored is not None:
            if restored not in self._was_live:
                broken("no promotion past a verdict", f"release {number} brings back {restored}, never live")
            return
        jobs = [job for job, each in self._world.platform.jobs.items() if each.order.release == number]
        good = any(self._good(job) for job in jobs)
        if number not in self._passed or not good:
            broken("no promotion past a verdict", f"release {number} {what} without a passed verdict")
        if number in self._asked and number not in self._approved:
            broken("no promotion past an approval", f"release {number} {what} without the approval it needs")

    def _deleted(self) -> None:
        (traffic, there), record = self._before, self._record
        for name in there - self._there():
            if traffic.get(name):
                broken("what serves goes on serving", f"{name} was deleted with {traffic[name]} % of the traffic")
            if record.live is not None and record.live.deployment == name:
                broken("the last healthy deployment stays", f"{name}, which is live, was deleted")
            healthy = {each for each in self._there() if self._state(each) is DeploymentState.READY}
            # A first release that failed and lost its traffic to another hand is no loss: nothing was live.
            failed = record.live is None and name in record.retiring
            if name in self._served & self._healthy and not failed and not healthy:
                broken("the last healthy deployment stays", f"{name} was deleted, and nothing healthy is left")

    def _is_named(self, kind: str, name: str) -> None:
        if (kind, name) not in self._named:
            broken("nothing is done unrecorded", f"{kind} {name} was made before a record named it")

    # what the world knows

    @property
    def _endpoint(self) -> Any:
        return self._world.platform.endpoints[ENDPOINT]

    def _there(self) -> set[str]:
        return {name for name, each in self._endpoint.deployments.items() if each.gone is None}

    def _state(self, name: str) -> DeploymentState:
        state: DeploymentState = self._endpoint.deployments[name].state(self._world.clock.now())
        return state

    def _good(self, job: str) -> bool:
        """Whether this world made the job's candidate better, and its evaluation whole."""
        return self._world.platform.jobs[job].fate.better and self._world.spoiled.get(job) in ("", "alike")

    def _artifact_of(self, release: Release) -> str:
        seen = self._world.archive.evaluations.get(release.job(MODEL))
        return seen.evaluation.artifact.sha256 if seen is not None and seen.evaluation is not None else ""

    def _restored(self, number: int) -> int | None:
        """The version that a release brings back, if it does."""
        release = self._record.release
        if release is not None and release.number == number and release.restores is not None:
            return release.restores.version
        live = self._record.live
        if live is not None and live.release == number and live.version != number:
            return live.version
        return None

    def _inputs(self, row: DecisionRow) -> Inputs:
        return msgspec.json.decode(self._world.archive.blobs[MODEL, row.inputs], type=Inputs)

    def _publication(self, record: Record) -> Publication:
        digest = record.release.publication if record.release else self._world.state.known[MODEL].publication
        return self._world.archive.publications[MODEL, digest]


def permitted(publication: Publication, record: Record) -> list[tuple[Shares, Shares]]:
    """The splits that a record allows: live and mirrored. What is live may always have all of it."""
    release, live = record.release, record.live
    back: Shares = {live.deployment: 100} if live else {}
    splits: list[tuple[Shares, Shares]] = [(back, {})]
    if release is None:
        return splits
    rollout, mine = publication.spec.rollout, release.deployment
    match release.phase:
        case Phase.SHADOWING:
            assert rollout.shadow is not None
            splits.append((back, {mine: rollout.shadow.mirror_pct}))
        case Phase.CANARY:
            steps = AT_ONCE if live is None or release.restores else rollout.steps
            pct = steps[release.step].traffic_pct
            shares = {mine: pct} | ({live.deployment: 100 - pct} if live else {})
            splits.append(({name: share for name, share in shares.items() if share}, {}))
        case Phase.BAKING:
            splits.append(({mine: 100}, {}))
        case _:
            pass
    return splits


def _split(traffic: Shares, mirror: Shares) -> str:
    return f"{sorted(traffic.items())} {sorted(mirror.items())}"


def _plainly_fails(stats: Stats) -> bool:
    """One answer in five at least, of many, and in every part of the window: no burst, and no chance."""
    parts = [part for part in stats.slices if part.requests >= 20]
    many = stats.requests >= 300 and len(parts) >= 4
    return many and all(part.errors >= 0.2 * part.requests for part in parts)


def _forward(before: Record, after: Record, row: DecisionRow) -> bool:
    old = before.release
    assert old is not None
    step = after.release is not None and after.release.number == old.number and after.release.step > old.step
    begin, end = Phase(row.before), Phase(row.after)
    on = begin in ROLLOUT and end in ROLLOUT and ROLLOUT.index(end) > ROLLOUT.index(begin)
    return step or on
