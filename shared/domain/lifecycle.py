"""The life of a release as one table. A signal that a phase does not know leaves the release as it was."""

from enum import StrEnum


class Phase(StrEnum):
    """Where a release stands. Collecting is the state in which none is in flight."""

    COLLECTING = "collecting"
    TAKING = "taking"
    TRAINING = "training"
    JUDGING = "judging"
    AWAITING_APPROVAL = "awaiting_approval"
    REGISTERING = "registering"
    DEPLOYING = "deploying"
    TESTING = "testing"
    SHADOWING = "shadowing"
    CANARY = "canary"
    BAKING = "baking"
    ROLLING_BACK = "rolling_back"
    LIVE = "live"
    REJECTED = "rejected"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    SUPERSEDED = "superseded"


class Signal(StrEnum):
    """What can happen to a release."""

    RELEASE_BEGUN = "release_begun"
    RESTORE_BEGUN = "restore_begun"
    TAKE_BEGUN = "take_begun"
    TAKEN = "taken"
    TAKE_REFUSED = "take_refused"
    JOB_COMPLETED = "job_completed"
    JOB_RETRIED = "job_retried"
    JOB_FAILED = "job_failed"
    GATES_PASSED = "gates_passed"
    GATES_FAILED = "gates_failed"
    GATES_INCONCLUSIVE = "gates_inconclusive"
    APPROVAL_NEEDED = "approval_needed"
    APPROVED = "approved"
    APPROVAL_REFUSED = "approval_refused"
    APPROVAL_EXPIRED = "approval_expired"
    ABORTED = "aborted"
    ARTIFACT_CHANGED = "artifact_changed"
    MODEL_REGISTERED = "model_registered"
    NO_ROOM = "no_room"
    VERSION_LOST = "version_lost"
    DEPLOYMENT_READY = "deployment_ready"
    DEPLOYMENT_FAILED = "deployment_failed"
    SMOKE_PASSED = "smoke_passed"
    SMOKE_FAILED = "smoke_failed"
    LOAD_TEST_FAILED = "load_test_failed"
    SHADOW_BEGUN = "shadow_begun"
    SHADOW_PASSED = "shadow_passed"
    STEP_PASSED = "step_passed"
    LAST_STEP_PASSED = "last_step_passed"
    ANALYSIS_FAILED = "analysis_failed"
    ROLLBACK_ASKED = "rollback_asked"
    PROMOTED = "promoted"
    BAKED = "baked"
    TRAFFIC_RESTORED = "traffic_restored"
    SUPERSEDED = "superseded"


P, S = Phase, Signal

