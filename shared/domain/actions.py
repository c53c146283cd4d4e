"""Orders to the world. Each is derived anew in every pass until it is seen done, and may be carried out twice."""

from shared.domain.base import Kept
from shared.domain.card import Card
from shared.domain.manifest import Manifest
from shared.domain.record import Serving
from shared.domain.split import Split
from shared.domain.stages import Stage


class SubmitJob(Kept, frozen=True, kw_only=True, tag="SubmitJob"):
    """Write the manifest, register it as data, and put the job, each unless it is there."""

    job: str
    release: int
    publication: str
    manifest: Manifest
    champion: Serving | None
    timeout_s: int


class CancelJob(Kept, frozen=True, kw_only=True, tag="CancelJob"):
    """End a job that took too long."""

    job: str


class RegisterModel(Kept, frozen=True, kw_only=True, tag="RegisterModel"):
    """Register the output of a job as one version of the model, with its lineage, for development."""

    version: int
    job: str
    tags: dict[str, str]
    properties: dict[str, str]
    description: str = ""


class KeepCard(Kept, frozen=True, kw_only=True, tag="KeepCard"):
    """Write a version's model card beside the model."""

    version: int
    card: Card


class SetStage(Kept, frozen=True, kw_only=True, tag="SetStage"):
    """Change the stage of a registered version, and nothing else of it."""

    version: int
    stage: Stage


class PointMonitor(Kept, frozen=True, kw_only=True, tag="PointMonitor"):
    """Have a monitor of the publication watch a deployment; one that is not there is made."""

    monitor: str
    deployment: str


class CreateDeployment(Kept, frozen=True, kw_only=True, tag="CreateDeployment"):
    """Begin a deployment of a registered version, without traffic. No registry: it is one of the workspace."""

    deployment: str
    version: int
    publication: str
    registry: str = ""


class ShareModel(Kept, frozen=True, kw_only=True, tag="ShareModel"):
    """Have a registry import a version of the workspace, and bear its lineage."""

    version: int
    registry: str


class SetTraffic(Kept, frozen=True, kw_only=True, tag="SetTraffic"):
    """Give live traffic to exactly these deployments, and a mirrored share to that one. Live shares sum to 100.

    `before` is the split that the decision saw: an endpoint that shows another one by now is left as it is.
    """

    traffic: dict[str, int]
    mirror: dict[str, int] = {}
    before: Split


class DeleteDeployment(Kept, frozen=True, kw_only=True, tag="DeleteDeployment"):
    """Delete a deployment that was seen without traffic."""

    deployment: str


Action = (
    SubmitJob
    | CancelJob
    | KeepCard
    | RegisterModel
    | CreateDeployment
    | SetTraffic
    | DeleteDeployment
    | SetStage
    | ShareModel
    | PointMonitor
)
