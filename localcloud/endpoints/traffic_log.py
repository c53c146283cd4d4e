"""The row of AmlOnlineEndpointTrafficLog that one scoring request leaves.

Called by the router, for live requests and for mirrored ones: the columns do not tell them apart, because Azure's
have none for it. Pure.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from localcloud.cloud import LOCATION, LOG_WORKSPACE_GUID, WORKSPACE, WORKSPACE_GUID
from localcloud.endpoints.answers import Answer, phrase
from localcloud.endpoints.calls import Call
from localcloud.endpoints.documents import endpoint_id
from localcloud.endpoints.traffic import auth_type


def traffic_row(
    endpoint: Mapping[str, Any], deployment: str | None, call: Call, answer: Answer, began: datetime, total_ms: float
) -> dict[str, Any]:
    """What Azure's diagnostic setting would write. `deployment` is None when none was chosen."""
    return {
        "TimeGenerated": began,
        **_endpoint_columns(endpoint, deployment),
        **_request_columns(call),
        "ResponseCode": answer.status,
        "ResponseCodeReason": answer.reason,
        "ModelStatusCode": answer.model_status,
        "ModelStatusReason": None if answer.model_status is None else phrase(answer.model_status),
        "TotalDurationMs": round(total_ms),
        "RequestDurationMs": round(call.read_ms),
        "ResponseDurationMs": round(answer.model_ms),
        "ResponsePayloadSize": len(answer.body),
    }


def _endpoint_columns(endpoint: Mapping[str, Any], deployment: str | None) -> dict[str, Any]:
    return {
        "TenantId": LOG_WORKSPACE_GUID,
        "EndpointName": endpoint["name"],
        "DeploymentName": deployment,
        "AzureMLWorkspaceName": WORKSPACE,
        "AzureMLWorkspaceId": WORKSPACE_GUID,
        "AuthType": auth_type(endpoint),
        "Location": LOCATION,
        "Type": "AmlOnlineEndpointTrafficLog",
        # Log Analytics stores resource ids in small letters.
        "_ResourceId": endpoint_id(endpoint["name"]).lower(),
    }


def _request_columns(call: Call) -> dict[str, Any]:
    return {
        "Method": call.method,
        "Path": f"/{call.path}",
        "Protocol": call.protocol,
        "RequestThrottlingDelayMs": 0,
        "ResponseThrottlingDelayMs": 0,
        "RequestPayloadSize": len(call.body),
        "UserAgent": call.header("user-agent"),
        "XRequestId": call.request_id,
        "XMSClientRequestId": call.header("x-ms-client-request-id"),
        "OperationName": "Score",
    }
