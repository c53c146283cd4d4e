"""Events heard: what each changes in the record. Called by decide, once per unread event, oldest first."""

from datetime import datetime

from shared.domain.changes import Draft
from shared.domain.events import AlertFired, Command, CommandGiven, DataArrived, Event, JobEnded, ScheduleDue
from shared.domain.hands import overrule
from shared.domain.lifecycle import TRANSITIONS, WATCHED, Phase, Signal
from shared.domain.publication import Publication
from shared.domain.reasons import Why
from shared.domain.record import MAX_PARTS, AskedBack, Cause, CauseKind, Pause
from shared.domain.restoring import choice, restore
from shared.domain.rollout import cut_short, give_up, steps_of
from shared.domain.spec import AlertResponse
from shared.domain.taking import begin_take

OVERRULES = frozenset({Command.RESUME, Command.ROLLBACK, Command.ABORT, Command.PROMOTE})
"""Commands by which a person decides what a change by hand was waiting for."""
REFUSALS = frozenset({Why.COMMAND_REFUSED, Why.NOTHING_TO_ROLL_BACK_TO})


def hear(publication: Publication, draft: Draft, event: Event, now: datetime) -> Draft:
    """The record after one event."""
    match event:
        case DataArrived():
            return _data(draft, event)
        case ScheduleDue():
            return _ask(draft, Cause(kind=CauseKind.SCHEDULE, at=event.at, text="The schedule came due."))
        case AlertFired():
            return _alert(publication, draft, event, now)
        case CommandGiven():
            return _command(publication, draft, event, now)
        case JobEnded():
            return draft  # a prompt to look; the job itself is the truth


def _data(draft: Draft, event: DataArrived) -> Draft:
    part, record = event.part, draft.record
    if any(known.name == part.name for known in record.parts):
        return draft.because(Why.DATA_KNOWN, f"Part {part.name[:12]} is known already.")
    parts = tuple(sorted((*record.parts, part), key=lambda each: each.order))[-MAX_PARTS:]
    names = {each.name for each in parts}
    fresh = {name: at for name, at in {**record.fresh, part.name: event.at}.items() if name in names}
    return draft.with_record(parts=parts, fresh=fresh).because(
        Why.DATA_ARRIVED,
        f"{part.rows} rows from {part.start:%Y-%m-%d} to {part.end:%Y-%m-%d} were accepted.",
        {"part": part.name, "rows": part.rows, "source": event.source},
    )


def _ask(draft: Draft, cause: Cause) -> Draft:
    """Remember that a retraining is wanted. A person's word is not overwritten by a machine's."""
    asked = draft.record.asked
    if asked is not None and asked.kind is CauseKind.COMMAND and cause.kind is not CauseKind.COMMAND:
        return draft
    return draft.with_record(asked=cause).because(Why.RETRAIN_ASKED, cause.text, {"cause": cause.kind.value})


def _alert(publication: Publication, draft: Draft, event: AlertFired, now: datetime) -> Draft:
    text = f"Alert {event.rule} fired{': ' + event.summary if event.summary else ''}."
    match publication.spec.alerts.get(event.rule):
        case AlertResponse.RETRAIN:
            return _ask(draft, Cause(kind=CauseKind.ALERT, at=event.at, text=text))
        case AlertResponse.ROLLBACK:
            return _roll_back(publication, draft, Cause(kind=CauseKind.ALERT, at=now, text=text), None)
        case AlertResponse.PAUSE:
            return _pause(draft, Pause(by=f"alert {event.rule}", at=event.at, reason=event.summary))
        case None:
            return draft.because(Why.ALERT_UNMAPPED, f"{text} The spec maps it to nothing.")


def _command(publication: Publication, draft: Draft, event: CommandGiven, now: datetime) -> Draft:
    """Carry it out. Only a word that is carried out decides what a change by hand was waiting for."""
    if event.command in OVERRULES:
        heard = _obey(publication, overrule(draft), event, now)
        refused = any(reason.why in REFUSALS for reason in heard.reasons[len(draft.reasons) :])
        if not refused:
            return heard
    return _obey(publication, draft, event, now)


def _obey(publication: Publication, draft: Draft, event: CommandGiven, now: datetime) -> Draft:
    text = f"{event.by} asked to {event.command}{': ' + event.reason if event.reason else ''}."
    number = draft.record.release.number if draft.record.release else None
    if event.release not in (None, number):
        return draft.because(Why.COMMAND_REFUSED, f"{text} It was meant for release {event.release}, which is over.")
    match event.command:
        case Command.RETRAIN:
            return _ask(draft, Cause(kind=CauseKind.COMMAND, at=event.at, text=text))
        case Command.ROLLBACK:
            return _roll_back(publication, draft, Cause(kind=CauseKind.COMMAND, at=now, text=text), event.version)
        case Command.PAUSE:
            return _pause(draft, Pause(by=event.by, at=event.at, reason=event.reason))
        case Command.RESUME:
            if draft.record.paused is None and draft.record.hands is not None:
                return draft.because(Why.RESUMED, f"{text} What was changed by hand is put right.")
            if draft.record.paused is None:
                return draft.because(Why.COMMAND_REFUSED, f"{text} It is not paused.")
            return draft.with_record(paused=None).because(Why.RESUMED, text)
        case Command.APPROVE | Command.REJECT:
            return _answer(draft, event, text, now)
        case Command.ABORT:
            return _abort(draft, text, now)
        case Command.PROMOTE:
            return _promote(publication, draft, text, now)
        case Command.TAKE:
            return begin_take(publication, draft, event, text, now)


