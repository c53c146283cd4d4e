"""Registers what a folder holds: environments, code and component by content hash, and the endpoint.

Called by `upkeep publish` only. Each asset is looked for first: a second run writes nothing.
"""

import io
from pathlib import Path
from typing import Any

import msgspec
from azure.core.exceptions import ResourceNotFoundError

from shared.adapters.azureml_files import EnvironmentFile
from shared.adapters.azureml_workspace import Workspace
from shared.adapters.faults import ML_ROLE, translated
from shared.errors import NeedsPerson


class Assets:
    """The assets and endpoints of a workspace, as far as publishing needs them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def id_of(self, kind: str, name: str, version: str) -> str:
        """Full id of an asset version, whether or not it is there yet."""
        return self._workspace.asset_id(kind, name, version)

    def has_environment(self, name: str, version: str) -> bool:
        """Whether the version is registered."""
        return self._is_there(lambda client: client.environments.get(name, version), f"environment {name}")

    def register_environment(self, name: str, version: str, wanted: EnvironmentFile) -> None:
        """Register an image with its conda file."""
        with translated(f"registering environment {name}:{version}", ML_ROLE):
            from azure.ai.ml.entities import Environment

            conda = msgspec.json.decode(wanted.conda)
            environment = Environment(name=name, version=version, image=wanted.image, conda_file=conda)
            self._workspace.client.environments.create_or_update(environment)

    def has_code(self, name: str, version: str) -> bool:
        """Whether the version is registered."""
        return self._is_there(lambda client: _codes(client).get(name, version), f"code {name}")

    def register_code(self, name: str, version: str, folder: Path) -> None:
        """Upload a folder and register it as code."""
        with translated(f"registering code {name}:{version}", ML_ROLE):
            from azure.ai.ml.entities._assets import Code

            code = Code(name=name, version=version, path=str(folder.resolve()))
            made = _codes(self._workspace.client).create_or_update(code)
            # Content that is registered already, whatever it is called, is handed out instead of being made anew.
            if (made.name, made.version) != (name, version):
                raise NeedsPerson(
                    f"The content of code {name}:{version} is registered as {made.name}:{made.version}."
                )

    def has_component(self, name: str, version: str) -> bool:
        """Whether the version is registered."""
        return self._is_there(lambda client: client.components.get(name, version), f"component {name}")

    def register_component(self, text: str) -> None:
        """Register a component from the text of its YAML, in which everything is named by id."""
        with translated("registering a component", ML_ROLE):
            from azure.ai.ml import load_component

            self._workspace.client.components.create_or_update(load_component(io.StringIO(text)))

    def has_endpoint(self, name: str) -> bool:
        """Whether the endpoint is there, in whatever state."""
        return self._is_there(lambda client: client.online_endpoints.get(name), f"endpoint {name}")

    def create_endpoint(self, wanted: Any) -> None:
        """Begin to create an endpoint from the SDK's object of it."""
        with translated(f"creating endpoint {wanted.name}", ML_ROLE):
            self._workspace.client.online_endpoints.begin_create_or_update(wanted)

    def _is_there(self, get: Any, what: str) -> bool:
        with translated(f"looking for {what}", ML_ROLE):
            try:
                get(self._workspace.client)
            except ResourceNotFoundError:
                return False
        return True


def _codes(client: Any) -> Any:
    # The SDK registers code only along with a job, a component or a deployment, each of which would bring an asset
    # that nobody wants. The operations behind that are complete but not public: this is the one place that uses
    # them, azure-ai-ml is pinned to an exact version, and tests/integration/test_publish.py holds it to what is
    # expected here.
    return client._code  # noqa: SLF001 - see above
