"""Carry one order out. Orders are safe to repeat; those that disturb an endpoint look at the record once more."""

from collections.abc import Callable

from shared.domain.actions import (
    Action,
    CancelJob,
    CreateDeployment,
    DeleteDeployment,
    KeepCard,
    PointMonitor,
    RegisterModel,
    SetStage,
    SetTraffic,
    ShareModel,
    SubmitJob,
)
from shared.domain.publication import Publication
from shared.reconcile.ports import Archive, Platform

DISRUPTIVE = (CreateDeployment, SetTraffic, DeleteDeployment)


def act(
    action: Action, publication: Publication, platform: Platform, archive: Archive, still_mine: Callable[[], None]
) -> None:
    """Do it. `still_mine` raises LostRace when another pass has written the record meanwhile."""
    model, endpoint = publication.spec.name, publication.serving.endpoint
    if isinstance(action, DISRUPTIVE):
        still_mine()
    match action:
        case SubmitJob():
            archive.put_manifest(action.manifest)
            platform.submit_job(action, publication)
        case CancelJob():
            platform.cancel_job(action.job)
        case KeepCard():
            archive.put_card(action.card)
        case RegisterModel():
            platform.register_model(model, action)
        case CreateDeployment():
            platform.create_deployment(model, action, publication)
        case SetTraffic():
            platform.set_traffic(endpoint, action)
        case DeleteDeployment():
            platform.delete_deployment(endpoint, action.deployment)
        case SetStage():
            platform.set_stage(model, action)
        case PointMonitor():
            platform.point_monitor(action, publication)
        case ShareModel():
            platform.share_model(model, action)
