"""Registered models: look a version up, register a job's output as one, change its stage. Used by azureml.py."""

from typing import Any

from azure.core.exceptions import AzureError, ResourceNotFoundError

from shared.adapters.azureml_workspace import Workspace
from shared.adapters.faults import ML_ROLE, translated
from shared.domain import names
from shared.domain.actions import RegisterModel, SetStage
from shared.domain.observation import ModelSeen
from shared.domain.stages import Stage
from shared.errors import NeedsPerson

JOB = "upkeep_job"


class Models:
    """The model versions of a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def seen(self, name: str, version: int) -> ModelSeen:
        """Look a version up, with its stage and the job that it says it comes from."""
        with translated(f"looking at version {version} of model {name}", ML_ROLE):
            found = self._get(name, version)
        if found is None:
            return ModelSeen(exists=False)
        return ModelSeen(exists=True, job=_job(found), stage=str(found.stage or ""))

    def register(self, model: str, order: RegisterModel) -> None:
        """Register the job's model folder under an explicit version; one that is there must come from the job."""
        with translated(f"registering version {order.version} of model {model}", ML_ROLE):
            from azure.ai.ml.entities import Model

            path = names.datastore_uri(names.RUNS_DATASTORE, names.output_path(model, order.job, "model"))
            wanted = Model(
                name=model,
                version=str(order.version),
                type="custom_model",
                path=path,
                description=order.description or None,
                stage=Stage.DEVELOPMENT.value,
                tags=dict(order.tags),
                properties={**order.properties, JOB: order.job},
            )
            # Looked up first: a create on a version that is there would change its tags.
            found = self._get(model, order.version)
            if found is None:
                found = self._create(wanted)
            if _job(found) != order.job:
                text = (
                    f"Version {order.version} of model {model} exists, and comes from {_job(found) or 'elsewhere'}."
                )
                raise NeedsPerson(text)

    def set_stage(self, model: str, order: SetStage) -> None:
        """Get the version, change its stage, put it: all else goes back as it came. One that is gone is fine."""
        with translated(f"putting version {order.version} of model {model} into stage {order.stage}", ML_ROLE):
            found = self._get(model, order.version)
            if found is None or found.stage == order.stage.value:
                return
            found.stage = order.stage.value
            self._workspace.client.models.create_or_update(found)

    def _create(self, wanted: Any) -> Any:
        try:
            return self._workspace.client.models.create_or_update(wanted)
        except AzureError:
            # Another pass may have been faster.
            found = self._get(wanted.name, int(wanted.version))
            if found is None:
                raise
            return found

    def _get(self, name: str, version: int) -> Any:
        try:
            return self._workspace.client.models.get(name, str(version))
        except ResourceNotFoundError:
            return None


def _job(found: Any) -> str:
    return str((found.properties or {}).get(JOB, "")) if found is not None else ""
