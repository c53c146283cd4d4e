"""The model's spec: upkeep.yaml as typed values. Read by everyone, written by the model's owner only.

Durations are seconds (`_s`), shares are percent (`_pct`), sizes are bytes. reading.py turns text into it
and reports the mistakes; this module only says what there is.
"""

from enum import StrEnum
from typing import Annotated, Literal

from msgspec import Meta, field

from shared.domain.analysis import Aspect
from shared.domain.base import Written
from shared.domain.spec_evidence import Answer, LoadTest, Predictions, Probe, Query
from shared.domain.spec_gates import Gates
from shared.domain.spec_types import NotNegative, Percent, Positive, RelativePath

ModelName = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9-]{1,22}[a-z0-9]$",
        description="3 to 24 characters: lower-case letters, digits and hyphens, a letter first.",
    ),
]


class ColumnType(StrEnum):
    """Types that a column of an upload may have."""

    INT64 = "int64"
    FLOAT64 = "float64"
    STRING = "string"
    BOOL = "bool"
    TIMESTAMP = "timestamp"


class Column(Written, frozen=True, kw_only=True):
    """The contract of one column. `min` and `max` bound numbers; `max_length` and `values` bound strings."""

    type: ColumnType
    nullable: bool = False
    min: float | None = None
    max: float | None = None
    max_length: Positive | None = None
    values: tuple[str, ...] | None = None


class Batch(Written, frozen=True, kw_only=True):
    """When fresh parts are worth a training: enough parts and rows together, or one waited too long."""

    min_parts: Positive = 1
    min_rows: Positive = 1
    max_age_s: Positive = 7 * 86_400


class Data(Written, frozen=True, kw_only=True):
    """What an upload must look like, and which parts a training reads."""

    time_column: str
    columns: dict[str, Column]
    max_bytes: Positive = 1_000_000_000
    batch: Batch = field(default_factory=Batch)
    train_parts: Annotated[int, Meta(ge=1, le=180)] = 1
    held_out_parts: Annotated[int, Meta(ge=1, le=20)] = 1


class Training(Written, frozen=True, kw_only=True):
    """The Azure ML command job that trains and evaluates. `component` is the same for other people's pipelines."""

    job: RelativePath
    component: RelativePath | None = None
    timeout_s: Positive = 3_600
    max_attempts: Annotated[int, Meta(ge=1, le=9)] = 2


class Approval(Written, frozen=True, kw_only=True):
    """Whether a candidate that passed the gates waits for a person. Without an answer it is let go in the end.

    Of the rules, `slice_worse` is about slices that were measured worse than the tolerance but not proven to be, and
    `schema_changed` about a model that takes other inputs than the live one.
    """

    required: Literal["never", "always", "rules"] = "never"
    first_release: bool = True
    effect_under_pct: Percent = 0.0
    slice_worse: bool = True
    schema_changed: bool = True
    expires_s: Positive = 7 * 86_400


class Step(Written, frozen=True, kw_only=True):
    """One step of a canary: a share of live traffic, held for a time and a number of requests."""

    traffic_pct: Annotated[int, Meta(ge=1, le=100)]
    hold_s: NotNegative = 600
    min_requests: NotNegative = 100


class Shadow(Written, frozen=True, kw_only=True):
    """A stage before the canary: a copy of some of the live traffic, whose answers nobody gets. Azure allows 50 %."""

    mirror_pct: Annotated[int, Meta(ge=1, le=50)] = 10
    hold_s: NotNegative = 600
    min_requests: NotNegative = 100


class Analysis(Written, frozen=True, kw_only=True):
    """Limits on a canary's answers. The ratios compare with the live deployment over the same time.

    `failures_in_a_row`: looks in a row at which a check that may fail by chance has to fail. `skip`: checks left out.
    """

    max_error_rate_pct: Percent = 1.0
    max_error_rate_ratio: Annotated[float, Meta(ge=1)] = 2.0
    max_latency_p95_ms: Positive | None = None
    max_latency_ratio: Annotated[float, Meta(ge=1.1, le=100)] = 2.0
    max_throttled_pct: Percent = 5.0
    failures_in_a_row: Annotated[int, Meta(ge=1, le=20)] = 1
    skip: tuple[Aspect, ...] = ()
    queries: tuple[Query, ...] = ()
    predictions: Predictions | None = None


