"""A release in flight that gives way to a newer one, where the spec says `retrain.when_newer: replace`.

Called by decide in every pass over a release. It gives way only to a release that could begin in the next pass:
what a freeze, a pause, the cool-down or a budget would hold up ends nothing.
"""

from datetime import datetime

from shared.domain.beginning import cause_of_next, hold_on
from shared.domain.changes import Draft
from shared.domain.lifecycle import TRANSITIONS, Phase, Signal
from shared.domain.manifest import seal
from shared.domain.publication import Publication
from shared.domain.reasons import Why
from shared.domain.record import CauseKind, Record, Release
from shared.domain.spec import Spec


def supersede(publication: Publication, draft: Draft, now: datetime) -> Draft:
    """End the release, or begin to, if a newer one is ready to take its place.

    A job is canceled first, and what live traffic the canary has goes back first: the release ends when that is seen.
    """
    release, spec = draft.release, publication.spec
    if spec.retrain.when_newer != "replace" or not _gives_way(draft.record, release):
        return draft
    newer = _taken(draft.record, release) if release.origin else _newer(spec, draft.record, release, now)
    if newer is None:
        return draft
    text = f"Release {release.number} gives way in phase {release.phase}: {newer}"
    draft = draft.because(Why.SUPERSEDED, text, {"release": release.number, "phase": release.phase.value})
    if release.phase is Phase.TRAINING:
        return draft.with_release(stop=text, superseded=True)
    draft = draft.signal(Signal.SUPERSEDED, now, because=text, superseded=True)
    return draft.end(now, text) if draft.release.phase is Phase.SUPERSEDED else draft


def _gives_way(record: Record, release: Release) -> bool:
    """Until it has all of the live traffic to itself. What is brought back by a rollback never does."""
    if release.superseded or release.restores:
        return False
    if release.phase is Phase.CANARY and record.live is None:
        return False  # nothing else serves
    return release.phase is not Phase.ROLLING_BACK and (release.phase, Signal.SUPERSEDED) in TRANSITIONS


def _taken(record: Record, release: Release) -> str | None:
    """A version that a person named and that is another one. "The newest" may be the one in flight: it waits."""
    asked = record.asked_take
    if asked is None or record.paused is not None or asked.version in (None, release.version):
        return None
    return asked.cause.text


def _newer(spec: Spec, record: Record, release: Release, now: datetime) -> str | None:
    """What asks for the newer release. A person may ask for one on the same data, a machine may not."""
    cause = cause_of_next(spec, record, now)
    if cause is None or hold_on(spec, record, cause, now) is not None:
        return None
    manifest = seal(spec.name, spec.data, record.parts)
    if manifest is None:
        return None
    if cause.kind is not CauseKind.COMMAND and manifest == release.manifest:
        return None
    return cause.text
