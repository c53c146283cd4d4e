"""A newer release while one is in flight: finished first, or replaced, as the spec says. In virtual time."""

import msgspec
import pytest

from shared.domain.events import Command
from shared.domain.lifecycle import Phase
from shared.domain.observation import JobStatus
from shared.domain.reasons import Why
from shared.domain.record import Outcome
from shared.domain.spec import Approval, Freeze, Retrain, Shadow, Spec
from tests.fakes.examples import a_publication, a_spec
from tests.fakes.platform import Fate
from tests.scenarios.story import Story


def replacing(**retrain: int) -> Spec:
    """A spec by which newer releases replace older ones."""
    wanted = Retrain(**{"cooldown_s": 0, "max_runs_per_day": 100, **retrain}, when_newer="replace")
    return msgspec.structs.replace(a_spec(), retrain=wanted)


def replacing_story(fates: dict[int, Fate] | None = None, spec: Spec | None = None) -> Story:
    """A story whose first release is live, and whose second one is in flight."""
    story = Story(fates, a_publication(spec or replacing()))
    story.month(1, 2)
    story.passes(90)
    assert story.record.live is not None
    story.month(3)
    return story


def end_of(story: Story, release: int) -> Outcome:
    """How a release ended."""
    for _ in range(600):
        last = story.record.last
        if last is not None and last.release == release:
            return last
        story.passes(1 / 6)
    raise AssertionError(f"release {release} has not ended")


def test_unless_told_a_newer_batch_waits_for_the_end_of_the_release() -> None:
    story = replacing_story(spec=a_spec())
    story.until(Phase.CANARY)
    story.month(4)
    assert end_of(story, 2).phase is Phase.LIVE


@pytest.mark.parametrize("phase", [Phase.TRAINING, Phase.DEPLOYING, Phase.CANARY])
def test_a_release_gives_way_to_a_newer_batch(phase: Phase) -> None:
    story = replacing_story()
    story.until(phase)
    story.month(4)
    assert end_of(story, 2).phase is Phase.SUPERSEDED


def test_the_newer_release_goes_live_in_its_stead() -> None:
    story = replacing_story()
    story.until(Phase.CANARY)
    story.month(4)
    story.passes(90)
    assert story.traffic == {"r0003": 100}
    assert story.deployments == {"r0003"}


def test_a_release_that_waits_for_approval_gives_way() -> None:
    spec = msgspec.structs.replace(replacing(), approval=Approval(required="always"))
    story = Story(publication=a_publication(spec))
    story.month(1, 2)
    story.until(Phase.AWAITING_APPROVAL)
    story.month(3)
    assert end_of(story, 1).phase is Phase.SUPERSEDED


def test_a_release_in_its_mirror_stage_gives_way_and_the_mirror_is_cleared() -> None:
    spec = replacing()
    rollout = msgspec.structs.replace(spec.rollout, shadow=Shadow(mirror_pct=20, hold_s=120, min_requests=30))
    story = replacing_story(spec=msgspec.structs.replace(spec, rollout=rollout))
    story.until(Phase.SHADOWING)
    story.passes(1)
    story.month(4)
    assert end_of(story, 2).phase is Phase.SUPERSEDED
    assert story.platform.endpoints["flights"].mirror == {}


def test_the_job_of_a_release_that_gives_way_is_canceled() -> None:
    story = replacing_story({2: Fate(job_s=3_000)})
    story.until(Phase.TRAINING)
    story.passes(1)
    story.month(4)
    end_of(story, 2)
    assert story.platform.jobs["flights-0002-a1"].status(story.clock.now()) is JobStatus.CANCELED


def test_a_canary_that_gives_way_gives_its_traffic_back_before_it_ends() -> None:
    story = replacing_story()
    story.until(Phase.CANARY)
    story.passes(1)
    assert story.traffic == {"r0001": 90, "r0002": 10}
    story.month(4)
    end_of(story, 2)
    assert story.traffic == {"r0001": 100}


def test_a_release_that_gave_way_is_not_barred() -> None:
    story = replacing_story()
    story.until(Phase.CANARY)
    story.month(4)
    end_of(story, 2)
    assert story.record.barred == ()


def test_what_gave_way_to_what_is_told_once() -> None:
    story = replacing_story()
    story.until(Phase.CANARY)
    story.month(4)
    story.passes(90)
    assert story.whys.count(Why.SUPERSEDED) == 1
    assert "1 fresh parts" in story.text_of(Why.SUPERSEDED)


def test_a_release_that_bakes_is_finished_first() -> None:
    story = replacing_story()
    story.until(Phase.BAKING)
    story.month(4)
    assert end_of(story, 2).phase is Phase.LIVE


def test_a_first_release_with_live_traffic_is_finished_first() -> None:
    story = Story(publication=a_publication(replacing()))
    story.month(1, 2)
    story.until(Phase.CANARY)
    story.month(3)
    assert end_of(story, 1).phase is Phase.LIVE


def test_a_person_may_replace_a_release_by_one_on_the_same_data() -> None:
    story = replacing_story()
    story.until(Phase.CANARY)
    story.command(Command.RETRAIN, "the code was mended")
    assert end_of(story, 2).phase is Phase.SUPERSEDED


def test_an_alert_on_the_same_data_replaces_nothing() -> None:
    story = replacing_story()
    story.until(Phase.CANARY)
    story.alert("mae")
    assert end_of(story, 2).phase is Phase.LIVE


def test_a_version_that_is_brought_back_is_not_replaced() -> None:
    story = replacing_story()
    story.passes(90)
    story.command(Command.ROLLBACK)
    story.until(Phase.DEPLOYING)
    story.month(4)
    assert end_of(story, 3).phase is Phase.LIVE


def test_what_the_cool_down_holds_up_replaces_nothing() -> None:
    story = replacing_story(spec=replacing(cooldown_s=4_000))
    story.until(Phase.CANARY)
    story.month(4)
    assert end_of(story, 2).phase is Phase.LIVE


def test_what_a_freeze_holds_up_replaces_nothing() -> None:
    freeze = Freeze(days=("mon",), start="13:35", end="18:00")
    story = replacing_story(spec=msgspec.structs.replace(replacing(), freezes=(freeze,)))
    story.until(Phase.CANARY)
    story.passes(10)
    story.month(4)
    story.passes(60)
    assert story.record.phase is Phase.CANARY


def test_while_paused_nothing_is_replaced() -> None:
    story = replacing_story()
    story.until(Phase.CANARY)
    story.command(Command.PAUSE)
    story.month(4)
    story.passes(60)
    assert story.record.phase is Phase.CANARY