TRANSITIONS: dict[tuple[Phase, Signal], Phase] = {
    (P.COLLECTING, S.RELEASE_BEGUN): P.TRAINING,
    (P.COLLECTING, S.RESTORE_BEGUN): P.DEPLOYING,
    (P.COLLECTING, S.TAKE_BEGUN): P.TAKING,
    (P.TAKING, S.TAKEN): P.REGISTERING,
    (P.TAKING, S.APPROVAL_NEEDED): P.AWAITING_APPROVAL,
    (P.TAKING, S.TAKE_REFUSED): P.REJECTED,
    (P.TAKING, S.ABORTED): P.FAILED,
    (P.TRAINING, S.JOB_COMPLETED): P.JUDGING,
    (P.TRAINING, S.JOB_RETRIED): P.TRAINING,
    (P.TRAINING, S.JOB_FAILED): P.FAILED,
    (P.TRAINING, S.ABORTED): P.FAILED,
    (P.TRAINING, S.SUPERSEDED): P.SUPERSEDED,
    (P.JUDGING, S.GATES_PASSED): P.REGISTERING,
    (P.JUDGING, S.GATES_FAILED): P.REJECTED,
    (P.JUDGING, S.GATES_INCONCLUSIVE): P.REJECTED,
    (P.JUDGING, S.APPROVAL_NEEDED): P.AWAITING_APPROVAL,
    (P.JUDGING, S.ABORTED): P.FAILED,
    (P.JUDGING, S.SUPERSEDED): P.SUPERSEDED,
    (P.AWAITING_APPROVAL, S.APPROVED): P.REGISTERING,
    (P.AWAITING_APPROVAL, S.APPROVAL_REFUSED): P.REJECTED,
    (P.AWAITING_APPROVAL, S.APPROVAL_EXPIRED): P.REJECTED,
    (P.AWAITING_APPROVAL, S.ABORTED): P.FAILED,
    (P.AWAITING_APPROVAL, S.SUPERSEDED): P.SUPERSEDED,
    (P.REGISTERING, S.ABORTED): P.FAILED,
    (P.REGISTERING, S.ARTIFACT_CHANGED): P.FAILED,
    (P.REGISTERING, S.SUPERSEDED): P.SUPERSEDED,
    (P.REGISTERING, S.MODEL_REGISTERED): P.DEPLOYING,
    (P.DEPLOYING, S.ARTIFACT_CHANGED): P.FAILED,
    (P.DEPLOYING, S.NO_ROOM): P.FAILED,
    (P.DEPLOYING, S.VERSION_LOST): P.FAILED,
    (P.DEPLOYING, S.DEPLOYMENT_READY): P.TESTING,
    (P.DEPLOYING, S.DEPLOYMENT_FAILED): P.ROLLING_BACK,
    (P.DEPLOYING, S.ROLLBACK_ASKED): P.ROLLING_BACK,
    (P.DEPLOYING, S.SUPERSEDED): P.ROLLING_BACK,
    (P.TESTING, S.SMOKE_PASSED): P.CANARY,
    (P.TESTING, S.SMOKE_FAILED): P.ROLLING_BACK,
    (P.TESTING, S.LOAD_TEST_FAILED): P.ROLLING_BACK,
    (P.TESTING, S.DEPLOYMENT_FAILED): P.ROLLING_BACK,
    (P.TESTING, S.ROLLBACK_ASKED): P.ROLLING_BACK,
    (P.TESTING, S.SUPERSEDED): P.ROLLING_BACK,
    (P.TESTING, S.SHADOW_BEGUN): P.SHADOWING,
    (P.SHADOWING, S.SHADOW_PASSED): P.CANARY,
    (P.SHADOWING, S.PROMOTED): P.CANARY,
    (P.SHADOWING, S.ANALYSIS_FAILED): P.ROLLING_BACK,
    (P.SHADOWING, S.DEPLOYMENT_FAILED): P.ROLLING_BACK,
    (P.SHADOWING, S.ROLLBACK_ASKED): P.ROLLING_BACK,
    (P.SHADOWING, S.SUPERSEDED): P.ROLLING_BACK,
    (P.CANARY, S.STEP_PASSED): P.CANARY,
    (P.CANARY, S.LAST_STEP_PASSED): P.BAKING,
    (P.CANARY, S.PROMOTED): P.CANARY,
    (P.CANARY, S.ANALYSIS_FAILED): P.ROLLING_BACK,
    (P.CANARY, S.DEPLOYMENT_FAILED): P.ROLLING_BACK,
    (P.CANARY, S.ROLLBACK_ASKED): P.ROLLING_BACK,
    (P.CANARY, S.SUPERSEDED): P.ROLLING_BACK,
    (P.BAKING, S.BAKED): P.LIVE,
    (P.BAKING, S.PROMOTED): P.LIVE,
    (P.BAKING, S.ANALYSIS_FAILED): P.ROLLING_BACK,
    (P.BAKING, S.DEPLOYMENT_FAILED): P.ROLLING_BACK,
    (P.BAKING, S.ROLLBACK_ASKED): P.ROLLING_BACK,
    (P.ROLLING_BACK, S.TRAFFIC_RESTORED): P.ROLLED_BACK,
    (P.ROLLING_BACK, S.SUPERSEDED): P.SUPERSEDED,
}

ENDS = frozenset({Phase.LIVE, Phase.REJECTED, Phase.FAILED, Phase.ROLLED_BACK, Phase.SUPERSEDED})
WATCHED = frozenset({Phase.SHADOWING, Phase.CANARY, Phase.BAKING})
"""Phases in which the candidate gets requests, and the traffic log is looked at."""
