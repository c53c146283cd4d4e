"""The crash simulation: thousands of seeded schedules without a violation, and five known bugs that it must catch.

UPKEEP_SIMULATIONS sets how many schedules are played (10,000 unless told).
"""

import os
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime

import pytest

from shared.domain import names
from shared.domain.actions import SetTraffic
from shared.domain.decide import Decision, decide
from shared.domain.events import Event
from shared.reconcile.loop import Inputs, Reconciler
from shared.reconcile.observe import observe
from shared.reconcile.ports import DecisionRow, Loaded, Unread
from tests.fakes.platform import FakePlatform, Violation
from tests.fakes.state import FakeStateStore
from tests.simulation.world import Parts, World

SCHEDULES = int(os.environ.get("UPKEEP_SIMULATIONS", "10000"))
CHUNK = 250


def play(first: int) -> tuple[list[str], int]:
    """Play a chunk of schedules; what was violated, and how often a worker died."""
    violations, crashes = [], 0
    for seed in range(first, min(first + CHUNK, SCHEDULES)):
        world = World(seed)
        try:
            world.run()
        except Violation as violation:
            violations.append(f"seed {seed}: {violation}")
        crashes += world.crashes
    return violations, crashes


@pytest.mark.timeout(1_200)
def test_no_schedule_of_crashes_duplicates_and_delays_breaks_a_promise() -> None:
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        results = list(pool.map(play, range(0, SCHEDULES, CHUNK)))
    assert [violation for violations, _ in results for violation in violations] == []
    assert sum(crashes for _, crashes in results) > SCHEDULES / 4, "the simulation must really crash workers"


class ClaimsThenDrops(FakeStateStore):
    """Takes events out of the inbox when it reads them, not when their effect is committed."""

    def load(self, model: str, most_events: int) -> Loaded | None:
        loaded = super().load(model, most_events)
        for unread in loaded.unread if loaded else ():
            self.rows.pop((model, unread.row), None)
        return loaded

    def commit(self, record, etag, consumed: tuple[Unread, ...], decision: DecisionRow) -> str:  # type: ignore[no-untyped-def]
        return super().commit(record, etag, (), decision)


class ForgetsWhatItSaw(FakeStateStore):
    """Records into the inbox without a `seen` row, so that a repeat after the commit is a second event."""

    def record_event(self, model: str, event: Event, now: datetime) -> bool:
        new = super().record_event(model, event, now)
        for key in [key for key in self.rows if key[1].startswith("seen|")]:
            del self.rows[key]
        return new


class ActsBeforeItCommits(Reconciler):
    """Carries orders out first and writes them down afterwards."""

    def _pass(self, loaded: Loaded) -> Decision:
        record, now = loaded.record, self._clock.now()
        digest = record.release.publication if record.release else loaded.pointer.publication
        publication = self._archive.publication(record.model, digest)
        look = observe(publication, record, now, self._sources)
        events = tuple(unread.event for unread in loaded.unread)
        decision = decide(publication, record, events, look.seen, now)
        self._act(decision, publication, loaded.etag)
        if decision.record != record or events:
            inputs = Inputs(publication=digest, record=record, events=events, seen=look.seen, now=now)
            decision, _ = self._commit(loaded, decision, inputs)
        return decision


class PutsTrafficWithoutGet(FakePlatform):
    """Builds a fresh endpoint with the traffic it wants and puts that."""

    def set_traffic(self, endpoint: str, order: SetTraffic) -> None:
        self.put(endpoint, {"traffic": dict(order.traffic)})


def caught(parts: Parts, schedules: int = 400) -> bool:
    """Whether any of some schedules notices the bug."""
    for seed in range(schedules):
        try:
            World(seed, parts).run()
        except Violation:
            return True
    return False


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param(Parts(state=ClaimsThenDrops), id="claim, then drop"),
        pytest.param(Parts(state=ForgetsWhatItSaw), id="inbox row deleted without a seen row"),
        pytest.param(Parts(reconciler=ActsBeforeItCommits), id="act before commit"),
        pytest.param(Parts(platform=PutsTrafficWithoutGet), id="traffic put without get"),
    ],
)
def test_a_bug_put_in_by_hand_is_caught(parts: Parts) -> None:
    assert caught(parts)


def test_a_random_job_name_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = iter(range(1_000_000))
    monkeypatch.setattr(
        names, "job", lambda model, release, attempt: f"{model}-{release:04d}-a{attempt}-{next(numbers)}"
    )
    assert caught(Parts())
