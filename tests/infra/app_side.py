"""What the app's code asks of its surroundings: triggers, containers, queues, tables, settings."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import function_app
from shared.adapters import ledger, queue_nudges, table_state, uploads_queue
from shared.domain import names
from shared.settings import VARIABLES
from shared.triggers import azureml_events

ROOT = Path(__file__).resolve().parents[2]
PAYLOADS = ROOT / "tests" / "payloads"

CONTAINERS = frozenset((names.LANDING, names.ACCEPTED, names.QUARANTINE, names.RUNS, names.STATE))
TABLES = frozenset((table_state.TABLE, ledger.TABLE))
SENT_QUEUES = frozenset((queue_nudges.QUEUE, uploads_queue.QUEUE))
DATASTORES = {names.ACCEPTED_DATASTORE: names.ACCEPTED, names.RUNS_DATASTORE: names.RUNS}

# Read by the Functions host, its queue extension and azure-identity; docs/reference/settings.md says what each is.
IDENTITY = ("credential", "clientId")
SERVICES = ("blobServiceUri", "queueServiceUri", "tableServiceUri")
HOST = frozenset((
    *(f"AzureWebJobsStorage__{end}" for end in (*SERVICES, *IDENTITY)),
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
))  # fmt: skip
SIGN_IN = frozenset(("AZURE_CLIENT_ID", "AZURE_TOKEN_CREDENTIALS"))


@cache
def bindings() -> tuple[dict[str, Any], ...]:
    """The bindings of all functions, as the host is told of them."""
    functions = function_app.app.get_functions()  # type: ignore[no-untyped-call]  # azure-functions types its decorators only
    return tuple(binding.get_dict_repr() for each in functions for binding in each.get_bindings())


def queue_triggers() -> set[str]:
    """The queues that triggers read."""
    return {each["queueName"] for each in bindings() if each["type"] == "queueTrigger"}


def connections() -> set[str]:
    """The connections that bindings name."""
    return {each["connection"] for each in bindings() if "connection" in each}


def settings_read() -> set[str]:
    """Every setting that anything in the app reads."""
    percents = {value.strip("%") for each in bindings() for value in each.values() if str(value).startswith("%")}
    identity = {f"{connection}__{end}" for connection in connections() for end in (*SERVICES, *IDENTITY)}
    return {*VARIABLES, *percents, *identity, *HOST, *SIGN_IN}


def settings_needed() -> set[str]:
    """Those without a default."""
    return settings_read() - {name for name, rule in VARIABLES.items() if not rule.required}


def event_types_heard() -> set[str]:
    """Event types of Azure ML of which some payload on record is acted on."""
    events = [json.loads(path.read_text()) for path in sorted(PAYLOADS.glob("*.json"))]
    grid = [
        each for each in events if str(each.get("eventType", "")).startswith("Microsoft.MachineLearningServices.")
    ]
    return {each["eventType"] for each in grid if azureml_events.parse(json.dumps(each))}


def host() -> dict[str, Any]:
    """host.json."""
    return json.loads((ROOT / "host.json").read_text())
