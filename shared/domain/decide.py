"""The decision: record, events, observation and time in; the next record, orders and reasons out. Pure.

Called by reconcile/loop.py in every pass, by replay on recorded inputs, and by simulations on invented ones.
"""

from datetime import datetime, timedelta

from shared.domain import aftercare, sending
from shared.domain.actions import Action
from shared.domain.admission import admit
from shared.domain.alarm import sound
from shared.domain.base import Kept
from shared.domain.beginning import begin, look_for_beginning
from shared.domain.changes import Draft
from shared.domain.events import Event
from shared.domain.hands import HELD, hold, notice
from shared.domain.hearing import hear
from shared.domain.lifecycle import WATCHED, Phase
from shared.domain.making import await_approval, register, train, weigh
from shared.domain.observation import REFUSED, UNSEEN, Observation
from shared.domain.publication import Publication
from shared.domain.reasons import Reason
from shared.domain.record import Record
from shared.domain.restoring import forget, repair, restore_asked
from shared.domain.rollout import deploy, retire, roll_back
from shared.domain.superseding import supersede
from shared.domain.taking import hand_over, take, take_asked
from shared.domain.testing import try_out
from shared.domain.wanted import wanted
from shared.domain.watching import unreadable, watch


class Decision(Kept, frozen=True, kw_only=True):
    """What one pass decides. `look_again_at` is None when only an event can bring something new.

    `sent`: the pass sent requests of its own, for which it took its time: no other should follow in the same run.
    """

    record: Record
    actions: tuple[Action, ...] = ()
    reasons: tuple[Reason, ...] = ()
    look_again_at: datetime | None = None
    sent: bool = False


def decide(
    publication: Publication, record: Record, events: tuple[Event, ...], seen: Observation, now: datetime
) -> Decision:
    """Hear the events, move the release by at most one phase, and say what the world lacks."""
    draft = aftercare.settle(publication, Draft(record=record), seen)
    for event in events:
        draft = hear(publication, draft, event, now)
    if seen.endpoint is not None and seen.endpoint.exists:
        draft = notice(publication, retire(draft, seen.endpoint), seen.endpoint, now)
    if seen.endpoint is not None:
        draft = sound(draft, seen.endpoint)
    for release in seen.lost:
        draft = forget(draft, release)
    if draft.record.release is None:
        draft = _begin(publication, draft, now) if record.release is None else draft
    elif _stands_still(record, draft):
        draft = supersede(publication, draft, now)
        draft = _advance(publication, draft, seen, now) if _stands_still(record, draft) else draft
    after = aftercare.remember(publication, record, draft.record)
    return Decision(
        record=after,
        actions=wanted(publication, after, seen, now),
        reasons=draft.reasons,
        look_again_at=_look_again(publication, after, now),
        sent=bool(seen.sent),
    )


def _begin(publication: Publication, draft: Draft, now: datetime) -> Draft:
    """What serves comes first: a live deployment that somebody deleted is made anew before anything is trained."""
    draft = restore_asked(publication, draft)
    draft = draft if draft.record.release else repair(publication, draft, now)
    draft = draft if draft.record.release else take_asked(publication, draft, now)
    return draft if draft.record.release else begin(publication, draft, now)


def _stands_still(before: Record, draft: Draft) -> bool:
    """Whether nothing in this pass has moved the release yet."""
    release = draft.record.release
    return release is not None and before.release is not None and release.phase is before.release.phase


def _advance(publication: Publication, draft: Draft, seen: Observation, now: datetime) -> Draft:
    """One step by what was seen. What the phase needs and was not looked at leaves the release as it is."""
    if draft.record.hand_stands and draft.release.phase in HELD and seen.endpoint is not None:
        return hold(draft, seen.endpoint, now)
    draft = _hindered(draft, seen, now)
    match draft.release.phase:
        case Phase.TAKING if seen.shared is not None:
            return take(publication, draft, seen.shared, now)
        case Phase.TRAINING if seen.job is not None:
            return train(publication, draft, seen.job, now)
        case Phase.JUDGING if seen.evaluation is not None:
            return weigh(publication, draft, seen.evaluation, now)
        case Phase.AWAITING_APPROVAL:
            return await_approval(publication, draft, now)
        case Phase.REGISTERING if draft.release.origin:
            return hand_over(draft, now)
        case Phase.REGISTERING if seen.model is not None:
            return register(draft, seen.model, seen.artifact, now)
        case Phase.DEPLOYING if seen.endpoint is not None:
            held = admit(publication, draft, seen, now)
            return deploy(publication, draft, seen.endpoint, seen.artifact, now) if held is None else held
        case Phase.TESTING if seen.endpoint is not None:
            return try_out(publication, draft, seen, now)
        case phase if phase in WATCHED and seen.endpoint is not None:
            return watch(publication, draft, seen, now)
        case Phase.ROLLING_BACK if seen.endpoint is not None:
            return roll_back(draft, seen.endpoint, now)
        case _:
            return draft


def _hindered(draft: Draft, seen: Observation, now: datetime) -> Draft:
    """Say what the release cannot have, once, and take it back when it is had again.

    While the traffic log is seen, watch says what is missing besides. What was refused is waited for until the
    release moves: only then it is known to have been done.
    """
    trouble, waiting = seen.trouble, draft.release.waiting
    if trouble is None:
        return draft.with_release(waiting="") if waiting.startswith(UNSEEN) else draft
    judged = draft.release.phase in WATCHED and seen.traffic is not None
    # A rollback that waits for something may be given up as it is: only a missing refuge is reason enough for that.
    rolls_back = draft.release.phase is Phase.ROLLING_BACK
    if judged or rolls_back or not trouble.is_news(now):
        return draft
    return unreadable(draft, f"{REFUSED if trouble.refused else UNSEEN}{trouble.text}")


def _look_again(publication: Publication, record: Record, now: datetime) -> datetime | None:
    busy = record.retiring or aftercare.pending(record) or (record.hands and not record.hand_stands)
    if record.phase is Phase.AWAITING_APPROVAL and not busy:
        assert record.release is not None
        return record.release.since + timedelta(seconds=publication.spec.approval.expires_s)
    if sending.due(publication, record, now) is not None:
        return now
    if record.release is not None or busy:
        return now + timedelta(seconds=publication.spec.poll_s)
    return look_for_beginning(publication.spec, record, now)
