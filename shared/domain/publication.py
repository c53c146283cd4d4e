"""What `upkeep publish` makes of a model's folder: the spec with every file that it names resolved.

Written once under its content hash by publish, read by the reconciler; a release is decided and acted on to
its end by the publication that it began with.
"""

import hashlib

from shared.domain.base import Kept, canonical
from shared.domain.sample import Sample
from shared.domain.spec import Spec
from shared.domain.spec_evidence import Query


class TrainingAssets(Kept, frozen=True, kw_only=True):
    """The command job, with code and environment as full resource ids."""

    command: str
    code_id: str
    environment_id: str
    compute: str
    instance_type: str | None = None
    environment_variables: dict[str, str] = {}


class Probe(Kept, frozen=True, kw_only=True):
    """When the platform asks a replica whether it lives or is ready. Seconds, and how often in a row."""

    initial_delay_s: int
    period_s: int
    timeout_s: int
    success_threshold: int
    failure_threshold: int


class DataCollection(Kept, frozen=True, kw_only=True):
    """What of requests and answers the deployment's scoring script collects. None: as Azure ML does by itself."""

    collections: tuple[str, ...]
    """Names of those that are switched on."""
    sampling_rate: float | None = None
    """Share of them, 0 to 1; Azure ML takes all."""
    rolling_rate: str | None = None
    """Which stretch of time shares a file: minute, hour or day; Azure ML's is hour."""


class ServingAssets(Kept, frozen=True, kw_only=True):
    """The online deployment, with code and environment as full resource ids."""

    endpoint: str
    code_id: str
    scoring_script: str
    environment_id: str
    instance_type: str
    instance_count: int = 1
    environment_variables: dict[str, str] = {}
    request_timeout_ms: int = 5_000
    max_concurrent_requests_per_instance: int = 1
    max_queue_wait_ms: int | None = None
    liveness_probe: Probe | None = None
    readiness_probe: Probe | None = None
    app_insights_enabled: bool = False
    data_collector: DataCollection | None = None


class Monitor(Kept, frozen=True, kw_only=True):
    """An Azure ML monitor of whatever deployment is live: its YAML as JSON text.

    `endpoint` and `stand_in` are the endpoint and the deployment as it names them, in whose place the real ones are
    put. `content` is what publishing tells a change of the file by.
    """

    name: str
    document: str
    endpoint: str
    stand_in: str
    content: str


class Publication(Kept, frozen=True, kw_only=True):
    """One published state of a model's folder. `sample_request` and `answer_schema` are JSON texts.

    `queries` are the texts of those queries of the analysis that stand in files, by their names. `monitors` are those
    that follow the live deployment; schedules that do not are publishing's alone.
    """

    spec: Spec
    training: TrainingAssets
    serving: ServingAssets
    sample_request: str
    answer_schema: str = ""
    queries: dict[str, str] = {}
    monitors: tuple[Monitor, ...] = ()
    commit: str = ""

    @property
    def hash(self) -> str:
        """First 32 hex digits of the SHA-256 of the canonical JSON."""
        return hashlib.sha256(canonical(self)).hexdigest()[:32]

    @property
    def sample(self) -> Sample:
        """What a deployment is tried with."""
        return Sample(request=self.sample_request, answer=self.spec.rollout.answer, schema=self.answer_schema)

    def monitor(self, name: str) -> Monitor | None:
        """The monitor of that name, if it is still one of these."""
        return next((each for each in self.monitors if each.name == name), None)

    def kql(self, query: Query) -> str:
        """The text of a query, wherever it was written."""
        return query.kql if query.kql is not None else self.queries.get(query.name, "")
