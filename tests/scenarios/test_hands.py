"""Somebody changes the endpoint by hand, in any phase: seen, told once, respected or put right. In virtual time."""

import msgspec

from shared.domain.events import Command
from shared.domain.lifecycle import Phase
from shared.domain.reasons import Why
from shared.domain.spec import Shadow, Spec
from shared.domain.split import MARK
from shared.reconcile.sweep import sweep
from tests.fakes.examples import ENDPOINT, a_publication, a_spec
from tests.fakes.platform import Deployment, Endpoint, Fate
from tests.scenarios.story import Story


def handled(hand_made: str = "respect", **rollout: object) -> Spec:
    spec = a_spec()
    return msgspec.structs.replace(
        spec, rollout=msgspec.structs.replace(spec.rollout, hand_made=hand_made, **rollout)
    )


def live_story(spec: Spec | None = None, fates: dict[int, Fate] | None = None) -> Story:
    """A story whose first release is live, with the record at rest."""
    story = Story(fates, a_publication(spec or handled()))
    story.month(1, 2)
    story.passes(60)
    assert story.record.live is not None
    return story


def canary_story(spec: Spec | None = None, fates: dict[int, Fate] | None = None) -> Story:
    """A story in the first step of the second release's canary."""
    story = live_story(spec, fates)
    story.month(3)
    story.until(Phase.CANARY)
    story.passes(1)
    return story


def endpoint(story: Story) -> Endpoint:
    return story.platform.endpoints[ENDPOINT]


def sweeps(story: Story, minutes: int) -> None:
    """Let time pass with the sweep in it, once a minute."""
    for _ in range(minutes):
        sweep(story.state, story.inbox, story.nudges, story.clock)
        story.passes(1)


def changes(story: Story) -> int:
    return story.whys.count(Why.HAND_MADE_CHANGE)


def add(story: Story, name: str) -> None:
    endpoint(story).deployments[name] = Deployment(version=1, ready=story.clock.now(), fate=Fate())


# in flight


def test_traffic_moved_by_hand_in_a_canary_is_respected() -> None:
    story = canary_story()
    endpoint(story).traffic = {"r0001": 100}
    story.passes(60)
    assert (story.traffic, story.record.phase) == ({"r0001": 100}, Phase.CANARY)
    assert changes(story) == 1


def test_traffic_moved_by_hand_in_a_canary_is_put_right_where_the_spec_says_so() -> None:
    story = canary_story(handled("put_right"))
    endpoint(story).traffic = {"r0002": 100}
    story.passes(1.5)
    assert story.traffic == {"r0001": 90, "r0002": 10}
    assert changes(story) == 1


def test_a_change_by_hand_is_told_with_what_was_wanted() -> None:
    story = canary_story()
    endpoint(story).traffic = {"r0001": 100}
    story.passes(5)
    assert "its traffic is r0001=100, not r0001=90 r0002=10" in story.text_of(Why.HAND_MADE_CHANGE)


def test_another_change_by_hand_is_told_anew() -> None:
    story = canary_story()
    endpoint(story).traffic = {"r0001": 100}
    story.passes(5)
    endpoint(story).traffic = {"r0001": 70, "r0002": 30}
    story.passes(5)
    assert changes(story) == 2


def test_a_release_goes_on_when_its_traffic_is_put_back_by_hand() -> None:
    story = canary_story()
    endpoint(story).traffic = {"r0001": 100}
    story.passes(30)
    endpoint(story).traffic = {"r0001": 90, "r0002": 10}
    story.passes(60)
    assert story.traffic == {"r0002": 100}
    assert Why.HAND_MADE_CHANGE_GONE in story.whys


def test_resuming_puts_right_what_was_changed() -> None:
    story = canary_story()
    endpoint(story).traffic = {"r0001": 100}
    story.passes(30)
    story.command(Command.RESUME, "my test is over")
    story.passes(60)
    assert story.traffic == {"r0002": 100}


def test_aborting_takes_a_release_back_whatever_was_changed() -> None:
    story = canary_story()
    endpoint(story).traffic = {"r0002": 100}
    story.passes(5)
    story.command(Command.ABORT)
    story.passes(10)
    assert (story.traffic, story.deployments) == ({"r0001": 100}, {"r0001"})


