"""Queue `uploads`: Event Grid's BlobCreated, and what the sweep found. The one trigger that does work: the intake."""

import azure.functions as func

from shared import bootstrap
from shared.triggers.binding import CONNECTION, new_blueprint, text_of

blueprint = new_blueprint()


@blueprint.queue_trigger(arg_name="message", queue_name="uploads", connection=CONNECTION)
def uploads(message: func.QueueMessage) -> None:
    """Take one upload in. What is raised makes the host deliver the message again."""
    bootstrap.app().intake.handle(text_of(message))
