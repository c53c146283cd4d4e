"""The functions of the app as the host sees them: trigger, output bindings, settings resolved.

Called by app.py with what the worker indexed. What this host does not emulate is refused here, before
anything runs, so that no function seems to work and never fires.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from localcloud.host.appsettings import Settings, resolve
from localcloud.host.errors import HostError
from localcloud.host.messages import Message
from localcloud.host.schedule import Schedule

AUTH_LEVELS = ("anonymous", "function", "admin")
_QUEUE_NAME = re.compile(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class QueueTrigger:
    """Runs once for each message of a queue."""

    parameter: str
    queue: str
    connection: str
    binary: bool  # the function asked for bytes


@dataclass(frozen=True)
class TimerTrigger:
    """Runs when the schedule comes due."""

    parameter: str
    schedule: Schedule
    run_on_startup: bool
    use_monitor: bool  # keep a status across restarts


@dataclass(frozen=True)
class HttpTrigger:
    """Runs for a call. `methods` empty means any."""

    parameter: str
    route: str
    methods: frozenset[str]
    auth_level: str


@dataclass(frozen=True)
class QueueOutput:
    """Messages that a run sends. The parameter is `$return` for the function's result."""

    parameter: str
    queue: str
    connection: str


Trigger = QueueTrigger | TimerTrigger | HttpTrigger


@dataclass(frozen=True)
class Function:
    """One function of the app."""

    id: str
    name: str
    trigger: Trigger
    outputs: tuple[QueueOutput, ...]
    bindings: tuple[dict[str, Any], ...]  # as the app declared them
    disabled: bool


def read_functions(indexed: list[Message], settings: Settings) -> list[Function]:
    """All functions, by name. HostError names everything that is wrong with any of them."""
    functions, problems = [], []
    for metadata in indexed:
        try:
            functions.append(_read(metadata, settings))
        except HostError as error:
            problems.append(str(error))
    if problems:
        raise HostError("\n".join(problems))
    return sorted(functions, key=lambda function: function.name.lower())


def _read(metadata: Message, settings: Settings) -> Function:
    name: str = metadata.name
    if metadata.retry_options is not None:
        raise HostError(f"the function {name} has a retry policy, which the local host does not emulate")
    declared = [json.loads(binding) for binding in metadata.raw_bindings]
    triggers: list[Trigger] = []
    outputs: list[QueueOutput] = []
    for binding in declared:
        resolved = {key: resolve(value, settings, name) for key, value in binding.items()}
        kind = binding["type"].lower()
        if kind in _TRIGGERS:
            triggers.append(_TRIGGERS[kind](name, resolved))
        elif kind == "queue" and binding["direction"].lower() == "out":
            outputs.append(QueueOutput(resolved["name"], _queue(name, resolved), resolved["connection"]))
        elif kind != "http":
            raise HostError(f"the function {name} has a binding of type {binding['type']}, {_REFUSAL}")
    if len(triggers) != 1:
        raise HostError(f"the function {name} must have exactly one trigger, and has {len(triggers)}")
    return Function(
        metadata.function_id, name, triggers[0], tuple(outputs), tuple(declared), _is_disabled(name, settings)
    )


_REFUSAL = (
    "which the local host does not emulate: it knows queue, timer and HTTP triggers and queue outputs"
    " (Event Grid reaches a function through a Storage queue)"
)


def _read_queue(name: str, binding: dict[str, Any]) -> QueueTrigger:
    return QueueTrigger(
        parameter=binding["name"],
        queue=_queue(name, binding),
        connection=binding["connection"],
        binary=str(binding.get("dataType")).lower() == "binary",
    )


def _read_timer(name: str, binding: dict[str, Any]) -> TimerTrigger:
    try:
        schedule = Schedule(binding["schedule"])
    except HostError as error:
        raise HostError(f"the function {name}: {error}") from error
    monitored = binding.get("useMonitor")
    return TimerTrigger(
        parameter=binding["name"],
        schedule=schedule,
        run_on_startup=_flag(binding.get("runOnStartup")),
        use_monitor=schedule.is_monitored() if monitored is None else _flag(monitored),
    )


def _read_http(name: str, binding: dict[str, Any]) -> HttpTrigger:
    level = str(binding.get("authLevel") or "function").lower()
    if level not in AUTH_LEVELS:
        raise HostError(f"the function {name}: authLevel must be one of {', '.join(AUTH_LEVELS)}, not {level}")
    return HttpTrigger(
        parameter=binding["name"],
        route=(binding.get("route") or name).strip("/"),
        methods=frozenset(str(method).upper() for method in binding.get("methods") or ()),
        auth_level=level,
    )


_TRIGGERS: dict[str, Callable[[str, dict[str, Any]], Trigger]] = {
    "queuetrigger": _read_queue,
    "timertrigger": _read_timer,
    "httptrigger": _read_http,
}


def _queue(name: str, binding: dict[str, Any]) -> str:
    queue: str = binding["queueName"]
    if not _QUEUE_NAME.fullmatch(queue):
        raise HostError(
            f"the function {name}: {queue!r} is no queue name (3 to 63 lower-case letters, digits and single dashes)"
        )
    return queue


def _flag(value: Any) -> bool:
    return str(value).lower() == "true"


def _is_disabled(name: str, settings: Settings) -> bool:
    values = (settings.get(f"AzureWebJobs.{name}.Disabled"), settings.get(f"AzureWebJobs__{name}__Disabled"))
    return any(value is not None and value.lower() in {"true", "1"} for value in values)
