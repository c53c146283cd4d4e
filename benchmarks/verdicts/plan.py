"""The rollout that is played: steps, bake and limits of the example's spec, and what becomes of a canary.

Read by everything here that deals with canaries.
"""

from dataclasses import dataclass
from enum import StrEnum

from shared.domain.spec import Analysis, Step

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
