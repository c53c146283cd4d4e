"""What the measured apps find in the local cloud, and what they left there.

Run by measuring.py in a process of its own (`world.py prepare` or `world.py handled`), because the SDKs read the
environment when they are imported.
"""

import json
import os
import sys
from datetime import UTC, datetime

from azure.core.exceptions import ResourceExistsError
from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueServiceClient

from shared.adapters.credentials import credential
from shared.adapters.table_state import TableState
from shared.reconcile.ports import Pointer

MODEL = "flight-duration"
MOST = 1_000


def prepare() -> None:
    """One known model, for the product and for its peer."""
    identity = credential()
    tables, queues = _service("table"), _service("queue")
    pointer = Pointer(model=MODEL, publication="0" * 32, published_at=datetime.now(UTC))
    TableState(tables, identity).publish(pointer)
    naive = TableServiceClient(tables, credential=identity).create_table_if_not_exists("naive")
    naive.upsert_entity({"PartitionKey": "models", "RowKey": MODEL})
    try:
        QueueServiceClient(queues, credential=identity).create_queue("naive")
    except ResourceExistsError:
        return


def handled() -> dict[str, int]:
    """How many events each app has recorded."""
    identity = credential()
    tables = _service("table")
    loaded = TableState(tables, identity).load(MODEL, MOST)
    assert loaded is not None
    naive = TableServiceClient(tables, credential=identity).get_table_client("naive")
    rows = naive.query_entities("PartitionKey eq @model", parameters={"model": MODEL})
    return {"package": len(loaded.unread), "naive": len(list(rows))}


def _service(kind: str) -> str:
    return os.environ[f"UPKEEP_STORAGE__{kind}ServiceUri"]


if __name__ == "__main__":
    if sys.argv[1] == "prepare":
        prepare()
    else:
        print(json.dumps(handled()))
