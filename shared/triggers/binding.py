"""What the triggers share of the Functions programming model."""

import azure.functions as func

from shared.errors import BadInput

CONNECTION = "UPKEEP_STORAGE"
"""Prefix of the app settings that name the storage account; the host signs in with the app's identity."""


def new_blueprint() -> func.Blueprint:
    """A blueprint for one module's triggers."""
    return func.Blueprint()  # type: ignore[no-untyped-call]  # azure-functions types its decorators only


def text_of(message: func.QueueMessage) -> str:
    """The message's text. BadInput, and so in the end the poison queue, for what is not text."""
    try:
        return message.get_body().decode()
    except UnicodeDecodeError as error:
        raise BadInput("The queue message is not UTF-8.") from error
