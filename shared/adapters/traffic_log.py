"""The TrafficLog over Log Analytics: what an endpoint's deployments answered in a window.

Called through the port by the reconciler, and by `upkeep check`, which asks for more percentiles and for slices.
An empty answer means no requests and nothing else: whatever keeps the truth from us (a partial result, a failing
service) is raised, so that silence is never taken for health.
"""

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from azure.core.credentials import TokenCredential
from azure.core.exceptions import HttpResponseError

from shared.adapters import log_queries
from shared.adapters.faults import LOGS_ROLE, status_of, translated
from shared.domain.observation import Grid, Slice, Stats
from shared.domain.queries import Value, filled, literal
from shared.domain.tally import MARK
from shared.errors import RetryLater
from shared.reconcile.ports import Window

if TYPE_CHECKING:
    from azure.monitor.query import LogsQueryClient

log = logging.getLogger(__name__)

TABLE = "AmlOnlineEndpointTrafficLog"
SERVER_TIMEOUT_S = 30
LONGER_THAN_ANY_MS = 2**31
# A model that breaks is answered for with 424 and its own status beside it; one that refuses a bad request is
# answered for with 424 too, which is the caller's error and not the deployment's. 408 is a model that took too long.
# (learn.microsoft.com: how-to-troubleshoot-online-endpoints, HTTP status codes)
ERROR = "ResponseCode >= 500 or ResponseCode == 408 or (ResponseCode == 424 and ModelStatusCode >= 500)"
ROWS = """AmlOnlineEndpointTrafficLog
| where TimeGenerated >= {start} and TimeGenerated < {end}
| where EndpointName == {endpoint} and AzureMLWorkspaceName == {workspace}"""
# Requests that Upkeep sends itself say so twice, in case something on the way replaces the user agent.
USERS = f"where UserAgent !startswith '{MARK}' and XMSClientRequestId !startswith '{MARK}'"
COUNTS = f"requests = count(), errors = countif({ERROR}), p95_ms = percentile(TotalDurationMs, 95)"
PERCENTILES = "p50_ms = percentile(TotalDurationMs, 50), p99_ms = percentile(TotalDurationMs, 99)"
# Requests that named a deployment that is not there have reached none.
REACHED = "where isnotempty(DeploymentName)"
BY_DEPLOYMENT = f"summarize {COUNTS} by DeploymentName"
LATENCY = f"summarize {COUNTS}, {PERCENTILES} by DeploymentName"
OVERALL = f"{REACHED} | summarize {COUNTS}, {PERCENTILES}"
SLICE = "slice = datetime_diff('millisecond', TimeGenerated, {start}) / {ms}"
SLICES = f"{REACHED} | summarize {COUNTS} by {SLICE}"
# A request that the model's container refused is answered for with 424 as well.
THROTTLED = "ResponseCode == 429 or (ResponseCode == 424 and ModelStatusCode == 429)"
DELAYED = "RequestThrottlingDelayMs > 0 or ResponseThrottlingDelayMs > 0"
NO_DURATION = -1
LEVEL = "bin(log(max_of(TotalDurationMs, 1)) / {log_ratio}, 1)"
# Percentiles do not add up over slices: they come from a second look at the same rows.
GRID = f"""{REACHED}
| extend {SLICE}, level = iff(isnull(TotalDurationMs), real({NO_DURATION}), {LEVEL})
| summarize requests = count(), errors = countif({ERROR}), throttled = countif({THROTTLED}),
    delayed = countif({DELAYED}), slow = countif(TotalDurationMs > {{slow_ms}}) by DeploymentName, slice, level
| lookup kind=leftouter ({{rows}}
    | summarize p95_ms = percentile(TotalDurationMs, 95) by DeploymentName) on DeploymentName"""


