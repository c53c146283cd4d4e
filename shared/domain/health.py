"""Judge an endpoint by the traffic of a window, that of the window before, and limits: pass, fail or no data.

Called by `upkeep check` only; a rollout is judged by analysis.py. Pure: all that was seen comes in as a value. No
data is never a pass. A deployment is judged if live traffic went to it: requests that reach another one are copies,
or calls that named it, and no user's trouble.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum

from shared.domain.analysis import proven_over
from shared.domain.base import Kept
from shared.domain.lifecycle import Phase
from shared.domain.observation import DeploymentState, EndpointSeen, Stats, TrafficSeen
from shared.domain.reasons import Fact
from shared.domain.record import Outcome
from shared.domain.statistics import difference, wilson

LEAST_ERRORS = 3
"""Fewer errors are no rise, whatever was before."""
LEAST_FOR_P95 = 20
"""The 95th percentile of fewer values is hardly more than the slowest of them."""
LEAST_RISE_MS = 50.0
"""A smaller rise of a percentile is what any shared machine does."""


class Verdict(StrEnum):
    """What a check says, and what all of them say together."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    NO_DATA = "no_data"


class Aspect(StrEnum):
    """What a check looks at. Documented in docs/guide/monitoring.md, word by word."""

    TRAFFIC = "traffic"
    REQUESTS = "requests"
    ERROR_RATE = "error_rate"
    ERROR_RATE_RISE = "error_rate_rise"
    LATENCY_P95 = "latency_p95"
    LATENCY_P95_RISE = "latency_p95_rise"
    RELEASE = "release"
    UNSEEN = "unseen"


class Limits(Kept, frozen=True, kw_only=True):
    """What is still healthy. The ratios compare with the window before; without a latency limit there is none."""

    max_error_rate_pct: float = 1.0
    max_error_rate_ratio: float = 2.0
    max_latency_p95_ms: float | None = None
    max_latency_ratio: float = 2.0
    min_requests: int = 100


class Window(Kept, frozen=True, kw_only=True):
    """The traffic of the whole endpoint over [start, end)."""

    start: datetime
    end: datetime
    stats: Stats


class ReleaseSeen(Kept, frozen=True, kw_only=True):
    """Where the model stands, in the app's words: the release in flight, if any, and how the last one ended."""

    phase: Phase
    number: int | None = None
    last: Outcome | None = None


class Seen(Kept, frozen=True, kw_only=True):
    """All that is judged. What is None was not asked for, or could not be seen: then `unseen` says why.

    `since` is when the check's own window begins; `served` names the deployments that had live traffic in any look.
    """

    since: datetime
    now: TrafficSeen | None = None
    before: Window | None = None
    endpoint: EndpointSeen | None = None
    served: tuple[str, ...] = ()
    release: ReleaseSeen | None = None
    unseen: tuple[str, ...] = ()


class Check(Kept, frozen=True, kw_only=True):
    """One finding: of which deployment (empty: the endpoint), a sentence, and the numbers.

    `plain` failures need not be watched any longer: their proof holds however often it was looked for.
    """

    aspect: Aspect
    verdict: Verdict
    text: str
    of: str = ""
    plain: bool = False
    facts: dict[str, Fact] = {}


def judge(limits: Limits, seen: Seen) -> tuple[Check, ...]:
    """Every check, the endpoint's first. Sentences name their numbers and limits."""
    return tuple(_checks(limits, seen))


def overall(verdicts: Iterable[Verdict]) -> Verdict:
    """One failure fails; else whatever could not be judged leaves the whole without a verdict."""
    found = set(verdicts)
    if Verdict.FAIL in found:
        return Verdict.FAIL
    return Verdict.NO_DATA if Verdict.NO_DATA in found or not found else Verdict.PASS


def _checks(limits: Limits, seen: Seen) -> Iterator[Check]:
    if seen.endpoint is not None:
        yield _traffic(seen.endpoint, seen.before)
    if seen.now is not None:
        yield _requests(limits, seen, seen.now)
        for name in seen.served:
            yield from _deployment(limits, seen, name, seen.now.of(name))
    if seen.release is not None:
        yield _release(seen.release, seen.since)
    for text in seen.unseen:
        yield Check(aspect=Aspect.UNSEEN, verdict=Verdict.NO_DATA, text=text)


