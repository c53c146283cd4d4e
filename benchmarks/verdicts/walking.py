"""Walks a rollout as the reconciler does: a look every poll over a window that grows, stage after stage.

Called by comparing.py with the product's finding, and with the one that is proposed. It repeats what
shared/domain/watching.py does with a finding: a failure ends it, a pass goes on, anything else is waited for.
"""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.verdicts.plan import STAGES, Ending, Kind, most_polls, polls
from benchmarks.verdicts.streams import Counts, Stream
from shared.domain.analysis import Finding
from shared.domain.observation import Stats


@dataclass(frozen=True)
class Window:
    """What is seen at one look: totals of both deployments, the counts slice by slice, and what analyse asks for."""

    candidate: Stats
    live: Stats
    slices: Counts
    min_requests: int
    complete: bool


Find = Callable[[Window], Finding]


def walk(find: Find, run: list[Stream]) -> Ending:
    """How the rollout ends."""
    answered = 0
    for stage in range(len(STAGES)):
        kind, requests = _hold(find, run[stage], stage)
        answered += requests
        if kind is not Kind.PASSED:
            return Ending(kind, stage, answered)
    return Ending(Kind.PASSED, len(STAGES) - 1, answered)


def _hold(find: Find, stream: Stream, stage: int) -> tuple[Kind, int]:
    step, poll = STAGES[stage], 0
    hold, most = polls(step.hold_s), most_polls(step)
    seen: tuple[list[int], bool] | None = None
    for _ in range(most):
        poll += 1
        complete = poll >= hold
        row = stream.cumulative(poll)[poll - 1].tolist()
        if seen == (row, complete):
            continue  # the same window gives the same finding
        seen = (row, complete)
        candidate, live = Stats(requests=row[0], errors=row[1]), Stats(requests=row[2], errors=row[3])
        finding = find(Window(candidate, live, stream.slices[:poll], step.min_requests, complete))
        if finding is Finding.FAIL:
            return Kind.FAILED, row[0]
        if finding is Finding.PASS:
            return Kind.PASSED, row[0]
    return Kind.HELD, int(stream.cumulative(most)[most - 1, 0])
