"""Column types of Log Analytics, what they are in DuckDB, and how they are guessed from JSON.

Called by the tables and by the ingestion API. Pure.
"""

from collections.abc import Iterable, Mapping
from typing import Any

Columns = dict[str, str]  # name → Log Analytics' type

STORED_AS = {
    "string": "VARCHAR",
    "int": "INTEGER",
    "long": "BIGINT",
    "real": "DOUBLE",
    "bool": "BOOLEAN",
    "datetime": "TIMESTAMPTZ",
    "dynamic": "JSON",
    "guid": "UUID",
}
# Spellings of a data collection rule and of ARM's table schema.
ALIASES = {"boolean": "bool", "dateTime": "datetime", "double": "real"}
TIME = "TimeGenerated"

# On Azure the columns come from the diagnostic setting's resource log category.
TRAFFIC_TABLE = "AmlOnlineEndpointTrafficLog"
TRAFFIC_COLUMNS: Columns = {
    "TenantId": "string",
    TIME: "datetime",
    "EndpointName": "string",
    "DeploymentName": "string",
    "AzureMLWorkspaceName": "string",
    "AzureMLWorkspaceId": "string",
    "Method": "string",
    "Path": "string",
    "Protocol": "string",
    "ResponseCode": "int",
    "ResponseCodeReason": "string",
    "ModelStatusCode": "int",
    "ModelStatusReason": "string",
    "TotalDurationMs": "long",
    "RequestDurationMs": "long",
    "ResponseDurationMs": "long",
    "RequestThrottlingDelayMs": "long",
    "ResponseThrottlingDelayMs": "long",
    "RequestPayloadSize": "long",
    "ResponsePayloadSize": "long",
    "UserAgent": "string",
    "XRequestId": "string",
    "XMSClientRequestId": "string",
    "AuthType": "string",
    "IdentityData": "string",
    "Location": "string",
    "OperationName": "string",
    "Type": "string",
    "_ResourceId": "string",
}


def declared(columns: Iterable[Mapping[str, str]]) -> Columns:
    """Read [{"name", "type"}] as a rule or a table's schema gives it; ValueError for an unknown type."""
    result: Columns = {TIME: "datetime"}
    for column in columns:
        kind = ALIASES.get(column["type"], column["type"])
        if kind not in STORED_AS:
            raise ValueError(f"column {column['name']!r} has the unknown type {column['type']!r}")
        result[column["name"]] = kind
    return result


def inferred(rows: Iterable[Mapping[str, Any]]) -> Columns:
    """The narrowest type a column that holds every value; a column of nulls alone is left out."""
    result: Columns = {TIME: "datetime"}
    for row in rows:
        for name, value in row.items():
            if value is not None and name != TIME:
                result[name] = wider(result[name], type_of(value)) if name in result else type_of(value)
    return result


def type_of(value: object) -> str:
    """The type of one JSON value. Times other than TimeGenerated stay strings."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "long"
    if isinstance(value, float):
        return "real"
    return "string" if isinstance(value, str) else "dynamic"


def wider(one: str, other: str) -> str:
    """The type that holds values of both."""
    if one == other:
        return one
    if {one, other} <= {"int", "long"}:
        return "long"
    return "real" if {one, other} <= {"int", "long", "real"} else "string"
