"""From a registered model to live traffic, and back: how a release moves by what is seen of its endpoint.

Called by decide while the release is in one of these phases. Nothing here moves traffic: wanted.py derives that.
"""

from datetime import datetime, timedelta

from shared.domain.analysis import Check, Finding, analyse
from shared.domain.changes import Draft
from shared.domain.freeze import held
from shared.domain.lifecycle import Phase, Signal
from shared.domain.observation import DeploymentState, EndpointSeen, Observation, SmokeSeen, TrafficSeen
from shared.domain.publication import Publication
from shared.domain.reasons import Fact, Why
from shared.domain.record import MAX_KEPT, Record, Release, Serving
from shared.domain.spec import NoData, Rollout, Shadow, Spec, Step

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


def deploy(publication: Publication, draft: Draft, seen: EndpointSeen, now: datetime) -> Draft:
    """Wait until the deployment is provisioned."""
    release = draft.release
    if not seen.exists:
        text = f"Endpoint {publication.serving.endpoint} does not exist. Run `upkeep publish`."
        return draft.waiting(Why.ENDPOINT_MISSING, text)
    match seen.deployments.get(release.deployment):
        case DeploymentState.READY:
            text = f"Deployment {release.deployment} is ready."
            return draft.signal(Signal.DEPLOYMENT_READY, now).because(Why.DEPLOYMENT_READY, text)
        case DeploymentState.FAILED:
            return _fail(draft, Signal.DEPLOYMENT_FAILED, Why.DEPLOYMENT_FAILED, "could not be provisioned", now)
        case _ if now > release.since + timedelta(seconds=publication.spec.rollout.deploy_timeout_s):
            return _fail(draft, Signal.DEPLOYMENT_FAILED, Why.DEPLOYMENT_FAILED, "took too long", now)
        case _:
            return draft


def smoke_test(
    publication: Publication, draft: Draft, endpoint: EndpointSeen, seen: SmokeSeen, now: datetime
) -> Draft:
    """Score the sample request before any user is sent there."""
    lost = _lost(draft, endpoint, now)
    if lost is not None:
        return lost
    if seen.ok:
        if held(publication.spec, draft.record, now):
            return _hold(draft)
        shadows = publication.spec.rollout.shadow and draft.record.live and not draft.release.restores
        signal = Signal.SHADOW_BEGUN if shadows else Signal.SMOKE_PASSED
        return draft.signal(signal, now).because(Why.SMOKE_PASSED, "The sample request was answered.")
    failures = draft.release.smoke_failures + 1
    draft = draft.with_release(smoke_failures=failures)
    if failures < publication.spec.rollout.smoke_tries:
        return draft
    return _fail(
        draft,
        Signal.SMOKE_FAILED,
        Why.SMOKE_FAILED,
        f"answered the sample request with {seen.status} {seen.detail}",
        now,
    )


def shadow(publication: Publication, draft: Draft, seen: Observation, now: datetime) -> Draft:
    """Let the candidate answer a copy of live traffic, which nobody gets, and judge it by how it does."""
    assert seen.endpoint is not None
    record, spec, live = draft.record, publication.spec, draft.record.live
    rollout = spec.rollout
    assert rollout.shadow is not None
    assert live is not None
    settled = _settle(draft, seen.endpoint, {live.deployment: 100}, now, mirrored(rollout, record))
    if settled is not None:
        return settled
    if seen.traffic is None or draft.release.step_since is None:
        return draft
    wanted = rollout.shadow
    check = _check(rollout, record, seen.traffic, wanted.hold_s, wanted.min_requests)
    if check.finding is Finding.FAIL:
        return _analysis_failed(draft, check, now)
    expected = seen.traffic.of(live.deployment).requests * wanted.mirror_pct / 100
    if check.finding is Finding.INCONCLUSIVE and not _unlogged(check, seen.traffic, wanted, expected):
        return _silence(spec, draft, check, draft.release.step_since + timedelta(seconds=wanted.hold_s), now)
    return _shadow_passed(spec, draft, check, now)


def _unlogged(check: Check, traffic: TrafficSeen, wanted: Shadow, expected: float) -> bool:
    """Whether the log leaves mirrored requests out: many were to be expected, and there is none. (Not documented.)"""
    return (
        _covers(traffic, wanted.hold_s) and check.facts["requests"] == 0 and expected >= max(wanted.min_requests, 20)
    )


