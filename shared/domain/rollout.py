"""From a registered model to a tested deployment, to live, and back, by what is seen of the endpoint.

Called by decide while the release is in one of these phases; what happens under traffic is in watching.py. Nothing
here moves traffic: wanted.py derives that.
"""

from datetime import datetime, timedelta
from functools import reduce

import msgspec

from shared.domain.admission import idle
from shared.domain.artifact import ArtifactSeen, objection
from shared.domain.changes import Draft
from shared.domain.lifecycle import Phase, Signal
from shared.domain.making import changed
from shared.domain.observation import DeploymentState, EndpointSeen
from shared.domain.publication import Publication
from shared.domain.reasons import Fact, Why
from shared.domain.record import MAX_KEPT, Record, Release, Serving
from shared.domain.spec import Rollout, Step

AT_ONCE = (Step(traffic_pct=100, hold_s=0, min_requests=0),)


def steps_of(rollout: Rollout, record: Record) -> tuple[Step, ...]:
    """The canary's steps. With nothing live to compare with, or a proven version to bring back: all at once."""
    assert record.release is not None
    return AT_ONCE if record.live is None or record.release.restores else rollout.steps


def split(rollout: Rollout, record: Record) -> dict[str, int]:
    """Live traffic as the present step wants it, in percent; shares of nought are left out."""
    assert record.release is not None
    share = steps_of(rollout, record)[record.release.step].traffic_pct
    shares = {record.release.deployment: share}
    if record.live is not None:
        shares[record.live.deployment] = 100 - share
    return {name: pct for name, pct in shares.items() if pct}


def mirrored(rollout: Rollout, record: Record) -> dict[str, int]:
    """Mirrored traffic while shadowing; live and mirrored traffic of one deployment exclude each other."""
    assert record.release is not None
    assert rollout.shadow is not None
    return {record.release.deployment: rollout.shadow.mirror_pct}


def deploy(
    publication: Publication, draft: Draft, seen: EndpointSeen, artifact: ArtifactSeen | None, now: datetime
) -> Draft:
    """Wait until the deployment is provisioned. Before it is made, the model's bytes are looked at once more."""
    release = draft.release
    late = (release.ordered or release.since) + timedelta(seconds=publication.spec.rollout.deploy_timeout_s)
    if not seen.exists:
        text = f"Endpoint {publication.serving.endpoint} does not exist. Run `upkeep publish`."
        return draft.waiting(Why.ENDPOINT_MISSING, text)
    if release.deployment not in seen.deployments and artifact is not None and artifact.complete:
        wrong = objection(release.expected, artifact)
        if wrong:
            return changed(draft, wrong, now)
    match seen.deployments.get(release.deployment):
        case DeploymentState.READY:
            text = f"Deployment {release.deployment} is ready."
            return draft.signal(Signal.DEPLOYMENT_READY, now).because(Why.DEPLOYMENT_READY, text)
        case DeploymentState.FAILED:
            return fail(draft, Signal.DEPLOYMENT_FAILED, Why.DEPLOYMENT_FAILED, "could not be provisioned", now)
        case _ if now > late:
            return fail(draft, Signal.DEPLOYMENT_FAILED, Why.DEPLOYMENT_FAILED, "took too long", now)
        case _:
            return draft


def too_soon(rollout: Rollout, record: Record, now: datetime) -> str:
    """Why the release may not take traffic yet; empty when it may. A version that is brought back never waits."""
    release, live = record.release, record.live
    if release is None or live is None or release.restores or release.hurried:
        return ""
    after = live.since + timedelta(seconds=rollout.min_interval_s)
    if now >= after:
        return ""
    return (
        f"Version {live.version} is live since {live.since:%Y-%m-%d %H:%M} UTC;"
        f" the next one takes no traffic before {after:%Y-%m-%d %H:%M}."
    )


def roll_back(draft: Draft, seen: EndpointSeen, now: datetime) -> Draft:
    """End the release once its traffic is back where it was. Without anything healthy to go to: change nothing.

    A first release that fails keeps what traffic it has, and stays while nothing else is healthy, for a hand may have
    taken its traffic: the next one takes over, and then it is deleted.
    """
    release, live = draft.release, draft.record.live
    if live is None:
        text = f"{release.because} Nothing was live before: {release.deployment} is left as it is."
        draft = _rolled_back(draft, Why.NOTHING_TO_ROLL_BACK_TO, text, now)
        healthy = {name for name, state in seen.deployments.items() if state is DeploymentState.READY}
        needed = seen.traffic.get(release.deployment) or healthy == {release.deployment}
        if not needed:
            return draft.retiring(release.deployment)
        # One that failed earlier was kept for want of another: now there is one.
        earlier = idle(draft.record, seen) if release.deployment in healthy else []
        return reduce(Draft.retiring, (name for name in earlier if name != release.deployment), draft)
    if seen.traffic == {live.deployment: 100} and not seen.mirror:
        text = f"{release.because} {live.deployment} has all of the traffic."
        return _rolled_back(draft, Why.ROLLED_BACK, text, now).retiring(release.deployment)
    if draft.record.hand_stands and not has_traffic(seen, release.deployment):
        text = f"{release.because} {release.deployment} has no traffic; what was set by hand stays."
        return _rolled_back(draft, Why.ROLLED_BACK, text, now).retiring(release.deployment)
    if seen.deployments.get(live.deployment) in (DeploymentState.READY, DeploymentState.CHANGING):
        return draft
    text = (
        f"{release.deployment} is to be taken back, but {live.deployment} is not healthy either: nothing is changed."
        " `upkeep abort` ends the release as it is; then `upkeep rollback --to` brings a version back."
    )
    return draft.waiting(Why.NOTHING_HEALTHY, text, {"candidate": release.deployment, "live": live.deployment})


