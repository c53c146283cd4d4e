"""What cannot be looked at, or is refused: it is told once, never let go on, and not waited for for ever."""

from collections.abc import Callable
from itertools import count

import pytest

from shared.domain.events import Command
from shared.domain.lifecycle import Phase
from shared.domain.reasons import Why
from shared.domain.spec import NoData
from shared.errors import NeedsPerson, RetryLater
from tests.fakes.examples import ENDPOINT, rolled_out
from tests.fakes.points import never
from tests.scenarios.story import Story

OVER_MIN = (120 + 3_600 + 30) / 60
"""When a stage of the spec below has been held for as long as it may be."""


def canary(no_data: NoData = NoData.HOLD) -> Story:
    """A first release is live; the second one's canary has its traffic."""
    story = Story(publication=rolled_out(no_data=no_data))
    story.month(1, 2)
    story.passes(60)
    story.month(3)
    story.until(Phase.CANARY)
    story.passes(0.5)
    return story


def fails(story: Story, call: str, trouble: Callable[[str], Exception]) -> None:
    """From now on a call fails, with a sentence that is another one each time."""
    numbers = count(1_000)

    def interrupt(point: str) -> None:
        if point == f"before {call}":
            raise trouble(f"{call}: refused with 403 (request {next(numbers):x}a-0b)")

    story.platform.interrupt = story.archive.interrupt = interrupt


def mended(story: Story) -> None:
    story.platform.interrupt = story.archive.interrupt = never


def waiting(story: Story) -> str:
    assert story.record.release is not None
    return story.record.release.waiting


# the traffic log


@pytest.mark.parametrize("trouble", [NeedsPerson, RetryLater])
def test_a_canary_whose_log_stays_unreadable_is_taken_back_where_the_spec_says_so(
    trouble: Callable[[str], Exception],
) -> None:
    story = canary(NoData.ROLLBACK)
    fails(story, "stats", trouble)
    story.passes(OVER_MIN + 30)
    assert story.traffic == {"r0001": 100}
    assert story.text_of(Why.UNREADABLE).startswith("The traffic log cannot be read: stats: refused with 403")


def test_it_is_not_taken_back_before_its_time() -> None:
    story = canary(NoData.ROLLBACK)
    fails(story, "stats", NeedsPerson)
    story.passes(OVER_MIN - 5)
    assert story.record.phase is Phase.CANARY


@pytest.mark.parametrize("policy", [NoData.HOLD, NoData.PROMOTE, NoData.PROBE])
@pytest.mark.parametrize("trouble", [NeedsPerson, RetryLater])
def test_any_other_policy_holds_it_for_a_person_who_is_told_once(
    policy: NoData, trouble: Callable[[str], Exception]
) -> None:
    story = canary(policy)
    fails(story, "stats", trouble)
    story.passes(60 * 24)
    assert story.record.phase is Phase.CANARY
    assert waiting(story).startswith("Cannot be seen: stats: refused with 403")
    assert story.whys.count(Why.UNREADABLE) == 1


def test_a_brief_outage_is_no_news() -> None:
    story = canary()
    fails(story, "stats", RetryLater)
    story.passes(5)
    assert Why.UNREADABLE not in story.whys
    assert waiting(story) == ""


def test_what_a_pause_holds_is_not_taken_back_by_an_outage_after_the_limit() -> None:
    story = canary(NoData.ROLLBACK)
    story.command(Command.PAUSE)
    story.passes(OVER_MIN + 60)
    fails(story, "stats", RetryLater)
    story.passes(60)
    mended(story)
    story.command(Command.RESUME)
    story.passes(60)
    assert story.traffic == {"r0002": 100}


def test_what_was_unreadable_goes_on_once_it_can_be_read() -> None:
    story = canary()
    fails(story, "stats", NeedsPerson)
    story.passes(30)
    assert waiting(story)
    mended(story)
    story.passes(6)
    assert waiting(story) == ""
    story.passes(60)
    assert story.traffic == {"r0002": 100}


# the other phases


@pytest.mark.parametrize(
    ("phase", "call", "head"),
    [
        (Phase.TRAINING, "job", "Cannot be seen: "),
        (Phase.JUDGING, "evaluation", "Cannot be seen: "),
        (Phase.REGISTERING, "model", "Cannot be seen: "),
        (Phase.REGISTERING, "register_model", "Cannot be done: "),
        (Phase.DEPLOYING, "create_deployment", "Cannot be done: "),
        (Phase.TESTING, "smoke", "Cannot be seen: "),
        (Phase.CANARY, "put_endpoint", "Cannot be done: "),
    ],
)
def test_what_only_a_person_can_mend_is_named_by_the_status_and_told_once(phase: Phase, call: str, head: str) -> None:
    story = Story()
    story.month(1, 2)
    story.passes(60)
    story.month(3)
    fails(story, call, NeedsPerson)
    story.passes(45)
    assert story.record.phase is phase
    assert waiting(story).startswith(f"{head}{call}: refused with 403")
    assert story.whys.count(Why.UNREADABLE) == 1
    mended(story)
    story.passes(60)
    assert story.traffic == {"r0002": 100}


def test_trouble_with_what_is_cleared_up_behind_a_release_is_not_the_releases() -> None:
    story = Story()
    story.month(1, 2)
    story.passes(60)
    story.month(3)
    fails(story, "set_stage", NeedsPerson)
    story.passes(90)
    story.month(4)
    story.passes(2)
    assert Why.UNREADABLE not in story.whys


def test_a_rollback_that_is_refused_is_no_reason_to_give_it_up() -> None:
    story = canary()
    fails(story, "put_endpoint", NeedsPerson)
    story.platform.endpoints[ENDPOINT].deployments["r0002"].fate.error_share = 0.5
    story.until(Phase.ROLLING_BACK)
    story.passes(30)
    story.command(Command.ABORT)
    story.passes(5)
    mended(story)
    story.passes(30)
    assert story.traffic == {"r0001": 100}
