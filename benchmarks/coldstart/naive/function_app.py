"""The peer: a function app in the style of the public samples, with everything imported at the top.

On the end of a job it does what the product does with that event, and no more: look at the known models, write one
row, send one message. It runs on the same versions of the same SDKs. The product does not import it.
"""

import json
import os
from datetime import UTC, datetime

import azure.functions as func
import pandas as pd
from azure.ai.ml import Input, MLClient, command
from azure.data.tables import TableServiceClient
from azure.identity import DefaultAzureCredential
from azure.storage.queue import QueueClient, TextBase64EncodePolicy

TABLES, QUEUES = (os.environ[f"UPKEEP_STORAGE__{kind}ServiceUri"] for kind in ("table", "queue"))
app = func.FunctionApp()
# Used by the functions that train and score, which a sample has in the same file.
TRAINING = (MLClient, Input, command, pd.DataFrame)


@app.queue_trigger(arg_name="message", queue_name="azureml-events", connection="UPKEEP_STORAGE")
def azureml_events(message: func.QueueMessage) -> None:
    """Write down that a job has ended."""
    event = json.loads(message.get_body().decode())
    credential = DefaultAzureCredential()
    service = TableServiceClient(TABLES, credential=credential)
    table = service.get_table_client("naive")
    known = {entity["RowKey"] for entity in table.query_entities("PartitionKey eq 'models'")}
    job = event["data"]["runId"]
    model = job.rsplit("-", 2)[0]
    if model not in known:
        return
    table.create_entity({"PartitionKey": model, "RowKey": job, "at": datetime.now(UTC)})
    queue = QueueClient(QUEUES, "naive", credential=credential, message_encode_policy=TextBase64EncodePolicy())
    queue.send_message(json.dumps({"model": model}))
