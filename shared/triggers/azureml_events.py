"""Queue `azureml-events`: Azure ML's events by way of Event Grid. Only ends of our own jobs are recorded.

An event is a prompt, never the truth: the reconciler looks the job up. Keys are taken in any case, because they
differ between services and versions (docs: event-schema-machine-learning).
"""

import logging
from datetime import UTC, datetime
from typing import Any

import azure.functions as func
import msgspec

from shared import bootstrap
from shared.domain import names
from shared.domain.events import JobEnded
from shared.errors import BadInput
from shared.triggers.binding import CONNECTION, new_blueprint, text_of

PREFIX = "microsoft.machinelearningservices."
# RunCompleted says so by its name; RunStatusChanged names the status. A cancelled run is written with one l.
ENDS = {
    "completed": "completed",
    "finished": "completed",
    "failed": "failed",
    "canceled": "canceled",
    "cancelled": "canceled",
}

log = logging.getLogger(__name__)
blueprint = new_blueprint()


@blueprint.queue_trigger(arg_name="message", queue_name="azureml-events", connection=CONNECTION)
def azureml_events(message: func.QueueMessage) -> None:
    """Record the end of a job of ours."""
    ended = parse(text_of(message))
    model = names.model_of_job(ended.job) if ended else None
    if ended is None or model is None:
        log.info("azureml_event.ignored")
        return
    app = bootstrap.app()
    if any(pointer.model == model for pointer in app.state.pointers()):
        app.inbox.record(model, ended)
    else:
        log.info("azureml_event.unknown_model", extra={"job": ended.job})


def parse(text: str) -> JobEnded | None:
    """The end that an event tells of; None when it tells of anything else. BadInput when it is no event."""
    event = _lowered(_decoded(text))
    kind = event.get("eventtype", event.get("type"))
    if not isinstance(kind, str):
        raise BadInput("The message of queue azureml-events is not an Event Grid event.")
    data = event.get("data")
    data = _lowered(data) if isinstance(data, dict) else {}
    match kind.lower().removeprefix(PREFIX):
        case "runcompleted":
            status: object = "completed"
        case "runstatuschanged":
            status = ENDS.get(str(data.get("runstatus", "")).lower())
        case _:
            return None
    run = data.get("runid")
    if not isinstance(status, str) or not isinstance(run, str):
        return None
    return JobEnded(at=_time(event.get("eventtime", event.get("time"))), job=run, status=status)


def _decoded(text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadInput("The message of queue azureml-events is not a JSON object.") from error


def _time(value: object) -> datetime:
    try:
        time = msgspec.convert(value, datetime)
    except msgspec.ValidationError as error:
        raise BadInput("The Azure ML event has no time.") from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _lowered(value: dict[str, Any]) -> dict[str, Any]:
    return {key.lower(): item for key, item in value.items()}
