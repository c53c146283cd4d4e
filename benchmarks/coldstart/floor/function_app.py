"""The floor: a function that does nothing, in an app that imports nothing but the programming model."""

import azure.functions as func

app = func.FunctionApp()


@app.queue_trigger(arg_name="message", queue_name="azureml-events", connection="UPKEEP_STORAGE")
def azureml_events(message: func.QueueMessage) -> None:
    """Read the message."""
    assert message.get_body()
