"""What was seen of the world in one pass. A field that is None was not looked at, because the phase needs no look."""

import re
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.artifact import ArtifactSeen
from shared.domain.base import Kept
from shared.domain.evaluation import Evaluation
from shared.domain.predictions import PredictionsSeen
from shared.domain.queries import QuerySeen
from shared.domain.tally import Tally


class JobStatus(StrEnum):
    """Azure ML's many statuses, as far as a decision tells them apart."""

    ABSENT = "absent"
    WAITING = "waiting"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"


class JobSeen(Kept, frozen=True, kw_only=True):
    """A job looked up by its name. `ours` is False when another hand made it under our name.

    `started` and `ended` are when it ran, as far as Azure ML tells, on so many `nodes`.
    """

    name: str
    status: JobStatus
    detail: str = ""
    ours: bool = True
    started: datetime | None = None
    ended: datetime | None = None
    nodes: int = 1


class EvaluationSeen(Kept, frozen=True, kw_only=True):
    """The evaluation of a completed job: read, or what is wrong with it."""

    evaluation: Evaluation | None = None
    problem: str = ""


class ModelSeen(Kept, frozen=True, kw_only=True):
    """A model version looked up by its number. `job` is the one that it says it comes from."""

    exists: bool
    job: str = ""
    stage: str = ""


class SharedSeen(Kept, frozen=True, kw_only=True):
    """A version of a registry; `marks` are what Upkeep wrote on it: tags and properties that begin with upkeep_."""

    exists: bool
    version: int = 0
    marks: dict[str, str] = {}


class MonitorSeen(Kept, frozen=True, kw_only=True):
    """A monitor of the workspace, and the deployment that it watches. `ours`: Upkeep made it, for this model."""

    exists: bool
    ours: bool = False
    deployment: str = ""


class DeploymentState(StrEnum):
    """Provisioning states, as far as a decision tells them apart."""

    CHANGING = "changing"
    READY = "ready"
    FAILED = "failed"


class EndpointSeen(Kept, frozen=True, kw_only=True):
    """The endpoint: live and mirrored traffic by deployment, in percent, and its deployments with their states.

    `mark` is the split that Upkeep set last, as the endpoint itself carries it (split.py); empty where it has none.
    """

    exists: bool
    traffic: dict[str, int] = {}
    mirror: dict[str, int] = {}
    mark: str = ""
    deployments: dict[str, DeploymentState] = {}


class QuotaSeen(Kept, frozen=True, kw_only=True):
    """Cores of a VM size that may still be taken. `free` is None when nobody could say; `problem` is why.

    `limited_by` is the service's own name of the limit that leaves least.
    """

    cores_per_instance: int = 0
    free: int | None = None
    limited_by: str = ""
    problem: str = ""


class SmokeSeen(Kept, frozen=True, kw_only=True):
    """One scoring of the sample request on the new deployment."""

    ok: bool
    status: int
    detail: str = ""


class Grid(Kept, frozen=True, kw_only=True):
    """How a rollout has the traffic log counted: in slices of `slice_s` seconds from the start of the window; answers
    that took more than `slow_ms` (None: none are slow); durations in levels, level n from `level_ratio` ** n ms on.
    """

    slice_s: int
    slow_ms: int | None
    level_ratio: float


class Slice(Kept, frozen=True, kw_only=True):
    """One slice of a window. `levels` are pairs: a level, and how many answers have a duration of it."""

    requests: int
    errors: int = 0
    throttled: int = 0
    slow: int = 0
    levels: tuple[tuple[int, int], ...] = ()


class Stats(Kept, frozen=True, kw_only=True):
    """Traffic of one deployment over a window. `errors` are answers that are the deployment's own fault.

    `throttled` requests were refused because there were too many, `delayed` ones were slowed down by Azure for their
    size. Only a rollout asks for these and for `slices`, those with requests in the order of their time; for `upkeep
    check` there are more percentiles.
    """

    requests: int
    errors: int
    throttled: int = 0
    delayed: int = 0
    slices: tuple[Slice, ...] = ()
    latency_p95_ms: float | None = None
    latency_p50_ms: float | None = None
    latency_p99_ms: float | None = None


class TrafficSeen(Kept, frozen=True, kw_only=True):
    """The traffic log over one window, by deployment."""

    start: datetime
    end: datetime
    stats: dict[str, Stats]

    def of(self, deployment: str) -> Stats:
        """Statistics of a deployment; no row means no request."""
        return self.stats.get(deployment, Stats(requests=0, errors=0))


LASTING = timedelta(minutes=10)
"""Trouble that is over sooner is no news, and decides nothing."""
UNSEEN = "Cannot be seen: "
"""Begins what a release waits for while a look fails; it is taken back once one succeeds."""
REFUSED = "Cannot be done: "
"""The same for an order; it is taken back once the release moves."""
_CHANGING = re.compile(r"\S*\d\S*")


def alike(one: str, other: str) -> bool:
    """Whether two sentences differ in numbers, times and ids at most."""
    return _CHANGING.sub("#", one) == _CHANGING.sub("#", other)


class Trouble(Kept, frozen=True, kw_only=True):
    """What kept a pass from seeing or doing what the release in flight needs.

    `since` is when it began, as far as the worker that looked knows. `for_person`: it does not mend itself.
    `refused`: it was no look that failed but an order.
    """

    text: str
    since: datetime
    for_person: bool = False
    refused: bool = False

    def lasts(self, now: datetime) -> bool:
        """Whether it has lasted so long that it is no mere moment."""
        return now >= self.since + LASTING

    def is_news(self, now: datetime) -> bool:
        """Whether somebody should be told."""
        return self.for_person or self.lasts(now)


class Observation(Kept, frozen=True, kw_only=True):
    """One look at the world. `lost` are releases whose kept versions are registered no more."""

    job: JobSeen | None = None
    evaluation: EvaluationSeen | None = None
    model: ModelSeen | None = None
    artifact: ArtifactSeen | None = None
    endpoint: EndpointSeen | None = None
    quota: QuotaSeen | None = None
    lost: tuple[int, ...] = ()
    smoke: SmokeSeen | None = None
    traffic: TrafficSeen | None = None
    shared: SharedSeen | None = None
    """The version that is to be taken over, or the first of those that are to be shared."""
    sent: dict[str, Tally] = {}
    """Requests of Upkeep's own that this look has sent, by deployment: a load test's, or probes."""
    staged: ModelSeen | None = None
    """The version of the first of the record's moves of stage."""
    monitor: MonitorSeen | None = None
    """The first of the record's monitors."""
    trouble: Trouble | None = None
    """Why something is missing here that the release in flight needs."""
    queries: dict[str, QuerySeen] | None = None
    predictions: PredictionsSeen | None = None
