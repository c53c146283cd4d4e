"""The training as a component, which other people's pipelines can use: read from its file, or made of the job's.

Called by `upkeep publish` only. A component is the job without what belongs to one run: no compute, no data, no
environment variables (Azure ML keeps none with a component; a pipeline sets them on its node).
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from shared.adapters.azureml_files import EnvironmentFile, environment_of, folder_of, literal, load
from shared.errors import BadInput

_KEYS = {
    *("$schema", "type", "name", "version", "display_name", "description", "tags", "is_deterministic"),
    *("command", "code", "environment", "inputs", "outputs"),
}
_LABELS = ("display_name", "description", "tags", "is_deterministic")
_NUMBERS = {bool: "boolean", int: "integer", float: "number"}
_PORT = ("type", "mode", "description", "default", "optional", "min", "max", "enum")


class ComponentFile(msgspec.Struct, frozen=True, kw_only=True):
    """A command component without its name and version. The maps are JSON-like, as they stand in the YAML."""

    command: str
    code: Path
    environment: EnvironmentFile | str
    inputs: dict[str, dict[str, Any]]
    outputs: dict[str, dict[str, Any]]
    labels: dict[str, Any]


def read_component(path: Path) -> ComponentFile:
    """A component's file; BadInput says what of it cannot be used. Its name and version are placeholders."""
    from azure.ai.ml import load_component

    component, raw = load(path, load_component, _KEYS)
    if raw.get("type", "command") != "command":
        raise BadInput(f"{path}: is a component of type {raw['type']}; Upkeep publishes command components")
    return _made(path, raw, str(component.command), component.environment)


def component_of_job(path: Path) -> ComponentFile:
    """The component that a command job's file amounts to: its literals become defaults."""
    from azure.ai.ml import load_job

    job, raw = load(path, load_job, None)
    found = _made(path, raw, str(job.command), job.environment)
    # The job's own words are about its runs, which are named, grouped and tagged one by one.
    labels = {"description": raw["description"]} if raw.get("description") else {}
    return msgspec.structs.replace(found, labels=labels)


def differences(component: ComponentFile, job: ComponentFile) -> Iterator[str]:
    """In what the component is another training than the job's. The order of the ports and their words may differ."""
    if component.command.split() != job.command.split():
        yield "command"
    if component.code != job.code:
        yield "code"
    if component.environment != job.environment:
        yield "environment"
    for kind in ("inputs", "outputs"):
        ours, theirs = (_types(getattr(each, kind)) for each in (component, job))
        yield from (
            f"{kind}.{name}" for name in sorted(ours.keys() | theirs.keys()) if ours.get(name) != theirs.get(name)
        )


def _types(ports: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    return {name: str(port["type"]) for name, port in ports.items()}


def _made(path: Path, raw: Mapping[str, Any], command: str, environment: Any) -> ComponentFile:
    if not raw.get("code"):
        raise BadInput(f"{path}: code is missing: it names the folder of the training code")
    return ComponentFile(
        command=command,
        code=folder_of(path, str(raw["code"])),
        environment=environment_of(path, environment, raw.get("environment")),
        inputs={name: _port(value) for name, value in (raw.get("inputs") or {}).items()},
        outputs={name: _port(value or {"type": "uri_folder"}) for name, value in (raw.get("outputs") or {}).items()},
        labels={key: raw[key] for key in _LABELS if key in raw},
    )


def _port(value: Any) -> dict[str, Any]:
    """An input or output as a component declares it: no path, and a literal as its default."""
    if not isinstance(value, Mapping):
        return {"type": _NUMBERS.get(type(value), "string"), "default": literal(value)}
    return {key: value[key] for key in _PORT if key in value}


def as_yaml(component: ComponentFile, name: str, version: str, code_id: str, environment_id: str) -> str:
    """The component under its name and with what it is made of by id, as text for the SDK's loader (JSON is YAML)."""
    document = {
        **component.labels,
        "type": "command",
        "name": name,
        "version": version,
        "command": component.command,
        "code": f"azureml:{code_id}",
        "environment": f"azureml:{environment_id}" if environment_id.startswith("/") else environment_id,
        "inputs": component.inputs,
        "outputs": component.outputs,
    }
    return json.dumps(document)
