"""Prints, as JSON, what is in the inbox, the queues and the job list. Run by the tests in a process of its own,
because the Azure SDKs read the environment when they are imported."""

import json

from azure.storage.queue import QueueServiceClient

from shared import bootstrap
from shared.adapters.credentials import credential
from tests.e2e.conftest import MODEL


def main() -> None:
    """Look and print."""
    app = bootstrap.app()
    queues = QueueServiceClient(app.settings.queue_service, credential=credential())
    loaded = app.state.load(MODEL, 90)
    assert loaded is not None
    from azure.ai.ml import MLClient

    settings = app.settings
    client = MLClient(credential(), settings.subscription_id, settings.resource_group, settings.workspace)
    print(
        json.dumps(
            {
                "unread": [unread.row for unread in loaded.unread],
                "parts": [part.name for part in loaded.record.parts],
                "jobs": sorted(job.name for job in client.jobs.list()),
                "queues": {
                    queue.name: queues.get_queue_client(queue.name).get_queue_properties().approximate_message_count
                    for queue in queues.list_queues()
                },
                "decisions": len(app.state.history(MODEL, 1_000)),
            }
        )
    )


if __name__ == "__main__":
    main()
