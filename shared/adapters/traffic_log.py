"""The TrafficLog over Log Analytics: what an endpoint's deployments answered in a window.

Called through the port. An empty answer means no requests and nothing else: whatever keeps the truth from us
(a partial result, a failing service) is raised, so that silence is never taken for health.
"""

import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from azure.core.credentials import TokenCredential
from azure.core.exceptions import HttpResponseError
from azure.monitor.query import LogsQueryClient, LogsQueryPartialResult, LogsTable

from shared.adapters.faults import LOGS_ROLE, status_of, translated
from shared.domain.observation import Stats
from shared.errors import RetryLater

log = logging.getLogger(__name__)

TABLE = "AmlOnlineEndpointTrafficLog"
SERVER_TIMEOUT_S = 30
# A model that breaks is answered for with 424 and its own status beside it; one that refuses a bad request is
# answered for with 424 too, which is the caller's error and not the deployment's. 408 is a model that took too long.
# (learn.microsoft.com: how-to-troubleshoot-online-endpoints, HTTP status codes)
ERROR = "ResponseCode >= 500 or ResponseCode == 408 or (ResponseCode == 424 and ModelStatusCode >= 500)"
QUERY = """AmlOnlineEndpointTrafficLog
| where TimeGenerated >= datetime({start}) and TimeGenerated < datetime({end})
| where EndpointName == {endpoint} and AzureMLWorkspaceName == {workspace}
| summarize requests = count(), errors = countif({error}), p95_ms = percentile(TotalDurationMs, 95) \
by DeploymentName"""


class EndpointTrafficLog:
    """Queries the Log Analytics workspace that the endpoints' diagnostic settings write to."""

    def __init__(self, log_workspace_id: str, workspace: str, endpoint: str, credential: TokenCredential) -> None:
        self._log_workspace_id = log_workspace_id
        self._workspace = workspace
        self._client = LogsQueryClient(
            credential, endpoint=endpoint, retry_total=2, connection_timeout=5, read_timeout=SERVER_TIMEOUT_S + 10
        )

    def stats(self, endpoint: str, start: datetime, end: datetime) -> dict[str, Stats]:
        """Requests, answers that are the deployment's fault (ERROR), and latency by deployment over [start, end)."""
        query = query_text(self._workspace, endpoint, start, end)
        with translated(f"reading the traffic of {endpoint}", LOGS_ROLE):
            try:
                answer = self._client.query_workspace(
                    self._log_workspace_id, query, timespan=(start, end), server_timeout=SERVER_TIMEOUT_S
                )
            except HttpResponseError as error:
                if not _table_is_missing(error):
                    raise
                # It comes into being with its first row, up to an hour after the diagnostic setting was made.
                log.warning("traffic.no_table", extra={"endpoint": endpoint, "table": TABLE})
                return {}
        if isinstance(answer, LogsQueryPartialResult):
            raise RetryLater(f"reading the traffic of {endpoint}: Log Analytics gave a partial result only")
        return {deployment: stats for table in answer.tables for deployment, stats in _rows(table)}


def query_text(workspace: str, endpoint: str, start: datetime, end: datetime) -> str:
    """The query, in KQL. Names are quoted: an endpoint's comes from a file that a person wrote."""
    return QUERY.format(
        error=ERROR, start=_time(start), end=_time(end), endpoint=_quoted(endpoint), workspace=_quoted(workspace)
    )


def _table_is_missing(error: HttpResponseError) -> bool:
    return status_of(error) == 400 and "Failed to resolve table" in str(error) and TABLE in str(error)


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return f"'{escaped}'"


def _rows(table: LogsTable) -> Iterator[tuple[str, Stats]]:
    for row in table.rows:
        values = dict(zip(table.columns, row, strict=True))
        # Requests that named a deployment that is not there have reached none.
        if values["DeploymentName"]:
            yield str(values["DeploymentName"]), _stats(values)


def _stats(row: Mapping[str, Any]) -> Stats:
    p95_ms = row["p95_ms"]
    return Stats(
        requests=int(row["requests"]),
        errors=int(row["errors"]),
        latency_p95_ms=None if p95_ms is None else float(p95_ms),
    )
