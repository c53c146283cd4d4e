"""Change freezes: nothing begins and no traffic moves forward in their hours, whatever their time zone."""

from datetime import UTC, datetime

import msgspec
import pytest

from shared.domain.events import Command
from shared.domain.freeze import frozen, thaw
from shared.domain.lifecycle import Phase
from shared.domain.reasons import Why
from shared.domain.spec import Freeze, Spec
from tests.fakes.examples import a_publication, a_spec
from tests.fakes.platform import Fate
from tests.scenarios.story import Story

# The stories begin on Monday the 5th of January 2026 at 12:00 UTC.
AFTERNOON = Freeze(days=("mon",), start="14:00", end="18:00")


def frozen_spec(*freezes: Freeze) -> Spec:
    return msgspec.structs.replace(a_spec(), freezes=freezes)


def freezing_story(fates: dict[int, Fate] | None = None) -> Story:
    """A story with a release live at 13:00, and a freeze from 14:00 to 18:00."""
    story = Story(fates, a_publication(frozen_spec(AFTERNOON)))
    story.month(1, 2)
    story.passes(60)
    assert story.record.live is not None
    return story


def test_nothing_begins_in_a_freeze() -> None:
    story = freezing_story()
    story.passes(61)
    story.month(3)
    story.passes(120)
    assert story.record.last_release == 1


def test_what_waited_begins_when_the_freeze_is_over() -> None:
    story = freezing_story()
    story.passes(61)
    story.month(3)
    story.passes(300)
    assert story.record.last_release == 2


def test_a_canary_goes_no_further_in_a_freeze() -> None:
    story = freezing_story()
    story.passes(55)
    story.month(3)
    story.passes(120)
    assert story.record.phase in (Phase.TESTING, Phase.CANARY)
    assert story.traffic != {"r0002": 100}
    assert Why.FROZEN in story.whys


def test_a_canary_that_fails_in_a_freeze_is_taken_back() -> None:
    story = freezing_story({2: Fate(error_share=0.5, requests_per_s=0.3)})
    story.passes(53)
    story.month(3)
    story.until(Phase.CANARY, 60)
    story.passes(120)
    assert story.traffic == {"r0001": 100}


def test_a_person_may_begin_a_release_in_a_freeze() -> None:
    story = freezing_story()
    story.passes(61)
    story.month(3)
    story.command(Command.RETRAIN)
    story.passes(10)
    assert story.record.last_release == 2


@pytest.mark.parametrize(
    ("moment", "on"),
    [
        ("2026-01-05T20:59", False),
        ("2026-01-05T21:00", True),  # 22:00 in Berlin on Monday
        ("2026-01-06T04:59", True),
        ("2026-01-06T05:00", False),  # 06:00 in Berlin on Tuesday
        ("2026-01-06T21:30", False),
        ("2026-07-06T20:00", True),  # in summer Berlin is two hours ahead
    ],
)
def test_a_freeze_over_midnight_belongs_to_the_day_it_begins_on(moment: str, on: bool) -> None:
    spec = frozen_spec(Freeze(days=("mon",), start="22:00", end="06:00", time_zone="Europe/Berlin"))
    assert frozen(spec, datetime.fromisoformat(moment).replace(tzinfo=UTC)) is on


def test_a_freeze_of_whole_days_thaws_when_they_are_over() -> None:
    spec = frozen_spec(Freeze(days=("sat", "sun")))
    assert thaw(spec, datetime(2026, 1, 10, 7, tzinfo=UTC)) == datetime(2026, 1, 12, tzinfo=UTC)
