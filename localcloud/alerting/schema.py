"""Builds what an action group sends: the common alert schema with the context of Log Alerts V2.

Called by alerts.py. Pure. Source: alerts-common-schema and alerts-payload-samples.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from localcloud.alerting.rules import Rule
from localcloud.cloud import LOG_WORKSPACE_GUID, RESOURCE_GROUP, SUBSCRIPTION

LOG_WORKSPACE_ID = (
    f"/subscriptions/{SUBSCRIPTION}/resourcegroups/{RESOURCE_GROUP}"
    "/providers/microsoft.operationalinsights/workspaces/log-upkeep-local"
)
RULE_PREFIX = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{RESOURCE_GROUP}/providers/microsoft.insights/scheduledqueryrules"
)


@dataclass(frozen=True)
class Incident:
    """One alert between its firing and its resolution."""

    alert_id: str
    fired_at: datetime
    value: float | None
    resolved_at: datetime | None = None

    @property
    def condition(self) -> str:
        """Fired or Resolved."""
        return "Fired" if self.resolved_at is None else "Resolved"


def payload(rule: Rule, incident: Incident, gateway_url: str) -> dict[str, Any]:
    """The whole body of the POST."""
    return {
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": {
            "essentials": _essentials(rule, incident),
            "alertContext": _context(rule, incident, gateway_url),
            "customProperties": rule.custom_properties or None,
        },
    }


def _essentials(rule: Rule, incident: Incident) -> dict[str, Any]:
    target = (rule.target or LOG_WORKSPACE_ID).lower()
    resolved = {} if incident.resolved_at is None else {"resolvedDateTime": _time(incident.resolved_at)}
    return {
        "alertId": f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.AlertsManagement/alerts/{incident.alert_id}",
        "alertRule": rule.name,
        "alertRuleID": f"{RULE_PREFIX}/{rule.name}",
        "severity": f"Sev{rule.severity}",
        "signalType": "Log",
        "monitorCondition": incident.condition,
        "monitoringService": "Log Alerts V2",
        "alertTargetIDs": [target],
        "configurationItems": [target],
        "originAlertId": incident.alert_id,
        "firedDateTime": _time(incident.fired_at),
        **resolved,
        "description": rule.description,
        "essentialsVersion": "1.0",
        "alertContextVersion": "1.0",
    }


def _context(rule: Rule, incident: Incident, gateway_url: str) -> dict[str, Any]:
    end = incident.resolved_at or incident.fired_at
    link = f"{gateway_url}/v1/workspaces/{LOG_WORKSPACE_GUID}/query"
    condition: dict[str, Any] = {
        "searchQuery": rule.query,
        "metricMeasureColumn": rule.metric_measure_column,
        "targetResourceTypes": "['Microsoft.OperationalInsights/workspaces']",
        "operator": rule.operator,
        "threshold": f"{rule.threshold:g}",
        "timeAggregation": rule.time_aggregation,
        "dimensions": [],
        "metricValue": incident.value,
        "failingPeriods": {"numberOfEvaluationPeriods": 1, "minFailingPeriodsToAlert": 1},
        "linkToSearchResultsUI": link,
        "linkToFilteredSearchResultsUI": link,
        "linkToSearchResultsAPI": link,
        "linkToFilteredSearchResultsAPI": link,
        "event": None,
    }
    return {
        "properties": rule.custom_properties or None,
        "conditionType": "LogQueryCriteria",
        "condition": {
            "windowSize": f"PT{rule.window_s:g}S",
            "allOf": [condition],
            "windowStartTime": _time(end - timedelta(seconds=rule.window_s)),
            "windowEndTime": _time(end),
        },
    }


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
