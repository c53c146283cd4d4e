"""What models.bicep is told of each model: derived from its folder, with what models.json says otherwise.

Called by models.py. So a model needs no entry anywhere: adding a model is adding a folder.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from infra.hooks.tools import Failed
from shared.domain.metrics import metric_of
from shared.domain.spec import Spec
from shared.errors import BadInput
from shared.operator.checking import folders
from shared.operator.reading import read_spec

REQUESTS, ANSWERS = 50, 300
"""Below so many requests, or known outcomes, a rule says nothing."""
ERROR_RATE_FACTOR = 5
"""A rule looks at live traffic for good, and a canary's limit is for an hour: it would wake people for noise."""

Watch = dict[str, Any]


def watched(root: Path, environment: str) -> list[Watch]:
    """One entry a model, by name, as `ModelWatch` of watch.bicep wants it. Failed when models.json names another."""
    said = {entry["name"]: entry for entry in json.loads((root / "infra" / "models.json").read_text())}
    try:
        derived = [_derived(folder, read_spec(folder, environment)) for folder in folders((), root / "models")]
    except BadInput as error:
        raise Failed("\n".join(error.problems)) from error
    if strange := sorted(said.keys() - {each["name"] for each in derived}):
        raise Failed(f"infra/models.json speaks of {strange[0]}, which no folder of models/ is: take the entry out.")
    return [{**each, **said.get(each["name"], {})} for each in derived]


def _derived(folder: Path, spec: Spec) -> Watch:
    """Limits from the spec's own. 0 is for a rule that cannot be made of it: none is made."""
    endpoint: Mapping[str, Any] = yaml.safe_load((folder / spec.rollout.endpoint).read_text(encoding="utf-8"))
    analysis, gates = spec.rollout.analysis, spec.gates
    # Above the floor no candidate would be let in; the error of a live model may as little be there.
    metric = metric_of(gates.metric, gates.direction)
    is_error = metric is not None and metric.direction == "minimize"
    error = math.ceil(gates.floor) if is_error and gates.floor is not None else 0
    return {
        "name": spec.name,
        "endpoint": str(endpoint["name"]),
        "errorRatePct": min(100, math.ceil(ERROR_RATE_FACTOR * analysis.max_error_rate_pct) or 1),
        "errorRateRequests": REQUESTS,
        "meanErrorAbove": error,
        "meanErrorAnswers": ANSWERS,
        "latencyP95Ms": analysis.max_latency_p95_ms or 0,
    }