def live(endpoint: EndpointSeen | None) -> dict[str, int]:
    """Shares of the live traffic, without those of nought."""
    return {name: pct for name, pct in endpoint.traffic.items() if pct} if endpoint else {}


def _traffic(endpoint: EndpointSeen, before: Window | None) -> Check:
    shares = live(endpoint)
    facts: dict[str, Fact] = dict(shares)
    broken = [name for name in shares if endpoint.deployments.get(name) is DeploymentState.FAILED]
    verdict, plain = Verdict.PASS, False
    text = "Live traffic: " + ", ".join(f"{name} {pct} %" for name, pct in sorted(shares.items())) + "."
    if not endpoint.exists:
        verdict, plain, text = Verdict.FAIL, True, "There is no such endpoint."
    elif broken:
        verdict, plain = Verdict.FAIL, True
        text = f"{_and(broken)} has live traffic, and its provisioning has failed."
    elif not shares and before is not None and before.stats.requests:
        verdict = Verdict.FAIL
        text = f"No deployment has live traffic; before, there were {before.stats.requests} requests."
    elif not shares:
        verdict, text = Verdict.NO_DATA, "No deployment has live traffic."
    return Check(aspect=Aspect.TRAFFIC, verdict=verdict, text=text, plain=plain, facts=facts)


def _requests(limits: Limits, seen: Seen, now: TrafficSeen) -> Check:
    count = sum(now.of(name).requests for name in seen.served)
    text = f"{count} requests{_a_minute(count, now.start, now.end)}"
    facts: dict[str, Fact] = {"requests": count, "min_requests": limits.min_requests}
    if seen.before is not None:
        earlier = seen.before.stats.requests
        text += f"; before: {earlier}{_a_minute(earlier, seen.before.start, seen.before.end)}"
        facts["requests_before"] = earlier
    enough = count >= limits.min_requests
    if not enough:
        text += f"; at least {limits.min_requests} are needed to judge by"
    verdict = Verdict.PASS if enough else Verdict.NO_DATA
    return Check(aspect=Aspect.REQUESTS, verdict=verdict, text=f"{text}.", facts=facts)


def _a_minute(count: int, start: datetime, end: datetime) -> str:
    seconds = (end - start).total_seconds()
    return f" ({60 * count / seconds:.1f} a minute)" if seconds > 0 else ""


def _deployment(limits: Limits, seen: Seen, name: str, stats: Stats) -> Iterator[Check]:
    is_live = seen.endpoint is None or name in live(seen.endpoint)
    before = seen.before.stats if seen.before else None
    for check in (
        _error_rate(limits, name, stats),
        _error_rate_rise(limits, name, stats, before),
        _latency(limits, name, stats),
        _latency_rise(limits, name, stats, before),
    ):
        # One that had its traffic taken away in the meantime may stay without a verdict: nobody is sent there.
        if check is not None and (is_live or check.verdict is not Verdict.NO_DATA):
            yield check


def _error_rate(limits: Limits, name: str, stats: Stats) -> Check:
    limit = limits.max_error_rate_pct
    over = stats.requests > 0 and 100 * stats.errors / stats.requests > limit
    enough = stats.requests >= limits.min_requests
    proven = _proven_over(stats, limit / 100)
    verdict = _verdict(failed=proven or (over and enough), enough=enough)
    return Check(
        aspect=Aspect.ERROR_RATE,
        of=name,
        verdict=verdict,
        plain=proven,
        text=f"{_failed(stats)}; the limit is {limit:g} %{_too_few(limits, verdict)}.",
        facts={"requests": stats.requests, "errors": stats.errors, "max_error_rate_pct": limit},
    )


