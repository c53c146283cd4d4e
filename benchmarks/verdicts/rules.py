"""The rules that are compared with Kayenta's: the product's own, and a plain threshold.

Called by comparing.py. Kayenta's rule is in kayenta.py.
"""

from benchmarks.verdicts.plan import LIMITS, STAGES, Ending, Kind, most_polls, polls
from benchmarks.verdicts.streams import Stream
from benchmarks.verdicts.walking import walk


def product(run: list[Stream]) -> Ending:
    """What the product does: the way is its own (walking.py), the traffic log is the streams'."""
    return walk(lambda stage, poll: run[stage].seen(poll))


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
