"""Random interleavings of everything that can happen to a model, and the promises that hold in all of them.

`--steps N` plays that many moves (unless told, 20 for each of UPKEEP_SIMULATIONS, so 200,000), `--seed N` the trace
of one seed. A trace that breaks a promise is shortened and printed; `python -m tests.simulation.playing SEED` tells
what happens in it.
"""

import logging
import os
import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from shared.reconcile import loop
from tests.simulation import bugs
from tests.simulation.moves import draw
from tests.simulation.playing import LENGTH, play, search, shortened
from tests.simulation.test_crashes import SCHEDULES, ActsBeforeItCommits, ClaimsThenDrops, ForgetsWhatItSaw
from tests.simulation.world import Parts

DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "promises.md"
CHUNK = 25
SEARCHED = range(400)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Hundreds of thousands of passes have nothing to say that a shortened trace does not say better."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.timeout(1_200)
def test_no_interleaving_breaks_a_promise(pytestconfig: pytest.Config) -> None:
    seed, steps = pytestconfig.getoption("--seed"), pytestconfig.getoption("--steps") or 20 * SCHEDULES
    seeds = range(seed, seed + 1) if seed is not None else range(-(-steps // LENGTH))
    chunks = [seeds[begin : begin + CHUNK] for begin in range(0, len(seeds), CHUNK)]
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        found = [broken for broken in pool.map(search, chunks) if broken is not None]
    if found:
        pytest.fail(str(shortened(found[0])))


def test_a_trace_is_the_same_whenever_it_is_played(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "decide", bugs.takes_all_away(loop.decide))
    broken = search(SEARCHED)
    assert broken is not None
    assert play(broken.seed, draw(broken.seed, LENGTH)) == broken


def test_a_trace_is_shortened_to_the_moves_that_break_the_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "decide", bugs.takes_all_away(loop.decide))
    broken = search(SEARCHED)
    assert broken is not None
    short = shortened(broken)
    assert short.promise == broken.promise
    assert len(short.trace) < LENGTH / 10


IN_DECISIONS = [
    (bugs.forgets_the_rest, "traffic sums to 0 or 100"),
    (bugs.mirrors_what_is_live, "live and mirrored traffic exclude each other"),
    (bugs.takes_all_away, "what serves goes on serving"),
    (bugs.deletes_the_old_one, "the last healthy deployment stays"),
    (bugs.sees_health, "only what is healthy is given traffic"),
    (bugs.begins_anew, "one release in flight"),
    (bugs.drops_a_release, "one release in flight"),
    (bugs.makes_up_a_verdict, "no promotion past a verdict"),
    (bugs.asks_nobody, "no promotion past an approval"),
    (bugs.overlooks_errors, "no promotion past a failed window"),
    (bugs.forgets_bars, "what was taken out stays out"),
    (bugs.forgets_pauses, "a pause holds"),
    (bugs.forgets_freezes, "a freeze holds"),
    (bugs.jumps_to_the_canary, "the table of the life"),
    (bugs.skips_the_steps, "nothing is done unrecorded"),
    (bugs.never_comes_back, "progress"),
]
AROUND_DECISIONS = [
    (Parts(reconciler=ActsBeforeItCommits), "nothing is done unrecorded"),
    (Parts(state=ForgetsWhatItSaw), "one event, one effect"),
    (Parts(state=ClaimsThenDrops), "no event is lost"),
    (Parts(state=bugs.WritesWhatNobodyReads), "the record decodes"),
]


def words(given: object) -> str:
    """A promise as part of a test's name."""
    return given.replace(" ", "-") if isinstance(given, str) else ""


@pytest.mark.parametrize(("bug", "promise"), IN_DECISIONS, ids=words)
def test_a_bug_in_a_decision_is_caught(monkeypatch: pytest.MonkeyPatch, bug: bugs.Bug, promise: str) -> None:
    monkeypatch.setattr(loop, "decide", bug(loop.decide))
    assert search(SEARCHED, promise=promise) is not None


@pytest.mark.parametrize(("parts", "promise"), AROUND_DECISIONS, ids=words)
def test_a_bug_around_the_decisions_is_caught(parts: Parts, promise: str) -> None:
    assert search(SEARCHED, parts=parts, promise=promise) is not None


def test_every_promise_is_documented_and_catches_a_bug() -> None:
    sources = "".join(path.read_text() for path in Path(__file__).parent.glob("[!t]*.py"))
    looked_at = set(re.findall(r'broken\(\s*"([^"]+)"', sources))
    rows = [line.split("|")[1].strip() for line in DOCUMENT.read_text().splitlines() if line.startswith("| ")]
    assert looked_at == {promise for _, promise in (*IN_DECISIONS, *AROUND_DECISIONS)} == set(rows[1:])
