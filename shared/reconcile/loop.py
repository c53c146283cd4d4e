"""The reconciler of a model: load, observe, decide, commit, act, over and over until nothing changes.

Called by the nudge trigger, with what it needs given to it by bootstrap. It waits for nothing: what takes time
is looked at again when the nudge that it leaves behind comes.
"""

import logging
from datetime import datetime, timedelta

import msgspec

from shared.domain.actions import CancelJob, CreateDeployment, KeepCard, RegisterModel, SetTraffic, SubmitJob
from shared.domain.base import canonical
from shared.domain.decide import Decision, decide
from shared.domain.events import Event
from shared.domain.observation import Observation, Trouble
from shared.domain.publication import Publication
from shared.domain.reasons import FOR_A_PERSON, Why
from shared.domain.record import Record
from shared.errors import LostRace, NeedsPerson, RetryLater
from shared.reconcile.act import act
from shared.reconcile.observe import Look, Sources, observe
from shared.reconcile.ports import Archive, Clock, DecisionRow, Loaded, Nudges, Platform, StateStore, TrafficLog

MOST_EVENTS = 90
"""A transaction takes 100 operations: these deletions, the record and the decision."""
MOST_PASSES = 20
"""A release has fewer phases than that; a run that still changes things after as many is a bug or a flood."""
LEASE_S = 60.0
ASK_AGAIN_S = 300.0
"""How soon to look again at what only a person can mend."""
SAME_TROUBLE = timedelta(seconds=3 * ASK_AGAIN_S)
"""Looks in trouble that are further apart are not the same trouble."""
FOR_THE_RELEASE = (SubmitJob, CancelJob, KeepCard, RegisterModel, CreateDeployment, SetTraffic)
"""Orders that the release in flight waits for; the others clear up behind it."""

log = logging.getLogger(__name__)


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """All that a decision was made from, as it is kept for replay."""

    publication: str
    record: Record
    events: tuple[Event, ...]
    seen: Observation
    now: datetime


class _Refused(NeedsPerson):
    """An order that the release in flight waits for was refused."""


