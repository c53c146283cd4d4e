"""The story: which months are dropped when, and what has to come of it. Read by story.py and ending.py.

What happens is not staged but for the broken cell and the failing canary: the months are chosen so that each part is
true on the real data (models/flight-duration/README.md has the numbers behind it).
"""

from dataclasses import dataclass

MODEL = "flight-duration"
ENDPOINT = "flight-duration"
ALERT_RULE = "flight-duration-mae"
# The words that tell the story; others (a part known already, a step passed) may differ in number and order.
MILESTONES = frozenset(
    {
        "ReleaseBegun",
        "TrainingRetried",
        "TrainingFailed",
        "TrainingTimedOut",
        "GatesPassed",
        "GatesFailed",
        "GatesInconclusive",
        "SmokeFailed",
        "AnalysisFailed",
        "DeploymentFailed",
        "DeploymentLost",
        "RolledBack",
        "NothingToRollBackTo",
        "ReleaseLive",
        "RetrainAsked",
        "AlertUnmapped",
        "NoData",
    }
)
LIVE = ("ReleaseBegun", "GatesPassed", "ReleaseLive")


@dataclass(frozen=True)
class Act:
    """Months that are dropped one after the other, and the milestones that must follow, in this order.

    `flown` is the month in which the users fly meanwhile; `breaks` lets the canary fail once it has half of the
    traffic; `by_alert` says that the drop alone is too little for a training, and that the users' error calls for it.
    """

    title: str
    months: tuple[int, ...]
    follows: tuple[str, ...]
    flown: int
    breaks: bool = False
    by_alert: bool = False


ACTS = (
    Act("The first months arrive", (1, 2), LIVE, flown=2),
    Act("New data, and a better model", (3, 4), LIVE, flown=4),
    Act(
        "A rollout that goes wrong in the middle",
        (5, 6),
        ("ReleaseBegun", "GatesPassed", "AnalysisFailed", "RolledBack"),
        flown=6,
        breaks=True,
    ),
    Act("Two months later a better model again", (7, 8), LIVE, flown=8),
    Act("A candidate that may be better or not", (9, 10), ("ReleaseBegun", "GatesInconclusive"), flown=10),
    Act(
        "The error rises, and an alert calls for a training",
        (11,),
        ("RetrainAsked", *LIVE),
        flown=11,
        by_alert=True,
    ),
)
BROKEN_BEFORE = 3  # the file with the broken column comes before this act (its index)
BROKEN_MONTH = 12
# Azure Monitor's rule: the mean error of the last half minute, when there are answers enough to speak of one.
ALERT_RATIO = 1.5
ALERT_WINDOW_S = 30
ALERT_LEAST_ANSWERS = 300


def alert_rule(reference_minutes: float) -> dict[str, object]:
    """A scheduled query rule that fires when the error is far above the one that the live model was judged by."""
    query = (
        "ModelPerformance_CL"
        f" | where EndpointName == '{ENDPOINT}'"
        " | summarize Answers = count(), MeanAbsoluteError = round(avg(AbsoluteError), 2)"
        f" | where Answers >= {ALERT_LEAST_ANSWERS}"
    )
    return {
        "query": query,
        "time_aggregation": "Average",
        "metric_measure_column": "MeanAbsoluteError",
        "operator": "GreaterThan",
        "threshold": round(ALERT_RATIO * reference_minutes, 2),
        "window_s": ALERT_WINDOW_S,
        "evaluation_period_s": 3,
        "severity": 2,
        "description": "The mean absolute error of the model's answers has risen.",
    }
