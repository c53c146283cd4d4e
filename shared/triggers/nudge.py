"""Queue `nudge`: somebody thinks that a model has something to do. The reconciler finds out."""

from datetime import UTC, datetime

import azure.functions as func
import msgspec

from shared import bootstrap
from shared.errors import BadInput
from shared.triggers.binding import CONNECTION, new_blueprint, text_of

blueprint = new_blueprint()


class Nudge(msgspec.Struct, frozen=True):
    """The message: `due` is seconds since 1970, None when an event was the cause."""

    model: str
    due: float | None = None


@blueprint.queue_trigger(arg_name="message", queue_name="nudge", connection=CONNECTION)
def nudge(message: func.QueueMessage) -> None:
    """Let the reconciler look at the model."""
    model, due = parse(text_of(message))
    bootstrap.app().reconciler.run(model, due)


def parse(text: str) -> tuple[str, datetime | None]:
    """Model and due time of a message; BadInput for anything else."""
    try:
        found = msgspec.json.decode(text, type=Nudge)
        return found.model, datetime.fromtimestamp(found.due, UTC) if found.due is not None else None
    except (msgspec.DecodeError, OverflowError, OSError, ValueError) as error:
        raise BadInput("The message of queue nudge names no model.") from error
