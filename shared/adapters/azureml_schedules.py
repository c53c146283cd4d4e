"""Schedules of the workspace: which of them are ours, putting one, switching one off, having a monitor follow.

Called by `upkeep publish` and by azureml.py. Two tags say which model a schedule belongs to and what it was made
from; one without them belongs to somebody else and is left alone.
"""

import re
from typing import Any

import msgspec
from azure.core.exceptions import ResourceNotFoundError

from shared.adapters.azureml_schedule_file import ScheduleFile, as_entity
from shared.adapters.azureml_workspace import Workspace
from shared.adapters.faults import ML_ROLE, translated
from shared.domain.actions import PointMonitor
from shared.domain.observation import MonitorSeen
from shared.domain.publication import Publication

MODEL_TAG, CONTENT_TAG = "upkeep_model", "upkeep_content"
GONE = "gone"


class ScheduleSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule that is there. `model` and `content` are empty for one of somebody else.

    `watches` is the deployment that a monitor watches.
    """

    name: str
    model: str = ""
    content: str = ""
    enabled: bool = True
    watches: str = ""

    @property
    def stays_on(self) -> bool:
        """Whether putting it leaves it on: one that a person switched off stays off, one that we did comes back."""
        return self.enabled or self.content == GONE


class Schedules:
    """The schedules of a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def seen(self) -> list[ScheduleSeen]:
        """All of them, those that are switched off too."""
        with translated("listing schedules", ML_ROLE):
            found = self._service.list(**self._place, list_view_type="All")
            return [_seen(each) for each in found]

    def put(self, model: str, content: str, wanted: ScheduleFile, *, enabled: bool) -> None:
        """Begin to create or change one. `enabled` keeps one as it is that a person switched off."""
        with translated(f"putting {wanted.kind} {wanted.name}", ML_ROLE):
            schedule = as_entity(wanted)
            schedule.tags = {**(schedule.tags or {}), MODEL_TAG: model, CONTENT_TAG: content}
            schedule._is_enabled = enabled  # noqa: SLF001 - as the SDK's own begin_disable does it
            self._workspace.client.schedules.begin_create_or_update(schedule)

    def monitor(self, model: str, name: str) -> MonitorSeen:
        """A monitor by its name."""
        with translated(f"looking monitor {name} up", ML_ROLE):
            there = self._one(name)
        if there is None:
            return MonitorSeen(exists=False)
        return MonitorSeen(exists=True, ours=there.model == model, deployment=there.watches)

    def point(self, order: PointMonitor, publication: Publication) -> None:
        """Put a monitor of the publication for a deployment."""
        monitor, endpoint = publication.monitor(order.monitor), publication.serving.endpoint
        assert monitor is not None
        with translated(f"looking monitor {monitor.name} up", ML_ROLE):
            there = self._one(monitor.name)
        file = ScheduleFile(name=monitor.name, kind="monitor", document=monitor.document)
        wanted = file.at((monitor.endpoint, monitor.stand_in), (endpoint, order.deployment))
        self.put(publication.spec.name, monitor.content, wanted, enabled=there is None or there.stays_on)

    def switch_off(self, name: str) -> None:
        """Begin to switch one off whose file is gone. What it found stays to be looked at."""
        with translated(f"switching schedule {name} off", ML_ROLE):
            found = self._service.get(**self._place, name=name)
            found.properties.is_enabled = False
            found.properties.tags = {**found.properties.tags, CONTENT_TAG: GONE}
            self._service.begin_create_or_update(**self._place, name=name, body=found)

    def _one(self, name: str) -> ScheduleSeen | None:
        try:
            return _seen(self._service.get(**self._place, name=name))
        except ResourceNotFoundError:
            return None

    @property
    def _service(self) -> Any:
        # The generated client below the SDK's own: a schedule that is read through the SDK's classes and put back
        # loses what they do not know, and a list of them leaves out those that they cannot read.
        return self._workspace.client.schedules.service_client

    @property
    def _place(self) -> dict[str, str | None]:
        client = self._workspace.client
        return {"resource_group_name": client.resource_group_name, "workspace_name": client.workspace_name}


def _seen(found: Any) -> ScheduleSeen:
    tags = found.properties.tags or {}
    return ScheduleSeen(
        name=str(found.name),
        model=tags.get(MODEL_TAG, ""),
        content=tags.get(CONTENT_TAG, ""),
        enabled=found.properties.is_enabled is not False,
        watches=_watched(found.properties.action),
    )


def _watched(action: Any) -> str:
    """The last part of the target's id, which the service tells in full and a file by names."""
    target = getattr(getattr(action, "monitor_definition", None), "monitoring_target", None)
    return re.split("[:/]", getattr(target, "deployment_id", None) or "")[-1]
