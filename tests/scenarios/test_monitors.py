"""Azure ML binds a monitor to one deployment: those of the publication follow the live one. In virtual time."""

import msgspec

from shared.domain.events import Command
from shared.domain.lifecycle import Phase
from shared.domain.observation import MonitorSeen
from shared.domain.reasons import Why
from tests.fakes.examples import MODEL, MONITOR, a_publication
from tests.fakes.platform import Fate
from tests.scenarios.story import Story


def live_story(fates: dict[int, Fate] | None = None) -> Story:
    story = Story(fates)
    story.month(1, 2)
    story.passes(60)
    assert story.record.live is not None
    return story


def watched(story: Story) -> str:
    return story.platform.monitors[MONITOR].deployment


def test_a_monitor_follows_the_live_deployment() -> None:
    story = live_story()
    assert watched(story) == "r0001"
    story.month(3)
    story.until(Phase.BAKING)
    assert watched(story) == "r0001"
    story.passes(60)
    assert watched(story) == "r0002"
    assert story.text_of(Why.MONITOR_MOVED) == f"Monitor {MONITOR} watches r0002."
    assert story.record.monitors == ()


def test_it_follows_a_version_that_is_brought_back() -> None:
    story = live_story()
    story.month(3)
    story.passes(60)
    story.command(Command.ROLLBACK)
    story.passes(60)
    assert watched(story) == "r0003"


def test_a_candidate_that_is_taken_back_is_never_watched() -> None:
    story = live_story({2: Fate(error_share=0.5)})
    story.month(3)
    story.passes(120)
    assert story.whys.count(Why.MONITOR_MOVED) == 1
    assert watched(story) == "r0001"


def test_a_monitor_of_somebody_else_is_left_alone_and_told() -> None:
    story = Story()
    strange = MonitorSeen(exists=True, deployment="theirs")
    story.platform.monitors[MONITOR] = strange
    story.month(1, 2)
    story.passes(60)
    assert story.platform.monitors[MONITOR] == strange
    assert Why.MONITOR_LEFT in story.whys


def test_a_monitor_that_is_not_published_any_more_is_left_alone() -> None:
    story = live_story()
    story.month(3)
    story.until(Phase.BAKING)
    story.publish(msgspec.structs.replace(a_publication(), monitors=()))
    story.passes(60)
    assert story.record.live is not None
    assert story.record.live.release == 2
    assert (watched(story), story.record.monitors) == ("r0001", ())


def test_a_death_between_order_and_sight_points_it_once_more() -> None:
    story, deaths = Story(), list[str]()

    def die(point: str) -> None:
        if point == "after point_monitor" and not deaths:
            deaths.append(point)
            raise SystemExit

    story.platform.interrupt = die
    story.month(1, 2)
    try:
        story.passes(60)
    except SystemExit:
        story.nudges.send(MODEL, 120, None)  # as the sweep would
    story.passes(60)
    assert deaths
    assert story.whys.count(Why.MONITOR_MOVED) == 1
