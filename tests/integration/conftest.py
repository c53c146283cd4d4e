"""What the integration tests share: clients of the unmodified SDKs, pointed at the session's local cloud."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

Cloud = Mapping[str, str]


@pytest.fixture(scope="session")
def client(local_cloud: Cloud) -> Any:
    """azure-ai-ml."""
    from azure.ai.ml import MLClient
    from azure.identity import ManagedIdentityCredential

    names = ("UPKEEP_SUBSCRIPTION_ID", "UPKEEP_RESOURCE_GROUP", "UPKEEP_WORKSPACE")
    return MLClient(ManagedIdentityCredential(), *(local_cloud[name] for name in names))


@pytest.fixture(scope="session")
def gateway(local_cloud: Cloud) -> str:
    """Base URL of the local cloud's gateway."""
    return local_cloud["UPKEEP_LOGS_ENDPOINT"]


@pytest.fixture(scope="session")
def query(local_cloud: Cloud) -> Callable[..., list[list[Any]]]:
    """Run KQL by azure-monitor-query; the rows of the answer."""
    from azure.identity import ManagedIdentityCredential
    from azure.monitor.query import LogsQueryClient

    logs = LogsQueryClient(ManagedIdentityCredential(), endpoint=local_cloud["UPKEEP_LOGS_ENDPOINT"])
    workspace = local_cloud["UPKEEP_LOG_WORKSPACE_ID"]

    def run(text: str, timespan: timedelta | None = None) -> list[list[Any]]:
        return [list(row) for row in logs.query_workspace(workspace, text, timespan=timespan).tables[0].rows]

    return run
