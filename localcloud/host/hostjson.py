"""host.json as the host uses it: parsed once at start, every mistake reported together.

Called by app.py. Pure: takes the text and the app settings, reads no file. Defaults and names are those of
https://learn.microsoft.com/azure/azure-functions/functions-host-json and of the Storage extension 5.x.
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud.host.errors import HostError

# App settings of this prefix override host.json, with `__` between the levels, as on Azure.
OVERRIDE_PREFIX = "AzureFunctionsJobHost__"

# Read and passed over: they say nothing about when or how a function runs, or speak of what stands behind
# the front end of Azure.
_PASSED_OVER = {
    "$schema", "aggregator", "applicationInsights", "concurrency", "configurationProfile", "customHandler",
    "extensionBundle", "extensions", "functions", "functionTimeout", "healthMonitor", "logging",
    "managedDependency", "singleton", "telemetryMode", "version", "watchDirectories", "watchFiles",
}  # fmt: skip
_HTTP_PASSED_OVER = {
    "routePrefix", "maxOutstandingRequests", "maxConcurrentRequests", "dynamicThrottlesEnabled", "hsts",
    "customHeaders",
}  # fmt: skip

_TIME_SPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2}(?:\.\d{1,7})?)")


@dataclass(frozen=True)
class Queues:
    """extensions.queues."""

    batch_size: int = 16
    new_batch_threshold: int = 8
    max_dequeue_count: int = 5
    visibility_timeout_s: float = 0.0
    max_polling_interval_s: float = 60.0
    base64: bool = True


@dataclass(frozen=True)
class HostJson:
    """What the host takes from host.json. `function_timeout_s` None means that a run may take for ever."""

    queues: Queues = field(default_factory=Queues)
    function_timeout_s: float | None = 1800.0
    route_prefix: str = "api"


def parse_time_span(text: str) -> float:
    """Seconds of a .NET TimeSpan, `[d.]hh:mm:ss[.fff]`; ValueError for anything else."""
    match = _TIME_SPAN.fullmatch(text)
    if match is None:
        raise ValueError(text)
    days, hours, minutes, seconds = match.groups()
    if int(hours) > 23 or int(minutes) > 59 or float(seconds) >= 60:
        raise ValueError(text)
    return int(days or 0) * 86400 + int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def parse_host_json(text: str, settings: Mapping[str, str], processors: int | None = None) -> HostJson:
    """The settings in force: `text` overridden by `settings`. HostError names every mistake there is."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise HostError(f"host.json is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise HostError("host.json must hold an object")
    _override(document, settings)
    reader = _Reader()
    parsed = _read(document, reader, processors or os.cpu_count() or 1)
    if reader.problems:
        raise HostError("host.json: " + "; ".join(reader.problems))
    return parsed


def _read(document: dict[str, Any], reader: "_Reader", processors: int) -> HostJson:
    if document.get("version") != "2.0":
        reader.problems.append('"version" must be "2.0"')
    reader.known(document, _PASSED_OVER, "")
    extensions = reader.section(document, "extensions", "extensions")
    http = reader.section(extensions, "http", "extensions.http")
    reader.known(http, _HTTP_PASSED_OVER, "extensions.http.")
    prefix = http.get("routePrefix", HostJson.route_prefix)
    if not isinstance(prefix, str):
        reader.problems.append("extensions.http.routePrefix must be a string")
        prefix = ""
    return HostJson(
        queues=_read_queues(reader.section(extensions, "queues", "extensions.queues"), reader, processors),
        function_timeout_s=reader.timeout(document),
        route_prefix=prefix.strip("/"),
    )


def _read_queues(section: dict[str, Any], reader: "_Reader", processors: int) -> Queues:
    where = "extensions.queues."
    known = {"batchSize", "newBatchThreshold", "maxDequeueCount", "visibilityTimeout", "maxPollingInterval"}
    reader.known(section, known | {"messageEncoding"}, where)
    batch_size = reader.number(section, "batchSize", where, 16, least=1, most=32)
    encoding = section.get("messageEncoding", "base64")
    if not isinstance(encoding, str) or encoding.lower() not in {"base64", "none"}:
        reader.problems.append(f'{where}messageEncoding must be "base64" or "none"')
    return Queues(
        batch_size=batch_size,
        new_batch_threshold=reader.number(section, "newBatchThreshold", where, batch_size // 2 * processors, least=0),
        max_dequeue_count=reader.number(section, "maxDequeueCount", where, 5, least=1),
        visibility_timeout_s=reader.span(section, "visibilityTimeout", where, 0.0, least_s=0.0),
        max_polling_interval_s=reader.span(section, "maxPollingInterval", where, 60.0, least_s=0.1),
        base64=str(encoding).lower() == "base64",
    )


class _Reader:
    """Reads single values and gathers what is wrong with them."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def known(self, section: dict[str, Any], names: set[str], where: str) -> None:
        for name in sorted(set(section) - names):
            self.problems.append(f"{where}{name} is not a setting that this host knows")

    def section(self, parent: dict[str, Any], name: str, where: str) -> dict[str, Any]:
        value = parent.get(name, {})
        if isinstance(value, dict):
            return value
        self.problems.append(f"{where} must be an object")
        return {}

    def number(
        self, section: dict[str, Any], name: str, where: str, default: int, *, least: int, most: int | None = None
    ) -> int:
        value = section.get(name, default)
        if isinstance(value, str) and value.isdecimal():  # an override arrives as text
            value = int(value)
        fits = isinstance(value, int) and not isinstance(value, bool)
        if fits and least <= value and (most is None or value <= most):
            return int(value)
        limits = f"{least} to {most}" if most is not None else f"{least} or more"
        self.problems.append(f"{where}{name} must be a whole number, {limits}, not {value!r}")
        return default

    def span(self, section: dict[str, Any], name: str, where: str, default: float, *, least_s: float) -> float:
        value = section.get(name)
        if value is None:
            return default
        try:
            seconds = parse_time_span(value)
        except (TypeError, ValueError):
            self.problems.append(f'{where}{name} must be a time span such as "00:00:02", not {value!r}')
            return default
        if seconds < least_s:
            self.problems.append(f"{where}{name} must be at least {least_s} s")
        return seconds

    def timeout(self, document: dict[str, Any]) -> float | None:
        if document.get("functionTimeout") in ("-1", -1):
            return None
        seconds = self.span(document, "functionTimeout", "", 1800.0, least_s=0.0)
        if seconds == 0:
            self.problems.append('functionTimeout must be longer than 0; "-1" means no limit')
        return seconds


def _override(document: dict[str, Any], settings: Mapping[str, str]) -> None:
    """Put the app settings AzureFunctionsJobHost__a__b in the document; names are compared without case."""
    for setting, value in settings.items():
        if not setting.lower().startswith(OVERRIDE_PREFIX.lower()):
            continue
        *parents, leaf = setting[len(OVERRIDE_PREFIX) :].split("__")
        section = document
        for name in parents:
            child = section.setdefault(_spelling(section, name), {})
            if not isinstance(child, dict):
                raise HostError(f"the app setting {setting} names no section of host.json")
            section = child
        section[_spelling(section, leaf)] = value


def _spelling(section: dict[str, Any], name: str) -> str:
    return next((known for known in section if known.lower() == name.lower()), name)
