"""POST /api/alerts: Azure Monitor's action group, in the common alert schema. Only what fires is recorded.

An action group repeats a call on 408, 429, 503 and 504 alone, so that whatever keeps us from recording answers 503.
"""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Literal

import azure.functions as func
import msgspec

from shared import bootstrap
from shared.bootstrap import App
from shared.domain.events import AlertFired
from shared.reconcile.ports import Pointer
from shared.triggers.binding import new_blueprint
from shared.triggers.http import Answer, body, refusal, render

MOST_BYTES = 65_536
MOST_SUMMARY_CHARS = 300

log = logging.getLogger(__name__)
blueprint = new_blueprint()


class Essentials(msgspec.Struct, frozen=True, rename="camel"):
    """What every alert says of itself, whatever raised it."""

    alert_id: str
    alert_rule: str
    monitor_condition: Literal["Fired", "Resolved"]
    fired_date_time: datetime
    severity: str = ""
    description: str | None = None


class AlertData(msgspec.Struct, frozen=True, rename="camel"):
    """Essentials, and two bags whose content depends on what raised the alert."""

    essentials: Essentials
    alert_context: Any = None
    custom_properties: Any = None


class Alert(msgspec.Struct, frozen=True, rename="camel"):
    """The common alert schema."""

    schema_id: Literal["azureMonitorCommonAlertSchema"]
    data: AlertData


@blueprint.route("alerts", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
def alerts(req: func.HttpRequest) -> func.HttpResponse:
    """Record a fired alert for each model whose spec names its rule."""
    value = body(req, MOST_BYTES)
    if isinstance(value, Answer):
        return render(value)
    try:
        alert = msgspec.convert(value, Alert)
    except msgspec.ValidationError as error:
        log.warning("alert.malformed")
        return render(refusal(400, f"This is not an alert in the common alert schema: {error}."))
    if alert.data.essentials.monitor_condition != "Fired":
        log.info("alert.resolved", extra={"alert": alert.data.essentials.alert_id})
        return render(Answer(200, {"recorded": [], "text": "Only alerts that fire are acted on."}))
    try:
        return render(record(bootstrap.app(), alert))
    except Exception:  # whatever it is: 500 would make the action group drop the alert for good
        log.exception("alert.not_recorded", extra={"alert": alert.data.essentials.alert_id})
        return render(refusal(503, "The alert could not be recorded; send it again."), {"Retry-After": "30"})


def record(app: App, alert: Alert) -> Answer:
    """Record it in the inbox of every model that listens for it."""
    essentials = alert.data.essentials
    told = []
    for model, rule in listeners(app.state.pointers(), alert):
        app.inbox.record(model, event_of(alert, rule))
        told.append(model)
    if not told:
        log.warning("alert.unmapped", extra={"alert": essentials.alert_id})
        return Answer(202, {"recorded": [], "text": "No published model names this rule under alerts: in its spec."})
    return Answer(202, {"recorded": told, "text": "Recorded."})


def listeners(pointers: list[Pointer], alert: Alert) -> Iterator[tuple[str, str]]:
    """Models that listen for the rule, with its name as they spell it: names of Azure resources have no case."""
    rule = alert.data.essentials.alert_rule.casefold()
    only = _custom(alert, "model")
    for pointer in pointers:
        if only in (None, pointer.model):
            yield from ((pointer.model, known) for known in pointer.alerts if known.casefold() == rule)


def event_of(alert: Alert, rule: str) -> AlertFired:
    """The event: an alert that fires again later has the same id and another time."""
    essentials = alert.data.essentials
    fired = essentials.fired_date_time
    return AlertFired(
        at=fired if fired.tzinfo else fired.replace(tzinfo=UTC),
        rule=rule,
        alert_id=essentials.alert_id,
        severity=essentials.severity,
        summary=(_condition(alert) or essentials.description or "")[:MOST_SUMMARY_CHARS],
    )


def _condition(alert: Alert) -> str:
    """The condition that was met, as `mae 21.4 GreaterThan 12`; empty when the alert is of a kind that has none."""
    match alert.data.alert_context:
        case {"condition": {"allOf": [{**condition}, *_]}}:
            words = [
                condition.get(key)
                for key in ("metricName", "metricMeasureColumn", "metricValue", "operator", "threshold")
            ]
            return " ".join(str(word) for word in words if isinstance(word, str | int | float))
        case _:
            return ""


def _custom(alert: Alert, name: str) -> str | None:
    """A custom property of the rule, its key in any case."""
    properties = alert.data.custom_properties
    if not isinstance(properties, dict):
        return None
    return next((str(value) for key, value in properties.items() if str(key).lower() == name and value), None)
