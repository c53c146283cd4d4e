"""POST /api/models/{model}/commands: what a person asks for, recorded for the reconciler to decide on."""

import re
from typing import Any

import azure.functions as func

from shared.bootstrap import App
from shared.domain.events import Command, CommandGiven
from shared.errors import BadInput
from shared.triggers.binding import new_blueprint
from shared.triggers.http import Answer, body, refusal, respond

MOST_BYTES = 8_192
MOST_BY_CHARS = 100
MOST_REASON_CHARS = 500
FIELDS = ("command", "by", "reason", "id", "version", "release")
ANSWERS = (Command.APPROVE, Command.REJECT)
OF_A_RELEASE = (*ANSWERS, Command.ABORT, Command.PROMOTE)
_ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")

blueprint = new_blueprint()


@blueprint.route("models/{model}/commands", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
def commands(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Record one command. Its id is the body's, the header Idempotency-Key, or the invocation's, in this order."""
    default_id = req.headers.get("Idempotency-Key") or context.invocation_id

    def give(app: App) -> Answer:
        value = body(req, MOST_BYTES)
        if isinstance(value, Answer):
            return value
        return record(app, req.route_params["model"], value, default_id)

    return respond(give)


def record(app: App, model: str, value: dict[str, Any], default_id: str) -> Answer:
    """Record it if it is sound and the model is known; giving the same id again is the same command."""
    fields = {"id": default_id, **value}
    problems = [*_problems(fields)]
    if problems:
        raise BadInput(*problems)
    if not any(pointer.model == model for pointer in app.state.pointers()):
        return refusal(404, "There is no published model of this name.")
    event = CommandGiven(
        at=app.clock.now(),
        command=Command(fields["command"]),
        id=fields["id"],
        by=fields["by"],
        reason=fields.get("reason", ""),
        version=fields.get("version"),
        release=fields.get("release"),
    )
    new = app.inbox.record(model, event)
    return Answer(202, {"model": model, "command": event.command, "id": event.id, "new": new})


def _problems(fields: dict[str, Any]) -> list[str]:
    """One sentence per mistake."""
    known = ", ".join(FIELDS)
    problems = [] if set(fields) <= set(FIELDS) else [f"The body has a field that is unknown: known are {known}."]
    if fields.get("command") not in list(Command):
        problems.append(f"command must be one of {', '.join(Command)}.")
    if not _text(fields.get("by"), MOST_BY_CHARS) or not fields["by"].strip():
        problems.append(f"by must say who asks, in 1 to {MOST_BY_CHARS} characters.")
    if not _text(fields.get("reason", ""), MOST_REASON_CHARS):
        problems.append(f"reason must be a text of at most {MOST_REASON_CHARS} characters.")
    if not isinstance(fields["id"], str) or not _ID.fullmatch(fields["id"]):
        problems.append("id must be 1 to 100 letters, digits, dots, colons, hyphens or underscores.")
    version = fields.get("version")
    numbered = fields.get("command") in (Command.ROLLBACK, Command.TAKE)
    if version is not None and (not numbered or type(version) is not int or version < 1):
        problems.append("version goes with rollback and take only, and is the number of a registered version.")
    release = fields.get("release")
    if release is not None and (fields.get("command") not in OF_A_RELEASE or type(release) is not int or release < 1):
        problems.append(f"release goes with {', '.join(OF_A_RELEASE)} only, and is the number of the one in flight.")
    if fields.get("command") in ANSWERS and not str(fields.get("reason", "")).strip():
        problems.append(f"reason must say why: {fields['command']} is kept with who, when and why.")
    return problems


def _text(value: object, most_chars: int) -> bool:
    return isinstance(value, str) and len(value) <= most_chars and value.isprintable()
