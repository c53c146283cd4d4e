"""What may happen to a model, as plain values: a trace of moves is drawn from a seed, played, shrunk and printed.

A move names what it means by number (the second deployment, the third call), so that any part of a trace can be
left out and the rest still says something.
"""

import random
from collections.abc import Callable
from itertools import chain, repeat

import msgspec

from shared.domain.events import Command


class Move(msgspec.Struct, frozen=True, tag=True):
    """One step of a trace."""


class Wait(Move, frozen=True):
    """Time passes, and every message that comes due meanwhile is handled."""

    seconds: float


class Leap(Move, frozen=True):
    """Time passes while nobody gets anything done: a worker stands still, a lease runs out."""

    seconds: float


class Nudge(Move, frozen=True):
    """A worker passes over the model now, whatever is due."""


class Sweep(Move, frozen=True):
    """The timer."""


class Lose(Move, frozen=True):
    """A nudge on its way is lost."""

    which: int


class Upload(Move, frozen=True):
    """A month was accepted."""

    month: int


class Fire(Move, frozen=True):
    """An alert fires."""

    rule: str


class Ask(Move, frozen=True):
    """A person commands."""

    command: Command
    version: int | None = None


class Repeat(Move, frozen=True):
    """A sender sends an earlier event again."""

    which: int


class Publish(Move, frozen=True):
    """Another spec is published."""

    variant: int


class ByHand(Move, frozen=True):
    """Somebody changes the endpoint in the portal, within Azure's rules."""

    what: str
    which: int
    share: int


class Trouble(Move, frozen=True):
    """The next calls of one kind fail: to be asked later, or, with `person`, for good until somebody mends it."""

    point: str
    times: int
    person: bool = False


class Quota(Move, frozen=True):
    """So many cores are free in the subscription."""

    free: int


class Gap(Move, frozen=True):
    """The next queries of the traffic log are not answered in full."""

    how: str
    times: int


class Cut(Move, frozen=True):
    """At the nth read, write or call from now the worker is held up while other moves happen; then it may die."""

    at: int
    then: tuple["Inner", ...] = ()
    dies: bool = False


Inner = Leap | Nudge | Sweep | Upload | Fire | Ask | Repeat | ByHand
Any = (
    Wait | Leap | Nudge | Sweep | Lose | Upload | Fire | Ask | Repeat | Publish | ByHand | Trouble | Quota | Gap | Cut
)  # fmt: skip
Trace = tuple[Any, ...]

MONTHS = 12
VARIANTS = 960
"""Of the spec: enough for every pair of what wild.py tells apart by 64, 3 and 5."""
RULES = ("mae", "error-rate", "outage", "unknown")
HANDS = ("split", "all", "nothing", "mirror", "unmirror", "delete", "break", "stranger", "busy")
GAPS = ("empty", "candidate missing", "half", "refused")
POINTS = ("job", "submit_job", "evaluation", "model", "register_model", "endpoint", "put_endpoint", "stats", "smoke")
OVERTAKEN = (Leap(61), Nudge())
"""The lease runs out and another worker passes; then the first one goes on with what it had read."""


def draw(seed: int, length: int) -> Trace:
    """The trace of a seed. Most begin with a first release, because most of the life comes after one."""
    rng = random.Random(seed)
    begun = (Upload(1), Upload(2), Wait(2_000)) if rng.random() < 0.7 else ()
    return (*begun, *(_move(rng) for _ in range(length - len(begun))))


def _move(rng: random.Random) -> Any:
    kinds: dict[Callable[[random.Random], Any], int] = {
        lambda rng: Wait(rng.choice([1, 30, 100, 100, 200, 400, 1_000, 5_000])): 40,
        _inner: 30,
        _cut: 14,
        lambda rng: Trouble(rng.choice(POINTS), rng.choice([1, 1, 2, 5]), rng.random() < 0.2): 6,
        lambda rng: Gap(rng.choice(GAPS), rng.choice([1, 3, 10])): 4,
        lambda rng: Lose(rng.randrange(4)): 3,
        lambda rng: Quota(rng.choice([0, 0, 4, 1_000])): 2,
        lambda rng: Publish(rng.randrange(VARIANTS)): 1,
    }
    return rng.choices(list(kinds), weights=list(kinds.values()))[0](rng)


def _inner(rng: random.Random) -> Inner:
    kinds: dict[Callable[[random.Random], Inner], int] = {
        lambda rng: Nudge(): 6,
        lambda rng: Sweep(): 2,
        lambda rng: Leap(rng.choice([1, 20, 61, 200])): 3,
        lambda rng: Upload(rng.randint(1, MONTHS)): 8,
        lambda rng: Fire(rng.choice(RULES)): 3,
        _ask: 8,
        lambda rng: Repeat(rng.randrange(6)): 3,
        lambda rng: ByHand(rng.choice(HANDS), rng.randrange(6), rng.choice([0, 1, 20, 50, 90, 100])): 6,
    }
    return rng.choices(list(kinds), weights=list(kinds.values()))[0](rng)


def _ask(rng: random.Random) -> Ask:
    """Any command at any time; a pause mostly does not last, or nothing else would happen."""
    likely = chain(Command, repeat(Command.RETRAIN, 3), repeat(Command.RESUME, 3), repeat(Command.APPROVE, 2))
    command = rng.choice(list(likely))
    version = rng.choice([None, None, None, *range(1, 6)]) if command is Command.ROLLBACK else None
    return Ask(command, version)


def _cut(rng: random.Random) -> Cut:
    at = rng.randint(1, 60)
    match rng.randrange(4):
        case 0:
            return Cut(at, dies=True)
        case 1:
            return Cut(at, OVERTAKEN, dies=rng.random() < 0.2)
        case 2:
            return Cut(at, (_inner(rng),), dies=rng.random() < 0.2)
        case _:
            return Cut(at, (_inner(rng), *OVERTAKEN, _inner(rng)))
