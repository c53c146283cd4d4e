"""An upload survives a crash, an error or a lost message at every point at which one can happen."""

from contextlib import suppress
from itertools import combinations

import pytest

from shared.errors import RetryLater
from shared.intake.ledger import State
from tests.fakes.examples import MODEL
from tests.unit.intake.intake_world import BAD, GOOD, LATER, Crash, World, a_contract


class CrashAt:
    """Crashes at the n-th points of a run, counted from its beginning; each crash is counted through."""

    def __init__(self, *numbers: int, error: type[BaseException] = Crash) -> None:
        self.numbers, self.error = set(numbers), error
        self.points: list[str] = []

    def __call__(self, point: str) -> None:
        self.points.append(point)
        if len(self.points) in self.numbers:
            raise self.error(point)


def points(content: bytes) -> list[str]:
    """All points of an undisturbed handling of the content."""
    watch = CrashAt()
    world = World(watch, a_contract())
    world.intake.handle(world.upload(content))
    return watch.points


GOOD_POINTS, BAD_POINTS = points(GOOD), points(BAD)


def numbered(names: list[str]) -> list[object]:
    return [pytest.param(number, id=f"{number}-{name}") for number, name in enumerate(names, start=1)]


def assert_accepted_once(world: World) -> None:
    [part] = world.parts()
    name = part.removeprefix(f"{MODEL}/parts/").removesuffix(".parquet")
    assert [event.part.name for event in world.events()] == [name]
    assert [(row.state, row.part) for row in world.rows()] == [(State.ACCEPTED, name)]
    assert world.landing.accepted[f"{MODEL}/originals/{name}.csv"] == GOOD
    assert f"{MODEL}/profiles/{name}.json" in world.landing.accepted
    assert world.landing.landing == {}
    assert world.landing.quarantined == {}


def assert_quarantined_once(world: World) -> None:
    [row] = world.rows()
    assert row.state is State.QUARANTINED
    assert set(world.landing.quarantined) == {
        f"{MODEL}/{row.part}/original.csv",
        f"{MODEL}/{row.part}/report.json",
    }
    assert world.landing.quarantined[f"{MODEL}/{row.part}/original.csv"] == BAD
    assert world.landing.landing == {}
    assert world.events() == []
    assert world.parts() == []


@pytest.mark.parametrize("number", numbered(GOOD_POINTS))
@pytest.mark.parametrize("error", [Crash, RetryLater, ValueError])
def test_a_good_file_is_accepted_once_whatever_fails_before_its_message_comes_again(
    number: int, error: type[BaseException]
) -> None:
    world = World(CrashAt(number, error=error), a_contract())
    message = world.upload(GOOD)
    with pytest.raises((error, RetryLater)):
        world.intake.handle(message)
    world.deliver(message)
    assert_accepted_once(world)


@pytest.mark.parametrize("number", numbered(BAD_POINTS))
@pytest.mark.parametrize("error", [Crash, RetryLater, ValueError])
def test_a_bad_file_is_quarantined_once_whatever_fails_before_its_message_comes_again(
    number: int, error: type[BaseException]
) -> None:
    world = World(CrashAt(number, error=error), a_contract())
    message = world.upload(BAD)
    with pytest.raises((error, RetryLater)):
        world.intake.handle(message)
    world.deliver(message)
    assert_quarantined_once(world)


def test_a_good_file_is_accepted_once_after_any_two_crashes() -> None:
    for pair in combinations(range(1, 2 * len(GOOD_POINTS)), 2):
        world = World(CrashAt(*pair), a_contract())
        world.deliver(world.upload(GOOD))
        assert_accepted_once(world)


@pytest.mark.parametrize("number", numbered(GOOD_POINTS))
def test_the_sweep_takes_up_what_a_crash_left_when_the_message_never_comes_again(number: int) -> None:
    world = World(CrashAt(number), a_contract())
    message = world.upload(GOOD)
    with pytest.raises(Crash):
        world.intake.handle(message)
    world.clock.move(LATER.total_seconds())
    world.sweep()
    assert_accepted_once(world)


@pytest.mark.parametrize("number", range(1, 40))
def test_a_crash_of_the_sweep_loses_no_file(number: int) -> None:
    world = World(CrashAt(number), a_contract())
    world.upload(GOOD)
    world.clock.move(LATER.total_seconds())
    for _ in range(2):
        with suppress(Crash):
            world.sweep()
        world.clock.move(LATER.total_seconds())
    assert_accepted_once(world)


def test_messages_delivered_twice_at_the_same_time_make_one_part() -> None:
    """The second delivery runs to its end at each point of the first one."""
    for number in range(1, len(GOOD_POINTS) + 1):
        world = World(data=a_contract())
        message = world.upload(GOOD)
        seen = iter(range(1, 1_000))

        def second(_point: str, world: World = world, message: str = message, at: int = number) -> None:
            if next(seen) == at:  # noqa: B023 - one iterator a world, used before the next is made
                world.interrupt = lambda _: None
                world.intake.handle(message)

        world.interrupt = second
        world.deliver(message)
        assert_accepted_once(world)