class Reconciler:
    """Runs the passes of one model at a time. `owner` names this worker in leases and logs."""

    def __init__(
        self,
        state: StateStore,
        archive: Archive,
        platform: Platform,
        traffic: TrafficLog,
        nudges: Nudges,
        clock: Clock,
        owner: str,
    ) -> None:
        self._state, self._archive, self._platform = state, archive, platform
        self._sources = Sources(platform, archive, traffic)
        self._nudges, self._clock, self._owner = nudges, clock, owner
        # By model, when trouble began and was met last. Another worker does not know, and tells of it later: in the
        # record it would be one more write with each brief outage.
        self._troubles: dict[str, tuple[datetime, datetime]] = {}

    def run(self, model: str, due: datetime | None = None) -> None:
        """Pass over the model until it rests. `due` is that of the nudge that called, None for an event's.

        Raises nothing that a repeat mends: a model that is busy, or a world that cannot answer, is looked at
        again by a nudge with a delay.
        """
        now = self._clock.now()
        lease = self._state.take_lease(model, self._owner, now, LEASE_S)
        if lease is None:
            # Somebody passes over it right now and may have loaded before our event was recorded.
            self._nudges.send(model, 2, None)
            return
        under_way = None if lease.look_at is None or lease.look_at == due or lease.look_at <= now else lease.look_at
        try:
            look_at = self._look_at(model)
        except Exception:
            # Ours to mend. The queue brings the message back and in the end sets it aside.
            self._state.drop_lease(lease, under_way)
            raise
        if look_at is not None and (under_way is None or look_at < under_way):
            delay_s = max(0.0, (look_at - self._clock.now()).total_seconds())
            self._nudges.send(model, delay_s, look_at)
            under_way = look_at
        self._state.drop_lease(lease, under_way)

    def _look_at(self, model: str) -> datetime | None:
        """Rest the model, or find out when it is worth trying again."""
        try:
            return self._rest(model)
        except LostRace:
            return self._clock.now() + timedelta(seconds=1)
        except RetryLater as trouble:
            log.warning("reconcile.later", extra={"model": model, "trouble": str(trouble)})
            return self._clock.now() + timedelta(seconds=trouble.delay_s)
        except NeedsPerson:
            log.exception("reconcile.needs_person", extra={"model": model})
            return self._clock.now() + timedelta(seconds=ASK_AGAIN_S)

    def _rest(self, model: str) -> datetime | None:
        """Pass until a pass changes nothing, or took its time; when to look again."""
        for _ in range(MOST_PASSES):
            loaded = self._state.load(model, MOST_EVENTS)
            if loaded is None:
                log.warning("reconcile.unpublished", extra={"model": model})
                return None
            decision = self._pass(loaded)
            if decision.sent or (decision.record == loaded.record and not loaded.unread):
                return decision.look_again_at
        return self._clock.now()

    def _pass(self, loaded: Loaded) -> Decision:
        """One pass. It writes only what changed, and acts only on what is written.

        What it could not see is raised at its end: by then the events are heard, and a rollback is under way.
        """
        record, now = loaded.record, self._clock.now()
        digest = record.release.publication if record.release else loaded.pointer.publication
        publication = self._archive.publication(record.model, digest)
        look = observe(publication, record, now, self._sources)
        events = tuple(unread.event for unread in loaded.unread)
        seen = self._with_trouble(record.model, look, now)
        decision = decide(publication, record, events, seen, now)
        etag = loaded.etag
        if decision.record != record or events:
            inputs = Inputs(publication=digest, record=record, events=events, seen=seen, now=now)
            decision, etag = self._commit(loaded, decision, inputs)
        try:
            self._act(decision, publication, etag)
        except _Refused as refusal:
            if look.trouble is None and decision.record.release is not None:
                after = msgspec.structs.replace(loaded, record=decision.record, etag=etag, unread=())
                self._tell(after, publication, digest, str(refusal))
            raise
        if look.trouble is not None:
            raise look.trouble
        return decision

    def _with_trouble(self, model: str, look: Look, now: datetime) -> Observation:
        """What was seen, with why the release lacks the rest, and since when."""
        if look.trouble is None or look.aside:
            self._troubles.pop(model, None)
            return look.seen
        began, last = self._troubles.get(model, (now, now))
        began = began if now <= last + SAME_TROUBLE else now
        self._troubles[model] = (began, now)
        for_person = isinstance(look.trouble, NeedsPerson)
        trouble = Trouble(text=str(look.trouble), since=began, for_person=for_person)
        return msgspec.structs.replace(look.seen, trouble=trouble)

    def _tell(self, loaded: Loaded, publication: Publication, digest: str, text: str) -> None:
        """Have the record say what was refused, once: the release stands still, and nothing else would say why."""
        now = self._clock.now()
        seen = Observation(trouble=Trouble(text=text, since=now, for_person=True, refused=True))
        decision = decide(publication, loaded.record, (), seen, now)
        if decision.record != loaded.record:
            inputs = Inputs(publication=digest, record=loaded.record, events=(), seen=seen, now=now)
            self._commit(loaded, decision, inputs)

    def _commit(self, loaded: Loaded, decision: Decision, inputs: Inputs) -> tuple[Decision, str]:
        """Keep the inputs, then the decision: record, consumed events and history in one transaction."""
        before, after = loaded.record, decision.record
        after = msgspec.structs.replace(after, seq=before.seq + 1)
        row = DecisionRow(
            seq=after.seq,
            at=inputs.now,
            before=before.phase.value,
            after=(after.last.phase if after.last and after.last != before.last else after.phase).value,
            release=after.release.number if after.release else before.release.number if before.release else None,
            reasons=decision.reasons,
            actions=tuple(type(action).__name__ for action in decision.actions),
            inputs=self._archive.put_inputs(before.model, canonical(inputs)),
        )
        etag = self._state.commit(after, loaded.etag, loaded.unread, row)
        log.info(
            "reconcile.decided",
            extra={
                "model": before.model,
                "seq": row.seq,
                "release": row.release,
                "before": row.before,
                "after": row.after,
                "reasons": [reason.why.value for reason in row.reasons],
                "actions": row.actions,
            },
        )
        for reason in decision.reasons:
            if reason.why is Why.NOTHING_HEALTHY:
                log.error("release.nothing_healthy", extra={"model": before.model, "text": reason.text})
            elif reason.why in FOR_A_PERSON and after.waits_for_person:
                log.warning("release.waits_for_person", extra={"model": before.model, "text": reason.text})
        return msgspec.structs.replace(decision, record=after), etag

    def _act(self, decision: Decision, publication: Publication, etag: str | None) -> None:
        def still_mine() -> None:
            if self._state.etag(decision.record.model) != etag:
                raise LostRace(f"the record of {decision.record.model} was written by another pass")

        for action in decision.actions:
            try:
                act(action, publication, self._platform, self._archive, still_mine)
            except NeedsPerson as refusal:
                if isinstance(action, FOR_THE_RELEASE):
                    raise _Refused(str(refusal)) from refusal
                raise
            log.info("reconcile.acted", extra={"model": decision.record.model, "action": type(action).__name__})
