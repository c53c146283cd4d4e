"""The closed vocabulary of why. The stored decision, the log line, the page and the command line use these words."""

from enum import StrEnum

from shared.domain.base import Kept

Fact = str | int | float | bool | None


class Why(StrEnum):
    """Each word is documented in docs/reference/reasons.md; a test holds the two together."""

    # events
    DATA_ARRIVED = "DataArrived"
    DATA_KNOWN = "DataKnown"
    RETRAIN_ASKED = "RetrainAsked"
    ALERT_UNMAPPED = "AlertUnmapped"
    PAUSED = "Paused"
    RESUMED = "Resumed"
    COMMAND_REFUSED = "CommandRefused"
    ROLLBACK_ASKED = "RollbackAsked"
    # beginning
    BATCH_READY = "BatchReady"
    NOT_ENOUGH_DATA = "NotEnoughData"
    NO_NEW_DATA = "NoNewData"
    COOLING_DOWN = "CoolingDown"
    BUDGET_SPENT = "BudgetSpent"
    COMPUTE_SPENT = "ComputeSpent"
    TRAINED_ELSEWHERE = "TrainedElsewhere"
    RELEASE_BEGUN = "ReleaseBegun"
    TAKE_BEGUN = "TakeBegun"
    TAKEN = "Taken"
    TAKE_WAITS = "TakeWaits"
    TAKE_REFUSED = "TakeRefused"
    # training and judging
    TRAINING_RETRIED = "TrainingRetried"
    TRAINING_FAILED = "TrainingFailed"
    TRAINING_TIMED_OUT = "TrainingTimedOut"
    TRAINING_COMPLETED = "TrainingCompleted"
    GATES_PASSED = "GatesPassed"
    GATES_FAILED = "GatesFailed"
    GATES_INCONCLUSIVE = "GatesInconclusive"
    ARTIFACT_BARRED = "ArtifactBarred"
    APPROVAL_NEEDED = "ApprovalNeeded"
    APPROVED = "Approved"
    APPROVAL_REFUSED = "ApprovalRefused"
    APPROVAL_EXPIRED = "ApprovalExpired"
    ABORTED = "Aborted"
    SUPERSEDED = "Superseded"
    # registering and deploying
    ARTIFACT_CHANGED = "ArtifactChanged"
    MODEL_REGISTERED = "ModelRegistered"
    NAME_TAKEN = "NameTaken"
    ENDPOINT_MISSING = "EndpointMissing"
    QUOTA_SHORT = "QuotaShort"
    QUOTA_UNKNOWN = "QuotaUnknown"
    ENDPOINT_FULL = "EndpointFull"
    DEPLOYMENT_ORDERED = "DeploymentOrdered"
    DEPLOYMENT_READY = "DeploymentReady"
    DEPLOYMENT_FAILED = "DeploymentFailed"
    SMOKE_PASSED = "SmokePassed"
    SMOKE_FAILED = "SmokeFailed"
    LOAD_TEST_PASSED = "LoadTestPassed"
    LOAD_TEST_REPEATED = "LoadTestRepeated"
    LOAD_TEST_FAILED = "LoadTestFailed"
    # rollout
    TRAFFIC_SEEN = "TrafficSeen"
    SHADOW_PASSED = "ShadowPassed"
    SHADOW_UNSEEN = "ShadowUnseen"
    STEP_PASSED = "StepPassed"
    PROMOTED = "Promoted"
    ANALYSIS_FAILED = "AnalysisFailed"
    NO_DATA = "NoData"
    UNDECIDED = "Undecided"
    UNREADABLE = "Unreadable"
    PROBING = "Probing"
    PROBED = "Probed"
    FROZEN = "Frozen"
    TOO_SOON = "TooSoon"
    DEPLOYMENT_LOST = "DeploymentLost"
    RELEASE_LIVE = "ReleaseLive"
    ROLLED_BACK = "RolledBack"
    NOTHING_TO_ROLL_BACK_TO = "NothingToRollBackTo"
    DEPLOYMENT_RETIRED = "DeploymentRetired"
    KEPT_LOST = "KeptLost"
    # the endpoint
    HAND_MADE_CHANGE = "HandMadeChange"
    STRANGER_SEEN = "StrangerSeen"
    HAND_MADE_CHANGE_GONE = "HandMadeChangeGone"
    NOTHING_HEALTHY = "NothingHealthy"
    HEALTHY_AGAIN = "HealthyAgain"
    STAGE_MOVED = "StageMoved"
    STAGE_LEFT = "StageLeft"
    SHARED = "Shared"
    SHARE_LEFT = "ShareLeft"
    MONITOR_MOVED = "MonitorMoved"
    MONITOR_LEFT = "MonitorLeft"


FOR_A_PERSON = frozenset(
    {
        Why.APPROVAL_NEEDED,
        Why.NAME_TAKEN,
        Why.ENDPOINT_MISSING,
        Why.NO_DATA,
        Why.UNDECIDED,
        Why.UNREADABLE,
        Why.HAND_MADE_CHANGE,
    }
)
"""Words that a person is to hear of, where the release stays as it is."""


class Reason(Kept, frozen=True, kw_only=True):
    """One step of an explanation: the word, a sentence for people, and the facts behind it."""

    why: Why
    text: str
    facts: dict[str, Fact] = {}
