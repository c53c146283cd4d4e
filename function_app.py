"""The entry point of the Functions host: registers the triggers, and nothing else."""

import azure.functions as func

from shared.triggers import alerts, azureml_events, commands, nudge, page, status, sweep, uploads

app = func.FunctionApp()
for module in (alerts, azureml_events, commands, nudge, page, status, sweep, uploads):
    app.register_functions(module.blueprint)