def give_up(draft: Draft, text: str, now: datetime) -> Draft:
    """End a rollback that has nothing healthy to go to, as it is, at a person's word. Traffic stays where it is."""
    return _rolled_back(draft, Why.ABORTED, text, now)


def has_traffic(seen: EndpointSeen, deployment: str) -> bool:
    """Whether a deployment has live or mirrored traffic."""
    return bool(seen.traffic.get(deployment) or seen.mirror.get(deployment))


def retire(draft: Draft, seen: EndpointSeen) -> Draft:
    """Strike deployments off the list once they are gone."""
    for name in draft.record.retiring:
        if name not in seen.deployments:
            rest = tuple(each for each in draft.record.retiring if each != name)
            text = f"Deployment {name} is gone."
            draft = draft.with_record(retiring=rest).because(Why.DEPLOYMENT_RETIRED, text, {"deployment": name})
    return draft


def hold_still(draft: Draft) -> Draft:
    """Stay where it is. A pause was told when it began; a freeze is told by the release that it holds up."""
    if draft.record.paused is not None:
        return draft
    return draft.waiting(Why.FROZEN, "A change freeze is on: nothing moves forward until it is over.")


def lost(draft: Draft, seen: EndpointSeen, now: datetime) -> Draft | None:
    """Take the release out when its deployment is gone or broken; None while it is there."""
    state = seen.deployments.get(draft.release.deployment)
    if state in (DeploymentState.READY, DeploymentState.CHANGING):
        return None
    text = "is gone" if state is None else "has failed"
    return fail(draft, Signal.DEPLOYMENT_FAILED, Why.DEPLOYMENT_LOST, text, now)


def fail(
    draft: Draft, signal: Signal, why: Why, what: str, now: datetime, facts: dict[str, Fact] | None = None
) -> Draft:
    """Take the deployment out: `what` it did ends the sentence that begins with its name."""
    text = f"Deployment {draft.release.deployment} {what}."
    return draft.signal(signal, now, because=text).because(why, text, facts)


def go_live(endpoint: str, draft: Draft, signal: Signal, now: datetime) -> Draft:
    """The release is live; the one before is kept as a version and retired as a deployment."""
    release, old = draft.release, draft.record.live
    live = Serving(
        release=release.number,
        version=release.version,
        deployment=release.deployment,
        job=release.job(draft.record.model),
        artifact=release.artifact,
        publication=release.publication,
        since=now,
        folder=release.folder,
        registry=release.registry,
        inputs=release.inputs,
        endpoint=endpoint,
    )
    text = f"Version {live.version} is live as {live.deployment}."
    draft = draft.signal(signal, now).because(
        Why.RELEASE_LIVE, text, {"release": live.release, "version": live.version}
    )
    draft = draft.end(now, text).with_record(live=live, kept=_kept(draft.record))
    return draft.retiring(old.deployment) if old else draft


def cut_short(endpoint: str, draft: Draft, now: datetime) -> Draft:
    """End the last step or the bake at a person's word, whatever its window lacks."""
    if draft.release.phase is Phase.BAKING:
        return go_live(endpoint, draft, Signal.PROMOTED, now)
    return draft.signal(Signal.LAST_STEP_PASSED, now, step_since=None, hurried=False)


def _kept(record: Record) -> tuple[Serving, ...]:
    """Versions to go back to from now on, the newest last.

    Where one was brought back, those after it stay for a person who names them, and are the first to be forgotten.
    """
    assert record.release is not None
    restored = record.release.restores
    known = (*record.kept, record.live) if record.live else record.kept
    if restored is None:
        return _forgotten(known)
    others = (each for each in known if each.version != restored.version)
    return _forgotten(
        tuple(
            msgspec.structs.replace(each, passed_over=each.passed_over or each.version > restored.version)
            for each in others
        )
    )


def _forgotten(known: tuple[Serving, ...]) -> tuple[Serving, ...]:
    """As many as are kept; what was passed over goes first, then the oldest."""
    most = sorted(known, key=lambda each: (not each.passed_over, each.release))[-MAX_KEPT:]
    return tuple(sorted(most, key=lambda each: each.release))


def _rolled_back(draft: Draft, why: Why, text: str, now: datetime) -> Draft:
    """The end of a rollback. A release that gave way to a newer one did nothing wrong: it is not barred."""
    release: Release = draft.release
    if release.superseded:
        return draft.signal(Signal.SUPERSEDED, now).end(now, text)
    draft = draft.because(why, text, {"release": release.number})
    draft = draft.signal(Signal.TRAFFIC_RESTORED, now)
    if not release.spared:
        draft = draft.barred(release.artifact, release.number, release.because, now)
    return draft.end(now, text)
