"""Walks a rollout as the reconciler does: a look every poll, and what the product's own `watch` makes of it.

Called by comparing.py and latency.py, which say what the traffic log holds at a look. Nothing of the product's rules
is repeated here: the record that comes out of one look goes into the next, until the release is live, rolled back, or
held for a person.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from benchmarks.verdicts.plan import POLL_S, PUBLICATION, STAGES, Ending, Kind
from shared.domain.changes import Draft
from shared.domain.lifecycle import Phase
from shared.domain.observation import DeploymentState, EndpointSeen, Observation, Stats, TrafficSeen
from shared.domain.record import Cause, CauseKind, Record, Release, Serving
from shared.domain.watching import stage_of, watch

START = datetime(2026, 1, 1, tzinfo=UTC)
LIVE = Serving(release=1, version=1, deployment="r0001", job="", artifact="", publication="", since=START)
CANDIDATE = "r0002"
BEGUN = Record(
    model="model",
    live=LIVE,
    release=Release(
        number=2,
        phase=Phase.CANARY,
        since=START,
        began=START,
        cause=Cause(kind=CauseKind.DATA, at=START, text=""),
        publication=PUBLICATION.hash,
    ),
)

Seen = tuple[Stats, Stats]
"""What the log holds of the candidate and of the live deployment."""
Log = Callable[[int, int], Seen | None]
"""The log of a stage (from 0) after so many polls. None: nothing is simulated any further, so it counts as held."""


def walk(log: Log) -> Ending:
    """How the rollout ends."""
    record, answered = BEGUN, 0
    for number in range(len(STAGES)):
        kind, requests, record = _hold(record, number, log)
        answered += requests
        if kind is not Kind.PASSED:
            return Ending(kind, number, answered)
    return Ending(Kind.PASSED, len(STAGES) - 1, answered)


def _hold(record: Record, number: int, log: Log) -> tuple[Kind, int, Record]:
    """One stage: its ending, the candidate's requests, and the record after it."""
    record = _look(record, None, 0)  # its traffic is seen in force
    before, poll, last = record, 0, (0, 0, 0, 0)
    while True:
        poll += 1
        seen = log(number, poll)
        if seen is None:
            return Kind.HELD, last[0], record
        counts = (seen[0].requests, seen[0].errors, seen[1].requests, seen[1].errors)
        if counts == last and not _matters(number, poll):
            continue  # the same window gives the same finding
        last, record = counts, _look(record, seen, poll)
        if record.release is None:
            return Kind.PASSED, counts[0], record
        if record.release.phase is Phase.ROLLING_BACK:
            return Kind.FAILED, counts[0], record
        if record.release.waiting:
            return Kind.HELD, counts[0], record
        if _place(record) != _place(before):
            return Kind.PASSED, counts[0], record


def _look(record: Record, seen: Seen | None, poll: int) -> Record:
    now = START + timedelta(seconds=POLL_S * poll)
    stage = stage_of(PUBLICATION.spec.rollout, record)
    states = {LIVE.deployment: DeploymentState.READY, CANDIDATE: DeploymentState.READY}
    endpoint = EndpointSeen(exists=True, traffic=stage.traffic, deployments=states)
    traffic = None
    if seen is not None:
        traffic = TrafficSeen(start=START, end=now, stats={CANDIDATE: seen[0], LIVE.deployment: seen[1]})
    return watch(PUBLICATION, Draft(record=record), Observation(endpoint=endpoint, traffic=traffic), now).record


def _matters(number: int, poll: int) -> bool:
    """Whether time alone may change the finding: when the hold is over, and when the last of the extension is."""
    hold_s = STAGES[number].hold_s
    return poll * POLL_S in (hold_s, hold_s + PUBLICATION.spec.rollout.max_hold_s)


def _place(record: Record) -> tuple[Phase, int]:
    assert record.release is not None
    return record.release.phase, record.release.step