def _shadow_passed(spec: Spec, draft: Draft, check: Check, now: datetime) -> Draft:
    if held(spec, draft.record, now):
        return _hold(draft)
    unseen = check.finding is Finding.INCONCLUSIVE
    why = Why.SHADOW_UNSEEN if unseen else Why.SHADOW_PASSED
    text = "Mirrored requests are not logged; the canary will show." if unseen else f"Mirrored: {check.text}"
    return draft.signal(Signal.SHADOW_PASSED, now, step_since=None).because(why, text, check.facts)


def canary(publication: Publication, draft: Draft, seen: Observation, now: datetime) -> Draft:
    """Hold the step until its window passes, fails, or has been silent for too long."""
    assert seen.endpoint is not None
    spec, release = publication.spec, draft.release
    rollout = spec.rollout
    settled = _settle(draft, seen.endpoint, split(rollout, draft.record), now)
    if settled is not None:
        return settled
    if seen.traffic is None or release.step_since is None:
        return draft
    step = steps_of(rollout, draft.record)[release.step]
    check = _check(rollout, draft.record, seen.traffic, step.hold_s, step.min_requests)
    if check.finding is Finding.FAIL:
        return _analysis_failed(draft, check, now)
    if check.finding is Finding.INCONCLUSIVE:
        return _silence(spec, draft, check, release.step_since + timedelta(seconds=step.hold_s), now)
    return _step_passed(spec, draft, check, now)


def bake(publication: Publication, draft: Draft, seen: Observation, now: datetime) -> Draft:
    """Watch all of the traffic with the old deployment still warm, then call the release live."""
    assert seen.endpoint is not None
    rollout, release = publication.spec.rollout, draft.release
    settled = _settle(draft, seen.endpoint, {release.deployment: 100}, now)
    if settled is not None:
        return settled
    if seen.traffic is None:
        return draft
    check = _check(rollout, draft.record, seen.traffic, rollout.bake_s, 0)
    if check.finding is Finding.FAIL:
        return _analysis_failed(draft, check, now)
    if check.finding is Finding.INCONCLUSIVE:
        return draft
    return _hold(draft) if held(publication.spec, draft.record, now) else go_live(draft, Signal.BAKED, now)


def roll_back(draft: Draft, seen: EndpointSeen, now: datetime) -> Draft:
    """End the release once its traffic is back where it was. Without anything healthy to go to: change nothing.

    A first release that fails keeps what traffic it has: the next one takes over, and then it is deleted.
    """
    release, live = draft.release, draft.record.live
    if live is None:
        text = f"{release.because} Nothing was live before: {release.deployment} is left as it is."
        draft = _rolled_back(draft.because(Why.NOTHING_TO_ROLL_BACK_TO, text), text, now)
        return draft if seen.traffic.get(release.deployment) else draft.retiring(release.deployment)
    if seen.traffic == {live.deployment: 100} and not seen.mirror:
        text = f"{release.because} {live.deployment} has all of the traffic."
        draft = draft.because(Why.ROLLED_BACK, text, {"release": release.number})
        return _rolled_back(draft, text, now).retiring(release.deployment)
    if seen.deployments.get(live.deployment) is not DeploymentState.READY:
        text = f"{live.deployment} is not healthy: there is nothing to roll back to, so nothing is changed."
        return draft.waiting(Why.NOTHING_TO_ROLL_BACK_TO, text)
    return draft


def retire(draft: Draft, seen: EndpointSeen) -> Draft:
    """Strike deployments off the list once they are gone."""
    for name in draft.record.retiring:
        if name not in seen.deployments:
            rest = tuple(each for each in draft.record.retiring if each != name)
            text = f"Deployment {name} is gone."
            draft = draft.with_record(retiring=rest).because(Why.DEPLOYMENT_RETIRED, text, {"deployment": name})
    return draft


def _hold(draft: Draft) -> Draft:
    """Stay where it is. A pause was told when it began; a freeze is told by the release that it holds up."""
    if draft.record.paused is not None:
        return draft
    return draft.waiting(Why.FROZEN, "A change freeze is on: nothing moves forward until it is over.")


def _lost(draft: Draft, seen: EndpointSeen, now: datetime) -> Draft | None:
    state = seen.deployments.get(draft.release.deployment)
    if state in (DeploymentState.READY, DeploymentState.CHANGING):
        return None
    text = "is gone" if state is None else "has failed"
    return _fail(draft, Signal.DEPLOYMENT_FAILED, Why.DEPLOYMENT_LOST, text, now)


