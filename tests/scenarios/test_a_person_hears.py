"""What waits for a person is logged once under one name, on which an alert rule stands."""

import logging

import msgspec
import pytest

from shared.domain.lifecycle import Phase
from shared.domain.reasons import Why
from shared.domain.spec import Approval, NoData
from tests.fakes.examples import ENDPOINT, a_publication, a_spec, rolled_out
from tests.fakes.platform import Deployment, Fate
from tests.scenarios.story import Story

NAME = "release.waits_for_person"


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    caught = [record for record in caplog.records if record.message == NAME]
    assert all(record.levelno == logging.WARNING for record in caught)
    return [record.__dict__["text"] for record in caught]


def test_a_candidate_that_needs_approval_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    spec = msgspec.structs.replace(a_spec(), approval=Approval(required="always", expires_s=86_400))
    story = Story(publication=a_publication(spec))
    story.month(1, 2)
    story.passes(600)
    assert told(caplog) == [story.text_of(Why.APPROVAL_NEEDED)]


@pytest.mark.parametrize(("policy", "times"), [(NoData.HOLD, 1), (NoData.ROLLBACK, 0)])
def test_a_stage_that_is_held_is_told_and_one_that_is_ended_is_not(
    policy: NoData, times: int, caplog: pytest.LogCaptureFixture
) -> None:
    story = Story({2: Fate(requests_per_s=0)}, rolled_out(no_data=policy))
    story.month(1, 2)
    story.passes(60)
    story.month(3)
    story.passes(600)
    assert Why.NO_DATA in story.whys
    assert len(told(caplog)) == times


def test_a_change_by_hand_is_told(caplog: pytest.LogCaptureFixture) -> None:
    story = Story()
    story.month(1, 2)
    story.passes(60)
    story.month(3)
    story.until(Phase.CANARY)
    story.passes(1)
    there = story.platform.endpoints[ENDPOINT]
    there.deployments["green"] = Deployment(version=1, ready=story.clock.now(), fate=Fate())
    there.traffic = {"green": 100}
    story.passes(60)
    assert told(caplog) == [story.text_of(Why.HAND_MADE_CHANGE)]


def test_a_release_that_goes_its_way_tells_nobody(caplog: pytest.LogCaptureFixture) -> None:
    story = Story()
    story.month(1, 2)
    story.passes(60)
    assert story.record.live is not None
    assert told(caplog) == []
