"""Azure Machine Learning in memory and in virtual time: jobs, versions, one endpoint and its traffic log.

It refuses what Azure refuses (a change while one is in flight, deleting what has traffic) and keeps count of
what the product must never do, as `Violation`.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from shared.domain.actions import (
    CreateDeployment,
    PointMonitor,
    RegisterModel,
    SetStage,
    SetTraffic,
    ShareModel,
    SubmitJob,
)
from shared.domain.artifact import ArtifactSeen
from shared.domain.observation import (
    DeploymentState,
    EndpointSeen,
    EvaluationSeen,
    Grid,
    JobSeen,
    JobStatus,
    ModelSeen,
    MonitorSeen,
    QuotaSeen,
    SharedSeen,
    Slice,
    SmokeSeen,
    Stats,
)
from shared.domain.predictions import Collected
from shared.domain.publication import Publication
from shared.domain.queries import Value
from shared.domain.sample import Sample
from shared.domain.spec_evidence import Predictions
from shared.domain.split import MARK, Split
from shared.domain.tally import Burst, Tally, bucket_of
from shared.errors import LostRace, NeedsPerson, RetryLater
from shared.reconcile.ports import Window
from tests.fakes.archive import FakeArchive, measured
from tests.fakes.clock import FakeClock
from tests.fakes.evaluations import INPUTS, SPREAD, evaluate
from tests.fakes.points import Interrupt, around, never

SIZE = "Standard_DS3_v2"
"""The one VM size that there is."""


class Violation(BaseException):
    """The product did what it promises never to do. Not an Exception, so that nothing can swallow it."""


@dataclass
class Fate:
    """What becomes of a release in this world."""

    job: JobStatus = JobStatus.COMPLETED
    job_s: float = 60
    better: bool = True
    sure: bool = True
    deploys: bool = True
    deploy_s: float = 90
    smoke: bool = True
    error_share: float = 0.0
    throttled_share: float = 0.0
    latency_ms: float = 40.0
    requests_per_s: float = 5.0
    value: float | None = 1.0
    query_problem: str = ""
    shifted: float = 0.0
    own_errors: float = 0.0
    own_malformed: float = 0.0
    answer_ms: float = 40.0


@dataclass
class Job:
    """One job, from its submission on."""

    order: SubmitJob
    ends: datetime
    fate: Fate
    begins: datetime | None = None
    canceled: datetime | None = None

    def seen(self, name: str, now: datetime) -> JobSeen:
        status, ended = self.status(now), min(self.ends, self.canceled or self.ends)
        over = status is not JobStatus.RUNNING
        return JobSeen(name=name, status=status, started=self.begins, ended=ended if over else None)

    def status(self, now: datetime) -> JobStatus:
        if self.canceled is not None:
            return JobStatus.CANCELED
        return self.fate.job if now >= self.ends else JobStatus.RUNNING


@dataclass
class Deployment:
    """One deployment, from its creation on."""

    version: int
    ready: datetime
    fate: Fate
    gone: datetime | None = None

    def state(self, now: datetime) -> DeploymentState:
        if self.gone is not None or now < self.ready:
            return DeploymentState.CHANGING
        return DeploymentState.READY if self.fate.deploys else DeploymentState.FAILED


@dataclass
class Shared:
    """A version of a registry."""

    files: dict[str, str]
    marks: dict[str, str] = field(default_factory=dict)


@dataclass
class Registry:
    """A registry, which other platforms may share."""

    versions: dict[int, Shared] = field(default_factory=dict)


@dataclass
class Endpoint:
    """One online endpoint. `tags` stands for all that others set and a careless put would wipe out."""

    traffic: dict[str, int] = field(default_factory=dict)
    mirror: dict[str, int] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=lambda: {"team": "flights"})
    deployments: dict[str, Deployment] = field(default_factory=dict)


def _split(document: dict[str, dict[str, int] | dict[str, str]]) -> Split:
    traffic, mirror = ({name: int(pct) for name, pct in document[key].items()} for key in ("traffic", "mirror"))
    return Split(traffic=traffic, mirror=mirror)


def spread(fate: Fate, requests: int, slices: int, grid: Grid) -> Stats:
    """Requests at a steady pace, all of which take as long, and errors and refusals strewn evenly among them."""
    level = int(math.log(max(fate.latency_ms, 1)) / math.log(grid.level_ratio))
    slow = grid.slow_ms is not None and fate.latency_ms > grid.slow_ms

    def in_slice(number: int, share: float) -> int:
        return int(requests * (number + 1) / slices * share) - int(requests * number / slices * share)

    counts = [in_slice(number, 1.0) for number in range(slices)]
    return Stats(
        requests=requests,
        errors=int(requests * fate.error_share),
        throttled=int(requests * fate.throttled_share),
        latency_p95_ms=fate.latency_ms,
        slices=tuple(
            Slice(
                requests=many,
                errors=in_slice(number, fate.error_share),
                throttled=in_slice(number, fate.throttled_share),
                slow=many if slow else 0,
                levels=((level, many),),
            )
            for number, many in enumerate(counts)
            if many
        ),
    )


class FakePlatform:
    """Fulfils the ports Platform and TrafficLog. `fate_of` says what becomes of each release, by its number."""

    def __init__(
        self,
        clock: FakeClock,
        archive: FakeArchive,
        fate_of: Callable[[int], Fate] = lambda _: Fate(),
        interrupt: Interrupt = never,
    ) -> None:
        self.clock, self.archive, self.fate_of, self.interrupt = clock, archive, fate_of, interrupt
        self.inputs, self.held_out_sha256 = INPUTS, "0" * 64
        self.jobs: dict[str, Job] = {}
        self.versions: dict[int, str] = {}
        self.registered: dict[int, RegisterModel] = {}
        self.stages: dict[int, str] = {}
        self.monitors: dict[str, MonitorSeen] = {}
        self.registries: dict[str, Registry] = {}
        self.endpoints: dict[str, Endpoint] = {"flights": Endpoint()}
        self.busy_until: datetime | None = None
        self.logs_mirrored = True
        self.bursts: list[tuple[str, Burst]] = []
        self.quota_seen = QuotaSeen(cores_per_instance=4, free=1_000, limited_by="Standard DSv2 Family")

    # jobs

    def job(self, name: str) -> JobSeen:
        with around(self.interrupt, "job"):
            job = self.jobs.get(name)
            if job is None:
                return JobSeen(name=name, status=JobStatus.ABSENT)
            return job.seen(name, self.clock.now())

    def submit_job(self, order: SubmitJob, publication: Publication) -> None:
        with around(self.interrupt, "submit_job"):
            known = self.jobs.get(order.job)
            if known is not None:
                if known.order.manifest != order.manifest or known.order.champion != order.champion:
                    raise Violation(f"job {order.job} was submitted twice, with different inputs")
                return
            fate = self.fate_of(order.release)
            ends = self.clock.now() + timedelta(seconds=fate.job_s)
            self.jobs[order.job] = Job(order=order, ends=ends, fate=fate, begins=self.clock.now())
            evaluation = evaluate(
                order.manifest,
                order.champion,
                better=fate.better,
                artifact=f"{order.manifest.version}-{order.job}",
                spread=SPREAD if fate.sure else 300.0,
            )
            evaluation = msgspec.structs.replace(
                evaluation,
                inputs=self.inputs,
                held_out=msgspec.structs.replace(evaluation.held_out, sha256=self.held_out_sha256),
            )
            self.archive.evaluations[order.job] = EvaluationSeen(evaluation=evaluation)
            self.archive.files[order.job] = {"model.skops": evaluation.artifact.sha256, "signature.json": "s"}

    def cancel_job(self, name: str) -> None:
        with around(self.interrupt, "cancel_job"):
            self.jobs[name].canceled = self.clock.now()

    # models

    def model(self, name: str, version: int) -> ModelSeen:
        with around(self.interrupt, "model"):
            job, stage = self.versions.get(version, ""), self.stages.get(version, "")
            return ModelSeen(exists=version in self.versions, job=job, stage=stage)

    def register_model(self, model: str, order: RegisterModel) -> None:
        with around(self.interrupt, "register_model"):
            if self.versions.setdefault(order.version, order.job) != order.job:
                raise NeedsPerson(f"version {order.version} comes from {self.versions[order.version]}")
            self.registered.setdefault(order.version, order)
            self.stages.setdefault(order.version, "Development")

    def set_stage(self, model: str, order: SetStage) -> None:
        with around(self.interrupt, "set_stage"):
            if order.version in self.versions:
                self.stages[order.version] = order.stage.value

    # registries

    def shared(self, registry: str, model: str, version: int) -> SharedSeen:
        with around(self.interrupt, "shared"):
            known = self.registries.setdefault(registry, Registry())
            number = version or max(known.versions, default=0)
            found = known.versions.get(number)
            return SharedSeen(exists=found is not None, version=number, marks=dict(found.marks) if found else {})

    def shared_artifact(self, registry: str, model: str, version: int) -> ArtifactSeen:
        with around(self.interrupt, "shared_artifact"):
            found = self.registries.setdefault(registry, Registry()).versions.get(version)
            return measured(found.files if found else {})

    def share_model(self, model: str, order: ShareModel) -> None:
        """Two calls are needed: an import brings the files alone."""
        with around(self.interrupt, "share_model"):
            known = self.registries.setdefault(order.registry, Registry()).versions
            if order.version not in known:
                known[order.version] = Shared(files=dict(self.archive.files.get(self.versions[order.version], {})))
            else:
                known[order.version].marks.update(self.registered[order.version].properties)

    # monitors

    def monitor(self, model: str, name: str) -> MonitorSeen:
        with around(self.interrupt, "monitor"):
            return self.monitors.get(name, MonitorSeen(exists=False))

    def point_monitor(self, order: PointMonitor, publication: Publication) -> None:
        with around(self.interrupt, "point_monitor"):
            assert publication.monitor(order.monitor) is not None
            self.monitors[order.monitor] = MonitorSeen(exists=True, ours=True, deployment=order.deployment)

    # endpoints

    def endpoint(self, endpoint: str) -> EndpointSeen:
        with around(self.interrupt, "endpoint"):
            self.settle(endpoint)
            found = self.endpoints.get(endpoint)
            if found is None:
                return EndpointSeen(exists=False)
            now = self.clock.now()
            states = {name: deployment.state(now) for name, deployment in found.deployments.items()}
            traffic, mirror = dict(found.traffic), dict(found.mirror)
            mark = found.tags.get(MARK, "")
            return EndpointSeen(exists=True, traffic=traffic, mirror=mirror, mark=mark, deployments=states)

    def quota(self, size: str) -> QuotaSeen:
        with around(self.interrupt, "quota"):
            return self.quota_seen if size == SIZE else QuotaSeen(problem=f"no size is called {size}")

    def create_deployment(self, model: str, order: CreateDeployment, publication: Publication) -> None:
        with around(self.interrupt, "create_deployment"):
            found = self._free(publication.serving.endpoint)
            if order.deployment in found.deployments:
                return
            if order.registry:
                if order.version not in self.registries[order.registry].versions:
                    raise Violation(f"version {order.version} was deployed before it was shared")
            elif order.version not in self.versions:
                raise Violation(f"version {order.version} was deployed before it was registered")
            fate = self.fate_of(int(order.deployment[1:]))
            ready = self.clock.now() + timedelta(seconds=fate.deploy_s)
            found.deployments[order.deployment] = Deployment(version=order.version, ready=ready, fate=fate)
            self.busy_until = ready

    def set_traffic(self, endpoint: str, order: SetTraffic) -> None:
        """Get, change, put: three moments, between which others may act."""
        with around(self.interrupt, "get_endpoint"):
            document = self.get(endpoint)
        if not _split(document).same_as(order.before):
            raise LostRace("the traffic was changed since it was looked at")
        document["traffic"], document["mirror"] = dict(order.traffic), dict(order.mirror)
        document["tags"] = {**document["tags"], MARK: _split(document).text}
        with around(self.interrupt, "put_endpoint"):
            self.put(endpoint, document)

    def get(self, endpoint: str) -> dict[str, dict[str, int] | dict[str, str]]:
        """The endpoint as a document."""
        found = self._free(endpoint)
        return {"traffic": dict(found.traffic), "mirror": dict(found.mirror), "tags": dict(found.tags)}

    def put(self, endpoint: str, document: dict[str, dict[str, int] | dict[str, str]]) -> None:
        """Replace the endpoint: what the document leaves out is gone."""
        found = self._free(endpoint)
        traffic = {name: int(pct) for name, pct in document.get("traffic", {}).items()}
        if sum(traffic.values()) not in (0, 100):
            raise Violation(f"traffic sums to 0 or 100: it was to be {traffic}")
        mirror = {name: int(pct) for name, pct in document.get("mirror", {}).items()}
        if set(traffic) & set(mirror) or len(mirror) > 1:
            raise Violation(f"live and mirrored traffic exclude each other: {traffic}, {mirror}")
        for name in (*traffic, *mirror):
            deployment = found.deployments.get(name)
            if deployment is None or deployment.gone is not None:
                raise RetryLater(f"deployment {name} does not exist", 5)
        found.traffic, found.mirror = traffic, mirror
        found.tags = {name: str(value) for name, value in document.get("tags", {}).items()}
        self.busy_until = self.clock.now() + timedelta(seconds=2)

    def delete_deployment(self, endpoint: str, deployment: str) -> None:
        with around(self.interrupt, "delete_deployment"):
            found = self._free(endpoint)
            target = found.deployments.get(deployment)
            if target is None:
                return
            if found.traffic.get(deployment) or found.mirror.get(deployment):
                raise Violation(f"what serves goes on serving: {deployment} was to be deleted with traffic")
            target.gone = self.clock.now() + timedelta(seconds=20)
            self.busy_until = target.gone

    def _free(self, endpoint: str) -> Endpoint:
        self.settle(endpoint)
        if self.busy_until is not None and self.clock.now() < self.busy_until:
            raise RetryLater("the endpoint has an operation in flight", 5)
        return self.endpoints[endpoint]

    def settle(self, endpoint: str) -> None:
        """Forget deployments whose deletion has ended."""
        found = self.endpoints.get(endpoint)
        if found is not None:
            now = self.clock.now()
            found.deployments = {
                name: each for name, each in found.deployments.items() if each.gone is None or now < each.gone
            }

    def smoke(self, endpoint: str, deployment: str, sample: Sample) -> SmokeSeen:
        with around(self.interrupt, "smoke"):
            found = self.endpoints[endpoint].deployments.get(deployment)
            ok = found is not None and found.fate.smoke and found.state(self.clock.now()) is DeploymentState.READY
            return SmokeSeen(ok=ok, status=200 if ok else 502)

    def burst(self, endpoint: str, deployment: str, sample: Sample, burst: Burst) -> Tally:
        """The release's fate says which share of the requests comes to grief."""
        with around(self.interrupt, "burst"):
            self.bursts.append((deployment, burst))
            fate = self.endpoints[endpoint].deployments[deployment].fate
            requests = round(burst.seconds * (burst.per_s or 10 * burst.at_once))
            errors, malformed = (round(requests * share) for share in (fate.own_errors, fate.own_malformed))
            detail = "503" if errors else "200 the answer holds NaN" if malformed else ""
            latency = ((bucket_of(fate.answer_ms), requests - errors),) if requests > errors else ()
            return Tally(
                requests=requests,
                errors=errors,
                malformed=malformed,
                seconds=burst.seconds,
                latency=latency,
                detail=detail,
            )

    def predictions(self, endpoint: str, deployment: str, wanted: Predictions, window: Window) -> Collected:
        """What users were answered in the window: evenly spread, and `shifted` by the release's fate."""
        with around(self.interrupt, "predictions"):
            rows = self._requests(endpoint, deployment, window)
            found = self.endpoints[endpoint].deployments[deployment]
            return Collected(values=tuple((row * 37) % 101 / 101 + found.fate.shifted for row in range(rows)))

    # the traffic log

    def values(self, queries: Mapping[str, str], endpoint: str, deployment: str, window: Window) -> dict[str, Value]:
        with around(self.interrupt, "values"):
            fate = self.endpoints[endpoint].deployments[deployment].fate
            return dict.fromkeys(queries, Value(value=fate.value, problem=fate.query_problem))

    def _requests(self, endpoint: str, deployment: str, window: Window) -> int:
        """How many users' requests the deployment answered, mirrored ones included."""
        found = self.endpoints[endpoint]
        pct = found.traffic.get(deployment, 0) + found.mirror.get(deployment, 0)
        seconds = (window.end - window.start).total_seconds()
        return int(seconds * found.deployments[deployment].fate.requests_per_s * pct / 100)

    def stats(self, endpoint: str, start: datetime, end: datetime, grid: Grid) -> dict[str, Stats]:
        with around(self.interrupt, "stats"):
            found, seconds = self.endpoints[endpoint], (end - start).total_seconds()
            stats = {}
            shares = [*found.traffic.items(), *(found.mirror.items() if self.logs_mirrored else ())]
            for name, pct in shares:
                deployment = found.deployments[name]
                requests = int(seconds * deployment.fate.requests_per_s * pct / 100)
                if requests:
                    stats[name] = spread(deployment.fate, requests, math.ceil(seconds / grid.slice_s), grid)
            return stats
