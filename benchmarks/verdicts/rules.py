"""The rules that are compared: the product's own, the one proposed in its place, and a plain threshold.

Called by comparing.py. Kayenta's rule is in kayenta.py.
"""

import numpy as np

from benchmarks.verdicts.plan import LIMITS, STAGES, Ending, Kind, most_polls, polls
from benchmarks.verdicts.streams import Counts, Stream
from benchmarks.verdicts.walking import Window
from shared.domain import traffic_checks
from shared.domain.analysis import FALSE_ALARM, Finding, combined
from shared.domain.observation import Stats
from shared.domain.statistics import evidence_over


def product(seen: Window) -> Finding:
    """What the product finds."""
    enough = traffic_checks.requests(seen.candidate, seen.min_requests, complete=seen.complete)
    return combined([enough, traffic_checks.errors(LIMITS, seen.candidate, seen.live)]).finding


def proposed(seen: Window) -> Finding:
    """The rule proposed in its place: by shares of errors, and without its worst slice.

    Each error is the candidate's with probability r c / (r c + l), if it fails r times as often as the live one and
    answers c requests to l: however many errors there are, whenever they come. So an outage of both changes nothing,
    and no estimate of the live rate is needed. The conditional test of Przyborowski and Wilenski (1940), made
    anytime-valid by the mixture (Lindon and Malek 2022). Over the limit, a candidate fails only if it is also worse
    than what is live; both over the limit is no verdict on the candidate. Errors that come in a burst are no
    independent evidence: a failure must outlive the loss of the worst slice, and the thinning of the rest.
    """
    candidate, limit = seen.candidate, LIMITS.max_error_rate_pct / 100
    if _broken(candidate, seen.live, limit):
        mine = seen.slices[:, :2]
        thinned = _thinned(np.delete(mine, int(mine[:, 1].argmax()), axis=0)), _thinned(seen.slices[:, 2:])
        return Finding.FAIL if _broken(*thinned, limit) else Finding.INCONCLUSIVE
    short = not seen.complete or candidate.requests < seen.min_requests
    return Finding.INCONCLUSIVE if short or candidate.errors > limit * candidate.requests else Finding.PASS


def _broken(candidate: Stats, live: Stats, limit: float) -> bool:
    if _more_than(candidate, live, LIMITS.max_error_rate_ratio):
        return True
    over = _proven(candidate.errors, candidate.requests, limit)
    return over and (not live.requests or _more_than(candidate, live, 1.0))


def _more_than(candidate: Stats, live: Stats, ratio: float) -> bool:
    """Whether the candidate is proven to fail more than `ratio` times as often as the live deployment."""
    if not live.requests or not candidate.requests:
        return False
    share = ratio * candidate.requests / (ratio * candidate.requests + live.requests)
    return _proven(candidate.errors, candidate.errors + live.errors, share)


def _thinned(slices: Counts) -> Stats:
    """Requests and errors of all slices, divided by their design effect: errors that come together count as one.

    Rao and Scott (1992). The effect is one and the errors that each error has beside it in its slice, beyond those
    that errors strewn at random would have.
    """
    requests, errors = slices[:, 0], slices[:, 1]
    total, failed = int(requests.sum()), int(errors.sum())
    if failed < 2:
        return Stats(requests=total, errors=failed)
    beside = int((errors * (errors - 1)).sum()) - (failed / total) ** 2 * int((requests * (requests - 1)).sum())
    effect = 1 + max(0.0, beside) / failed
    return Stats(requests=round(total / effect), errors=round(failed / effect))


def _proven(hits: int, trials: int, limit: float) -> bool:
    return evidence_over(hits, trials, limit) >= 1 / FALSE_ALARM


def threshold(run: list[Stream], *, wait: bool) -> Ending:
    """Fail once the window's error rate is over the limit. With `wait`, only once there are `min_requests`."""
    answered = 0
    for stage, step in enumerate(STAGES):
        hold, most = polls(step.hold_s), most_polls(step)
        needed = step.min_requests if wait else 0
        count = hold
        while run[stage].cumulative(count)[count - 1, 0] < needed and count < most:
            count += 1
        window = run[stage].cumulative(count)[:count]
        over = (100 * window[:, 1] > LIMITS.max_error_rate_pct * window[:, 0]) & (window[:, 0] >= needed)
        if over.any():
            return Ending(Kind.FAILED, stage, answered + int(window[int(over.argmax()), 0]))
        answered += int(window[-1, 0])
        if window[-1, 0] < needed:
            return Ending(Kind.HELD, stage, answered)
    return Ending(Kind.PASSED, len(STAGES) - 1, answered)
