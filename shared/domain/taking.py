"""Taking over a version that another workspace trained, judged and shared by a registry. Called by parts of decide.

The offline gates are not asked again: they were, where the version was trained, and the verdict comes with it. What
does not say how it was judged is not taken: whoever put it into the registry went past the gates. Asked here is what
depends on this environment: whether the version is barred, approval, the model's bytes, and the rollout in all its
stages.
"""

from datetime import datetime

from shared.domain.analysis import Finding
from shared.domain.asking import rule
from shared.domain.card import Card, made
from shared.domain.changes import Draft
from shared.domain.events import CommandGiven
from shared.domain.lifecycle import TRANSITIONS, Phase, Signal
from shared.domain.lineage import ARTIFACT, FOLDER, JOB, VERDICT, approved_by, inputs, numbers, outcome
from shared.domain.observation import SharedSeen
from shared.domain.publication import Publication
from shared.domain.reasons import Why
from shared.domain.record import AskedTake, Cause, CauseKind, Judged, Origin, Record, Release
from shared.domain.spec import RegistryMode, Spec


def begin_take(publication: Publication, draft: Draft, event: CommandGiven, text: str, now: datetime) -> Draft:
    """Begin a release of a shared version, at a person's or a pipeline's word."""
    spec, record = publication.spec, draft.record
    registry = spec.registry
    if registry is None or registry.mode is not RegistryMode.TAKE:
        why = "the spec names no registry to take versions from"
        return draft.because(Why.COMMAND_REFUSED, f"{text} In this environment {why}.")
    if record.paused is not None:
        return draft.because(Why.COMMAND_REFUSED, f"{text} The model is paused: resume it first.")
    asked = AskedTake(cause=Cause(kind=CauseKind.COMMAND, at=event.at, text=text), version=event.version)
    if record.release is not None:
        why = f"{text} It waits for the end of release {record.release.number}."
        return draft.with_record(asked_take=asked).because(Why.TAKE_WAITS, why)
    return _begun(publication, draft, registry.name, asked, now)


def take_asked(publication: Publication, draft: Draft, now: datetime) -> Draft:
    """Begin the take that waited, as soon as nothing is in flight and nobody has paused the model."""
    asked, registry = draft.record.asked_take, publication.spec.registry
    if asked is None or draft.record.paused is not None:
        return draft
    draft = draft.with_record(asked_take=None)
    if registry is None or registry.mode is not RegistryMode.TAKE:
        return draft.because(Why.COMMAND_REFUSED, f"{asked.cause.text} The spec takes no versions any more.")
    return _begun(publication, draft, registry.name, asked, now)


def _begun(publication: Publication, draft: Draft, registry: str, asked: AskedTake, now: datetime) -> Draft:
    record = draft.record
    release = Release(
        number=record.last_release + 1,
        phase=TRANSITIONS[Phase.COLLECTING, Signal.TAKE_BEGUN],
        since=now,
        began=now,
        cause=asked.cause,
        publication=publication.hash,
        origin=Origin(registry=registry, version=asked.version or 0),
    )
    which = f"version {asked.version}" if asked.version else "the newest version"
    return draft.with_record(release=release, last_release=release.number).because(
        Why.TAKE_BEGUN,
        f"{asked.cause.text} Release {release.number} takes {which} of registry {registry} over.",
        {"release": release.number, "registry": registry},
    )