def _error_rate_rise(limits: Limits, name: str, stats: Stats, before: Stats | None) -> Check | None:
    if before is None or not before.requests:
        return None
    ratio = limits.max_error_rate_ratio
    enough = stats.requests >= limits.min_requests
    times_over = stats.errors * before.requests > ratio * before.errors * stats.requests
    low, _ = difference(stats.errors, stats.requests, before.errors, before.requests)
    # Two windows, one after the other: what was before is taken at the upper end of its interval, since there is no
    # live deployment beside to share an outage with (as traffic_checks.py has for a canary).
    proven = _proven_over(stats, min(1.0, ratio * wilson(before.errors, before.requests)[1]))
    risen = enough and stats.errors >= LEAST_ERRORS and times_over and low > 0
    verdict = _verdict(failed=proven or risen, enough=enough)
    return Check(
        aspect=Aspect.ERROR_RATE_RISE,
        of=name,
        verdict=verdict,
        plain=proven,
        text=(
            f"{_failed(stats)}; before: {_failed(before)};"
            f" the limit is {ratio:g} times that rate, beyond chance{_too_few(limits, verdict)}."
        ),
        facts={
            "errors": stats.errors,
            "requests": stats.requests,
            "errors_before": before.errors,
            "requests_before": before.requests,
            "max_error_rate_ratio": ratio,
        },
    )


def _latency(limits: Limits, name: str, stats: Stats) -> Check | None:
    limit, p95_ms = limits.max_latency_p95_ms, stats.latency_p95_ms
    if limit is None:
        return None
    enough = stats.requests >= limits.min_requests and p95_ms is not None
    verdict = _verdict(failed=enough and p95_ms is not None and p95_ms > limit, enough=enough)
    return Check(
        aspect=Aspect.LATENCY_P95,
        of=name,
        verdict=verdict,
        text=f"p95 {_ms(p95_ms)}; the limit is {limit:g} ms{_too_few(limits, verdict)}.",
        facts={"latency_p95_ms": p95_ms, "max_latency_p95_ms": limit},
    )


def _latency_rise(limits: Limits, name: str, stats: Stats, before: Stats | None) -> Check | None:
    if before is None or before.latency_p95_ms is None or before.requests < LEAST_FOR_P95:
        return None
    p95_ms, earlier_ms, ratio = stats.latency_p95_ms, before.latency_p95_ms, limits.max_latency_ratio
    limit_ms = max(ratio * earlier_ms, earlier_ms + LEAST_RISE_MS)
    enough = stats.requests >= limits.min_requests and p95_ms is not None
    verdict = _verdict(failed=enough and p95_ms is not None and p95_ms > limit_ms, enough=enough)
    return Check(
        aspect=Aspect.LATENCY_P95_RISE,
        of=name,
        verdict=verdict,
        text=(
            f"p95 {_ms(p95_ms)}; before: {_ms(earlier_ms)}; the limit is {_ms(limit_ms)}{_too_few(limits, verdict)}."
        ),
        facts={"latency_p95_ms": p95_ms, "latency_p95_ms_before": earlier_ms, "max_latency_ratio": ratio},
    )


def _release(release: ReleaseSeen, since: datetime) -> Check:
    last, number = release.last, release.number
    if release.phase is Phase.ROLLING_BACK:
        text = f"Release {number} is being rolled back."
        return Check(aspect=Aspect.RELEASE, verdict=Verdict.FAIL, text=text, plain=True)
    if last is not None and last.phase is Phase.ROLLED_BACK and last.at >= since:
        text = f"Release {last.release} was rolled back in the meantime: {last.text}"
        return Check(aspect=Aspect.RELEASE, verdict=Verdict.FAIL, text=text, plain=True)
    text = "No release is in flight" if number is None else f"Release {number} is in flight: {_said(release.phase)}"
    if last is not None:
        text += f"; release {last.release} was the last to end: {_said(last.phase)}"
    return Check(aspect=Aspect.RELEASE, verdict=Verdict.PASS, text=f"{text}.")


def _proven_over(stats: Stats, limit: float) -> bool:
    return proven_over(stats.errors, stats.requests, limit)


def _verdict(*, failed: bool, enough: bool) -> Verdict:
    if failed:
        return Verdict.FAIL
    return Verdict.PASS if enough else Verdict.NO_DATA


def _failed(stats: Stats) -> str:
    share = f" ({100 * stats.errors / stats.requests:.2f} %)" if stats.requests else ""
    return f"{stats.errors} of {stats.requests} requests failed{share}"


def _too_few(limits: Limits, verdict: Verdict) -> str:
    return f"; fewer than {limits.min_requests} requests" if verdict is Verdict.NO_DATA else ""


def _ms(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.0f} ms"


def _said(phase: Phase) -> str:
    return phase.replace("_", " ")


def _and(names: Iterable[str]) -> str:
    return " and ".join(sorted(names))
