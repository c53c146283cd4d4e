"""Judge a canary by the traffic log: pass, fail or inconclusive. Silence is never a pass.

Called by decide only.
"""

from enum import StrEnum

from shared.domain.base import Kept
from shared.domain.observation import Stats
from shared.domain.reasons import Fact
from shared.domain.spec import Analysis
from shared.domain.statistics import wilson


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
    """Judge one window. `complete` says that the step has been held long enough to pass.

    A failure needs evidence (the lower end of the error rate's interval over the limit), but not the whole
    window: a canary that is plainly broken is taken back at once. A pass needs both time and requests.
    """
    facts = _facts(candidate, live)
    complaint = _errors(limits, candidate, live)
    if complaint:
        return Check(finding=Finding.FAIL, text=complaint, facts=facts)
    if not complete or candidate.requests < min_requests:
        text = f"{candidate.requests} of {min_requests} requests so far, {candidate.errors} errors."
        return Check(finding=Finding.INCONCLUSIVE, text=text, facts=facts)
    complaint = _over_limits(limits, candidate)
    if complaint:
        return Check(finding=Finding.FAIL, text=complaint, facts=facts)
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
    low, _ = wilson(candidate.errors, candidate.requests)
    rate = f"{candidate.errors} of {candidate.requests} requests failed"
    if low * 100 > limits.max_error_rate_pct:
        return f"{rate}: more than the limit of {limits.max_error_rate_pct:g} %."
    if live is not None and live.requests and candidate.errors:
        _, high = wilson(live.errors, live.requests)
        if low > limits.max_error_rate_ratio * high:
            return (
                f"{rate}: over {limits.max_error_rate_ratio:g} times the live deployment's rate"
                f" ({live.errors} of {live.requests})."
            )
    return ""


def _over_limits(limits: Analysis, candidate: Stats) -> str:
    if candidate.requests and 100 * candidate.errors / candidate.requests > limits.max_error_rate_pct:
        return (
            f"{candidate.errors} of {candidate.requests} requests failed:"
            f" more than the limit of {limits.max_error_rate_pct:g} %."
        )
    p95 = candidate.latency_p95_ms
    if limits.max_latency_p95_ms is not None and p95 is not None and p95 > limits.max_latency_p95_ms:
        return f"The 95th percentile of latency is {p95:.0f} ms; the limit is {limits.max_latency_p95_ms} ms."
    return ""


def _latency(candidate: Stats) -> str:
    return "" if candidate.latency_p95_ms is None else f", p95 {candidate.latency_p95_ms:.0f} ms"