def test_promoting_accepts_a_candidate_that_was_given_everything_by_hand() -> None:
    story = canary_story()
    endpoint(story).traffic = {"r0002": 100}
    story.passes(5)
    story.command(Command.PROMOTE)
    story.passes(60)
    assert story.record.live is not None
    assert story.record.live.release == 2


def test_promoting_a_bake_that_was_changed_by_hand_puts_it_right_and_makes_it_live() -> None:
    story = canary_story()
    story.until(Phase.BAKING, 60)
    story.passes(1)
    endpoint(story).traffic = {"r0001": 50, "r0002": 50}
    story.passes(5)
    story.command(Command.PROMOTE)
    story.passes(3)
    assert story.record.live is not None
    assert story.record.live.release == 2
    assert endpoint(story).traffic == {"r0002": 100}


def test_an_alert_takes_a_candidate_back_and_leaves_what_was_set_by_hand() -> None:
    """Nobody is sent back to live over a stranger's head: the candidate has nothing to give back."""
    story = canary_story()
    add(story, "theirs")
    endpoint(story).traffic = {"theirs": 100}
    story.passes(5)
    story.alert("error-rate")
    story.passes(10)
    assert story.record.last is not None
    assert (story.record.last.phase, story.traffic) == (Phase.ROLLED_BACK, {"theirs": 100})


def test_an_alert_takes_a_candidates_traffic_back_though_it_was_set_by_hand() -> None:
    story = canary_story()
    endpoint(story).traffic = {"r0001": 30, "r0002": 70}
    story.passes(5)
    story.alert("error-rate")
    story.passes(10)
    assert story.traffic == {"r0001": 100}


def test_a_mirror_set_by_hand_is_seen() -> None:
    story = canary_story(handled(shadow=Shadow(mirror_pct=20, hold_s=60, min_requests=1)))
    add(story, "theirs")
    endpoint(story).mirror = {"theirs": 10}
    story.passes(5)
    assert "mirror theirs=10" in story.text_of(Why.HAND_MADE_CHANGE)


def test_a_candidate_that_was_deleted_by_hand_is_taken_back() -> None:
    story = canary_story()
    endpoint(story).traffic = {"r0001": 100}
    del endpoint(story).deployments["r0002"]
    story.passes(10)
    assert story.record.last is not None
    assert story.record.last.phase is Phase.ROLLED_BACK


def test_a_window_begins_anew_after_a_change_by_hand() -> None:
    story = canary_story()
    endpoint(story).traffic = {"r0001": 100}
    story.passes(30)
    assert story.record.release is not None
    assert story.record.release.step_since is None


def test_a_release_holds_before_its_first_traffic_while_a_change_by_hand_stands() -> None:
    story = live_story()
    add(story, "theirs")
    endpoint(story).traffic = {"theirs": 100}
    sweeps(story, 16)
    story.month(3)
    story.passes(60)
    assert (story.record.phase, story.traffic) == (Phase.TESTING, {"theirs": 100})


def test_what_upkeep_itself_wrote_late_is_no_hand_and_is_put_right() -> None:
    """The write of a stalled pass lands after the next one's: it carries its own mark."""
    story = canary_story()
    late = endpoint(story)
    late.traffic, late.tags = {"r0001": 100}, {**late.tags, MARK: "r0001=100"}
    story.passes(1.5)
    assert (story.traffic, changes(story)) == ({"r0001": 90, "r0002": 10}, 0)


def test_without_a_mark_only_what_was_in_force_can_have_been_changed() -> None:
    """An Upkeep of before the mark set the traffic that is there."""
    story = canary_story()
    del endpoint(story).tags[MARK]
    story.passes(60)
    assert (story.traffic, changes(story)) == ({"r0002": 100}, 0)


def test_a_change_whose_mark_was_wiped_out_is_seen() -> None:
    story = canary_story()
    endpoint(story).traffic, endpoint(story).tags = {"r0001": 100}, {}
    story.passes(5)
    assert changes(story) == 1


# at rest


def test_a_change_at_rest_is_seen_within_a_quarter_of_an_hour() -> None:
    story = live_story()
    add(story, "theirs")
    endpoint(story).traffic = {"r0001": 50, "theirs": 50}
    sweeps(story, 16)
    assert "its traffic is r0001=50 theirs=50, not r0001=100" in story.text_of(Why.HAND_MADE_CHANGE)
    assert story.traffic == {"r0001": 50, "theirs": 50}


