"""Judge a canary by the traffic log: pass, fail or inconclusive. Silence is never a pass.

Called by decide only.
"""

from enum import StrEnum

from shared.domain.base import Kept
from shared.domain.observation import Stats
from shared.domain.reasons import Fact
from shared.domain.spec import Analysis
from shared.domain.statistics import evidence_over, wilson

FALSE_ALARM = 0.01
"""How often a deployment that is just within a limit may be failed by it, over all looks at a window together."""


class Finding(StrEnum):
    """What a window of traffic says."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


class Check(Kept, frozen=True, kw_only=True):
    """The finding, a sentence, and the numbers."""

    finding: Finding
    text: str
    facts: dict[str, Fact]


def analyse(limits: Analysis, candidate: Stats, live: Stats | None, min_requests: int, *, complete: bool) -> Check:
    """Judge one window, which may be looked at as often as one likes. `complete`: the step was held long enough.

    A failure needs evidence but not the whole window: what is plainly broken is taken back at once. A pass needs
    time, requests, and an error rate within the limit. A rate over it that could be chance is neither: hold on.
    """
    facts = _facts(candidate, live)
    complaint = _errors(limits, candidate, live)
    if complaint:
        return Check(finding=Finding.FAIL, text=complaint, facts=facts)
    if not complete or candidate.requests < min_requests:
        text = f"{candidate.requests} of {min_requests} requests so far, {candidate.errors} errors."
        return Check(finding=Finding.INCONCLUSIVE, text=text, facts=facts)
    complaint = _too_slow(limits, candidate)
    if complaint:
        return Check(finding=Finding.FAIL, text=complaint, facts=facts)
    if 100 * candidate.errors > limits.max_error_rate_pct * candidate.requests:
        text = (
            f"{candidate.errors} of {candidate.requests} requests failed: over the limit of"
            f" {limits.max_error_rate_pct:g} %, but it could be chance."
        )
        return Check(finding=Finding.INCONCLUSIVE, text=text, facts=facts)
    text = f"{candidate.requests} requests, {candidate.errors} errors{_latency(candidate)}."
    return Check(finding=Finding.PASS, text=text, facts=facts)


def _facts(candidate: Stats, live: Stats | None) -> dict[str, Fact]:
    facts: dict[str, Fact] = {
        "requests": candidate.requests,
        "errors": candidate.errors,
        "latency_p95_ms": candidate.latency_p95_ms,
    }
    if live is not None:
        facts |= {
            "live_requests": live.requests,
            "live_errors": live.errors,
            "live_latency_p95_ms": live.latency_p95_ms,
        }
    return facts


def _errors(limits: Analysis, candidate: Stats, live: Stats | None) -> str:
    rate = f"{candidate.errors} of {candidate.requests} requests failed"
    if _proven_over(candidate, limits.max_error_rate_pct / 100):
        return f"{rate}: more than the limit of {limits.max_error_rate_pct:g} %."
    if live is not None and live.requests:
        _, high = wilson(live.errors, live.requests)
        if _proven_over(candidate, min(1.0, limits.max_error_rate_ratio * high)):
            return (
                f"{rate}: over {limits.max_error_rate_ratio:g} times the live deployment's rate"
                f" ({live.errors} of {live.requests})."
            )
    return ""


def _proven_over(candidate: Stats, limit: float) -> bool:
    return evidence_over(candidate.errors, candidate.requests, limit) >= 1 / FALSE_ALARM


def _too_slow(limits: Analysis, candidate: Stats) -> str:
    p95 = candidate.latency_p95_ms
    if limits.max_latency_p95_ms is not None and p95 is not None and p95 > limits.max_latency_p95_ms:
        return f"The 95th percentile of latency is {p95:.0f} ms; the limit is {limits.max_latency_p95_ms} ms."
    return ""


def _latency(candidate: Stats) -> str:
    return "" if candidate.latency_p95_ms is None else f", p95 {candidate.latency_p95_ms:.0f} ms"
