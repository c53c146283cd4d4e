"""The ways in which Azure ML names an asset, parsed into one type.

Called by whatever resolves a code, model, data or environment id. Knows the shapes only: whether the
asset exists is the caller's question.
"""

import re
from dataclasses import dataclass

from localcloud.cloud import WORKSPACE_ID

_PROVIDER = "providers/Microsoft.MachineLearningServices/"
_LONG = re.compile(
    r"^(?:azureml:)?/*(?:subscriptions/[^/]+/)?(?:resourcegroups/[^/]+/)?"
    rf"(?:{_PROVIDER})?(?:locations/[^/]+/)?(?:workspaces/[^/]+/)?"
    r"(?P<kind>codes|environments|data|components|models)/(?P<name>[^/]+)"
    r"/(?:versions/(?P<version>[^/]+)|labels/(?P<label>[^/]+))/?$",
    re.IGNORECASE,
)
_REGISTRY = re.compile(
    r"^(?:azureml:)?azureml://registries/(?P<registry>[^/]+)/models/(?P<name>[^/]+)/versions/(?P<version>[^/]+)/?$",
    re.IGNORECASE,
)
_IMPORTED = re.compile(
    r"^azureml://locations/[^/]+/workspaces/(?P<guid>[^/]+)/models/(?P<name>[^/]+)/versions/(?P<version>[^/]+)$",
    re.IGNORECASE,
)
_SHORT = re.compile(r"^(?:azureml:)?(?P<name>[^/:@]+)(?::(?P<version>[^/:@]+)|@(?P<label>[^/:@]+))$")


@dataclass(frozen=True)
class AssetId:
    """One asset version. `kind` is the collection's name, or None in a short id such as azureml:name:1."""

    kind: str | None
    name: str
    version: str | None
    label: str | None = None


def parse_asset_id(asset_id: str) -> AssetId:
    """Parse an ARM id, azureml:NAME:VERSION, azureml:NAME@LABEL or azureml://…/versions/V; else ValueError."""
    long = _LONG.match(asset_id)
    if long:
        return AssetId(long["kind"].lower(), long["name"], long["version"], long["label"])
    short = _SHORT.match(asset_id)
    if short:
        return AssetId(None, short["name"], short["version"], short["label"])
    raise ValueError(f"{asset_id!r} is not the id of an asset")


def parse_registry_id(asset_id: str) -> tuple[str, str, str] | None:
    """Registry, name and version of a registry's model; None for any other id."""
    found = _REGISTRY.match(asset_id)
    return (found["registry"], found["name"], found["version"]) if found else None


def parse_import_id(asset_id: str) -> tuple[str, str, str] | None:
    """Workspace (its GUID), name and version of the model that a registry is to import; None for any other id."""
    found = _IMPORTED.match(asset_id)
    return (found["guid"], found["name"], found["version"]) if found else None


def asset_id(kind: str, name: str, version: str) -> str:
    """The full ARM id of an asset version."""
    return f"{WORKSPACE_ID}/{kind}/{name}/versions/{version}"
