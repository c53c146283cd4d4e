"""What the shell needs of the world, as protocols. adapters/ fulfils them with Azure's SDKs; tests with fakes.

Every method may raise `RetryLater` (ask again) or `NeedsPerson` (asking again will not help). Writing methods
are safe to repeat unless they say otherwise.

Annotations stay text: a process that only records an event needs none of the types that the other ports speak of.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec

from shared.domain.events import Event
from shared.domain.reasons import Reason

if TYPE_CHECKING:
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
    from shared.domain.card import Card
    from shared.domain.manifest import Manifest
    from shared.domain.observation import (
        EndpointSeen,
        EvaluationSeen,
        Grid,
        JobSeen,
        ModelSeen,
        MonitorSeen,
        QuotaSeen,
        SharedSeen,
        SmokeSeen,
        Stats,
    )
    from shared.domain.predictions import Collected
    from shared.domain.publication import Publication
    from shared.domain.queries import Value
    from shared.domain.record import Record
    from shared.domain.sample import Sample
    from shared.domain.spec_evidence import Predictions
    from shared.domain.tally import Burst, Tally


class Pointer(msgspec.Struct, frozen=True, kw_only=True):
    """The row by which a model is known: its current publication, and what triggers must know without it."""

    model: str
    publication: str
    published_at: datetime
    schedule: str | None = None
    alerts: tuple[str, ...] = ()


class Unread(msgspec.Struct, frozen=True):
    """An event in the inbox, with the row that holds it."""

    row: str
    event: Event


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """A model's partition as one pass reads it. `etag` is None when there is no record yet."""

    pointer: Pointer
    record: Record
    etag: str | None
    unread: tuple[Unread, ...]


class DecisionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One decision as it is kept: `inputs` is the hash of the blob that holds all it was made from."""

    seq: int
    at: datetime
    before: str
    after: str
    release: int | None
    reasons: tuple[Reason, ...]
    actions: tuple[str, ...]
    inputs: str


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """The right to pass over a model until `expires`. `look_at` is when a nudge already under way will come."""

    model: str
    owner: str
    expires: datetime
    etag: str
    look_at: datetime | None = None


class Window(NamedTuple):
    """A stretch of time, [start, end)."""

    start: datetime
    end: datetime


class StateStore(Protocol):
    """The table: one partition a model."""

    def pointers(self) -> list[Pointer]:
        """All published models."""
        ...

    def publish(self, pointer: Pointer) -> None:
        """Write or replace a model's pointer."""
        ...

    def load(self, model: str, most_events: int) -> Loaded | None:
        """Record and oldest unread events; None for a model that was never published."""
        ...

    def record_event(self, model: str, event: Event, now: datetime) -> bool:
        """Insert inbox row and seen row in one transaction; False when the key was seen before."""
        ...

    def commit(self, record: Record, etag: str | None, consumed: tuple[Unread, ...], decision: DecisionRow) -> str:
        """Write the record if its ETag still holds, take the events out, append the decision: all or nothing.

        Returns the new ETag. Raises LostRace when somebody else wrote first.
        """
        ...

    def etag(self, model: str) -> str | None:
        """The record's ETag at this moment."""
        ...

    def take_lease(self, model: str, owner: str, now: datetime, ttl_s: float) -> Lease | None:
        """The lease, or None while somebody else holds it."""
        ...

    def drop_lease(self, lease: Lease, look_at: datetime | None) -> None:
        """Give it back, remembering the nudge that is under way. A lease lost meanwhile is left alone."""
        ...

    def history(self, model: str, most: int) -> list[DecisionRow]:
        """The newest decisions, newest first."""
        ...

    def forget_seen(self, model: str, before: datetime) -> int:
        """Delete `seen` rows older than that; how many."""
        ...


class Archive(Protocol):
    """Blobs of our own: publications, decisions' inputs, manifests."""

    def put_publication(self, publication: Publication) -> None:
        """Keep a publication under its hash."""
        ...

    def publication(self, model: str, digest: str) -> Publication:
        """Read one back."""
        ...

    def put_inputs(self, model: str, content: bytes) -> str:
        """Keep a decision's inputs under their hash, which is returned."""
        ...

    def inputs(self, model: str, digest: str) -> bytes:
        """Read them back."""
        ...

    def put_manifest(self, manifest: Manifest) -> None:
        """Keep a manifest where jobs read it."""
        ...

    def evaluation(self, model: str, job: str) -> EvaluationSeen:
        """Read a job's evaluation.json; what is missing or wrong with it is told, not raised."""
        ...

    def artifact(self, model: str, job: str) -> ArtifactSeen:
        """Hash the files of a job's model as they are now. One look does what its time allows; the next goes on."""
        ...

    def put_card(self, card: Card) -> None:
        """Keep a model card, as JSON and as Markdown; the first one of a version stays."""
        ...

    def card(self, model: str, version: int) -> Card | None:
        """Read a version's card back."""
        ...


