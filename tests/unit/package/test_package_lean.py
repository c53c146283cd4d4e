"""What a process loads until it has what it needs to record an event: little, and that is most of a cold start."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
RECORD = """
import json, sys
import function_app
from shared.bootstrap import build
from shared.settings import Settings
with open("local.settings.sample.json") as file:
    build(Settings.of(json.load(file)["Values"])).inbox
print(json.dumps(sorted(sys.modules)))
"""


@pytest.fixture(scope="module")
def loaded() -> list[str]:
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("UPKEEP", "AZURE", "PYTHONPATH"))
    }
    done = subprocess.run(
        [sys.executable, "-c", RECORD], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "module",
    [
        "azure.ai.ml",
        "azure.monitor.query",
        "azure.storage.blob",
        "croniter",
        "pyarrow",
        "shared.adapters.azureml",
        "shared.domain.observation",
        "shared.domain.record",
        "shared.domain.spec",
        "shared.intake.intake",
        "shared.operator",
        "shared.reconcile.loop",
    ],
)
def test_recording_an_event_does_not_load(loaded: list[str], module: str) -> None:
    assert module not in loaded