class EndpointTrafficLog:
    """Queries the Log Analytics workspace that the endpoints' diagnostic settings write to."""

    def __init__(self, log_workspace_id: str, workspace: str, endpoint: str, credential: TokenCredential) -> None:
        self._log_workspace_id = log_workspace_id
        self._workspace = workspace
        self._endpoint, self._credential = endpoint, credential

    @cached_property
    def _client(self) -> "LogsQueryClient":
        # Imported by the first query: most runs of a function ask nothing of the logs.
        from azure.monitor.query import LogsQueryClient

        return LogsQueryClient(
            self._credential,
            endpoint=self._endpoint,
            retry_total=2,
            connection_timeout=5,
            read_timeout=SERVER_TIMEOUT_S + 10,
        )

    def stats(self, endpoint: str, start: datetime, end: datetime, grid: Grid) -> dict[str, Stats]:
        """Requests, answers that are the deployment's fault (ERROR), throttling and latency over [start, end), by
        deployment and slice. At most as many rows as deployments times slices times levels come back."""
        return by_slices(self._answer(endpoint, start, end, grid_text(self._workspace, endpoint, start, end, grid)))

    def latency(self, endpoint: str, start: datetime, end: datetime) -> dict[str, Stats]:
        """As `stats`, with p50 and p99."""
        return _by_deployment(self._rows(endpoint, start, end, LATENCY))

    def overall(self, endpoint: str, start: datetime, end: datetime) -> Stats:
        """All deployments together, over [start, end), with p50 and p99."""
        rows = self._rows(endpoint, start, end, OVERALL)
        return _stats(rows[0]) if rows else Stats(requests=0, errors=0)

    def slices(self, endpoint: str, start: datetime, end: datetime, slice_s: float) -> dict[int, Stats]:
        """All deployments together by slices of the window, counted from 0; a slice without requests is left out."""
        last = SLICES.format(start=literal(start), ms=max(1, round(slice_s * 1000)))
        return {int(row["slice"]): _stats(row) for row in self._rows(endpoint, start, end, last)}

    def values(self, queries: Mapping[str, str], endpoint: str, deployment: str, window: Window) -> dict[str, Value]:
        """What queries of the spec's own give for a deployment, with their placeholders filled in."""
        known = {"endpoint": endpoint, "deployment": deployment, "workspace": self._workspace}
        texts = {name: filled(text, {**known, **window._asdict()}) for name, text in queries.items()}
        with translated(f"running the queries of {endpoint}", LOGS_ROLE):
            return log_queries.run(self._client, self._log_workspace_id, texts, window)

    def _rows(self, endpoint: str, start: datetime, end: datetime, last: str) -> list[dict[str, Any]]:
        return self._answer(endpoint, start, end, query_text(self._workspace, endpoint, start, end, last))

    def _answer(self, endpoint: str, start: datetime, end: datetime, query: str) -> list[dict[str, Any]]:
        from azure.monitor.query import LogsQueryPartialResult

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
                return []
        if isinstance(answer, LogsQueryPartialResult):
            raise RetryLater(f"reading the traffic of {endpoint}: Log Analytics gave a partial result only")
        return [dict(zip(table.columns, row, strict=True)) for table in answer.tables for row in table.rows]


def query_text(workspace: str, endpoint: str, start: datetime, end: datetime, last: str = BY_DEPLOYMENT) -> str:
    """The query, in KQL. Names are quoted: an endpoint's comes from a file that a person wrote."""
    return f"{_selected(workspace, endpoint, start, end)}\n| {last}"


def grid_text(workspace: str, endpoint: str, start: datetime, end: datetime, grid: Grid) -> str:
    """The query of a rollout, whose counts are those of the grid."""
    rows = _selected(workspace, endpoint, start, end)
    last = GRID.format(
        start=literal(start),
        ms=1000 * grid.slice_s,
        log_ratio=repr(math.log(grid.level_ratio)),
        slow_ms=LONGER_THAN_ANY_MS if grid.slow_ms is None else grid.slow_ms,
        rows=rows,
    )
    return f"{rows}\n| {last}"


def _selected(workspace: str, endpoint: str, start: datetime, end: datetime) -> str:
    rows = ROWS.format(
        start=literal(start), end=literal(end), endpoint=literal(endpoint), workspace=literal(workspace)
    )
    return f"{rows}\n| {USERS}"


def _table_is_missing(error: HttpResponseError) -> bool:
    return status_of(error) == 400 and "Failed to resolve table" in str(error) and TABLE in str(error)


def _by_deployment(rows: Iterable[Mapping[str, Any]]) -> dict[str, Stats]:
    return {str(row["DeploymentName"]): _stats(row) for row in rows if row["DeploymentName"]}


def by_slices(rows: Iterable[Mapping[str, Any]]) -> dict[str, Stats]:
    """The rows of GRID as statistics of each deployment."""
    found: dict[str, dict[int, list[Mapping[str, Any]]]] = {}
    for row in rows:
        found.setdefault(str(row["DeploymentName"]), {}).setdefault(int(row["slice"]), []).append(row)
    return {name: _sliced([slices[number] for number in sorted(slices)]) for name, slices in found.items()}


def _sliced(slices: Sequence[Sequence[Mapping[str, Any]]]) -> Stats:
    every = [row for rows in slices for row in rows]
    return Stats(
        requests=_sum(every, "requests"),
        errors=_sum(every, "errors"),
        throttled=_sum(every, "throttled"),
        delayed=_sum(every, "delayed"),
        slices=tuple(map(_slice, slices)),
        latency_p95_ms=_number(every[0]["p95_ms"]),
    )


def _slice(rows: Sequence[Mapping[str, Any]]) -> Slice:
    return Slice(
        requests=_sum(rows, "requests"),
        errors=_sum(rows, "errors"),
        throttled=_sum(rows, "throttled"),
        slow=_sum(rows, "slow"),
        levels=tuple(
            sorted((int(row["level"]), int(row["requests"])) for row in rows if row["level"] != NO_DURATION)
        ),
    )


def _sum(rows: Iterable[Mapping[str, Any]], column: str) -> int:
    return sum(int(row[column]) for row in rows)


def _stats(row: Mapping[str, Any]) -> Stats:
    return Stats(
        requests=int(row["requests"]),
        errors=int(row["errors"]),
        latency_p95_ms=_number(row["p95_ms"]),
        latency_p50_ms=_number(row.get("p50_ms")),
        latency_p99_ms=_number(row.get("p99_ms")),
    )


def _number(value: Any) -> float | None:
    """The percentile of no rows is NaN in KQL and comes as null or as that word."""
    if value is None:
        return None
    number = float(value)
    return number if math.isfinite(number) else None