class Platform(Protocol):
    """Azure Machine Learning."""

    def job(self, name: str) -> JobSeen:
        """Look a job up; ABSENT when there is none."""
        ...

    def submit_job(self, order: SubmitJob, publication: Publication) -> None:
        """Register the manifest as data and put the job."""
        ...

    def cancel_job(self, name: str) -> None:
        """Ask for the end of a job."""
        ...

    def model(self, name: str, version: int) -> ModelSeen:
        """Look a registered version up."""
        ...

    def register_model(self, model: str, order: RegisterModel) -> None:
        """Register a job's output as a version, in stage Development."""
        ...

    def set_stage(self, model: str, order: SetStage) -> None:
        """Change a registered version's stage; all else of it stays, and one that is gone is fine."""
        ...

    def shared(self, registry: str, model: str, version: int) -> SharedSeen:
        """Look a version of a registry up; version 0 is the one of the highest number that there is."""
        ...

    def shared_artifact(self, registry: str, model: str, version: int) -> ArtifactSeen:
        """Hash the files of a registry's version as they are now."""
        ...

    def share_model(self, model: str, order: ShareModel) -> None:
        """Begin what is missing of a share: the import into the registry, then the lineage on what was imported."""
        ...

    def monitor(self, model: str, name: str) -> MonitorSeen:
        """Look a monitor of the model up."""
        ...

    def point_monitor(self, order: PointMonitor, publication: Publication) -> None:
        """Begin to put a monitor for the deployment. One that a person switched off stays off."""
        ...

    def endpoint(self, endpoint: str) -> EndpointSeen:
        """Traffic and deployments of an endpoint."""
        ...

    def quota(self, size: str) -> QuotaSeen:
        """Cores of one instance of a VM size, and how many are free. What cannot be told is told, not raised."""
        ...

    def create_deployment(self, model: str, order: CreateDeployment, publication: Publication) -> None:
        """Begin a deployment and return at once."""
        ...

    def set_traffic(self, endpoint: str, order: SetTraffic) -> None:
        """Get the endpoint, change its live and mirrored traffic, put it, marked as ours (split.py).

        Deployments left out get none. Raises LostRace, having changed nothing, when the endpoint does not show the
        split any more that the order was decided on.
        """
        ...

    def delete_deployment(self, endpoint: str, deployment: str) -> None:
        """Begin the deletion of a deployment; one that is gone already is fine."""
        ...

    def smoke(self, endpoint: str, deployment: str, sample: Sample) -> SmokeSeen:
        """Score the sample request on a named deployment; its answer is judged, and never told."""
        ...

    def burst(self, endpoint: str, deployment: str, sample: Sample, burst: Burst) -> Tally:
        """Send the sample request for the burst's few seconds to a named deployment, and count what came of it."""
        ...

    def predictions(self, endpoint: str, deployment: str, wanted: Predictions, window: Window) -> Collected:
        """A bounded sample of what the deployment's data collector kept of its answers; the newest rows if many."""
        ...


class TrafficLog(Protocol):
    """Log Analytics."""

    def values(self, queries: Mapping[str, str], endpoint: str, deployment: str, window: Window) -> dict[str, Value]:
        """What each query of the spec's own gives for a deployment. One that cannot be run is told, not raised."""
        ...

    def stats(self, endpoint: str, start: datetime, end: datetime, grid: Grid) -> dict[str, Stats]:
        """Requests, errors, throttling and latency over [start, end), by deployment, and all of it by slices."""
        ...


class Nudges(Protocol):
    """The queue that makes the reconciler look."""

    def send(self, model: str, delay_s: float, due: datetime | None) -> None:
        """One message, visible after the delay. `due` tells it apart from others under way."""
        ...


class Clock(Protocol):
    """Time, so that tests can hold it."""

    def now(self) -> datetime:
        """The present, in UTC."""
        ...
