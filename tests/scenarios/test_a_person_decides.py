"""Approval, abort, promotion and rolling back to a kept version: what a person may decide, in virtual time."""

import msgspec
import pytest

from shared.domain.events import Command, CommandGiven
from shared.domain.lifecycle import Phase
from shared.domain.observation import JobStatus
from shared.domain.reasons import Why
from shared.domain.spec import Approval
from tests.fakes.examples import MODEL, a_publication, a_spec, rolled_out
from tests.fakes.platform import Fate
from tests.scenarios.story import Story
from tests.scenarios.test_life_of_a_release import live_story


def waiting_story(approval: Approval | None = None) -> Story:
    """A story whose first candidate waits for a person."""
    wanted = approval or Approval(required="always", expires_s=86_400)
    story = Story(publication=a_publication(msgspec.structs.replace(a_spec(), approval=wanted)))
    story.month(1, 2)
    story.until(Phase.AWAITING_APPROVAL, 30)
    return story


@pytest.mark.parametrize("command", [Command.APPROVE, Command.REJECT, Command.ABORT, Command.PROMOTE])
def test_a_word_that_was_meant_for_another_release_is_refused(command: Command) -> None:
    story = waiting_story()
    at = story.clock.now()
    story.happens(CommandGiven(at=at, command=command, id="late", by="ada", reason="it looks right", release=7))
    story.passes(5)
    assert story.record.phase is Phase.AWAITING_APPROVAL
    assert "It was meant for release 7, which is over." in story.text_of(Why.COMMAND_REFUSED)


def test_a_word_for_the_release_that_waits_is_heard() -> None:
    story = waiting_story()
    at = story.clock.now()
    story.happens(CommandGiven(at=at, command=Command.APPROVE, id="now", by="ada", reason="right", release=1))
    story.passes(60)
    assert story.record.live is not None


def test_a_candidate_waits_unregistered_until_it_is_approved() -> None:
    story = waiting_story()
    story.passes(600)
    assert story.record.phase is Phase.AWAITING_APPROVAL
    assert story.platform.versions == {}


def test_waiting_for_a_person_costs_no_passes() -> None:
    story = waiting_story()
    assert all((nudge.visible - story.clock.now()).total_seconds() > 3_600 for nudge in story.nudges.queue)


def test_an_approved_candidate_goes_live() -> None:
    story = waiting_story()
    story.command(Command.APPROVE, "looks right")
    story.passes(60)
    assert story.record.live is not None


def test_who_approved_is_kept() -> None:
    story = waiting_story()
    story.command(Command.APPROVE, "looks right")
    story.until(Phase.DEPLOYING)
    assert story.record.release is not None
    assert story.record.release.approved_by == "ada"
    assert "ada" in story.text_of(Why.APPROVED)
    assert "looks right" in story.text_of(Why.APPROVED)


def test_a_refused_candidate_is_remembered() -> None:
    story = waiting_story()
    story.command(Command.REJECT, "the spring data is odd")
    story.passes(60)
    assert story.record.last is not None
    assert story.record.last.phase is Phase.REJECTED
    assert [bar.release for bar in story.record.barred] == [1]


def test_a_candidate_that_nobody_answers_for_is_let_go_but_not_barred() -> None:
    story = waiting_story()
    story.passes(25 * 60)
    assert story.whys[-1] is Why.APPROVAL_EXPIRED
    assert story.record.barred == ()


def test_approving_when_nothing_waits_is_refused() -> None:
    story = live_story()
    story.command(Command.APPROVE)
    story.passes(5)
    assert story.whys[-1] is Why.COMMAND_REFUSED


@pytest.mark.parametrize(("effect_pct", "waits"), [(50.0, True), (10.0, False)])
def test_by_rule_only_a_small_effect_waits_for_a_person(effect_pct: float, waits: bool) -> None:
    rules = Approval(required="rules", first_release=False, effect_under_pct=effect_pct)
    story = Story(publication=a_publication(msgspec.structs.replace(a_spec(), approval=rules)))
    story.month(1, 2)
    story.passes(60)
    story.month(3)
    story.passes(60)
    assert (story.record.phase is Phase.AWAITING_APPROVAL) is waits


def test_by_rule_the_first_release_waits_for_a_person() -> None:
    assert "first release" in waiting_story(Approval(required="rules")).text_of(Why.APPROVAL_NEEDED)


def test_aborting_a_training_cancels_its_job() -> None:
    story = Story({1: Fate(job_s=3_000)})
    story.month(1, 2)
    story.passes(5)
    story.command(Command.ABORT, "wrong data")
    story.passes(10)
    assert story.platform.jobs["flights-0001-a1"].status(story.clock.now()) is JobStatus.CANCELED
    assert story.record.last is not None
    assert story.record.last.phase is Phase.FAILED


def test_an_aborted_training_is_not_tried_again() -> None:
    story = Story({1: Fate(job_s=3_000)})
    story.month(1, 2)
    story.passes(5)
    story.command(Command.ABORT)
    story.passes(120)
    assert list(story.platform.jobs) == ["flights-0001-a1"]


def test_aborting_a_candidate_that_waits_ends_it() -> None:
    story = waiting_story()
    story.command(Command.ABORT)
    story.passes(5)
    assert story.record.phase is Phase.COLLECTING


def test_aborting_a_canary_gives_the_traffic_back() -> None:
    story = live_story()
    story.month(3)
    story.until(Phase.CANARY)
    story.command(Command.ABORT)
    story.passes(10)
    assert story.traffic == {"r0001": 100}


def test_aborting_nothing_is_refused() -> None:
    story = live_story()
    story.command(Command.ABORT)
    story.passes(5)
    assert story.whys[-1] is Why.COMMAND_REFUSED


