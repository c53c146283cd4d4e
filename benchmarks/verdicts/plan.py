"""The rollout that is played: steps, bake and limits of the example's spec, and what becomes of a canary.

Read by everything here that deals with canaries.
"""

from dataclasses import dataclass
from enum import StrEnum

from shared.domain.publication import Publication, ServingAssets, TrainingAssets
from shared.domain.spec import Analysis, Data, Gates, Rollout, Spec, Step, Training

POLL_S = 30
"""How often the reconciler looks, and the length of a slice of traffic."""
MAX_HOLD_S = 86_400
LIMITS = Analysis(max_error_rate_pct=1.0, max_error_rate_ratio=2.0, max_latency_p95_ms=2_000)
STAGES = (
    Step(traffic_pct=10, hold_s=1_800, min_requests=100),
    Step(traffic_pct=50, hold_s=1_800, min_requests=500),
    Step(traffic_pct=100, hold_s=1_800, min_requests=1_000),
    Step(traffic_pct=100, hold_s=3_600, min_requests=0),
)
"""Three steps of canary; the last stage is the bake."""
PUBLICATION = Publication(
    spec=Spec(
        version=1,
        name="model",
        data=Data(time_column="at", columns={}),
        training=Training(job="job.yml"),
        gates=Gates(metric="mae", direction="minimize"),
        rollout=Rollout(
            endpoint="endpoint.yml",
            deployment="deployment.yml",
            sample_request="sample.json",
            steps=STAGES[:-1],
            bake_s=STAGES[-1].hold_s,
            max_hold_s=MAX_HOLD_S,
            analysis=LIMITS,
        ),
        poll_s=POLL_S,
    ),
    training=TrainingAssets(command="", code_id="", environment_id="", compute=""),
    serving=ServingAssets(endpoint="e", code_id="", scoring_script="", environment_id="", instance_type=""),
    sample_request="",
)
"""What of it the product reads."""


class Kind(StrEnum):
    """How a rollout ends, or one of its stages."""

    PASSED = "passed"
    FAILED = "failed"
    HELD = "held"


@dataclass(frozen=True)
class Ending:
    """How it ended, in which stage (from 0), and how many requests the candidate had answered by then."""

    kind: Kind
    stage: int
    requests: int


def polls(seconds: int) -> int:
    """Looks in so many seconds."""
    return seconds // POLL_S


def most_polls(step: Step) -> int:
    """Looks after which a stage that is still inconclusive is given to a person."""
    return polls(step.hold_s + MAX_HOLD_S)
