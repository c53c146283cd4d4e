"""Queue `azureml-events`: Azure ML's events by way of Event Grid. Recorded are ends of our own jobs, and breaches
that a model monitor found.

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
from shared.triggers.monitor_breach import TAG, Breach, alerts

PREFIX = "microsoft.machinelearningservices."
CHANGED, COMPLETED = "runstatuschanged", "runcompleted"
# A cancelled run is written with one l.
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
    """Record the end of a job of ours, or what a monitor's run found."""
    match parse(text_of(message)):
        case Breach() as breach:
            _record_breach(breach)
        case JobEnded() as ended:
            _record_end(ended)
        case None:
            log.info("azureml_event.ignored")


def _record_breach(breach: Breach) -> None:
    app, heard = bootstrap.app(), False
    for model, alert in alerts(app.state.pointers(), breach):
        app.inbox.record(model, alert)
        heard = True
    if not heard:
        log.warning("azureml_event.breach_unmapped", extra={"run": breach.run})


def _record_end(ended: JobEnded) -> None:
    model = names.model_of_job(ended.job)
    if model is None:
        log.info("azureml_event.ignored")
        return
    app = bootstrap.app()
    if any(pointer.model == model for pointer in app.state.pointers()):
        app.inbox.record(model, ended)
    else:
        log.info("azureml_event.unknown_model", extra={"job": ended.job})


def parse(text: str) -> JobEnded | Breach | None:
    """The end or the breach that an event tells of; None when it tells of anything else. BadInput for no event."""
    event = _lowered(_decoded(text))
    kind = event.get("eventtype", event.get("type"))
    if not isinstance(kind, str):
        raise BadInput("The message of queue azureml-events is not an Event Grid event.")
    data = event.get("data")
    data = _lowered(data) if isinstance(data, dict) else {}
    what = kind.lower().removeprefix(PREFIX)
    run, status = data.get("runid"), _end(what, data.get("runstatus"))
    if status is None or not isinstance(run, str):
        return None
    at = _time(event.get("eventtime", event.get("time")))
    breached = _breached(data.get("runtags"))
    if not breached:
        return JobEnded(at=at, job=run, status=status)
    # A run that succeeds is told of twice; the change of its status is what the documentation names for monitors.
    return Breach(at=at, run=run, text=breached) if what == CHANGED else None


def _end(what: str, run_status: object) -> str | None:
    """The end that a kind of event tells of: RunCompleted by its name, RunStatusChanged by the status in it."""
    if what == CHANGED:
        return ENDS.get(str(run_status).lower())
    return "completed" if what == COMPLETED else None


def _breached(tags: object) -> str:
    """What the tag of a monitor's run says; empty for a run without it."""
    found = _lowered(tags).get(TAG) if isinstance(tags, dict) else None
    return found if isinstance(found, str) else ""


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
