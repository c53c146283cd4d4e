"""What may be rolled back to, and what happens when there is nothing healthy. In virtual time."""

import logging

import pytest

from shared.domain.events import Command
from shared.domain.lifecycle import Phase
from shared.domain.observation import DeploymentState
from shared.domain.reasons import Why
from tests.fakes.examples import ENDPOINT
from tests.fakes.platform import Fate
from tests.scenarios.story import Story
from tests.scenarios.test_hands import canary_story, live_story, sweeps


def breaks(story: Story, deployment: str) -> None:
    """The deployment fails where it stands."""
    found = story.platform.endpoints[ENDPOINT].deployments[deployment]
    found.fate = Fate(deploys=False)
    assert found.state(story.clock.now()) is DeploymentState.FAILED


def three_live(fates: dict[int, Fate] | None = None) -> Story:
    """A story whose third version is live: two are kept."""
    story = live_story(fates=fates)
    for month in (3, 4):
        story.month(month)
        story.passes(60)
    return story


# nothing healthy


def test_with_nothing_healthy_to_go_to_nothing_is_changed() -> None:
    story = canary_story()
    breaks(story, "r0001")
    breaks(story, "r0002")
    story.passes(120)
    assert (story.record.phase, story.traffic) == (Phase.ROLLING_BACK, {"r0001": 90, "r0002": 10})


def test_the_only_healthy_deployment_is_not_deleted_when_its_release_ends() -> None:
    story = canary_story()
    breaks(story, "r0001")
    story.platform.endpoints[ENDPOINT].traffic = {}
    story.passes(5)
    story.command(Command.ABORT)
    story.passes(60)
    assert "r0002" in story.deployments


def test_it_is_shouted_once_as_an_error_under_one_name(caplog: pytest.LogCaptureFixture) -> None:
    story = canary_story()
    breaks(story, "r0001")
    breaks(story, "r0002")
    story.passes(120)
    shouts = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert {record.message for record in shouts} == {"release.nothing_healthy"}
    assert len(shouts) == story.whys.count(Why.NOTHING_HEALTHY)
    assert len({record.__dict__["text"] for record in shouts}) == len(shouts)


def test_the_rollback_goes_on_when_the_live_deployment_is_healthy_again() -> None:
    story = canary_story()
    breaks(story, "r0001")
    breaks(story, "r0002")
    story.passes(30)
    story.platform.endpoints[ENDPOINT].deployments["r0001"].fate = Fate()
    story.passes(10)
    assert story.traffic == {"r0001": 100}
    assert story.whys[-1] is not Why.NOTHING_HEALTHY


def test_a_person_may_end_a_rollback_that_has_nothing_healthy_to_go_to() -> None:
    story = canary_story()
    breaks(story, "r0001")
    breaks(story, "r0002")
    story.passes(30)
    story.command(Command.ABORT, "I shall bring version 1 back")
    story.passes(1)
    story.command(Command.ROLLBACK, version=1)
    story.passes(60)
    assert story.traffic == {"r0003": 100}


def test_a_live_deployment_that_fails_at_rest_is_shouted_and_its_recovery_told() -> None:
    story = live_story()
    breaks(story, "r0001")
    sweeps(story, 16)
    assert story.whys[-1] is Why.NOTHING_HEALTHY
    story.platform.endpoints[ENDPOINT].deployments["r0001"].fate = Fate()
    sweeps(story, 16)
    assert story.whys[-1] is Why.HEALTHY_AGAIN


def test_a_failed_live_deployment_is_no_alarm_while_another_serves() -> None:
    story = canary_story()
    breaks(story, "r0001")
    story.passes(10)
    assert Why.NOTHING_HEALTHY not in story.whys


# when it is taken back


@pytest.mark.parametrize("phase", [Phase.CANARY, Phase.BAKING])
def test_an_alert_mapped_to_rollback_takes_a_release_back(phase: Phase) -> None:
    story = live_story()
    story.month(3)
    story.until(phase)
    story.passes(1)
    story.alert("error-rate")
    story.passes(10)
    assert story.traffic == {"r0001": 100}
    assert [bar.release for bar in story.record.barred] == [2]


def test_traffic_goes_back_before_anything_is_deleted() -> None:
    story = canary_story()
    story.alert("error-rate")
    for _ in range(200):
        story.passes(0.05)
        there = story.platform.endpoints[ENDPOINT].deployments
        assert "r0002" in there or story.traffic == {"r0001": 100}
    assert story.deployments == {"r0001"}


def test_a_rollback_keeps_the_numbers_that_it_was_for() -> None:
    story = live_story(fates={2: Fate(error_share=0.5)})
    story.month(3)
    story.passes(60)
    facts = [
        reason.facts
        for row in story.state.decisions["flights"]
        for reason in row.reasons
        if reason.why is Why.ANALYSIS_FAILED
    ]
    assert {"requests", "errors", "live_requests", "live_errors"} <= set(facts[0])


# a barred version never returns by itself


def test_an_alert_never_brings_a_barred_version_back() -> None:
    """The rollback to version 2 failed and barred it: the next alert goes past it."""
    story = three_live({4: Fate(deploys=False)})
    story.alert("error-rate")
    story.passes(60)
    assert story.record.live is not None
    assert story.record.live.version == 3
    story.alert("error-rate")
    story.passes(60)
    assert story.record.live.version == 1


def test_a_person_who_names_no_version_gets_no_barred_one() -> None:
    story = three_live({4: Fate(deploys=False)})
    story.alert("error-rate")
    story.passes(60)
    story.command(Command.ROLLBACK)
    story.passes(60)
    assert story.record.live is not None
    assert story.record.live.version == 1


def test_a_person_who_names_it_may_bring_a_barred_version_back() -> None:
    story = three_live({4: Fate(deploys=False)})
    story.alert("error-rate")
    story.passes(60)
    story.command(Command.ROLLBACK, "the region was full", version=2)
    story.passes(60)
    assert story.record.live is not None
    assert story.record.live.version == 2


def test_when_every_kept_version_is_barred_an_alert_changes_nothing() -> None:
    story = three_live({4: Fate(deploys=False), 5: Fate(deploys=False)})
    for _ in range(3):
        story.alert("error-rate")
        story.passes(60)
    assert story.traffic == {"r0003": 100}
    assert story.whys[-1] is Why.NOTHING_TO_ROLL_BACK_TO


# kept versions that are gone


def test_a_kept_version_that_is_registered_no_more_is_not_offered() -> None:
    story = three_live()
    del story.platform.versions[1]
    sweeps(story, 40)
    assert [kept.version for kept in story.record.kept] == [2]
    assert Why.KEPT_LOST in story.whys


def test_an_alert_brings_the_version_before_a_lost_one_back() -> None:
    story = three_live()
    del story.platform.versions[2]
    story.alert("error-rate")
    story.passes(60)
    assert story.record.live is not None
    assert story.record.live.version == 1


def test_a_person_who_names_a_lost_version_is_told_and_nothing_is_changed() -> None:
    story = three_live()
    del story.platform.versions[2]
    story.command(Command.ROLLBACK, version=2)
    story.passes(60)
    assert story.traffic == {"r0003": 100}
    assert story.record.last is not None
    assert story.record.last.phase is Phase.FAILED
