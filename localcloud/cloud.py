"""What every part of the local cloud is given: its folder, ports, documents, events and injected faults.

One `Cloud` exists in the gateway process. The parts (`Service`) are plugged together in gateway.py and
know one another only through it.
"""

import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from aiohttp import web

from localcloud.faults import Faults
from localcloud.isolation import MARK, read_pairs, scrubbed
from localcloud.store import Store

SUBSCRIPTION = "00000000-0000-4000-8000-000000000001"
RESOURCE_GROUP = "rg-upkeep-local"
WORKSPACE = "mlw-upkeep-local"
WORKSPACE_GUID = "00000000-0000-4000-8000-000000000002"
LOG_WORKSPACE_GUID = "00000000-0000-4000-8000-000000000003"
LOCATION = "local"
REGISTRY = "upkeep-local"
ACCOUNT = "devstoreaccount1"
WORKSPACE_ID = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{RESOURCE_GROUP}"
    f"/providers/Microsoft.MachineLearningServices/workspaces/{WORKSPACE}"
)
STORAGE_ID = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{RESOURCE_GROUP}"
    f"/providers/Microsoft.Storage/storageAccounts/{ACCOUNT}"
)
# Datastores of the workspace, each with the container that it stands for.
DATASTORES = {"workspaceblobstore": "azureml-blobstore", "upkeep_accepted": "accepted", "upkeep_runs": "runs"}

Listener = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass(frozen=True)
class Ports:
    """Loopback ports, chosen once for a state folder and kept, because stored documents hold URLs."""

    gateway: int
    blob: int
    queue: int
    table: int
    functions: int
    egress: int

    @classmethod
    def load(cls, folder: Path) -> "Ports":
        """Read the ports that the folder was made with."""
        return cls(**json.loads((folder / "ports.json").read_text()))

    def save(self, folder: Path) -> None:
        """Write them for later starts."""
        (folder / "ports.json").write_text(json.dumps(asdict(self), indent=2) + "\n")


@dataclass
class Cloud:
    """The shared context. `publish` hands an Event Grid event to whoever subscribed (eventgrid.py)."""

    folder: Path
    ports: Ports
    store: Store
    faults: Faults
    listeners: list[Listener] = field(default_factory=list)

    @property
    def gateway_url(self) -> str:
        """Base URL of ARM, identity, Log Analytics, scoring and MLflow, without a slash at its end."""
        return f"https://localhost:{self.ports.gateway}"

    @property
    def blob_url(self) -> str:
        """Blob service of the storage account, path-style: DNS knows no account names here."""
        return f"https://127.0.0.1:{self.ports.blob}/{ACCOUNT}"

    @property
    def ca_file(self) -> Path:
        """Certificate of the local authority, in PEM."""
        return self.folder / "ca" / "ca.pem"

    def child_env(self) -> dict[str, str]:
        """Environment for every process that is started: trusts our CA and reaches loopback only."""
        return {**scrubbed(os.environ), **read_env(self.folder / "child.env"), MARK: str(self.folder)}

    def install_env(self) -> dict[str, str]:
        """Environment for a package installer alone: the one that `up` was called with, index and proxy too."""
        ours = {*read_env(self.folder / "child.env"), MARK}
        kept = {key: value for key, value in scrubbed(os.environ).items() if key not in ours}
        return {**kept, **scrubbed(read_env(self.folder / "install.env"))}

    async def publish(self, event: dict[str, Any]) -> None:
        """Hand one Event Grid event to all listeners."""
        for listener in self.listeners:
            await listener(event)


class Service(Protocol):
    """One part of the local cloud, run inside the gateway's event loop."""

    def routes(self) -> list[web.RouteDef]:
        """Routes that it serves."""
        ...

    async def start(self) -> None:
        """Begin background work; pick up what an earlier run left behind."""
        ...

    async def stop(self) -> None:
        """End background work and child processes."""
        ...


def read_env(path: Path) -> dict[str, str]:
    """Read a file of KEY=VALUE lines."""
    return read_pairs(path.read_text())