class NoData(StrEnum):
    """What to do with a release that could not be judged for too long. Promotes nothing that is over a limit."""

    HOLD = "hold"
    ROLLBACK = "rollback"
    PROMOTE = "promote"
    PROBE = "probe"


def _default_steps() -> tuple[Step, ...]:
    return (Step(traffic_pct=10), Step(traffic_pct=50), Step(traffic_pct=100))


class Rollout(Written, frozen=True, kw_only=True):
    """How a registered model comes to serve.

    `max_wait_s` is how long a release waits for a place on its endpoint and for quota, before it fails.
    `min_interval_s` is the least time from one version going live to the next one taking traffic. `hand_made` says
    what becomes of traffic that another hand changed: it stands until a person decides, or it is put right.
    """

    endpoint: RelativePath
    deployment: RelativePath
    sample_request: RelativePath
    answer: Answer | None = None
    load_test: LoadTest | None = None
    shadow: Shadow | None = None
    steps: tuple[Step, ...] = field(default_factory=_default_steps)
    bake_s: NotNegative = 3_600
    log_lag_s: NotNegative = 300
    max_hold_s: Positive = 86_400
    deploy_timeout_s: Positive = 3_600
    max_wait_s: Positive = 21_600
    min_interval_s: NotNegative = 0
    hand_made: Literal["respect", "put_right"] = "respect"
    smoke_tries: Positive = 3
    no_data: NoData = NoData.HOLD
    probe: Probe = field(default_factory=Probe)
    analysis: Analysis = field(default_factory=Analysis)


class Retrain(Written, frozen=True, kw_only=True):
    """When training is allowed and when it comes due by itself. `schedule` is five-field cron, in UTC.

    `when_newer` says what becomes of a release in flight when another one could begin: it is finished first, or
    replaced, as long as it does not have all of the live traffic yet. `max_compute_hours_per_month` bounds the node
    hours of trainings in thirty days; None is no bound.
    """

    schedule: str | None = None
    cooldown_s: NotNegative = 3_600
    max_runs_per_day: Positive = 24
    max_compute_hours_per_month: Annotated[float, Meta(gt=0)] | None = None
    when_newer: Literal["finish", "replace"] = "finish"


Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
ClockTime = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="HH:MM, on a clock of 24 hours")]


class Freeze(Written, frozen=True, kw_only=True):
    """Hours, on these days, in which nothing new begins and no traffic moves forward. May go over midnight."""

    days: tuple[Day, ...]
    start: ClockTime = "00:00"
    end: Annotated[str, Meta(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")] = "24:00"
    time_zone: str = "UTC"


class AlertResponse(StrEnum):
    """What a fired alert makes Upkeep do."""

    RETRAIN = "retrain"
    ROLLBACK = "rollback"
    PAUSE = "pause"


class RegistryMode(StrEnum):
    """What an environment does with a registry."""

    SHARE = "share"
    TAKE = "take"


class Registry(Written, frozen=True, kw_only=True):
    """An Azure ML registry, by which a version goes from the workspace that trained it to others.

    With `share` every version that goes live is shared; with `take` nothing is trained here, and versions that others
    shared are taken by command.
    """

    name: Annotated[
        str,
        Meta(
            pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_-]{1,31}[a-zA-Z0-9]$",
            description="the name of an Azure ML registry: 3 to 33 letters, digits, hyphens or underscores.",
        ),
    ]
    mode: RegistryMode


class Spec(Written, frozen=True, kw_only=True):
    """upkeep.yaml, with the overlay of its environment already merged in."""

    version: Literal[1]
    name: ModelName
    data: Data
    training: Training
    gates: Gates
    rollout: Rollout
    description: str = ""
    approval: Approval = field(default_factory=Approval)
    retrain: Retrain = field(default_factory=Retrain)
    freezes: tuple[Freeze, ...] = ()
    registry: Registry | None = None
    alerts: dict[str, AlertResponse] = field(default_factory=dict)
    schedules: tuple[RelativePath, ...] = ()
    """Azure ML schedules that `upkeep publish` puts: monitors, and pipeline jobs that come round."""
    poll_s: Positive = 30


class Document(Spec, frozen=True, kw_only=True):
    """upkeep.yaml as it stands in the file: the spec and, by environment, what is laid over it."""

    environments: dict[str, dict[str, object]] = field(default_factory=dict)
