"""The pipelines' files as tests read them. Values are text, as in the files: `on` stays a word, and so does `yes`."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
STEPS = ROOT / "pipelines" / "steps"
GUIDE = ROOT / "docs" / "guide" / "pipelines.md"
Node = dict[str, Any]


def read(path: str) -> Node:
    """One YAML file, by its path from the root."""
    found: Node = yaml.load((ROOT / path).read_text(encoding="utf-8"), yaml.BaseLoader)
    return found


def paths(*patterns: str) -> list[str]:
    """Paths from the root that match, in order."""
    return sorted(str(path.relative_to(ROOT)) for pattern in patterns for path in ROOT.glob(pattern))


WORKFLOWS = {Path(path).stem: read(path) for path in paths(".github/workflows/*.yml")}
JOBS = {(name, job): what for name, flow in WORKFLOWS.items() for job, what in flow["jobs"].items()}
ALL = paths(".github/workflows/*.yml", ".github/actions/*/*.yml", "azure-pipelines.yml", "pipelines/*.yml")
DOCUMENTS = paths("docs/guide/pipelines.md", "docs/guide/hello-pipeline.md", "docs/azure/az-ml.md")
SCRIPTS = {path.name: path.read_text(encoding="utf-8") for path in sorted(STEPS.glob("*.sh"))}


def commands(text: str) -> list[str]:
    """What a step of either system runs of ours: make targets, scripts of pipelines/steps with arguments."""
    found = re.findall(r"^\s*(?:pipelines/steps/([\w-]+\.sh[^\n#]*)|(make [\w-]+))", text, re.MULTILINE)
    return [(script or make).strip() for script, make in found]
