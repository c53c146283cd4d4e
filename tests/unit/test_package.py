"""What the deployed package and its settings consist of."""

import json
from pathlib import Path

from infra.package_files import deployed
from shared.intake.ledger import STALE_AFTER
from shared.settings import VARIABLES

ROOT = Path(__file__).resolve().parents[2]


def test_only_the_product_is_deployed() -> None:
    assert {path.split("/")[0] for path in deployed(ROOT)} == {
        "function_app.py",
        "host.json",
        "requirements.txt",
        "shared",
    }


def test_the_command_line_is_not_deployed() -> None:
    assert [path for path in deployed(ROOT) if path.startswith("shared/operator/")] == []


def test_the_sample_of_settings_names_every_setting() -> None:
    sample = json.loads((ROOT / "local.settings.sample.json").read_text())["Values"]
    assert {name for name in sample if name.startswith("UPKEEP_")} == {*VARIABLES, "UPKEEP_SWEEP_SCHEDULE"}


def test_a_run_may_not_take_longer_than_the_intake_waits_for_it() -> None:
    host = json.loads((ROOT / "host.json").read_text())
    hours, minutes, seconds = (int(part) for part in host["functionTimeout"].split(":"))
    assert hours * 3_600 + minutes * 60 + seconds <= STALE_AFTER.total_seconds()
