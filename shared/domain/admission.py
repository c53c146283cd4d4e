"""What a deployment waits for before it is ordered: a free place on its endpoint, and cores within the quota.

Called by decide while a release is deploying and its deployment is not there. Nothing of what serves is touched
by a release that waits here, nor by one that fails here.
"""

from datetime import datetime, timedelta

from shared.domain import names
from shared.domain.changes import Draft
from shared.domain.freeze import paused
from shared.domain.lifecycle import Signal
from shared.domain.observation import EndpointSeen, Observation, QuotaSeen
from shared.domain.publication import Publication, ServingAssets
from shared.domain.reasons import Fact, Reason, Why
from shared.domain.record import Record
from shared.domain.restoring import next_best

MOST_DEPLOYMENTS = 20
"""Deployments that Azure allows an endpoint (how-to-manage-quotas)."""


def cores_needed(serving: ServingAssets, cores_per_instance: int) -> int:
    """Azure reserves a fifth more instances for its own upgrades: ceil(1.2 x instances) x cores of the size."""
    return -(-12 * serving.instance_count // 10) * cores_per_instance


def admit(publication: Publication, draft: Draft, seen: Observation, now: datetime) -> Draft | None:
    """Order the deployment, or hold it and say why. None: it is ordered or there already, or the endpoint is not."""
    endpoint, release = seen.endpoint, draft.release
    assert endpoint is not None
    if not endpoint.exists or release.deployment in endpoint.deployments:
        return None
    bar = draft.record.bar_on(release.artifact)
    if bar and release.restores is None:
        return draft.signal(Signal.DEPLOYMENT_FAILED, now, because=bar).because(Why.ARTIFACT_BARRED, bar)
    if paused(draft.record):
        return draft if release.ordered is None else draft.with_release(ordered=None)
    if release.ordered is not None:
        return None
    if release.restores is not None and seen.model is not None and not seen.model.exists:
        return next_best(draft, now)
    hold = _full(draft.record, endpoint) or _short(publication.serving, release.deployment, seen.quota)
    if hold is None:
        return _order(publication.serving, draft, seen.quota, now)
    if now > release.since + timedelta(seconds=publication.spec.rollout.max_wait_s):
        text = f"{hold.text} It was waited for since {release.since:%Y-%m-%d %H:%M} UTC."
        return draft.because(hold.why, text, hold.facts).signal(Signal.NO_ROOM, now).end(now, text)
    return draft.waiting(hold.why, hold.text, hold.facts)


def idle(record: Record, seen: EndpointSeen) -> list[str]:
    """Deployments of ours that nothing needs and that were seen without traffic.

    Not only those that are retiring: a create that a stalled pass sent late leaves one that no record names.
    """
    keep = {record.live.deployment if record.live else "", record.release.deployment if record.release else ""}
    busy = {**seen.traffic, **seen.mirror}
    ours = (name for name in sorted(seen.deployments) if names.is_ours(name, record.last_release))
    return [name for name in ours if name not in keep and not busy.get(name)]


def _order(serving: ServingAssets, draft: Draft, quota: QuotaSeen | None, now: datetime) -> Draft:
    """Azure has the last word on what could not be looked up: it refuses a deployment that it has no cores for."""
    draft = draft.with_release(ordered=now, waiting="")
    deployment = draft.release.deployment
    if quota is None or quota.free is None:
        why = quota.problem if quota else "it was not looked at"
        return draft.because(Why.QUOTA_UNKNOWN, f"{deployment} is ordered without knowing the quota: {why}.")
    needed = cores_needed(serving, quota.cores_per_instance)
    text = f"{deployment} is ordered: it needs {needed} cores, and {quota.free} are free."
    return draft.because(Why.DEPLOYMENT_ORDERED, text, {"cores_needed": needed, "cores_free": quota.free})


def _full(record: Record, seen: EndpointSeen) -> Reason | None:
    """Ours that are idle are deleted meanwhile; a stranger's is never touched."""
    if len(seen.deployments) < MOST_DEPLOYMENTS:
        return None
    strangers = sum(not names.is_ours(name, record.last_release) for name in seen.deployments)
    text = (
        f"The endpoint has the {MOST_DEPLOYMENTS} deployments that Azure allows, {strangers} of them not Upkeep's."
        " Upkeep deletes its own that nothing needs; a person has to delete others."
    )
    facts: dict[str, Fact] = {"deployments": len(seen.deployments), "strangers": strangers}
    return Reason(why=Why.ENDPOINT_FULL, text=text, facts=facts)


def _short(serving: ServingAssets, deployment: str, quota: QuotaSeen | None) -> Reason | None:
    """The sentence holds no number that moves while one waits, so that it is said once."""
    if quota is None or quota.free is None:
        return None
    needed = cores_needed(serving, quota.cores_per_instance)
    if quota.free >= needed:
        return None
    text = (
        f"{deployment} needs {needed} cores ({serving.instance_count} x {serving.instance_type} and a fifth more),"
        f" and fewer are free in {quota.limited_by}."
    )
    return Reason(why=Why.QUOTA_SHORT, text=text, facts={"cores_needed": needed, "cores_free": quota.free})
