"""The settings of a deployed Upkeep, as one frozen value built from the environment.

Called by bootstrap.py with `os.environ` and by the command line, which adds `.upkeep.env`. It never reads the
environment by itself. Two variables are read by others and stand here only for completeness:
UPKEEP_SWEEP_SCHEDULE (NCRONTAB, by the Functions host) and what azure-identity reads (AZURE_TOKEN_CREDENTIALS,
AZURE_CLIENT_ID).
"""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

from shared.errors import BadInput

PUBLIC_LOGS_ENDPOINT = "https://api.loganalytics.io"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Where this Upkeep lives. Every field names its variable; none has a unit."""

    blob_service: str
    """UPKEEP_STORAGE__blobServiceUri: blob service of the storage account, as an https URL."""

    queue_service: str
    """UPKEEP_STORAGE__queueServiceUri: its queue service. The queue triggers use the same variable."""

    table_service: str
    """UPKEEP_STORAGE__tableServiceUri: its table service."""

    subscription_id: str
    """UPKEEP_SUBSCRIPTION_ID: subscription of the Azure ML workspace, a GUID."""

    resource_group: str
    """UPKEEP_RESOURCE_GROUP: resource group of the Azure ML workspace."""

    workspace: str
    """UPKEEP_WORKSPACE: name of the Azure ML workspace."""

    log_workspace_id: str
    """UPKEEP_LOG_WORKSPACE_ID: workspace id (customer id) of the Log Analytics workspace, a GUID."""

    environment: str
    """UPKEEP_ENVIRONMENT: which overlay of upkeep.yaml `upkeep publish` lays over a spec, as dev, test or prod."""

    logs_endpoint: str = PUBLIC_LOGS_ENDPOINT
    """UPKEEP_LOGS_ENDPOINT: endpoint of the Log Analytics query API. Default: that of the public cloud."""

    collected_data: str = ""
    """UPKEEP_COLLECTED_DATA_URI: container that deployments collect data into. Default: the workspace is asked."""

    token: str = ""
    """UPKEEP_TOKEN: what the names of this installation end in, those of its endpoints too. Default: nothing."""

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> "Settings":
        """Build the settings; BadInput with one sentence for each variable that is missing or wrong."""
        problems = [problem for name, rule in VARIABLES.items() if (problem := rule.problem(name, variables))]
        if problems:
            raise BadInput(*problems)
        found = {rule.field: variables[name].strip() for name, rule in VARIABLES.items() if variables.get(name)}
        return cls(**{field: _tidy(value) for field, value in found.items()})


class Rule(NamedTuple):
    """How one variable is read: the field that it fills and what its value must look like."""

    field: str
    looks_right: Callable[[str], bool]
    shape: str
    required: bool = True

    def problem(self, name: str, variables: Mapping[str, str]) -> str:
        """What is wrong with the variable, or nothing."""
        value = variables.get(name, "").strip()
        if not value:
            return f"{name} is not set: it must be {self.shape}." if self.required else ""
        # The value itself is left out: it may be a secret that somebody put into the wrong variable.
        return "" if self.looks_right(value) else f"{name} is wrong: it must be {self.shape}."


def _matches(pattern: str) -> Callable[[str], bool]:
    return lambda value: re.fullmatch(pattern, value) is not None


def _tidy(value: str) -> str:
    return value.rstrip("/")


_URL = _matches(r"https://[^\s/?#]+(/[^\s?#]*)?")
_GUID = _matches(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_URL_SHAPE = "an https URL without a query, such as https://ACCOUNT.{}.core.windows.net"

VARIABLES = {
    "UPKEEP_STORAGE__blobServiceUri": Rule("blob_service", _URL, _URL_SHAPE.format("blob")),
    "UPKEEP_STORAGE__queueServiceUri": Rule("queue_service", _URL, _URL_SHAPE.format("queue")),
    "UPKEEP_STORAGE__tableServiceUri": Rule("table_service", _URL, _URL_SHAPE.format("table")),
    "UPKEEP_SUBSCRIPTION_ID": Rule("subscription_id", _GUID, "a GUID"),
    "UPKEEP_RESOURCE_GROUP": Rule("resource_group", _matches(r"[\w().-]{1,90}"), "the name of a resource group"),
    "UPKEEP_WORKSPACE": Rule("workspace", _matches(r"[\w-]{2,33}"), "the name of an Azure ML workspace"),
    "UPKEEP_LOG_WORKSPACE_ID": Rule("log_workspace_id", _GUID, "a GUID"),
    "UPKEEP_ENVIRONMENT": Rule("environment", _matches(r"[a-z][a-z0-9-]{0,31}"), "a word such as dev, test or prod"),
    "UPKEEP_LOGS_ENDPOINT": Rule(
        "logs_endpoint", _URL, f"an https URL such as {PUBLIC_LOGS_ENDPOINT}", required=False
    ),
    "UPKEEP_COLLECTED_DATA_URI": Rule(
        "collected_data",
        _URL,
        "an https URL of a container, such as https://ACCOUNT.blob.core.windows.net/CONTAINER",
        required=False,
    ),
    "UPKEEP_TOKEN": Rule("token", _matches(r"[a-z0-9]{1,8}"), "eight letters and digits at most", required=False),
}