def _answer(draft: Draft, event: CommandGiven, text: str, now: datetime) -> Draft:
    """A person's word on a candidate that waits for one."""
    if draft.record.phase is not Phase.AWAITING_APPROVAL:
        return draft.because(Why.COMMAND_REFUSED, f"{text} No candidate waits for approval.")
    if event.command is Command.APPROVE:
        return draft.signal(Signal.APPROVED, now, approved_by=event.by).because(Why.APPROVED, text)
    release = draft.release
    draft = draft.because(Why.APPROVAL_REFUSED, text).signal(Signal.APPROVAL_REFUSED, now)
    return draft.barred(release.artifact, release.number, text, now).end(now, text)


def _abort(draft: Draft, text: str, now: datetime) -> Draft:
    """End the release in flight, wherever it stands. A job that runs is canceled first."""
    match draft.record.phase:
        case Phase.ROLLING_BACK if draft.release.waiting:
            return give_up(draft, text, now)
        case Phase.COLLECTING | Phase.ROLLING_BACK:
            return draft.because(Why.COMMAND_REFUSED, f"{text} Nothing is in flight that could be aborted.")
        case Phase.TRAINING:
            return draft.with_release(stop=text).because(Why.ABORTED, text)
        case phase if (phase, Signal.ABORTED) in TRANSITIONS:
            return draft.because(Why.ABORTED, text).signal(Signal.ABORTED, now).end(now, text)
        case _:
            return _take_back(draft.with_release(spared=draft.release.restores is not None), text, now)


def _promote(publication: Publication, draft: Draft, text: str, now: datetime) -> Draft:
    """Skip the least interval, what is left of the steps, or the stage that stands. Gates and smoke test stay.

    A stage ends only with its traffic in force: while that is being moved or put right, the word is remembered.
    """
    phase, rollout = draft.record.phase, publication.spec.rollout
    if phase is Phase.TESTING:
        return draft.with_release(hurried=True).because(Why.PROMOTED, f"{text} It goes on once it is tested.")
    if phase not in WATCHED:
        return draft.because(Why.COMMAND_REFUSED, f"{text} There is no step to skip in phase {phase}.")
    last = len(steps_of(rollout, draft.record)) - 1
    if (phase is not Phase.BAKING and draft.release.step < last) or phase is Phase.SHADOWING:
        return draft.signal(Signal.PROMOTED, now, step=last, step_since=None).because(Why.PROMOTED, text)
    if draft.release.step_since is None:
        return draft.with_release(hurried=True).because(Why.PROMOTED, f"{text} It waits for its traffic.")
    return cut_short(publication.serving.endpoint, draft.because(Why.PROMOTED, text), now)


def _pause(draft: Draft, pause: Pause) -> Draft:
    if draft.record.paused is not None:
        return draft
    why = f" {pause.reason}" if pause.reason else ""
    return draft.with_record(paused=pause).because(Why.PAUSED, f"Paused by {pause.by}.{why}")


def _roll_back(publication: Publication, draft: Draft, cause: Cause, version: int | None) -> Draft:
    """Take the release in flight back, or, if none of it is deployed, bring back a version that was live before."""
    release, text = draft.record.release, cause.text
    if release is None:
        return restore(publication, draft, cause, version)
    if release.restores is not None:
        return draft.because(Why.COMMAND_REFUSED, f"{text} Version {release.version} is being brought back already.")
    if (release.phase, Signal.ROLLBACK_ASKED) not in TRANSITIONS:
        return _make_way(publication, draft, cause, version)
    if version is not None:
        return draft.because(Why.COMMAND_REFUSED, f"{text} Release {release.number} is in flight: abort it first.")
    return _take_back(draft, text, cause.at)


def _take_back(draft: Draft, text: str, now: datetime) -> Draft:
    return draft.signal(Signal.ROLLBACK_ASKED, now, because=text).because(Why.ROLLBACK_ASKED, text)


def _make_way(publication: Publication, draft: Draft, cause: Cause, version: int | None) -> Draft:
    """What serves comes first: a release of which nothing is deployed yet ends, and the version before returns."""
    release, text = draft.release, cause.text
    if release.phase is Phase.ROLLING_BACK:
        return draft.because(Why.COMMAND_REFUSED, f"{text} Release {release.number} is being taken back already.")
    if draft.record.live is None or choice(draft.record, version) is None:
        return restore(publication, draft, cause, version)
    why = f"{text} Release {release.number} makes way."
    draft = draft.with_record(asked_back=AskedBack(cause=cause, version=version)).because(Why.ABORTED, why)
    if release.phase is Phase.TRAINING:
        return draft.with_release(stop=why)
    return draft.signal(Signal.ABORTED, cause.at).end(cause.at, why)
