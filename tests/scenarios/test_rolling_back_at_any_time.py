"""A rollback whatever is in flight: a training makes way, a restore is not turned round. In virtual time."""

import msgspec
import pytest

from shared.domain.actions import CreateDeployment
from shared.domain.decide import decide
from shared.domain.events import Command, CommandGiven
from shared.domain.lifecycle import Phase
from shared.domain.observation import JobStatus, Observation
from shared.domain.publication import Publication
from shared.domain.reasons import Why
from shared.domain.spec import Approval
from tests.fakes.examples import ENDPOINT, a_publication, a_spec
from tests.fakes.platform import Deployment, Fate
from tests.scenarios.story import Story


def two_versions(fates: dict[int, Fate] | None = None, publication: Publication | None = None) -> Story:
    """A story whose second release is live, and the first kept."""
    story = Story(fates, publication)
    story.month(1, 2)
    story.passes(60)
    story.month(3)
    story.passes(60)
    assert live(story) == 2
    return story


def live(story: Story) -> int:
    assert story.record.live is not None
    return story.record.live.version


def restoring() -> Story:
    """The first version is on its way back, and takes ten minutes to deploy."""
    story = two_versions({3: Fate(deploy_s=600)})
    story.alert("error-rate")
    story.passes(2)
    assert story.record.phase is Phase.DEPLOYING
    return story


@pytest.mark.parametrize("again", ["alert", "command"])
def test_asking_twice_does_not_turn_a_rollback_round(again: str) -> None:
    story = restoring()
    story.alert("error-rate") if again == "alert" else story.command(Command.ROLLBACK)
    story.passes(60)
    assert "Version 1 is being brought back already." in story.text_of(Why.COMMAND_REFUSED)
    assert live(story) == 1
    assert [bar.release for bar in story.record.barred] == [2]


def test_a_person_may_break_a_rollback_off_and_nothing_is_barred_for_it() -> None:
    story = restoring()
    story.command(Command.ABORT, "it was the network")
    story.passes(60)
    assert live(story) == 2
    assert [bar.release for bar in story.record.barred] == [2]
    story.command(Command.ROLLBACK, "it was not")
    story.passes(60)
    assert live(story) == 1


def test_an_alert_during_a_training_cancels_it_and_brings_the_version_before_back() -> None:
    story = two_versions()
    story.month(4)
    story.until(Phase.TRAINING)
    job = story.record.release.job("flights") if story.record.release else ""
    story.alert("error-rate")
    story.passes(60)
    assert story.platform.job(job).status is JobStatus.CANCELED
    assert live(story) == 1
    assert [bar.release for bar in story.record.barred] == [2]


def test_what_waits_for_approval_makes_way_at_once() -> None:
    wanted = Approval(required="rules", effect_under_pct=100.0, first_release=False, expires_s=86_400)
    story = two_versions_approved(wanted)
    story.month(4)
    story.until(Phase.AWAITING_APPROVAL, 60)
    story.command(Command.ROLLBACK, "it is wrong at night")
    story.passes(0.1)
    assert story.record.release is not None
    assert story.record.release.restores is not None
    story.passes(60)
    assert live(story) == 1


def two_versions_approved(wanted: Approval) -> Story:
    story = Story(publication=a_publication(msgspec.structs.replace(a_spec(), approval=wanted)))
    story.month(1, 2)
    story.passes(60)
    story.month(3)
    story.until(Phase.AWAITING_APPROVAL, 60)
    story.command(Command.APPROVE)
    story.passes(60)
    assert live(story) == 2
    return story


def test_a_training_goes_on_where_there_is_nothing_to_go_back_to() -> None:
    story = Story()
    story.month(1, 2)
    story.passes(60)
    story.month(3)
    story.until(Phase.TRAINING)
    story.alert("error-rate")
    story.passes(120)
    assert Why.NOTHING_TO_ROLL_BACK_TO in story.whys
    assert live(story) == 2


def test_a_version_comes_back_with_the_code_that_it_served_with() -> None:
    first = a_publication()
    serving = msgspec.structs.replace(first.serving, code_id=first.serving.code_id.replace("/1", "/2"))
    story, ordered = Story(publication=first), list[tuple[int, str]]()
    create = story.platform.create_deployment

    def noted(model: str, order: CreateDeployment, publication: Publication) -> None:
        ordered.append((order.version, publication.serving.code_id.rpartition("/")[2]))
        create(model, order, publication)

    story.platform.create_deployment = noted  # type: ignore[method-assign]
    story.month(1, 2)
    story.passes(60)
    story.publish(msgspec.structs.replace(first, serving=serving))
    story.month(3)
    story.passes(60)
    story.command(Command.ROLLBACK)
    story.passes(60)
    assert list(dict.fromkeys(ordered)) == [(1, "1"), (2, "2")]
    assert ordered[-1] == (1, "1")


def test_a_version_of_another_endpoint_comes_back_as_the_model_is_published_now() -> None:
    story = two_versions()
    moved = msgspec.structs.replace(a_publication().serving, endpoint="flights-eu")
    now = msgspec.structs.replace(a_publication(), serving=moved)
    asked = CommandGiven(at=story.clock.now(), command=Command.ROLLBACK, id="c", by="ada")
    decision = decide(now, story.record, (asked,), Observation(), story.clock.now())
    assert decision.record.release is not None
    assert decision.record.release.publication == now.hash


@pytest.mark.parametrize("command", [Command.PROMOTE, Command.ABORT])
def test_a_word_that_is_refused_moves_no_traffic(command: Command) -> None:
    story = two_versions()
    there = story.platform.endpoints[ENDPOINT]
    there.deployments["green"] = Deployment(version=1, ready=story.clock.now(), fate=Fate())
    there.traffic = {"green": 100}
    story.passes(20)
    story.command(command)
    story.passes(20)
    assert story.whys[-1] is Why.COMMAND_REFUSED
    assert story.traffic == {"green": 100}


def test_promoting_a_tested_candidate_overrules_what_was_changed_by_hand() -> None:
    story = two_versions({3: Fate(deploy_s=600)})
    story.month(4)
    story.until(Phase.DEPLOYING)
    there = story.platform.endpoints[ENDPOINT]
    there.deployments["green"] = Deployment(version=1, ready=story.clock.now(), fate=Fate())
    there.traffic = {"green": 50, "r0002": 50}
    story.passes(15)
    assert story.record.phase is Phase.TESTING
    story.command(Command.PROMOTE)
    story.passes(60)
    assert live(story) == 3
    assert Why.COMMAND_REFUSED not in story.whys