def test_promoting_a_canary_skips_its_steps() -> None:
    story = live_story()
    story.month(3)
    story.until(Phase.CANARY)
    story.command(Command.PROMOTE, "hot fix")
    story.passes(60)
    assert story.seen_traffic[-2:] == [{"r0001": 90, "r0002": 10}, {"r0002": 100}]


def test_promoting_does_not_skip_the_analysis() -> None:
    story = live_story({2: Fate(error_share=0.5, requests_per_s=0.1)})
    story.month(3)
    story.until(Phase.CANARY)
    story.command(Command.PROMOTE)
    story.passes(60)
    assert story.traffic == {"r0001": 100}


def test_promoting_a_bake_makes_it_live_at_once() -> None:
    story = live_story()
    story.month(3)
    story.until(Phase.BAKING)
    story.passes(1)
    story.command(Command.PROMOTE)
    story.passes(0.1)
    assert story.record.live is not None
    assert story.record.live.release == 2


def silent_last_step() -> Story:
    """A candidate with all of the traffic, which is none: the step waits for a person once max_hold_s is over."""
    story = Story({2: Fate(requests_per_s=0)}, rolled_out(steps=a_spec().rollout.steps[-1:]))
    story.month(1, 2)
    story.passes(60)
    story.month(3)
    story.until(Phase.CANARY)
    story.passes(120)
    assert story.whys[-1] is Why.NO_DATA
    return story


def test_promoting_the_last_step_that_waits_for_a_person_begins_the_bake() -> None:
    story = silent_last_step()
    story.command(Command.PROMOTE, "nobody calls at night")
    story.passes(3)
    assert story.record.phase is Phase.BAKING
    assert story.traffic == {"r0002": 100}


def promote_twice(story: Story) -> None:
    """Two words before the next pass: to the last step, and on."""
    story.command(Command.PROMOTE)
    story.clock.move(0.1)
    story.command(Command.PROMOTE)


def test_promoting_the_last_step_before_its_traffic_is_in_force_is_carried_out_when_it_is() -> None:
    story = live_story()
    story.month(3)
    story.until(Phase.CANARY)
    promote_twice(story)
    story.passes(1)
    told = [reason.text for row in story.state.decisions[MODEL] for reason in row.reasons]
    assert "ada asked to promote. It waits for its traffic." in told
    story.passes(2)
    assert story.record.phase is Phase.BAKING
    assert story.seen_traffic[-1] == {"r0002": 100}
    story.passes(2)
    assert story.record.phase is Phase.BAKING  # one word, one stage


def test_a_pause_holds_a_promotion_that_waits_for_its_traffic() -> None:
    story = live_story()
    story.month(3)
    story.until(Phase.CANARY)
    promote_twice(story)
    story.command(Command.PAUSE)
    story.passes(60)
    assert story.record.phase is Phase.CANARY
    story.command(Command.RESUME)
    story.passes(60)
    assert story.record.live is not None
    assert story.record.live.release == 2


def test_any_kept_version_can_be_rolled_back_to() -> None:
    story = live_story()
    for month in (3, 4):
        story.month(month)
        story.passes(60)
    story.command(Command.ROLLBACK, "back to the first", version=1)
    story.passes(60)
    assert story.record.live is not None
    assert story.record.live.version == 1


def test_after_a_rollback_the_newer_versions_come_back_at_a_persons_word_alone() -> None:
    story = live_story()
    for month in (3, 4):
        story.month(month)
        story.passes(60)
    story.command(Command.ROLLBACK)
    story.passes(60)
    assert [(kept.version, kept.passed_over) for kept in story.record.kept] == [(1, False), (3, True)]
    story.alert("error-rate")
    story.passes(60)
    story.alert("error-rate")
    story.passes(60)
    assert story.whys[-1] is Why.NOTHING_TO_ROLL_BACK_TO
    assert (story.record.live.version if story.record.live else None) == 1
    story.command(Command.ROLLBACK, "it was the network", version=3)
    story.passes(60)
    assert (story.record.live.version if story.record.live else None) == 3


def test_a_version_that_is_not_kept_cannot_be_rolled_back_to() -> None:
    story = live_story()
    story.command(Command.ROLLBACK, version=7)
    story.passes(5)
    assert story.whys[-1] is Why.NOTHING_TO_ROLL_BACK_TO


def story_whose_old_version_was_taken_out() -> Story:
    """A story whose second release is live; the first version could not be deployed when it was to come back."""
    story = live_story({3: Fate(deploys=False)})
    story.month(3)
    story.passes(60)
    story.alert("error-rate")
    story.passes(60)
    assert [bar.release for bar in story.record.barred] == [2, 3]
    return story


def test_an_alert_does_not_bring_a_barred_version_back() -> None:
    story = story_whose_old_version_was_taken_out()
    story.alert("error-rate")
    story.passes(60)
    assert story.whys[-1] is Why.NOTHING_TO_ROLL_BACK_TO
    assert story.traffic == {"r0002": 100}


def test_a_person_who_names_it_brings_a_barred_version_back() -> None:
    story = story_whose_old_version_was_taken_out()
    story.command(Command.ROLLBACK, version=1)
    story.passes(60)
    assert story.record.live is not None
    assert story.record.live.version == 1


def test_a_twin_of_the_live_artifact_that_is_no_better_does_not_bar_it() -> None:
    story = live_story({2: Fate(better=False)})
    live = story.record.live
    assert live is not None
    story.month(3)
    story.until(Phase.TRAINING)
    story.gives_artifact("flights-0002-a1", live.artifact)
    story.passes(60)
    assert story.whys[-1] is Why.GATES_FAILED
    assert story.record.barred == ()
