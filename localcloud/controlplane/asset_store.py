"""Versions of assets as documents: what may change after creation, which is newest, which are listed.

Used by assets.py alone. Knows ARM's documents and no HTTP request.
"""

from typing import Any

from localcloud.controlplane.asset_ids import asset_id
from localcloud.controlplane.responses import ArmError, not_found, system_data, user_error
from localcloud.store import Store

Document = dict[str, Any]
_SHARED = ("tags", "properties", "description", "isArchived")
KINDS = ("codes", "environments", "data", "components", "models")
# What a later PUT of a version may not change. Azure words the refusal of a path of its own way.
_PATHS = {"codes": ("codeUri",), "data": ("dataUri",), "models": ("modelUri",)}
_FIXED = {
    "codes": (),
    "data": ("dataType",),
    "models": ("modelType",),
    "environments": ("image", "condaFile", "build", "osType", "inferenceConfig"),
    "components": ("componentSpec",),
}


class AssetStore:
    """The versions of one collection ("models", "codes" …)."""

    def __init__(self, store: Store, kind: str) -> None:
        self._store = store
        self.kind = kind

    def get(self, name: str, version: str) -> Document:
        """The version's document; 404 otherwise."""
        document = self._store.get(self.kind, f"{name}/{version}")
        if document is None:
            raise not_found(f"{self.kind} {name}:{version} was not found in the workspace.")
        return document

    def put(self, name: str, version: str, properties: Document) -> tuple[Document, bool]:
        """Create the version or change what may change of it; the document, and whether it is new.

        A different path, definition or type is refused: 400 or 409.
        """
        existing = self._store.get(self.kind, f"{name}/{version}")
        if existing is not None:
            self._refuse_changes(name, version, existing["properties"], properties)
            properties = {**existing["properties"], **properties}
        document = {
            "id": asset_id(self.kind, name, version),
            "name": version,
            "type": f"Microsoft.MachineLearningServices/workspaces/{self.kind}/versions",
            "properties": {**_blank(self.kind), **_without_nulls(properties)},
            "systemData": system_data(existing["systemData"]["createdAt"] if existing else None),
        }
        self._store.put(self.kind, f"{name}/{version}", document)
        return document, existing is None

    def delete(self, name: str, version: str | None = None) -> bool:
        """Forget one version or all; False when there was none."""
        if version is not None:
            return self._store.delete(self.kind, f"{name}/{version}")
        keys = [key for key, _ in self._store.items(self.kind, f"{name}/")]
        return sum(self._store.delete(self.kind, key) for key in keys) > 0

    def versions(self, name: str) -> list[Document]:
        """All versions of a name, newest first."""
        found = [document for _, document in self._store.items(self.kind, f"{name}/")]
        return sorted(found, key=_created_at, reverse=True)

    def container(self, name: str) -> Document:
        """What ARM calls the container: the name that all versions share; 404 when there is none."""
        versions = self.versions(name)
        kept = self._store.get(f"{self.kind}-containers", name)
        if not versions and kept is None:
            raise not_found(f"{self.kind} {name} was not found in the workspace.")
        properties: Document = {"tags": {}, "properties": {}, "isArchived": False, **(kept or {})}
        numbers = [int(document["name"]) for document in versions if document["name"].isdigit()]
        properties["nextVersion"] = str(max(numbers, default=0) + 1)
        if versions:
            properties["latestVersion"] = versions[0]["name"]
            if self.kind == "data":
                properties["dataType"] = versions[0]["properties"].get("dataType", "uri_folder")
        return {
            "id": asset_id(self.kind, name, "").removesuffix("/versions/"),
            "name": name,
            "type": f"Microsoft.MachineLearningServices/workspaces/{self.kind}",
            "properties": properties,
            "systemData": versions[-1]["systemData"] if versions else system_data(),
        }

    def put_container(self, name: str, properties: Document) -> Document:
        """Change what belongs to the name: tags, description, isArchived."""
        kept: Document = {key: value for key, value in properties.items() if key in _SHARED}
        self._store.put(f"{self.kind}-containers", name, _without_nulls(kept))
        return self.container(name)

    def containers(self) -> list[Document]:
        """One container for each name."""
        names = {key.rsplit("/", 1)[0] for key, _ in self._store.items(self.kind)}
        names |= {key for key, _ in self._store.items(f"{self.kind}-containers")}
        return [self.container(name) for name in sorted(names)]

    def _refuse_changes(self, name: str, version: str, old: Document, new: Document) -> None:
        for path in _PATHS.get(self.kind, ()):
            if not _same(old.get(path), new.get(path)):
                raise user_error("Asset paths cannot be updated.")
        for key in _FIXED[self.kind]:
            if not _same(old.get(key), new.get(key)):
                message = f"{self.kind} {name}:{version} already exists and its {key} cannot be changed."
                raise ArmError(409, "Conflict", message)


def _blank(kind: str) -> Document:
    """Fields that the SDK reads without asking whether they are there."""
    blank: Document = {"isArchived": False, "isAnonymous": False, "tags": {}, "properties": {}}
    return {**blank, "flavors": {}, "stage": ""} if kind == "models" else blank


def _without_nulls(properties: Document) -> Document:
    return {key: value for key, value in properties.items() if value is not None}


def _same(old: Any, new: Any) -> bool:
    # A field that is left out of an update stays as it is. Ids come back in another case.
    if new is None or old == new:
        return True
    if isinstance(old, str) and isinstance(new, str) and "://" in new:
        return old.rstrip("/").lower() == new.rstrip("/").lower()
    return False


def _created_at(document: Document) -> str:
    return str(document["systemData"]["createdAt"])
