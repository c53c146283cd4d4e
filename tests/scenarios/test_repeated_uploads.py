"""Every uploaded file is delivered three times and out of order, and once more a day later: as if once."""

import random

import pytest

from shared.reconcile.loop import Reconciler
from tests.fakes.examples import MODEL
from tests.fakes.platform import FakePlatform
from tests.unit.intake.intake_world import World, a_contract

FILES = {
    f"{MODEL}/{month:02d}.csv": f"at,minutes\n2026-{month:02d}-01T00:00:00Z,10\n2026-{month:02d}-20T00:00:00Z,12\n"
    for month in (1, 2, 3)
}


def play(deliveries: int, seed: int) -> tuple[object, ...]:
    """What is left after the files were delivered that often, in an order of the seed, and reconciled meanwhile."""
    world, rng = World(data=a_contract()), random.Random(seed)
    platform = FakePlatform(world.clock, world.archive)
    reconciler = Reconciler(world.state, world.archive, platform, platform, world.nudges, world.clock, "story")
    messages = [world.upload(text.encode(), name) for name, text in FILES.items()]
    queue = messages * deliveries
    rng.shuffle(queue)
    for message in queue:
        world.deliver(message)
    reconciler.run(MODEL)
    world.clock.move(86_400)
    if deliveries > 1:
        for message in rng.sample(messages, len(messages)):
            world.deliver(message)
        world.sweep()
    reconciler.run(MODEL)
    loaded = world.state.load(MODEL, 90)
    assert loaded is not None
    parts = [(part.name, part.rows, part.start, part.end) for part in loaded.record.parts]
    return parts, sorted(world.parts()), sorted(platform.jobs), loaded.unread, world.landing.landing


@pytest.mark.parametrize("seed", range(20))
def test_repeated_deliveries_leave_the_same_records_one_part_each_and_one_job(seed: int) -> None:
    once, often = play(1, seed), play(3, seed)
    assert often == once
    assert len(often[0]) == 3  # type: ignore[arg-type]
    assert often[2] == ["flights-0001-a1"]
