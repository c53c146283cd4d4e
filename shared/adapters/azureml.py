"""The Platform over Azure Machine Learning: one face for jobs, models, endpoints and scoring.

Called through the port. azure.ai.ml is imported by the first method that is called, not by this module.
"""

from azure.core.credentials import TokenCredential

from shared.adapters.azureml_endpoints import Endpoints
from shared.adapters.azureml_jobs import Jobs
from shared.adapters.azureml_models import Models
from shared.adapters.azureml_quota import Quotas
from shared.adapters.azureml_registry import Registries
from shared.adapters.azureml_schedules import Schedules
from shared.adapters.azureml_workspace import Workspace
from shared.adapters.collected_data import CollectedData
from shared.adapters.scoring import Scoring
from shared.domain.actions import (
    CreateDeployment,
    PointMonitor,
    RegisterModel,
    SetStage,
    SetTraffic,
    ShareModel,
    SubmitJob,
)
from shared.domain.artifact import ArtifactSeen
from shared.domain.observation import EndpointSeen, JobSeen, ModelSeen, MonitorSeen, QuotaSeen, SharedSeen, SmokeSeen
from shared.domain.predictions import Collected
from shared.domain.publication import Publication
from shared.domain.sample import Sample
from shared.domain.spec_evidence import Predictions
from shared.domain.tally import Burst, Tally
from shared.reconcile.ports import Window


class AzureMl:
    """One workspace."""

    def __init__(
        self,
        subscription_id: str,
        resource_group: str,
        workspace: str,
        credential: TokenCredential,
        collected_data: str = "",
    ) -> None:
        opened = Workspace(subscription_id, resource_group, workspace, credential)
        self._jobs, self._models, self._endpoints = Jobs(opened), Models(opened), Endpoints(opened)
        self._scoring, self._quotas = Scoring(opened), Quotas(opened)
        self._registries, self._schedules = Registries(opened, credential), Schedules(opened)
        self._collected = CollectedData(opened, credential, collected_data)

    def job(self, name: str) -> JobSeen:
        """Look a job up; ABSENT when there is none."""
        return self._jobs.seen(name)

    def submit_job(self, order: SubmitJob, publication: Publication) -> None:
        """Register the manifest as data and put the job."""
        self._jobs.submit(order, publication)

    def cancel_job(self, name: str) -> None:
        """Ask for the end of a job."""
        self._jobs.cancel(name)

    def model(self, name: str, version: int) -> ModelSeen:
        """Look a registered version up."""
        return self._models.seen(name, version)

    def register_model(self, model: str, order: RegisterModel) -> None:
        """Register a job's output as a version."""
        self._models.register(model, order)

    def set_stage(self, model: str, order: SetStage) -> None:
        """Change a registered version's stage."""
        self._models.set_stage(model, order)

    def shared(self, registry: str, model: str, version: int) -> SharedSeen:
        """Look a version of a registry up; 0 is the newest."""
        return self._registries.seen(registry, model, version)

    def shared_artifact(self, registry: str, model: str, version: int) -> ArtifactSeen:
        """Hash the files of a registry's version."""
        return self._registries.artifact(registry, model, version)

    def share_model(self, model: str, order: ShareModel) -> None:
        """Begin what is missing of a share."""
        self._registries.share(model, order)

    def monitor(self, model: str, name: str) -> MonitorSeen:
        """Look a monitor of the model up."""
        return self._schedules.monitor(model, name)

    def point_monitor(self, order: PointMonitor, publication: Publication) -> None:
        """Begin to put a monitor for the deployment."""
        self._schedules.point(order, publication)

    def endpoint(self, endpoint: str) -> EndpointSeen:
        """Traffic and deployments of an endpoint."""
        return self._endpoints.seen(endpoint)

    def quota(self, size: str) -> QuotaSeen:
        """Cores of a VM size, and how many are free."""
        return self._quotas.seen(size)

    def create_deployment(self, model: str, order: CreateDeployment, publication: Publication) -> None:
        """Begin a deployment and return at once."""
        self._endpoints.create_deployment(model, order, publication)

    def set_traffic(self, endpoint: str, order: SetTraffic) -> None:
        """Give live and mirrored traffic to exactly these deployments."""
        self._endpoints.set_traffic(endpoint, order)

    def delete_deployment(self, endpoint: str, deployment: str) -> None:
        """Begin the deletion of a deployment."""
        self._endpoints.delete_deployment(endpoint, deployment)

    def smoke(self, endpoint: str, deployment: str, sample: Sample) -> SmokeSeen:
        """Score the sample request on a named deployment."""
        return self._scoring.smoke(endpoint, deployment, sample)

    def burst(self, endpoint: str, deployment: str, sample: Sample, burst: Burst) -> Tally:
        """Send the sample request for a few seconds to a named deployment."""
        return self._scoring.burst(endpoint, deployment, sample, burst)

    def predictions(self, endpoint: str, deployment: str, wanted: Predictions, window: Window) -> Collected:
        """A bounded sample of what the deployment's data collector kept of its answers."""
        return self._collected.predictions(endpoint, deployment, wanted, window)
