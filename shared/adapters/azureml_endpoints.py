"""Managed online endpoints: look at one, begin a deployment, set traffic, begin a deletion.

Used by azureml.py. Nothing here waits for an operation: the next pass sees what became of it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from shared.adapters.azureml_etags import unchanged_since_read
from shared.adapters.azureml_workspace import Workspace
from shared.adapters.faults import ML_ROLE, status_of, translated
from shared.domain import names
from shared.domain.actions import CreateDeployment, SetTraffic
from shared.domain.observation import DeploymentState, EndpointSeen
from shared.domain.publication import DataCollection, Probe, Publication, ServingAssets
from shared.domain.split import MARK, Split
from shared.errors import LostRace, RetryLater

BUSY_DELAY_S = 5.0
# Every provisioning state that Azure ML documents; one that is new is taken for changing.
STATES = {
    "Creating": DeploymentState.CHANGING,
    "Updating": DeploymentState.CHANGING,
    "Scaling": DeploymentState.CHANGING,
    "Deleting": DeploymentState.CHANGING,
    "Succeeded": DeploymentState.READY,
    "Failed": DeploymentState.FAILED,
    "Canceled": DeploymentState.FAILED,
}


class Endpoints:
    """The online endpoints of a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def seen(self, name: str) -> EndpointSeen:
        """Live traffic and deployments of an endpoint."""
        with translated(f"looking at endpoint {name}", ML_ROLE):
            try:
                endpoint = self._workspace.client.online_endpoints.get(name)
                deployments = list(self._workspace.client.online_deployments.list(name))
            except ResourceNotFoundError:
                return EndpointSeen(exists=False)
        shares = _split(endpoint)
        return EndpointSeen(
            exists=True,
            traffic=shares.traffic,
            mirror=shares.mirror,
            mark=str((endpoint.tags or {}).get(MARK) or ""),
            deployments={str(each.name): _state(each.provisioning_state) for each in deployments},
        )

    def create_deployment(self, model: str, order: CreateDeployment, publication: Publication) -> None:
        """Begin a deployment without traffic; one of that name, whatever its state, is left as it is."""
        serving = publication.serving
        with _changing(serving.endpoint, f"creating deployment {order.deployment}"):
            if self._has_deployment(serving.endpoint, order.deployment):
                return
            wanted = _deployment(order, serving, self._model_id(model, order))
            self._workspace.client.online_deployments.begin_create_or_update(wanted)

    def _model_id(self, model: str, order: CreateDeployment) -> str:
        if order.registry:
            return names.registry_model(order.registry, model, order.version)
        return self._workspace.asset_id("models", model, str(order.version))

    def set_traffic(self, name: str, order: SetTraffic) -> None:
        """Give live traffic to exactly these deployments, and mirrored to that one: both in one put, with our mark.

        The SDK sends the whole endpoint: it is read and changed, so that what others set on it stays. Read just
        before, it must show what the decision saw; what is changed between here and the put, an ETag refuses, if the
        service gives one.
        """
        with _changing(name, "setting traffic"), unchanged_since_read():
            endpoint = self._workspace.client.online_endpoints.get(name)
            # Reading the endpoint has put every deployment into one of the two maps, with nought if it has none.
            known = {*(endpoint.traffic or {}), *(endpoint.mirror_traffic or {})}
            if missing := sorted({*order.traffic, *order.mirror} - known):
                raise RetryLater(f"setting traffic of {name}: there is no deployment {', '.join(missing)}")
            if not _split(endpoint).same_as(order.before):
                raise LostRace(f"the traffic of {name} was changed since it was looked at: {_split(endpoint).text}")
            endpoint.traffic = dict(order.traffic)
            endpoint.mirror_traffic = dict(order.mirror)
            endpoint.tags = {**(endpoint.tags or {}), MARK: _split(endpoint).text}
            self._workspace.client.online_endpoints.begin_create_or_update(endpoint)

    def delete_deployment(self, endpoint: str, deployment: str) -> None:
        """Begin the deletion; what is gone already is fine."""
        with _changing(endpoint, f"deleting deployment {deployment}"):
            try:
                self._workspace.client.online_deployments.begin_delete(deployment, endpoint)
            except ResourceNotFoundError:
                return

    def _has_deployment(self, endpoint: str, deployment: str) -> bool:
        try:
            self._workspace.client.online_deployments.get(deployment, endpoint)
        except ResourceNotFoundError:
            return False
        return True


@contextmanager
def _changing(endpoint: str, doing: str) -> Iterator[None]:
    """Translate as usual; an endpoint that is busy with another change answers 409 and is asked again soon.

    One that was changed since it was read answers 412, if it was told what was read.
    """
    with translated(f"{doing} of endpoint {endpoint}", ML_ROLE):
        try:
            yield
        except HttpResponseError as error:
            if status_of(error) == 412:
                raise LostRace(f"{doing}: endpoint {endpoint} was changed since it was read") from error
            if status_of(error) == 409:
                raise RetryLater(f"{doing}: endpoint {endpoint} is busy with a change", BUSY_DELAY_S) from error
            raise


def _deployment(order: CreateDeployment, serving: ServingAssets, model_id: str) -> Any:
    from azure.ai.ml.entities import CodeConfiguration, ManagedOnlineDeployment, OnlineRequestSettings

    return ManagedOnlineDeployment(
        name=order.deployment,
        endpoint_name=serving.endpoint,
        model=model_id,
        environment=serving.environment_id,
        code_configuration=CodeConfiguration(code=serving.code_id, scoring_script=serving.scoring_script),
        instance_type=serving.instance_type,
        instance_count=serving.instance_count,
        environment_variables=dict(serving.environment_variables),
        request_settings=OnlineRequestSettings(
            request_timeout_ms=serving.request_timeout_ms,
            max_concurrent_requests_per_instance=serving.max_concurrent_requests_per_instance,
            max_queue_wait_ms=serving.max_queue_wait_ms,
        ),
        liveness_probe=_probe(serving.liveness_probe),
        readiness_probe=_probe(serving.readiness_probe),
        app_insights_enabled=serving.app_insights_enabled,
        data_collector=_data_collector(serving.data_collector),
        tags={"upkeep_publication": order.publication},
    )


def _probe(probe: Probe | None) -> Any:
    from azure.ai.ml.entities import ProbeSettings

    if probe is None:
        return None
    return ProbeSettings(
        initial_delay=probe.initial_delay_s,
        period=probe.period_s,
        timeout=probe.timeout_s,
        success_threshold=probe.success_threshold,
        failure_threshold=probe.failure_threshold,
    )


def _data_collector(collection: DataCollection | None) -> Any:
    from azure.ai.ml.entities import DataCollector, DeploymentCollection

    if collection is None:
        return None
    return DataCollector(
        collections={name: DeploymentCollection(enabled="true") for name in collection.collections},
        sampling_rate=collection.sampling_rate,
        rolling_rate=collection.rolling_rate,
    )


def _split(endpoint: Any) -> Split:
    traffic, mirror = (
        {str(deployment): int(pct) for deployment, pct in (shares or {}).items()}
        for shares in (endpoint.traffic, endpoint.mirror_traffic)
    )
    return Split(traffic=traffic, mirror=mirror)


def _state(word: Any) -> DeploymentState:
    return STATES.get(str(getattr(word, "value", word)), DeploymentState.CHANGING)
