"""A breach of an Azure ML model monitor, told as the alert that its signal is named for. Called by azureml_events.py.

A monitor's run that found a threshold violated ends with a tag, whose text names the signal in quotes (docs:
how-to-monitor-model-performance, "Integrate with Event Grid"). `alerts:` of a spec maps the signal's name, as it
maps the name of a rule of Azure Monitor.
"""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from shared.domain.events import AlertFired
from shared.reconcile.ports import Pointer

TAG = "azureml_modelmonitor_threshold_breached"
MOST_SUMMARY_CHARS = 300


class Breach(msgspec.Struct, frozen=True, kw_only=True):
    """What the run's tag says, when the run ended."""

    at: datetime
    run: str
    text: str


def alerts(pointers: list[Pointer], breach: Breach) -> Iterator[tuple[str, AlertFired]]:
    """An alert for each model and signal that the model listens for."""
    said = breach.text.casefold()
    for pointer in pointers:
        for signal in pointer.alerts:
            if f"'{signal.casefold()}'" in said:
                yield pointer.model, _alert(breach, signal)


def _alert(breach: Breach, signal: str) -> AlertFired:
    # The rest of the text is one JSON object a feature: the job's page shows them, a history need not.
    summary = breach.text.strip().partition("\n")[0]
    return AlertFired(
        at=breach.at, rule=signal, alert_id=f"{breach.run}/{signal}", summary=summary[:MOST_SUMMARY_CHARS]
    )
