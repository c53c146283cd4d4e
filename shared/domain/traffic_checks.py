"""Judge a canary's window by the traffic log: are there requests enough, do they fail, are they slow?

Called by watching.py. A window may be looked at as often as one likes.
"""

from shared.domain.analysis import FALSE_ALARM, Aspect, Check, Finding
from shared.domain.observation import Stats
from shared.domain.spec import Analysis
from shared.domain.statistics import evidence_over, wilson


def requests(candidate: Stats, min_requests: int, *, complete: bool) -> Check:
    """Whether the window is long enough and holds requests enough to pass by. `complete`: it was held long enough."""
    enough = complete and candidate.requests >= min_requests
    return Check(
        aspect=Aspect.REQUESTS,
        finding=Finding.PASS if enough else Finding.INCONCLUSIVE,
        text=f"{candidate.requests} requests."
        if enough
        else f"{candidate.requests} of {min_requests} requests so far, {candidate.errors} errors.",
        facts={"requests": candidate.requests},
    )


def errors(limits: Analysis, candidate: Stats, live: Stats | None) -> Check:
    """A failure needs proof but not the whole window: what is plainly broken is taken back at once.

    A rate over the limit that could be chance is neither a failure nor a pass.
    """
    facts = {"errors": candidate.errors}
    if live is not None:
        facts |= {"live_requests": live.requests, "live_errors": live.errors}
    finding, text, suspect = Finding.PASS, f"{candidate.errors} errors.", False
    complaint = _complaint(limits, candidate, live)
    if complaint:
        finding, text = Finding.FAIL, complaint
    elif 100 * candidate.errors > limits.max_error_rate_pct * candidate.requests:
        finding, suspect = Finding.INCONCLUSIVE, True
        text = f"{_rate(candidate)}: over the limit of {limits.max_error_rate_pct:g} %, but it could be chance."
    return Check(aspect=Aspect.ERRORS, finding=finding, text=text, facts={**facts}, suspect=suspect)


def latency(limits: Analysis, candidate: Stats, live: Stats | None, *, enough: bool) -> Check:
    """Whether the 95th percentile is within its limit, once there are requests `enough`."""
    p95, limit = candidate.latency_p95_ms, limits.max_latency_p95_ms
    facts = {"latency_p95_ms": p95} | ({"live_latency_p95_ms": live.latency_p95_ms} if live is not None else {})
    finding, text = Finding.PASS, "" if p95 is None else f"p95 {p95:.0f} ms."
    if enough and limit is not None and p95 is not None and p95 > limit:
        finding = Finding.FAIL
        text = f"The 95th percentile of latency is {p95:.0f} ms; the limit is {limit} ms."
    return Check(aspect=Aspect.LATENCY, finding=finding, text=text, facts={**facts})


def _complaint(limits: Analysis, candidate: Stats, live: Stats | None) -> str:
    if _proven_over(candidate, limits.max_error_rate_pct / 100):
        return f"{_rate(candidate)}: more than the limit of {limits.max_error_rate_pct:g} %."
    if live is not None and live.requests:
        _, high = wilson(live.errors, live.requests)
        if _proven_over(candidate, min(1.0, limits.max_error_rate_ratio * high)):
            return (
                f"{_rate(candidate)}: over {limits.max_error_rate_ratio:g} times the live deployment's rate"
                f" ({live.errors} of {live.requests})."
            )
    return ""


def _rate(candidate: Stats) -> str:
    return f"{candidate.errors} of {candidate.requests} requests failed"


def _proven_over(candidate: Stats, limit: float) -> bool:
    return evidence_over(candidate.errors, candidate.requests, limit) >= 1 / FALSE_ALARM
