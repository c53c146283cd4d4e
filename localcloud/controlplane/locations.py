"""Where a URI of Azure ML points in the storage account: a container and a path in it.

Called by downloads.py and the job runner. Understands azureml://datastores/…, its long form with the
workspace, and https URLs of blobs.
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from localcloud.cloud import ACCOUNT, DATASTORES

# Azure keeps a run's logs and artifacts in a datastore of its own, which it never lists.
ARTIFACT_STORE = "workspaceartifactstore"
CONTAINERS = {**DATASTORES, ARTIFACT_STORE: DATASTORES["workspaceblobstore"]}

_DATASTORE = re.compile(
    r"^azureml://(?:subscriptions/[^/]+/resourcegroups/[^/]+/(?:providers/[^/]+/)?workspaces/[^/]+/)?"
    r"datastores/(?P<name>[^/]+)/(?:paths/)?(?P<path>.*)$",
    re.IGNORECASE,
)


class LocationError(ValueError):
    """The URI points to no place in the local cloud's storage."""


@dataclass(frozen=True)
class Location:
    """A file or folder in a container; an empty path is the container's root."""

    container: str
    path: str

    @property
    def last_name(self) -> str:
        """Name of the file or folder itself."""
        return self.path.rstrip("/").rsplit("/", 1)[-1] or self.container


def locate(uri: str) -> Location:
    """Where the URI points; LocationError if that is nowhere in this storage account."""
    datastore = _DATASTORE.match(uri)
    if datastore:
        containers = {name.lower(): container for name, container in CONTAINERS.items()}
        container = containers.get(datastore["name"].lower())
        if container is None:
            raise LocationError(f"The workspace has no datastore {datastore['name']} ({uri}).")
        return Location(container, datastore["path"])
    url = urlsplit(uri)
    if url.scheme == "https":
        return _in_account(uri, unquote(url.path).strip("/").split("/"), uri.endswith("/"))
    raise LocationError(f"{uri} is neither an azureml://datastores/… path nor an https URL of a blob.")


def _in_account(uri: str, segments: list[str], folder: bool) -> Location:
    # Path-style URLs carry the account as their first segment, others in the host's name.
    if segments[0] == ACCOUNT:
        segments = segments[1:]
    if not segments or not segments[0]:
        raise LocationError(f"{uri} names no container.")
    path = "/".join(segments[1:])
    return Location(segments[0], f"{path}/" if folder and path else path)


def artifact(run: str, path: str) -> Location:
    """Where a file of a run's own (its logs, ./outputs, MLflow artifacts) lies."""
    return Location(CONTAINERS[ARTIFACT_STORE], f"ExperimentRun/dcid.{run}/{path}")
