"""A version that served before is brought back: at a person's word, by an alert, or because its deployment is gone.

Called by hearing for commands and alerts, by admission when a version turns out to be lost, and by decide.
"""

from datetime import datetime
from typing import Any

from shared.domain.changes import Draft
from shared.domain.lifecycle import TRANSITIONS, Phase, Signal
from shared.domain.publication import Publication
from shared.domain.reasons import Why
from shared.domain.record import Cause, CauseKind, Record, Release, Serving


def restore(publication: Publication, draft: Draft, cause: Cause, version: int | None) -> Draft:
    """Begin the release that brings a version back; `version` None is the one before the live one.

    What is barred never returns by itself: only a person who names its version brings it back. So does one who names
    the live version, whose deployment may be broken.
    """
    record = draft.record
    named = version if cause.kind is CauseKind.COMMAND else None
    found = choice(record, named)
    if record.live is None or found is None:
        what = "No version may be brought back" if named is None else f"Version {named} is not kept"
        return draft.because(Why.NOTHING_TO_ROLL_BACK_TO, f"{cause.text} {what}.")
    if found.version != record.live.version:
        draft = draft.barred(record.live.artifact, record.live.release, cause.text, cause.at)
    return _begin(publication, draft, cause, found)


def restore_asked(publication: Publication, draft: Draft) -> Draft:
    """The rollback for which the release before made way."""
    asked = draft.record.asked_back
    if asked is None:
        return draft
    return restore(publication, draft.with_record(asked_back=None), asked.cause, asked.version)


def repair(publication: Publication, draft: Draft, now: datetime) -> Draft:
    """Bring the live version back whose deployment somebody deleted, unless the attempt was made and failed."""
    record = draft.record
    live, hands = record.live, record.hands
    if live is None or hands is None or hands.respected or not hands.missing or record.paused is not None:
        return draft
    if record.bar_on(live.artifact):
        return draft
    text = f"The live deployment {hands.missing} was deleted by hand."
    return _begin(publication, draft, Cause(kind=CauseKind.REPAIR, at=now, text=text), live)


def forget(draft: Draft, release: int) -> Draft:
    """Strike the kept version of a release off that is registered no more: it cannot be brought back."""
    lost = next((each for each in draft.record.kept if each.release == release), None)
    if lost is None:
        return draft
    rest = tuple(each for each in draft.record.kept if each.release != release)
    text = f"Version {lost.version} is not registered any more, so that it cannot be brought back."
    return draft.with_record(kept=rest).because(Why.KEPT_LOST, text, {"version": lost.version})


def next_best(draft: Draft, now: datetime) -> Draft:
    """The version that was to be brought back is lost. For an alert the one before it will do; a person chooses."""
    release = draft.release
    assert release.restores is not None
    draft = forget(draft, release.restores.release)
    found = choice(draft.record, None) if release.cause.kind is CauseKind.ALERT else None
    if found is None:
        text = f"Version {release.version} cannot be brought back. Nothing was changed."
        return draft.signal(Signal.VERSION_LOST, now).end(now, text)
    return draft.with_release(restores=found, **_of(found))


def choice(record: Record, version: int | None) -> Serving | None:
    """The newest that may be brought back, or just the one that a person named."""
    live = (record.live,) if record.live else ()
    if version is not None:
        return next((each for each in (*live, *record.kept[::-1]) if each.version == version), None)
    may = (each for each in record.kept[::-1] if not each.passed_over and not record.bar_on(each.artifact))
    return next(may, None)


def _of(found: Serving) -> dict[str, Any]:
    """What a release knows of the version that it brings back."""
    return {"artifact": found.artifact, "folder": found.folder, "inputs": found.inputs}


def _begin(publication: Publication, draft: Draft, cause: Cause, found: Serving) -> Draft:
    """The release is deployed as the version was when it served: code, environment and sample of its own publication.

    Unless the model has another endpoint by now.
    """
    served_here = found.endpoint == publication.serving.endpoint
    release = Release(
        number=draft.record.last_release + 1,
        phase=TRANSITIONS[Phase.COLLECTING, Signal.RESTORE_BEGUN],
        since=cause.at,
        began=cause.at,
        cause=cause,
        publication=found.publication if served_here else publication.hash,
        restores=found,
        **_of(found),
    )
    return draft.with_record(release=release, last_release=release.number).because(
        Why.ROLLBACK_ASKED,
        f"{cause.text} Release {release.number} brings version {found.version} back.",
        {"release": release.number, "version": found.version},
    )
