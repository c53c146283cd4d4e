"""What the world should be made to look like, derived anew in every pass from the record and what was seen.

At most one order that disturbs the endpoint comes out of a pass, so that the next pass sees what came of it.
"""

from datetime import datetime

from shared.domain import aftercare, lineage
from shared.domain.actions import (
    Action,
    CancelJob,
    CreateDeployment,
    DeleteDeployment,
    KeepCard,
    RegisterModel,
    SetTraffic,
    SubmitJob,
)
from shared.domain.admission import idle
from shared.domain.artifact import objection
from shared.domain.card import card_of
from shared.domain.lifecycle import Phase
from shared.domain.making import overdue
from shared.domain.observation import DeploymentState, EndpointSeen, JobSeen, JobStatus, Observation
from shared.domain.publication import Publication
from shared.domain.record import Record, Release
from shared.domain.rollout import has_traffic
from shared.domain.split import Split
from shared.domain.splits import split_wanted
from shared.domain.taking import card_of_taken


def wanted(publication: Publication, record: Record, seen: Observation, now: datetime) -> tuple[Action, ...]:
    """Orders for this pass. `publication` is the one that the release in flight began with."""
    release = record.release
    actions: list[Action] = []
    if record.phase in (Phase.COLLECTING, Phase.TESTING) and seen.endpoint is not None:
        actions += _traffic(publication, record, seen.endpoint)
    if release is not None:
        match release.phase:
            case Phase.TRAINING:
                actions += _training(publication, record, release, seen.job, now)
            case Phase.REGISTERING if release.folder and not release.origin:
                if seen.model is None or not seen.model.exists:
                    actions += _registration(publication, record, release)
            case Phase.DEPLOYING | Phase.SHADOWING | Phase.CANARY | Phase.BAKING | Phase.ROLLING_BACK if (
                seen.endpoint is not None
            ):
                actions += _endpoint(publication, record, release, seen)
            case _:
                pass
    if seen.endpoint is not None and not any(isinstance(action, SetTraffic | CreateDeployment) for action in actions):
        actions += _retirement(record, seen.endpoint)
    # Last, so that whatever keeps a stage from being changed keeps nothing else.
    return (*actions, *aftercare.orders(record, seen))


def _training(
    publication: Publication, record: Record, release: Release, seen: JobSeen | None, now: datetime
) -> list[Action]:
    """Submit the job of the present attempt unless it was seen; end one that takes too long."""
    job = release.job(record.model)
    going = seen is not None and seen.status in (JobStatus.WAITING, JobStatus.RUNNING)
    if release.stop:
        return [CancelJob(job=job)] if going else []
    assert release.manifest is not None
    if seen is None or seen.name != job or seen.status is JobStatus.ABSENT:
        return [
            SubmitJob(
                job=job,
                release=release.number,
                publication=release.publication,
                manifest=release.manifest,
                champion=record.live,
                timeout_s=publication.spec.training.timeout_s,
            )
        ]
    return [CancelJob(job=job)] if seen.ours and going and overdue(publication, release.since, now) else []


def _registration(publication: Publication, record: Record, release: Release) -> list[Action]:
    """The card first: a version that is registered has one."""
    return [
        KeepCard(version=release.version, card=card_of(publication, record, release)),
        RegisterModel(
            version=release.version,
            job=release.job(record.model),
            tags=lineage.tags(release),
            properties=lineage.properties(publication, record, release),
            description=publication.spec.description,
        ),
    ]


def _endpoint(publication: Publication, record: Record, release: Release, look: Observation) -> list[Action]:
    seen = look.endpoint
    if seen is None or not seen.exists:
        return []
    if release.phase is Phase.DEPLOYING and release.ordered and release.deployment not in seen.deployments:
        return _deployment(publication, release) if _untouched(release, look) else []
    return _traffic(publication, record, seen)


def _deployment(publication: Publication, release: Release) -> list[Action]:
    """The deployment; before it the card of a version that was registered elsewhere, and whose card stayed there."""
    order = CreateDeployment(
        deployment=release.deployment,
        version=release.version,
        publication=release.publication,
        registry=release.registry,
    )
    if release.origin is None:
        return [order]
    return [KeepCard(version=release.version, card=card_of_taken(publication, release)), order]


def _untouched(release: Release, look: Observation) -> bool:
    """Whether the model's bytes were seen in this very pass, and are those that were judged."""
    seen = look.artifact
    return seen is not None and seen.complete and not objection(release.expected, seen)


def _traffic(publication: Publication, record: Record, seen: EndpointSeen) -> list[Action]:
    """The change of traffic that the record wants, where one is safe and no other hand's change stands."""
    split, there = split_wanted(publication.spec.rollout, record), Split(traffic=seen.traffic, mirror=seen.mirror)
    if split is None or split.same_as(there) or _left_alone(record, seen):
        return []
    if any(seen.deployments.get(name) is not DeploymentState.READY for name in (*split.traffic, *split.mirror)):
        return []
    return [SetTraffic(traffic=split.traffic, mirror=split.mirror, before=there)]


def _left_alone(record: Record, seen: EndpointSeen) -> bool:
    """Whether a change by hand stands. A release that is taken back still gives back what it has itself."""
    if not record.hand_stands:
        return False
    release = record.release
    return release is None or release.phase is not Phase.ROLLING_BACK or not has_traffic(seen, release.deployment)


def _retirement(record: Record, seen: EndpointSeen) -> list[Action]:
    """Delete one deployment of ours that nothing needs, was seen without traffic and is not being changed.

    None is deleted without another that is healthy, while something is live or nobody decided to delete it: whose
    traffic it was that a hand took away, or what a failed one still answers, nobody knows.
    """
    healthy = {name for name, state in seen.deployments.items() if state is DeploymentState.READY}
    for name in idle(record, seen):
        spared = not healthy - {name} and (record.live is not None or name not in record.retiring)
        if not spared and seen.deployments[name] is not DeploymentState.CHANGING:
            return [DeleteDeployment(deployment=name)]
    return []