def take(publication: Publication, draft: Draft, seen: SharedSeen, now: datetime) -> Draft:
    """Take over what was shared, with its lineage and verdict, or say why not."""
    origin = draft.release.origin
    assert origin is not None
    refusal = _refusal(draft.record, origin, seen)
    if refusal:
        return _refused(draft.because(Why.TAKE_REFUSED, refusal), refusal, now)
    marks = seen.marks
    bar = draft.record.bar_on(marks[ARTIFACT])
    if bar:
        return _refused(draft.because(Why.ARTIFACT_BARRED, bar), bar, now)
    judged = Judged(text=marks[VERDICT], facts=numbers(marks) or {}, outcome=outcome(marks))
    draft = draft.with_release(
        origin=Origin(registry=origin.registry, version=seen.version, job=marks.get(JOB, ""), marks=marks),
        artifact=marks[ARTIFACT],
        folder=marks[FOLDER],
        judged=judged,
        inputs=inputs(marks),
    )
    text = f"Version {seen.version} of registry {origin.registry}: {judged.text}"
    draft = draft.because(Why.TAKEN, text, {"release": draft.release.number, "version": seen.version})
    asked = rule(publication.spec, draft.record, judged.facts) or _doubt(publication.spec, judged, marks)
    if asked:
        return draft.signal(Signal.APPROVAL_NEEDED, now).because(
            Why.APPROVAL_NEEDED, asked, {"release": draft.release.number}
        )
    return draft.signal(Signal.TAKEN, now)


def hand_over(draft: Draft, now: datetime) -> Draft:
    """A version that was taken over is registered already, in its registry."""
    return draft.signal(Signal.MODEL_REGISTERED, now)


def card_of_taken(publication: Publication, release: Release) -> Card:
    """The card of a version that was trained elsewhere, made of what was shared with it."""
    assert release.origin is not None
    marks, judged = release.origin.marks, release.judged
    return made(
        publication,
        release,
        decision=judged.text if judged else "",
        facts=dict(judged.facts) if judged else {},
        lineage={"upkeep_registry": release.origin.registry, **marks},
        data=(f"Version of the data: {marks.get('upkeep_data_version', 'unknown')}, where it was trained.",),
    )


def trains_elsewhere(spec: Spec, record: Record) -> str:
    """Why nothing is trained here, in a sentence; empty where something is."""
    if spec.registry is not None and spec.registry.mode is RegistryMode.TAKE:
        return f"This environment takes its versions from registry {spec.registry.name}: train where they are shared."
    if record.live is not None and record.live.registry:
        return (
            f"The live version is one of registry {record.live.registry}: no candidate can be held against it here."
        )
    return ""


def _refusal(record: Record, origin: Origin, seen: SharedSeen) -> str:
    which = f"version {origin.version} of the model" if origin.version else "version of the model"
    if not seen.exists:
        return f"Registry {origin.registry} has no {which}."
    if not seen.marks.get(ARTIFACT) or not seen.marks.get(FOLDER):
        return f"Version {seen.version} of registry {origin.registry} does not say what its files hash to."
    wrong = _unjudged(seen.marks)
    if wrong:
        return f"Version {seen.version} of registry {origin.registry} {wrong}."
    live = record.live
    if live is not None and (live.registry, live.version) == (origin.registry, seen.version):
        return f"Version {seen.version} of registry {origin.registry} is live already."
    return ""


def _unjudged(marks: dict[str, str]) -> str:
    """Why the marks are no verdict by which a version may go on; empty when they are. Closed by default."""
    if not marks.get(VERDICT) or numbers(marks) is None:
        return "does not say how it was judged, or its numbers cannot be read"
    match outcome(marks):
        case Finding.PASS:
            return ""
        case Finding.INCONCLUSIVE:
            return "" if approved_by(marks) else "was not shown to be better, and nobody approved it"
        case Finding.FAIL:
            return "failed its gates"
        case _:
            return "does not say whether it passed its gates"


def _doubt(spec: Spec, judged: Judged, marks: dict[str, str]) -> str:
    """That a person overlooked open numbers where it was trained: by rules, a person is asked here as well."""
    if spec.approval.required != "rules" or judged.outcome is not Finding.INCONCLUSIVE:
        return ""
    who = approved_by(marks)
    return f"It was not shown to be better; {who} approved it where it was trained, and that needs approval here too."


def _refused(draft: Draft, text: str, now: datetime) -> Draft:
    return draft.signal(Signal.TAKE_REFUSED, now).end(now, text)
