"""Bugs to put in by hand, each of which breaks one promise. Called by test_interleavings.py only.

Most stand before or behind `decide`: they lie to it about what it looks at, or change what it says. So they stay
bugs however the decision is built inside.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from shared.domain.actions import DeleteDeployment, SetTraffic
from shared.domain.decide import Decision
from shared.domain.events import AlertFired, Event
from shared.domain.lifecycle import Phase
from shared.domain.observation import DeploymentState, EvaluationSeen, Observation
from shared.domain.publication import Publication
from shared.domain.record import Record, Release
from shared.domain.spec import Spec
from shared.reconcile.ports import DecisionRow, Unread
from tests.fakes.evaluations import evaluate
from tests.fakes.state import FakeStateStore

Decide = Callable[[Publication, Record, tuple[Event, ...], Observation, datetime], Decision]
Bug = Callable[[Decide], Decide]
replace = msgspec.structs.replace


def lying(lie: Callable[..., tuple[Any, ...]]) -> Bug:
    """A bug that shows `decide` another world than the one that is there."""
    return lambda decide: lambda *given: decide(*lie(*given))


def twisting(twist: Callable[[Record, tuple[Event, ...], Observation, Decision], Decision]) -> Bug:
    """A bug that changes what was decided."""
    return lambda decide: (
        lambda publication, record, events, seen, now: twist(
            record, events, seen, decide(publication, record, events, seen, now)
        )
    )


def _traffic(change: Callable[[Record, SetTraffic], SetTraffic]) -> Bug:
    def twist(_record: Record, _events: Any, _seen: Any, decision: Decision) -> Decision:
        actions = tuple(
            change(decision.record, action) if isinstance(action, SetTraffic) else action
            for action in decision.actions
        )
        return replace(decision, actions=actions)

    return twisting(twist)


def _release(change: Callable[[Release], Release | None]) -> Bug:
    def twist(_record: Record, _events: Any, _seen: Any, decision: Decision) -> Decision:
        release = decision.record.release
        return decision if release is None else replace(
            decision, record=replace(decision.record, release=change(release))
        )  # fmt: skip

    return twisting(twist)


# traffic

forgets_the_rest = _traffic(lambda _, order: replace(order, traffic=dict([max(order.traffic.items())])))
mirrors_what_is_live = _traffic(lambda _, order: replace(order, mirror=dict.fromkeys(order.traffic, 10)))
skips_the_steps = _traffic(lambda _, order: replace(order, traffic={max(order.traffic): 100}))
takes_all_away = _traffic(lambda record, order: replace(order, traffic={}) if record.live else order)


def _sees_health(publication: Any, record: Any, events: Any, seen: Observation, now: Any) -> tuple[Any, ...]:
    if seen.endpoint is not None:
        well = dict.fromkeys(seen.endpoint.deployments, DeploymentState.READY)
        seen = replace(seen, endpoint=replace(seen.endpoint, deployments=well))
    return publication, record, events, seen, now


def _deletes_the_old_one(record: Record, _events: Any, seen: Observation, decision: Decision) -> Decision:
    live = decision.record.live
    if live is None or seen.endpoint is None or seen.endpoint.traffic.get(live.deployment):
        return decision
    if any(isinstance(action, SetTraffic) for action in decision.actions):
        return decision
    return replace(decision, actions=(*decision.actions, DeleteDeployment(deployment=live.deployment)))


# verdicts


def _makes_up_a_verdict(publication: Any, record: Record, events: Any, seen: Any, now: Any) -> tuple[Any, ...]:
    release, read = record.release, seen.evaluation and seen.evaluation.evaluation
    if release is not None and release.manifest is not None and read is not None:
        good = evaluate(release.manifest, record.live, better=True, artifact=read.artifact.sha256)
        seen = replace(seen, evaluation=EvaluationSeen(evaluation=good))
    return publication, record, events, seen, now


def _of_spec(change: Callable[[Spec], Spec]) -> Bug:
    """A bug that goes by another spec than the published one, under whose hash it is kept all the same."""

    def bug(decide: Decide) -> Decide:
        def other(publication: Publication, *rest: Any) -> Decision:
            wrong = replace(publication, spec=change(publication.spec))
            said = msgspec.json.encode(decide(wrong, *rest))
            return msgspec.json.decode(said.replace(wrong.hash.encode(), publication.hash.encode()), type=Decision)

        return other

    return bug


def forgets_bars(decide: Decide) -> Decide:
    """Bars nothing."""

    def forgetful(publication: Any, record: Record, events: Any, seen: Any, now: Any) -> Decision:
        decision = decide(publication, replace(record, barred=()), events, seen, now)
        return replace(decision, record=replace(decision.record, barred=()))

    return forgetful


def forgets_pauses(decide: Decide) -> Decide:
    """Decides as if nobody had paused."""

    def forgetful(publication: Any, record: Record, events: Any, seen: Any, now: Any) -> Decision:
        decision = decide(publication, replace(record, paused=None), events, seen, now)
        paused = record.paused if decision.record.paused is None else decision.record.paused
        return replace(decision, record=replace(decision.record, paused=paused))

    return forgetful


def _overlooks_errors(publication: Any, record: Record, events: Any, seen: Observation, now: Any) -> tuple[Any, ...]:
    if record.release is not None and seen.traffic is not None:
        mine = seen.traffic.of(record.release.deployment)
        parts = tuple(replace(part, errors=0) for part in mine.slices)
        stats = {**seen.traffic.stats, record.release.deployment: replace(mine, errors=0, slices=parts)}
        seen = replace(seen, traffic=replace(seen.traffic, stats=stats))
    return publication, record, events, seen, now


# the life


def _begins_anew(record: Record, events: tuple[Event, ...], _seen: Any, decision: Decision) -> Decision:
    release = decision.record.release
    if release is None or record.release is None or not any(isinstance(event, AlertFired) for event in events):
        return decision
    number = decision.record.last_release + 1
    anew = replace(release, number=number, phase=Phase.TRAINING)
    return replace(decision, record=replace(decision.record, release=anew, last_release=number))


jumps_to_the_canary = _release(
    lambda release: replace(release, phase=Phase.CANARY) if release.phase is Phase.JUDGING else release
)
drops_a_release = _release(lambda release: None if release.phase is Phase.BAKING else release)


def _never_comes_back(record: Record, _events: Any, _seen: Any, decision: Decision) -> Decision:
    if record.phase is Phase.ROLLING_BACK and decision.record.live is not None:
        return replace(decision, record=record, actions=())
    return decision


sees_health = lying(_sees_health)
deletes_the_old_one = twisting(_deletes_the_old_one)
makes_up_a_verdict = lying(_makes_up_a_verdict)
overlooks_errors = lying(_overlooks_errors)
asks_nobody = _of_spec(lambda spec: replace(spec, approval=replace(spec.approval, required="never")))
forgets_freezes = _of_spec(lambda spec: replace(spec, freezes=()))
begins_anew = twisting(_begins_anew)
never_comes_back = twisting(_never_comes_back)


class WritesWhatNobodyReads(FakeStateStore):
    """Keeps a record that a later pass cannot decode."""

    def commit(self, record: Record, etag: str | None, consumed: tuple[Unread, ...], decision: DecisionRow) -> str:
        tag = super().commit(record, etag, consumed, decision)
        if record.live is not None:
            self.rows[record.model, "record"] = (tag, msgspec.msgpack.encode({"model": record.model, "seq": "?"}))
        return tag
