"""Sample requests in place of users, where too few came and the spec's `no_data` says to probe. Pure.

Used by watching.py once a stage has been silent for too long, and by observe, which sends them. Candidate and live
deployment get the same requests, by name, a few seconds' worth a pass; what came of them is added up in the record
and judged by the limits of the stage. They are never counted as users' requests: the traffic log is read without.
"""

from datetime import datetime

from shared.domain.analysis import Aspect, Check, Finding, proven_over
from shared.domain.reasons import Fact
from shared.domain.record import Record, Release
from shared.domain.spec import Analysis, Rollout
from shared.domain.statistics import difference, wilson
from shared.domain.tally import BURST_S, Burst, Probing, Tally

AT_ONCE = 4
"""So many probes may be under way when answers are slow."""


def current(release: Release) -> Probing | None:
    """The probes of the present stage, if it is being probed."""
    probing = release.probing
    return probing if probing is not None and probing.since == release.step_since else None


def begun(since: datetime) -> Probing:
    """The probes of a stage whose window began then: none yet."""
    return Probing(since=since)


def short(rollout: Rollout, record: Record) -> tuple[str, ...]:
    """Who of them still lacks some."""
    assert record.release is not None
    probing = current(record.release)
    if probing is None:
        return ()
    return tuple(name for name in probed(record) if probing.of(name).requests < rollout.probe.requests)


def probed(record: Record) -> tuple[str, ...]:
    """Who gets probes: the candidate, and the live deployment beside it."""
    assert record.release is not None
    return (record.release.deployment, *([record.live.deployment] if record.live else []))


def next_burst(rollout: Rollout, record: Record) -> Burst | None:
    """What each of them is to be sent now; None while the stage is not probed, or when they had enough."""
    assert record.release is not None
    probing, plan = current(record.release), rollout.probe
    if probing is None:
        return None
    left = plan.requests - min(probing.of(name).requests for name in probed(record))
    if left <= 0:
        return None
    return Burst(seconds=min(BURST_S, left / plan.requests_per_s), per_s=plan.requests_per_s, at_once=AT_ONCE)


def judge(rollout: Rollout, record: Record, probing: Probing) -> Check | None:
    """What the probes say, by the limits of the stage's analysis; None while more are to be sent.

    An answer that is not what the sample promises counts as an error. What fails on the live deployment alike is not
    held against the candidate.
    """
    found = [probing.of(name) for name in probed(record)]
    candidate, live = found[0], found[1] if len(found) > 1 else None
    enough = min(tally.requests for tally in found) >= rollout.probe.requests
    finding, said = _found(rollout.analysis, candidate, live)
    if not enough and finding is not Finding.FAIL:
        return None
    facts: dict[str, Fact] = {"synthetic": True, **_facts("probe", candidate)}
    facts |= _facts("live_probe", live) if live is not None else {}
    return Check(
        aspect=Aspect.PROBES,
        finding=finding,
        text=f"By {candidate.requests} sample requests of Upkeep's own: {said}.",
        facts=facts,
        suspect=finding is Finding.INCONCLUSIVE,
    )


def _found(limits: Analysis, candidate: Tally, live: Tally | None) -> tuple[Finding, str]:
    said = f"{candidate.bad} failed" + (f" ({candidate.detail})" if candidate.detail else "")
    limit, ratio = limits.max_error_rate_pct / 100, limits.max_error_rate_ratio
    if _proven(candidate, limit) and _worse(candidate, live):
        return Finding.FAIL, f"{said}; the limit is {limits.max_error_rate_pct:g} %"
    if live is not None and _proven(candidate, min(1.0, ratio * wilson(live.bad, live.requests)[1])):
        return Finding.FAIL, f"{said}; the limit is {ratio:g} times the share of live, {live.bad} of {live.requests}"
    if candidate.bad > limit * candidate.requests:
        said += f", over the limit of {limits.max_error_rate_pct:g} %"
        return Finding.INCONCLUSIVE, f"{said}, but it could be chance, or no fault of its own"
    p95, allowed = candidate.quantile_ms(0.95), limits.max_latency_p95_ms
    if allowed is not None and p95 is not None and p95 > allowed:
        return Finding.FAIL, f"the 95th percentile of latency is {p95:.0f} ms; the limit is {allowed} ms"
    return Finding.PASS, said + ("" if p95 is None else f", p95 {p95:.0f} ms")


def _proven(tally: Tally, limit: float) -> bool:
    return proven_over(tally.bad, tally.requests, limit)


def _worse(candidate: Tally, live: Tally | None) -> bool:
    return live is None or difference(candidate.bad, candidate.requests, live.bad, live.requests)[0] > 0


def _facts(prefix: str, tally: Tally) -> dict[str, Fact]:
    return {
        f"{prefix}_requests": tally.requests,
        f"{prefix}_errors": tally.errors,
        f"{prefix}_malformed": tally.malformed,
        f"{prefix}_latency_p95_ms": tally.quantile_ms(0.95),
    }
