"""Whether a release begins. Called by decide while none is in flight."""

from datetime import UTC, datetime, timedelta

from shared.domain.budget import hours_allowed_from
from shared.domain.changes import Draft
from shared.domain.freeze import frozen, thaw
from shared.domain.lifecycle import TRANSITIONS, Phase, Signal
from shared.domain.manifest import seal
from shared.domain.publication import Publication
from shared.domain.reasons import Reason, Why
from shared.domain.record import Cause, CauseKind, Record, Release
from shared.domain.spec import Spec
from shared.domain.taking import trains_elsewhere

DAY = timedelta(days=1)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def begin(publication: Publication, draft: Draft, now: datetime) -> Draft:
    """Begin a release if something asks for one and nothing forbids it."""
    spec, record = publication.spec, draft.record
    elsewhere = trains_elsewhere(spec, record)
    if elsewhere:
        return draft.with_record(asked=None).because(Why.TRAINED_ELSEWHERE, elsewhere) if record.asked else draft
    cause = cause_of_next(spec, record, now)
    if cause is None:
        return draft
    hold = hold_on(spec, record, cause, now)
    if hold is not None:
        return _held_up(draft, hold)
    manifest = seal(spec.name, spec.data, record.parts)
    if manifest is None:
        if record.asked is None:
            return draft
        text = f"{len(record.parts)} parts are too few to train on and hold out."
        return draft.with_record(asked=None, held_up="").because(Why.NOT_ENOUGH_DATA, text)
    if manifest.version == record.trained_on and cause.kind is not CauseKind.COMMAND:
        text = f"Data {manifest.version[:12]} was trained on already."
        return draft.with_record(asked=None, held_up="", fresh={}).because(Why.NO_NEW_DATA, text)
    release = Release(
        number=record.last_release + 1,
        phase=TRANSITIONS[Phase.COLLECTING, Signal.RELEASE_BEGUN],
        since=now,
        began=now,
        cause=cause,
        publication=publication.hash,
        manifest=manifest,
    )
    draft = draft.with_record(
        release=release,
        last_release=release.number,
        asked=None,
        held_up="",
        fresh={},
        trained_on=manifest.version,
        runs=(*(run for run in record.runs if now - run < DAY), now),
    )
    if cause.kind is CauseKind.DATA:
        draft = draft.because(Why.BATCH_READY, cause.text)
    rows = sum(part.rows for part in manifest.parts)
    return draft.because(
        Why.RELEASE_BEGUN,
        f"Release {release.number} begins with {len(manifest.train)} parts to train on"
        f" and {len(manifest.held_out)} held out.",
        {"release": release.number, "data_version": manifest.version, "rows": rows, "cause": cause.kind.value},
    )


def cause_of_next(spec: Spec, record: Record, now: datetime) -> Cause | None:
    """What asks for a release now: somebody's word, or a batch that is ready."""
    return record.asked or _batch(spec, record, now)


def hold_on(spec: Spec, record: Record, cause: Cause, now: datetime) -> Reason | None:
    """What keeps a release of this cause from beginning now. A person's command waits for a pause only."""
    if record.paused is not None:
        return Reason(why=Why.PAUSED, text="Nothing begins while the model is paused.")
    if cause.kind is CauseKind.COMMAND:
        return None
    if frozen(spec, now):
        return Reason(why=Why.FROZEN, text="A change freeze is on: nothing begins until it is over.")
    why, until = budgeted(spec, record)
    if now >= until:
        return None
    return Reason(why=why, text=f"{cause.text} It waits until {until:%Y-%m-%d %H:%M} UTC.")


def _held_up(draft: Draft, hold: Reason) -> Draft:
    """Say once what the next release waits for. A pause was told when it began."""
    if draft.record.held_up == hold.text or hold.why is Why.PAUSED:
        return draft
    return draft.with_record(held_up=hold.text).because(hold.why, hold.text)


def budgeted(spec: Spec, record: Record) -> tuple[Why, datetime]:
    """The earliest time at which cool-down and budgets let a machine begin a release, and the one that lasts."""
    holds = [(LONG_AGO, Why.COOLING_DOWN)]
    if record.runs:
        holds.append((record.runs[-1] + timedelta(seconds=spec.retrain.cooldown_s), Why.COOLING_DOWN))
    if len(record.runs) >= spec.retrain.max_runs_per_day:
        holds.append((record.runs[-spec.retrain.max_runs_per_day] + DAY, Why.BUDGET_SPENT))
    hours = hours_allowed_from(spec, record)
    if hours is not None:
        holds.append((hours, Why.COMPUTE_SPENT))
    until, why = max(holds)
    return why, until


def allowed_from(spec: Spec, record: Record) -> datetime:
    """The earliest time at which cool-down and budgets let a machine begin a release."""
    return budgeted(spec, record)[1]


def look_for_beginning(spec: Spec, record: Record, now: datetime) -> datetime | None:
    """When a release could begin without any further event."""
    look = _ready_at(spec, record)
    return None if look is None else thaw(spec, max(look, now))


def _ready_at(spec: Spec, record: Record) -> datetime | None:
    if record.paused is not None or trains_elsewhere(spec, record):
        return None
    if record.asked is not None:
        return allowed_from(spec, record)
    if not record.fresh or seal(spec.name, spec.data, record.parts) is None:
        return None
    if _full(spec, record):
        return allowed_from(spec, record)
    return max(allowed_from(spec, record), _too_old_at(spec, record))


def _batch(spec: Spec, record: Record, now: datetime) -> Cause | None:
    if not record.fresh:
        return None
    if not _full(spec, record) and now < _too_old_at(spec, record):
        return None
    rows = sum(part.rows for part in record.parts if part.name in record.fresh)
    text = f"{len(record.fresh)} fresh parts with {rows} rows are waiting."
    return Cause(kind=CauseKind.DATA, at=max(record.fresh.values()), text=text)


def _full(spec: Spec, record: Record) -> bool:
    rows = sum(part.rows for part in record.parts if part.name in record.fresh)
    return len(record.fresh) >= spec.data.batch.min_parts and rows >= spec.data.batch.min_rows


def _too_old_at(spec: Spec, record: Record) -> datetime:
    return min(record.fresh.values()) + timedelta(seconds=spec.data.batch.max_age_s)
