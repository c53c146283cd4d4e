"""Bringing a registered code or model into a local folder.

Called by the deployments before they start a scoring server, and by the job runner.
"""

import asyncio
from pathlib import Path
from typing import Any

from localcloud.cloud import Cloud
from localcloud.controlplane.asset_ids import parse_asset_id, parse_registry_id
from localcloud.controlplane.blobs import Blobs, MissingError
from localcloud.controlplane.locations import Location, locate
from localcloud.store import Store


async def download_code(cloud: Cloud, code_id: str, target: Path) -> Path:
    """Copy the code asset's files into `target`, as they lay in the folder that was uploaded."""
    uri = str(registered(cloud, "codes", code_id)["properties"]["codeUri"])
    await asyncio.to_thread(_download, cloud, locate(uri), target)
    return target


async def download_model(cloud: Cloud, model_id: str, target: Path) -> Path:
    """Copy the model's file or folder into `target` under its own last name, and answer that path.

    `target` is then what Azure ML calls AZUREML_MODEL_DIR: it holds `model/…` for a model at …/JOB/model.
    """
    shared = parse_registry_id(model_id)
    document = registry_model(cloud.store, *shared) if shared else registered(cloud, "models", model_id)
    location = locate(str(document["properties"]["modelUri"]))
    path = target / location.last_name
    await asyncio.to_thread(_download, cloud, location, path)
    return path


def registered(cloud: Cloud, kind: str, asset_id: str) -> dict[str, Any]:
    """The document of the asset version that the id names; MissingError if there is none."""
    asset = parse_asset_id(asset_id)
    document = cloud.store.get(kind, f"{asset.name}/{asset.version}")
    if document is None and asset.label == "latest":
        versions = [found for _, found in cloud.store.items(kind, f"{asset.name}/")]
        document = max(versions, key=lambda found: str(found["systemData"]["createdAt"]), default=None)
    if document is None:
        raise MissingError(f"There is no asset {asset_id} in {kind}.")
    return document


def registry_model(store: Store, registry: str, name: str, version: str) -> dict[str, Any]:
    """The document of a registry's model version; MissingError if there is none."""
    document = store.get("registry-models", f"{registry}/{name}/{version}")
    if document is None:
        raise MissingError(f"Registry {registry} has no model {name}:{version}.")
    return document


def _download(cloud: Cloud, location: Location, target: Path) -> None:
    Blobs(cloud).fetch(location, target, link=False)
