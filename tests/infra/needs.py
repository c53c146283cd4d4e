"""Which role is needed where, by whom, and for which calls. The tests read it in both directions.

A call is a class of shared/adapters (all its methods) or one method of it. Roles that no code of Upkeep's uses name
who does instead.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass

import shared.adapters

APP, CLUSTER = "userAssignedIdentities/id-upkeep-app", "userAssignedIdentities/id-upkeep-compute"
STORAGE_TOPIC, WORKSPACE_TOPIC = "systemTopics/evgt-upkeep-storage", "systemTopics/evgt-upkeep-azureml"
PUBLISHER, UPLOADERS = "parameter:principalId", "parameter:uploadersGroupId"
ENDPOINT, WORKSPACE = "onlineEndpoints/flight-duration", "workspaces/mlw-upkeep"
STORAGE, WORKSPACE_STORAGE = "storageAccounts/stupkeep", "storageAccounts/stupkeepml"
LOGS, INSIGHTS, REGISTRY, GROUP = (
    "workspaces/log-upkeep", "components/appi-upkeep", "registries/crupkeep", "resourceGroups/rg-upkeep-test",
)  # fmt: skip
BLOB_OWNER, BLOB, BLOB_READER = (f"Storage Blob Data {end}" for end in ("Owner", "Contributor", "Reader"))
QUEUE, SENDER = "Storage Queue Data Contributor", "Storage Queue Data Message Sender"
SHARED, REGISTRY_USER = "registries/parameter:sharedRegistryName", "AzureML Registry User"
TABLE, LEARNING, QUERIES = "Storage Table Data Contributor", "AzureML Data Scientist", "Log Analytics Reader"

SDK = {
    BLOB_OWNER: ("azure.storage.blob",),
    BLOB: ("azure.storage.blob", "azureml_workspace"),  # azure.ai.ml uploads code to the workspace's own storage
    BLOB_READER: ("azure.storage.blob",),
    QUEUE: ("azure.storage.queue",),
    TABLE: ("azure.data.tables",),
    LEARNING: ("azureml_workspace",),
    REGISTRY_USER: ("azureml_workspace",),
    QUERIES: ("azure.monitor.query",),
}
"""What a module of calls under a role imports one of."""


@dataclass(frozen=True)
class Need:
    """A role that somebody needs; `calls` of ours, or `others` in words."""

    who: str
    role: str
    where: str
    calls: tuple[str, ...] = ()
    others: str = ""


NEEDS = (
    Need(
        APP, BLOB_OWNER, STORAGE, ("blob_archive.BlobArchive", "landing.BlobLanding"), "the host's locks and package"
    ),
    Need(APP, QUEUE, STORAGE, ("queue_nudges.QueueNudges", "uploads_queue.QueueUploads"), "the queue triggers"),
    Need(APP, TABLE, STORAGE, ("table_state.TableState", "ledger.TableLedger")),
    Need(
        APP,
        LEARNING,
        WORKSPACE,
        (
            "azureml.AzureMl",
            "azureml_jobs.Jobs",
            "azureml_models.Models",
            "azureml_endpoints.Endpoints",
            "scoring.Scoring",
            "collected_data.CollectedData",
        ),
    ),
    Need(APP, REGISTRY_USER, SHARED, ("azureml_registry.Registries",)),
    Need(ENDPOINT, REGISTRY_USER, SHARED, others="deployments fetch the model that they take"),
    Need(APP, BLOB_READER, WORKSPACE_STORAGE, ("collected_data.CollectedData",)),
    Need(APP, QUERIES, LOGS, ("traffic_log.EndpointTrafficLog",)),
    Need(APP, "Monitoring Metrics Publisher", INSIGHTS, others="the host's telemetry"),
    Need(STORAGE_TOPIC, SENDER, "queues/uploads", others="Event Grid delivers"),
    Need(WORKSPACE_TOPIC, SENDER, "queues/azureml-events", others="Event Grid delivers"),
    Need(STORAGE_TOPIC, BLOB, "containers/deadletters", others="Event Grid dead-letters"),
    Need(WORKSPACE_TOPIC, BLOB, "containers/deadletters", others="Event Grid dead-letters"),
    Need(CLUSTER, BLOB_READER, "containers/accepted", others="the inputs manifest and parts of jobs"),
    Need(CLUSTER, BLOB, "containers/runs", others="the outputs of jobs and the input champion"),
    Need(CLUSTER, BLOB, WORKSPACE_STORAGE, others="code, logs and artifacts of jobs"),
    Need(CLUSTER, "AcrPull", REGISTRY, others="images of environments"),
    Need(PUBLISHER, BLOB, "containers/upkeep", ("blob_archive.BlobArchive.put_publication",)),
    Need(PUBLISHER, BLOB, "containers/runs", ("blob_archive.BlobArchive.put_no_champion",)),
    Need(PUBLISHER, BLOB, "containers/landing", others="upkeep drop"),
    Need(PUBLISHER, TABLE, "tables/upkeep", ("table_state.TableState.publish",)),
    Need(PUBLISHER, LEARNING, WORKSPACE, ("azureml_assets.Assets", "azureml_schedules.Schedules")),
    Need(PUBLISHER, BLOB, WORKSPACE_STORAGE, ("azureml_assets.Assets.register_code",)),
    Need(PUBLISHER, QUERIES, LOGS, ("traffic_log.EndpointTrafficLog",)),
    Need(UPLOADERS, BLOB, "containers/landing", others="whoever brings data"),
    Need(ENDPOINT, BLOB_READER, "containers/runs", others="deployments read their model"),
    Need(WORKSPACE, "Azure AI Enterprise Network Connection Approver", GROUP, others="the managed network"),
)


OPTIONAL = ("azureml_quota.Quotas",)
"""Calls under a role that only the subscription's owner can give: docs/guide/guards.md. The app does without it."""


def adapter_calls() -> Iterator[str]:
    """Every public method of every class of shared/adapters that is given a credential or the workspace."""
    for found in pkgutil.iter_modules(shared.adapters.__path__):
        module = importlib.import_module(f"shared.adapters.{found.name}")
        for name, kind in inspect.getmembers(module, inspect.isclass):
            takes = inspect.signature(kind.__init__).parameters if kind.__module__ == module.__name__ else ()
            if ("credential" in takes or "workspace" in takes) and name != "Workspace":
                methods = (each for each, value in vars(kind).items() if inspect.isfunction(value))
                yield from (f"{found.name}.{name}.{each}" for each in methods if not each.startswith("_"))


def source_of(call: str) -> str:
    """The source of the module of a call."""
    return inspect.getsource(importlib.import_module(f"shared.adapters.{call.split('.')[0]}"))
