"""GET /api/models…: where the models stand and what was decided. Reads only."""

from typing import TYPE_CHECKING, Any

import azure.functions as func
import msgspec

from shared.bootstrap import App
from shared.errors import BadInput
from shared.intake.ledger import Row
from shared.reconcile.ports import Loaded
from shared.triggers.binding import new_blueprint
from shared.triggers.http import Answer, refusal, respond

if TYPE_CHECKING:
    from shared.domain.record import Record

MOST_HISTORY = 1_000
DEFAULT_HISTORY = 50

blueprint = new_blueprint()


@blueprint.route("models", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
def models(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - the host hands it over by this name
    """All models, and the uploads that belong to none."""
    return respond(every)


@blueprint.route("models/{model}", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
def model(req: func.HttpRequest) -> func.HttpResponse:
    """One model."""
    return respond(lambda app: one(app, req.route_params["model"]))


@blueprint.route("models/{model}/history", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
def history(req: func.HttpRequest) -> func.HttpResponse:
    """The newest decisions of one model, newest first."""
    return respond(lambda app: decisions(app, req.route_params["model"], req.params.get("most")))


@blueprint.route("models/{model}/card", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
def card(req: func.HttpRequest) -> func.HttpResponse:
    """The model card of a registered version, by default of the live one."""
    return respond(lambda app: card_of(app, req.route_params["model"], req.params.get("version")))


def every(app: App) -> Answer:
    """All models' status."""
    found = [_load(app, pointer.model) for pointer in app.state.pointers()]
    statuses = [status_of(app, loaded) for loaded in found if loaded]
    return Answer(200, {"models": statuses, "unowned": [finding_of(row) for row in app.intake.unowned()]})


def one(app: App, name: str) -> Answer:
    """One model's status."""
    loaded = _load(app, name)
    return Answer(200, status_of(app, loaded)) if loaded else _unknown()


def decisions(app: App, name: str, most: str | None) -> Answer:
    """One model's history."""
    wanted = _whole(most)
    if most and (wanted is None or not 1 <= wanted <= MOST_HISTORY):
        raise BadInput(f"most must be a number from 1 to {MOST_HISTORY}.")
    if _load(app, name) is None:
        return _unknown()
    return Answer(200, {"model": name, "decisions": app.state.history(name, wanted or DEFAULT_HISTORY)})


def card_of(app: App, name: str, version: str | None) -> Answer:
    """One version's card."""
    loaded, wanted = _load(app, name), _whole(version)
    if loaded is None:
        return _unknown()
    if version and not wanted:
        raise BadInput("version must be the number of a registered version.")
    live = loaded.record.live
    if not wanted and live is None:
        return refusal(409, "Nothing is live yet: say of which version.")
    number = wanted or (live.version if live else 0)
    found = app.archive.card(name, number)
    return Answer(200, found) if found else refusal(409, f"There is no card of version {number}.")


def status_of(app: App, loaded: Loaded) -> dict[str, Any]:
    """What is remembered of a model, without what only machines read."""
    record, name = loaded.record, loaded.pointer.model
    return {
        "model": name,
        "phase": record.phase,
        "publication": loaded.pointer.publication,
        "published_at": loaded.pointer.published_at,
        "release": _release(record),
        "live": record.live,
        "previous": record.previous,
        "last": record.last,
        "paused": record.paused,
        "asked": record.asked,
        "held_up": record.held_up,
        "hand_made": record.hands,
        "alarm": record.alarm,
        "parts": {"accepted": len(record.parts), "fresh": len(record.fresh)},
        "fresh": record.fresh,
        "findings": [finding_of(row) for row in app.intake.findings(name)],
    }


def finding_of(row: Row) -> dict[str, Any]:
    """An upload that a person should look at."""
    return {"blob": row.blob, "state": row.state, "at": row.at, "part": row.part, "why": row.why}


def _release(record: "Record") -> dict[str, Any] | None:
    release = record.release
    if release is None:
        return None
    origin = msgspec.structs.replace(release.origin, marks={}) if release.origin else None
    shown = msgspec.to_builtins(msgspec.structs.replace(release, manifest=None, origin=origin))
    data_version = release.manifest.version if release.manifest else ""
    return {
        **shown,
        "data_version": data_version,
        "job": release.job(record.model),
        "deployment": release.deployment,
        "version": release.version,
    }


def _whole(text: str | None) -> int | None:
    """A number of one to five digits."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 6 else None


def _load(app: App, name: str) -> Loaded | None:
    return app.state.load(name, 1)


def _unknown() -> Answer:
    return refusal(404, "There is no published model of this name.")
