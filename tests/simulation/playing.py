"""Plays traces, and shortens one that breaks a promise to the moves that it takes. Called by the tests and by hand:

    python -m tests.simulation.playing SEED [LENGTH]

plays the trace of a seed, shortens it if it breaks a promise, and tells what happened in it, move by move.
"""

import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from tests.fakes.examples import ENDPOINT, MODEL
from tests.fakes.platform import Violation
from tests.simulation.moves import Trace, draw
from tests.simulation.wild import Wild
from tests.simulation.world import Parts

LENGTH = 200
"""Moves a trace, unless told: long enough for several releases, short enough to be shortened in seconds."""
MOST_TRIES = 600


@dataclass(frozen=True)
class Broken:
    """A trace that breaks a promise."""

    seed: int
    promise: str
    text: str
    trace: Trace

    def __str__(self) -> str:
        moves = "\n".join(f"    {move}" for move in self.trace)
        again = f"python -m tests.simulation.playing {self.seed}"
        return (
            f"seed {self.seed} breaks a promise.\n  {self.text}\n  {len(self.trace)} moves do it:\n{moves}\n  {again}"
        )


def play(seed: int, trace: Trace, parts: Parts | None = None) -> Broken | None:
    """Play a trace to its end; the promise that it breaks, if it does."""
    world = Wild(seed, parts)
    try:
        for move in trace:
            world.play(move)
            world.promises.after_move()
        world.rest()
    except Violation as violation:
        return Broken(seed, str(violation).partition(":")[0], str(violation), trace)
    return None


def shortened(broken: Broken, parts: Parts | None = None) -> Broken:
    """Leave out all moves without which the same promise is broken too: halves first, single ones in the end."""
    tries, size = 0, len(broken.trace) // 2
    while size and tries < MOST_TRIES:
        for trace in _without(broken.trace, size):
            tries += 1
            again = play(broken.seed, trace, parts)
            if again is not None and again.promise == broken.promise:
                broken = again
                break
        else:
            size //= 2
    return broken


def _without(trace: Trace, size: int) -> Iterator[Trace]:
    for begin in range(len(trace) - size, -1, -size):
        yield trace[:begin] + trace[begin + size :]


def search(
    seeds: range, length: int = LENGTH, parts: Parts | None = None, promise: str | None = None
) -> Broken | None:
    """The first seed whose trace breaks a promise, or that promise."""
    for seed in seeds:
        broken = play(seed, draw(seed, length), parts)
        if broken is not None and promise in (None, broken.promise):
            return broken
    return None


def tell(seed: int, trace: Trace) -> Iterator[str]:
    """What each move did: the decisions that it led to, the phase and the traffic after it."""
    world = Wild(seed)
    try:
        for move in trace:
            known = len(world.state.decisions.get(MODEL, []))
            world.play(move)
            yield f"{move}  →  {world.record.phase} {world.platform.endpoints[ENDPOINT].traffic}"
            for row in world.state.decisions.get(MODEL, [])[known:]:
                yield from (
                    f"      {row.release} {row.before}: {reason.why}: {reason.text}" for reason in row.reasons
                )
            world.promises.after_move()
        world.rest()
    except Violation as violation:
        yield f"broken: {violation}"


def _main(seed: int, length: int = LENGTH) -> None:
    logging.disable(logging.CRITICAL)
    trace = draw(seed, length)
    broken = play(seed, trace)
    if broken is not None:
        broken = shortened(broken)
        trace = broken.trace
    print(*tell(seed, trace), sep="\n")
    print(broken or f"seed {seed} keeps every promise.")


if __name__ == "__main__":
    _main(*map(int, sys.argv[1:]))
