"""A deployment before anybody reaches it: its sample request is answered as promised, and it bears the load it must.

Called by decide while the release is testing. The load test is part of that phase, not one of its own: what can
follow is the same. It is sent in bursts of a few seconds, one a pass, and added up in the record.
"""

from datetime import datetime

from shared.domain.analysis import proven_over
from shared.domain.changes import Draft
from shared.domain.freeze import held
from shared.domain.lifecycle import Phase, Signal
from shared.domain.observation import Observation
from shared.domain.publication import Publication
from shared.domain.reasons import Fact, Why
from shared.domain.record import Release
from shared.domain.rollout import fail, hold_still, lost, too_soon
from shared.domain.spec import Spec
from shared.domain.spec_evidence import LoadTest
from shared.domain.tally import BURST_S, Burst, Tally

AT_ONCE = 64
"""So many requests of a paced load test may be under way when answers are slow."""


def try_out(publication: Publication, draft: Draft, seen: Observation, now: datetime) -> Draft:
    """One step: the smoke test first, then the load test, a burst a pass."""
    assert seen.endpoint is not None
    gone = lost(draft, seen.endpoint, now)
    if gone is not None:
        return gone
    plan, load = publication.spec.rollout.load_test, draft.release.load
    if seen.sent and plan is not None and load is not None:
        draft = _loaded(draft, plan, load.plus(seen.sent.get(draft.release.deployment, Tally())), now)
        over = draft.release.phase is Phase.TESTING and next_burst(publication.spec, draft.release) is None
        return _move_on(publication, draft, now) if over else draft
    if seen.smoke is None:
        return draft
    if not seen.smoke.ok:
        return _smoke_failed(publication.spec, draft, seen, now)
    begun = plan is not None and load is None and draft.release.restores is None
    tried = draft.with_release(load=Tally()) if begun else _move_on(publication, draft, now)
    news = load is None and (begun or tried.release.phase is not Phase.TESTING)
    return tried.because(Why.SMOKE_PASSED, "The sample request was answered.") if news else tried


def next_burst(spec: Spec, release: Release) -> Burst | None:
    """What the load test is to send next; None while the smoke test's turn is, or when it is over."""
    plan, load = spec.rollout.load_test, release.load
    if release.phase is not Phase.TESTING or plan is None or load is None or load.seconds >= plan.duration_s:
        return None
    return Burst(
        seconds=min(BURST_S, plan.duration_s - load.seconds),
        per_s=plan.requests_per_s,
        at_once=plan.concurrency or AT_ONCE,
    )


def _move_on(publication: Publication, draft: Draft, now: datetime) -> Draft:
    if held(publication.spec, draft.record, now):
        return hold_still(draft)
    early = too_soon(publication.spec.rollout, draft.record, now)
    if early:
        return draft.waiting(Why.TOO_SOON, early)
    shadows = publication.spec.rollout.shadow and draft.record.live and not draft.release.restores
    return draft.signal(Signal.SHADOW_BEGUN if shadows else Signal.SMOKE_PASSED, now, hurried=False)


def _smoke_failed(spec: Spec, draft: Draft, seen: Observation, now: datetime) -> Draft:
    assert seen.smoke is not None
    failures = draft.release.smoke_failures + 1
    draft = draft.with_release(smoke_failures=failures)
    if failures < spec.rollout.smoke_tries:
        return draft
    what = f"answered the sample request with {seen.smoke.status} {seen.smoke.detail}"
    return fail(draft, Signal.SMOKE_FAILED, Why.SMOKE_FAILED, what, now)


def _loaded(draft: Draft, plan: LoadTest, load: Tally, now: datetime) -> Draft:
    draft = draft.with_release(load=load)
    complete = load.seconds >= plan.duration_s
    complaint = _complaint(plan, load, complete=complete)
    facts: dict[str, Fact] = {
        "load_requests": load.requests,
        "load_errors": load.errors,
        "load_malformed": load.malformed,
        "load_latency_p95_ms": load.quantile_ms(0.95),
    }
    if complaint:
        return _not_borne(draft, plan, complaint, facts, now)
    if not complete:
        return draft
    p95 = load.quantile_ms(0.95)
    text = f"{load.requests} sample requests in {load.seconds:g} s, {load.bad} failed"
    text += "." if p95 is None else f", p95 {p95:.0f} ms."
    return draft.because(Why.LOAD_TEST_PASSED, text, facts)


def _not_borne(draft: Draft, plan: LoadTest, complaint: str, facts: dict[str, Fact], now: datetime) -> Draft:
    """Begin anew, or take the deployment out: that bars the artifact, and a busy machine is not the model's fault."""
    failures = draft.release.load_failures + 1
    if failures < plan.tries:
        text = f"{draft.release.deployment} did not bear the load: {complaint}. Try {failures + 1} of {plan.tries}."
        draft = draft.with_release(load=Tally(), load_failures=failures)
        return draft.because(Why.LOAD_TEST_REPEATED, text, facts)
    what = f"did not bear the load: {complaint}"
    return fail(draft, Signal.LOAD_TEST_FAILED, Why.LOAD_TEST_FAILED, what, now, facts)


def _complaint(plan: LoadTest, load: Tally, *, complete: bool) -> str:
    """What speaks against it. Errors may be proven before the time is over; the rest is judged at its end."""
    limit = plan.max_error_rate_pct
    over = 100 * load.bad > limit * load.requests
    if proven_over(load.bad, load.requests, limit / 100) or (complete and over):
        told = f" ({load.detail})" if load.detail else ""
        return f"{load.bad} of {load.requests} requests failed{told}; the limit is {limit:g} %"
    p95 = load.quantile_ms(0.95)
    if complete and p95 is None:
        return "no request was answered"
    if complete and plan.max_latency_p95_ms is not None and p95 is not None and p95 > plan.max_latency_p95_ms:
        return f"the 95th percentile of latency was {p95:.0f} ms; the limit is {plan.max_latency_p95_ms} ms"
    return ""
