"""The mirror stage: a candidate answers a copy of live traffic before any user gets its answers."""

from shared.domain.events import Command
from shared.domain.lifecycle import Phase
from shared.domain.reasons import Why
from shared.domain.spec import NoData, Shadow
from tests.fakes.examples import ENDPOINT, rolled_out
from tests.fakes.platform import Fate
from tests.scenarios.story import Story


def shadow_story(fate: Fate | None = None, no_data: NoData = NoData.HOLD) -> Story:
    """A story with a first release live and a second one in its mirror stage."""
    stage = Shadow(mirror_pct=20, hold_s=120, min_requests=30)
    story = Story({1: Fate(), 2: fate or Fate()}, rolled_out(shadow=stage, no_data=no_data))
    story.month(1, 2)
    story.passes(60)
    story.month(3)
    story.until(Phase.SHADOWING)
    story.passes(0.6)
    return story


def mirror(story: Story) -> dict[str, int]:
    return story.platform.endpoints[ENDPOINT].mirror


def test_while_shadowing_users_get_only_the_live_answers() -> None:
    story = shadow_story()
    assert (story.traffic, mirror(story)) == ({"r0001": 100}, {"r0002": 20})


def test_a_first_release_has_nothing_to_shadow() -> None:
    story = shadow_story()
    assert story.seen_traffic[:2] == [{}, {"r0001": 100}]


def test_leaving_the_stage_clears_the_mirror_with_the_first_live_traffic() -> None:
    story = shadow_story()
    story.until(Phase.CANARY)
    story.passes(0.1)
    assert (story.traffic, mirror(story)) == ({"r0001": 90, "r0002": 10}, {})


def test_a_candidate_that_shadows_well_goes_live() -> None:
    story = shadow_story()
    story.passes(60)
    assert story.traffic == {"r0002": 100}
    assert Why.SHADOW_PASSED in story.whys


def test_a_candidate_that_fails_in_the_mirror_never_reaches_a_user() -> None:
    story = shadow_story(Fate(error_share=0.5))
    story.passes(60)
    assert (story.traffic, mirror(story)) == ({"r0001": 100}, {})
    assert not [traffic for traffic in story.seen_traffic if "r0002" in traffic]


def test_where_mirrored_requests_are_not_logged_the_canary_has_to_show() -> None:
    story = shadow_story()
    story.platform.logs_mirrored = False
    story.passes(60)
    assert Why.SHADOW_UNSEEN in story.whys
    assert story.traffic == {"r0002": 100}


def test_aborting_the_stage_clears_the_mirror() -> None:
    story = shadow_story()
    story.command(Command.ABORT)
    story.passes(5)
    assert (story.traffic, mirror(story)) == ({"r0001": 100}, {})


def test_a_mirror_that_nobody_could_be_heard_in_is_not_called_unlogged() -> None:
    story = shadow_story(Fate(requests_per_s=0), no_data=NoData.PROMOTE)
    story.fates[1].requests_per_s = 0.01
    story.passes(360)
    assert Why.SHADOW_UNSEEN not in story.whys
    assert story.traffic == {"r0002": 100}
