"""The Event Grid events of the workspace, in the schema of Microsoft.MachineLearningServices.

Called when a model is registered and when a job changes its status. An injected fault that matches
"EVENT RunCompleted" (or another type) drops the event, as Event Grid may.
"""

from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

from localcloud.cloud import WORKSPACE_ID, Cloud
from localcloud.controlplane.responses import now


async def publish(cloud: Cloud, event_type: str, subject: str, data: dict[str, Any]) -> None:
    """Hand one event over; `event_type` without its prefix, for example ModelRegistered."""
    if cloud.faults.pick(f"EVENT {event_type}") is not None:
        return
    await cloud.publish(
        {
            "id": str(uuid4()),
            "topic": WORKSPACE_ID,
            "subject": subject,
            "eventType": f"Microsoft.MachineLearningServices.{event_type}",
            "eventTime": now(),
            "data": data,
            "dataVersion": "2",
            "metadataVersion": "1",
        }
    )


def experiment_id(name: str) -> str:
    """The id of the experiment of that name, the same in every run of the local cloud."""
    return str(uuid5(NAMESPACE_URL, f"{WORKSPACE_ID}/experiments/{name}"))
