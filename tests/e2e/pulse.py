"""The tiny model of the rollout's tests: its folder, written out anew for each case, and its data."""

import random
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from localcloud.demo.ground import ROOT

TEMPLATE = Path(__file__).parent / "pulse"
EXAMPLE = ROOT / "models" / "flight-duration"
ROWS = 300


def folder(into: Path, name: str, rollout: dict[str, Any]) -> Path:
    """A model's folder under this name. Its environments are the example's, which `make setup` has built."""
    made = Path(shutil.copytree(TEMPLATE, into / name))
    for half in ("train", "score"):
        shutil.copy(EXAMPLE / half / "environment.yml", made / half / "environment.yml")
    spec = yaml.safe_load((made / "upkeep.yaml").read_text())
    spec["name"], spec["rollout"] = name, {**spec["rollout"], **rollout}
    _write(made / "upkeep.yaml", spec)
    # Jobs of one compute are run one after the other.
    _change(made / "train" / "job.yml", compute=f"azureml:{name}")
    _change(made / "score" / "endpoint.yml", name=name)
    _change(made / "score" / "deployment.yml", endpoint_name=name)
    return made


def month(into: Path, number: int, slope: float) -> Path:
    """A file with a month's rows, in which y is x times the slope, and some noise."""
    rng, start = random.Random(number), datetime(2025, number, 1, tzinfo=UTC)
    lines = ["at,x,y"]
    for row in range(ROWS):
        x = rng.uniform(0, 10)
        at = start + timedelta(minutes=row)
        lines.append(f"{at:%Y-%m-%dT%H:%M:%SZ},{x:.4f},{slope * x + rng.gauss(0, 0.5):.4f}")
    path = into / f"{number:02d}-{slope:g}.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def _change(path: Path, **values: str) -> None:
    _write(path, {**yaml.safe_load(path.read_text()), **values})


def _write(path: Path, document: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(document, sort_keys=False))
