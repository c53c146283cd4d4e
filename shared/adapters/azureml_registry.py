"""Azure ML registries: look a shared version up, hash its files, share one of the workspace. Used by azureml.py.

Each registry has a client of its own. The workspace's `models.share` would do, but for the time of the call it points
the workspace's client, which all threads share, at the registry, and it waits for the import to end.
"""

import threading
from collections.abc import Mapping
from typing import Any

from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError

from shared.adapters.artifacts import CHUNK_BYTES, Hashed, measure
from shared.adapters.azureml_workspace import NotWaitedFor, Workspace, opened
from shared.adapters.faults import BLOB_ROLE, REGISTRY_ROLE, status_of, translated
from shared.domain.actions import ShareModel
from shared.domain.artifact import ArtifactSeen
from shared.domain.lineage import FOLDER, MARK
from shared.domain.observation import SharedSeen
from shared.errors import NeedsPerson


class Registries:
    """The registries that the specs name, each opened when it is first asked for."""

    def __init__(self, workspace: Workspace, credential: TokenCredential) -> None:
        self._workspace, self._credential = workspace, credential
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}
        # Of the files that were hashed last, by registry and model: a registry is not ours to leave notes in.
        self._known: dict[tuple[str, str], Mapping[str, Hashed]] = {}

    def seen(self, registry: str, model: str, version: int) -> SharedSeen:
        """Look a version up; 0 is the one of the highest number."""
        with translated(f"looking for version {version or 'the newest'} of {model} in {registry}", REGISTRY_ROLE):
            number = version or self._newest(registry, model)
            found = self._get(registry, model, number) if number else None
        return SharedSeen(exists=found is not None, version=number, marks=_marks(found) if found else {})

    def artifact(self, registry: str, model: str, version: int) -> ArtifactSeen:
        """Hash a version's files where the registry keeps them, by a signature that it hands out for reading them."""
        key = (registry, model)
        with translated(f"hashing version {version} of {model} in {registry}", REGISTRY_ROLE):
            found = self._get(registry, model, version)
            if found is None:
                return ArtifactSeen(problem=f"version {version} is not in registry {registry}")
            container, folder = self._files(registry, model, version, str(found.path))
            with translated(f"hashing version {version} of {model} in {registry}", BLOB_ROLE):
                seen, self._known[key] = measure(container, folder, self._known.get(key, {}))
        return seen

    def share(self, model: str, order: ShareModel) -> None:
        """Begin the import, or put the lineage onto what was imported: it is not documented that it comes along."""
        with translated(f"sharing version {order.version} of {model} with {order.registry}", REGISTRY_ROLE):
            there = self._get(order.registry, model, order.version)
            if there is None:
                self._import(order.registry, model, order.version)
            elif FOLDER not in _marks(there):
                here = self._workspace.client.models.get(model, str(order.version))
                there.tags = {**(there.tags or {}), **_marks(here)}
                _begin(lambda: self._client(order.registry).models.create_or_update(there))

    def _import(self, registry: str, model: str, version: int) -> None:
        from azure.ai.ml.entities import WorkspaceModelReference

        source = self._workspace.import_id("models", model, str(version))
        wanted = WorkspaceModelReference(name=model, version=str(version), asset_id=source)
        try:
            _begin(lambda: self._client(registry).models.create_or_update(wanted))
        except AzureError as error:
            # An earlier import of it is under way, or has just ended: the SDK looks, too, and refuses what is there.
            if status_of(error) != 409 and self._get(registry, model, version) is None:
                raise

    def _newest(self, registry: str, model: str) -> int:
        """The highest version number; Azure's own "latest" is the youngest, and versions are text to it."""
        try:
            versions = [str(found.version) for found in self._client(registry).models.list(name=model)]
        except HttpResponseError as error:
            if status_of(error) != 404:
                raise
            return 0
        return max((int(version) for version in versions if version.isdigit()), default=0)

    def _get(self, registry: str, model: str, version: int) -> Any:
        try:
            return self._client(registry).models.get(model, str(version))
        except ResourceNotFoundError:
            return None

    def _client(self, registry: str) -> Any:
        with self._lock:
            if registry not in self._clients:
                self._clients[registry] = opened(self._credential, registry_name=registry)
            return self._clients[registry]

    def _files(self, registry: str, model: str, version: int, uri: str) -> tuple[Any, str]:
        # How `models.download` of the SDK comes to the files; it would write them to a disk, and has no public part
        # that does not. azure-ai-ml is pinned to an exact version, and tests/contract holds it to what is expected.
        from azure.ai.ml._utils._registry_utils import get_storage_details_for_registry_assets
        from azure.storage.blob import ContainerClient

        operations = self._client(registry).models
        url, _ = get_storage_details_for_registry_assets(
            service_client=operations._registry_service_client,  # noqa: SLF001 - see above
            asset_type="models",
            asset_name=model,
            asset_version=str(version),
            rg_name=operations._resource_group_name,  # noqa: SLF001 - see above
            reg_name=registry,
            uri=uri,
        )
        container, _, signature = url.partition("?")
        folder = uri.removeprefix(f"{container}/")
        if folder == uri:
            raise NeedsPerson(
                f"Version {version} of {model} in registry {registry} lies at {uri}, not in {container}"
            )
        sizes: dict[str, Any] = {"max_single_get_size": CHUNK_BYTES, "max_chunk_get_size": CHUNK_BYTES}
        return ContainerClient.from_container_url(f"{container}?{signature}", **sizes), folder


def _begin(order: Any) -> None:
    """Have the service do it, and do not wait until it has."""
    try:
        order()
    except NotWaitedFor:
        return


def _marks(found: Any) -> dict[str, str]:
    """What Upkeep wrote onto a version, as property or, where it was shared, as tag."""
    everything = {**(found.tags or {}), **(found.properties or {})}
    return {str(name): str(value) for name, value in everything.items() if str(name).startswith(MARK)}