def _settle(
    draft: Draft, seen: EndpointSeen, wanted: dict[str, int], now: datetime, mirror: dict[str, int] | None = None
) -> Draft | None:
    """Wait for the wanted split; its window begins when it is first seen in force. None: it is in force."""
    lost = _lost(draft, seen, now)
    if lost is not None:
        return lost
    release = draft.release
    if seen.traffic != wanted or seen.mirror != (mirror or {}):
        return draft if release.step_since is None else draft.with_release(step_since=None)
    if release.step_since is not None:
        return None
    shares = ", ".join(f"{name} {pct} %" for name, pct in sorted(wanted.items()))
    shares += "".join(f", {name} {pct} % mirrored" for name, pct in (mirror or {}).items())
    facts: dict[str, Fact] = {"step": release.step, "traffic_pct": wanted.get(release.deployment, 0)}
    return draft.with_release(step_since=now).because(Why.TRAFFIC_SEEN, f"Traffic: {shares}.", facts)


def _check(rollout: Rollout, record: Record, traffic: TrafficSeen, hold_s: int, min_requests: int) -> Check:
    assert record.release is not None
    live = traffic.of(record.live.deployment) if record.live else None
    complete = _covers(traffic, hold_s)
    candidate = traffic.of(record.release.deployment)
    return analyse(rollout.analysis, candidate, live, min_requests, complete=complete)


def _covers(traffic: TrafficSeen, hold_s: int) -> bool:
    """Whether the window is as long as the stage is to be held."""
    return (traffic.end - traffic.start).total_seconds() >= hold_s


def _step_passed(spec: Spec, draft: Draft, check: Check, now: datetime) -> Draft:
    if held(spec, draft.record, now):
        return _hold(draft)
    steps, step = steps_of(spec.rollout, draft.record), draft.release.step
    facts = {"step": step, "traffic_pct": steps[step].traffic_pct, **check.facts}
    if step + 1 == len(steps):
        draft = draft.signal(Signal.LAST_STEP_PASSED, now, step_since=None)
    else:
        draft = draft.signal(Signal.STEP_PASSED, now, step=step + 1, step_since=None)
    return draft.because(Why.STEP_PASSED, f"{steps[step].traffic_pct} % passed: {check.text}", facts)


def _silence(spec: Spec, draft: Draft, check: Check, held_until: datetime, now: datetime) -> Draft:
    """Too little was seen. Up to a limit that is waited for; then the spec's policy says what silence means."""
    if now < held_until + timedelta(seconds=spec.rollout.max_hold_s):
        return draft
    match spec.rollout.no_data:
        case NoData.HOLD:
            return draft.waiting(Why.NO_DATA, "Too few requests to judge by; a person has to decide.")
        case NoData.ROLLBACK:
            text = f"Too few requests to judge by: {check.text}"
            return draft.signal(Signal.ANALYSIS_FAILED, now, because=text).because(Why.NO_DATA, text, check.facts)
        case NoData.PROMOTE if draft.release.phase is Phase.SHADOWING:
            return _shadow_passed(spec, draft, check, now)
        case NoData.PROMOTE:
            return _step_passed(spec, draft.because(Why.NO_DATA, check.text, check.facts), check, now)


def _analysis_failed(draft: Draft, check: Check, now: datetime) -> Draft:
    facts = {"release": draft.release.number, "step": draft.release.step, **check.facts}
    draft = draft.signal(Signal.ANALYSIS_FAILED, now, because=check.text)
    return draft.because(Why.ANALYSIS_FAILED, check.text, facts)


def _fail(draft: Draft, signal: Signal, why: Why, what: str, now: datetime) -> Draft:
    text = f"Deployment {draft.release.deployment} {what}."
    return draft.signal(signal, now, because=text).because(why, text)


def go_live(draft: Draft, signal: Signal, now: datetime) -> Draft:
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
    )
    text = f"Version {live.version} is live as {live.deployment}."
    draft = draft.signal(signal, now).because(
        Why.RELEASE_LIVE, text, {"release": live.release, "version": live.version}
    )
    draft = draft.end(now, text).with_record(live=live, kept=_kept(draft.record))
    return draft.retiring(old.deployment) if old else draft


def _kept(record: Record) -> tuple[Serving, ...]:
    """Versions to go back to from now on: those before the one brought back, or the old live one as the newest."""
    assert record.release is not None
    restored = record.release.restores
    if restored is not None:
        return tuple(kept for kept in record.kept if kept.release < restored.release)
    return (*record.kept, record.live)[-MAX_KEPT:] if record.live else record.kept


def _rolled_back(draft: Draft, text: str, now: datetime) -> Draft:
    release: Release = draft.release
    draft = draft.signal(Signal.TRAFFIC_RESTORED, now)
    draft = draft.barred(release.artifact, release.number, release.because, now)
    return draft.end(now, text)