def test_a_change_at_rest_is_put_right_where_the_spec_says_so() -> None:
    story = live_story(handled("put_right"))
    add(story, "theirs")
    endpoint(story).traffic = {"r0001": 50, "theirs": 50}
    sweeps(story, 16)
    assert story.traffic == {"r0001": 100}
    assert story.record.hands is None


def test_resuming_puts_a_change_at_rest_right() -> None:
    story = live_story()
    add(story, "theirs")
    endpoint(story).traffic = {"theirs": 100}
    sweeps(story, 16)
    story.command(Command.RESUME)
    story.passes(5)
    assert story.traffic == {"r0001": 100}


def test_an_endpoint_at_rest_is_looked_at_four_times_an_hour() -> None:
    story = live_story()
    looks: list[str] = []
    story.platform.interrupt = lambda point: looks.append(point) if point == "before endpoint" else None
    sweeps(story, 60)
    assert len(looks) == 4


def test_looking_at_a_model_at_rest_writes_nothing() -> None:
    story = live_story()
    before = len(story.state.decisions["flights"])
    sweeps(story, 60)
    assert len(story.state.decisions["flights"]) == before


def test_somebody_elses_deployment_without_traffic_is_told_once_and_holds_nothing() -> None:
    story = live_story()
    add(story, "theirs")
    sweeps(story, 40)
    assert (story.whys.count(Why.STRANGER_SEEN), changes(story)) == (1, 0)
    story.month(3)
    story.passes(60)
    assert (story.traffic, story.deployments) == ({"r0002": 100}, {"r0002", "theirs"})


# the live deployment is deleted


def deleted_story(spec: Spec) -> Story:
    """Somebody took the traffic off the live deployment and deleted it."""
    story = live_story(spec)
    add(story, "theirs")
    endpoint(story).traffic = {"theirs": 100}
    del endpoint(story).deployments["r0001"]
    sweeps(story, 16)
    return story


def test_a_live_deployment_that_was_deleted_by_hand_is_told_and_respected() -> None:
    story = deleted_story(handled())
    sweeps(story, 60)
    assert "the live deployment r0001 is gone" in story.text_of(Why.HAND_MADE_CHANGE)
    assert (changes(story), story.traffic) == (1, {"theirs": 100})


def test_a_live_deployment_that_was_deleted_by_hand_is_made_anew_where_the_spec_says_so() -> None:
    story = deleted_story(handled("put_right"))
    story.passes(60)
    assert story.traffic == {"r0002": 100}
    assert story.record.live is not None
    assert story.record.live.version == 1


def test_a_live_deployment_that_cannot_be_made_anew_is_tried_once() -> None:
    story = live_story(handled("put_right"), {2: Fate(deploys=False)})
    add(story, "theirs")
    endpoint(story).traffic = {"theirs": 100}
    del endpoint(story).deployments["r0001"]
    sweeps(story, 180)
    assert story.record.last_release == 2


def test_what_upkeep_sets_while_it_makes_the_live_deployment_anew_is_no_hand() -> None:
    story = deleted_story(handled())
    story.command(Command.RESUME)
    story.passes(60)
    assert (story.traffic, changes(story)) == ({"r0002": 100}, 1)


def test_a_person_may_have_the_live_version_made_anew() -> None:
    story = deleted_story(handled())
    story.command(Command.ROLLBACK, "r0001 was deleted", version=1)
    story.passes(60)
    assert story.traffic == {"r0002": 100}
    assert story.record.barred == ()


def test_a_live_version_that_is_barred_is_not_made_anew_by_itself() -> None:
    """A rollback that fails leaves the version live that it barred."""
    story = live_story(handled("put_right"), {3: Fate(deploys=False)})
    story.month(3)
    story.passes(60)
    story.command(Command.ROLLBACK)
    story.passes(60)
    assert story.record.live is not None
    assert story.record.bar_on(story.record.live.artifact)
    add(story, "theirs")
    endpoint(story).traffic = {"theirs": 100}
    del endpoint(story).deployments["r0002"]
    sweeps(story, 120)
    assert story.record.last_release == 3
