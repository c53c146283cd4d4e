"""The process's one MLClient, made when it is first needed.

Used by the azureml_* modules only. `import azure.ai.ml` costs 2 seconds and 58 MB: it happens inside methods, so
that a worker which only records events never pays for it.
"""

import logging
import threading
from functools import cached_property
from typing import TYPE_CHECKING, Any

from azure.core.credentials import TokenCredential
from azure.core.pipeline.transport import RequestsTransport

from shared.adapters.azureml_etags import after_answer, before_sending
from shared.adapters.faults import ML_ROLE, translated

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

_POLLER = "LROPoller"  # how azure-core names the threads of its pollers
_CONNECT_S, _READ_S = 10, 60


class NotWaitedFor(Exception):  # noqa: N818 - no error: it ends the thread of a poller that nobody listens to
    """The operation goes on at the service; the next pass looks at what became of it."""


class UnwaitingTransport(RequestsTransport):  # type: ignore[misc]  # azure-core hands it out untyped
    """Sends requests as usual, on conditions (azureml_etags.py), but ends a poller at its first sleep.

    The SDK's begin_* methods of endpoints and deployments always start a thread that polls to the end, which
    takes many minutes, and leave no way to ask for none. A poller sleeps through its client's transport.
    """

    def send(self, request: Any, **kwargs: Any) -> Any:
        """Send, on the condition that what was read is still so where that was asked for."""
        before_sending(request)
        response = super().send(request, **kwargs)
        after_answer(request, response)
        return response

    def sleep(self, duration: float) -> None:
        """Sleep between retries; refuse to between polls."""
        if threading.current_thread().name.startswith(_POLLER):
            raise NotWaitedFor
        super().sleep(duration)


def opened(credential: TokenCredential, **where: Any) -> "MLClient":
    """A client of a workspace or a registry, which waits for no operation. Imports azure.ai.ml."""
    from azure.ai.ml import MLClient

    # Its import gives the first logger a level and a handler to stderr; the second writes an error for every answer
    # that is not 2xx, and a 404 is what we ask for most.
    logging.getLogger("azure.ai.ml").setLevel(logging.WARNING)
    logging.getLogger("azure.ai.ml._telemetry").setLevel(logging.CRITICAL)
    return MLClient(
        credential,
        transport=UnwaitingTransport(connection_timeout=_CONNECT_S, read_timeout=_READ_S),
        show_progress=False,
        enable_telemetry=False,
        retry_total=3,
        **where,
    )


class Workspace:
    """An Azure ML workspace: its client, and the full ids of what lies in it."""

    def __init__(self, subscription_id: str, resource_group: str, name: str, credential: TokenCredential) -> None:
        self._subscription_id, self._resource_group, self._name = subscription_id, resource_group, name
        self._credential = credential
        self._lock = threading.Lock()

    @property
    def client(self) -> "MLClient":
        """The client; the first call imports azure.ai.ml."""
        with self._lock:  # two threads at once would import and build it twice
            return self._client

    @cached_property
    def _client(self) -> "MLClient":
        with translated("opening the Azure ML workspace", ML_ROLE):
            return opened(
                self._credential,
                subscription_id=self._subscription_id,
                resource_group_name=self._resource_group,
                workspace_name=self._name,
            )

    def import_id(self, kind: str, name: str, version: str) -> str:
        """Id by which a registry finds an asset version of this workspace."""
        workspace = self.client.workspaces.get(self._name)
        guid = workspace._workspace_id  # noqa: SLF001 - the SDK's models.share reads it there too; nothing public has it
        return f"azureml://locations/{workspace.location}/workspaces/{guid}/{kind}/{name}/versions/{version}"

    def asset_id(self, kind: str, name: str, version: str) -> str:
        """Full id of an asset version; `kind` is the collection, such as models or environments."""
        return (
            f"/subscriptions/{self._subscription_id}/resourceGroups/{self._resource_group}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{self._name}/{kind}/{name}/versions/{version}"
        )
