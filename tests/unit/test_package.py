"""What the deployed package and its settings consist of."""

import json
from fnmatch import fnmatch
from pathlib import Path

from shared.intake.ledger import STALE_AFTER
from shared.settings import VARIABLES

ROOT = Path(__file__).resolve().parents[2]


def test_only_the_product_is_deployed() -> None:
    lines = (ROOT / ".funcignore").read_text().splitlines()
    patterns = [line.rstrip("/") for line in lines if line and not line.startswith("#")]
    kept = {entry.name for entry in ROOT.iterdir() if not any(fnmatch(entry.name, pattern) for pattern in patterns)}
    assert kept == {"function_app.py", "host.json", "requirements.txt", "shared"}


def test_the_sample_of_settings_names_every_setting() -> None:
    sample = json.loads((ROOT / "local.settings.sample.json").read_text())["Values"]
    assert {name for name in sample if name.startswith("UPKEEP_")} == {*VARIABLES, "UPKEEP_SWEEP_SCHEDULE"}


def test_a_run_may_not_take_longer_than_the_intake_waits_for_it() -> None:
    host = json.loads((ROOT / "host.json").read_text())
    hours, minutes, seconds = (int(part) for part in host["functionTimeout"].split(":"))
    assert hours * 3_600 + minutes * 60 + seconds <= STALE_AFTER.total_seconds()
