"""From the workspace that trained a version to one that takes it, by a registry, in virtual time."""

import msgspec
import pytest

from shared.domain.actions import SubmitJob
from shared.domain.evaluation import Input
from shared.domain.events import Command
from shared.domain.lifecycle import Phase
from shared.domain.lineage import APPROVED_BY, ARTIFACT, FOLDER, NUMBERS, OUTCOME, VERDICT
from shared.domain.publication import Publication
from shared.domain.reasons import Why
from shared.domain.spec import Approval, Registry, RegistryMode, Shadow
from tests.fakes.evaluations import INPUTS
from tests.fakes.examples import MODEL, a_publication, a_spec
from tests.fakes.platform import Fate
from tests.scenarios.story import Story

REGISTRY = "models"


def a_registry_publication(
    mode: RegistryMode, approval: Approval | None = None, *, shadow: bool = False
) -> Publication:
    spec = msgspec.structs.replace(
        a_spec(), registry=Registry(name=REGISTRY, mode=mode), approval=approval or Approval()
    )
    if shadow:
        stage = Shadow(mirror_pct=20, hold_s=60, min_requests=20)
        spec = msgspec.structs.replace(spec, rollout=msgspec.structs.replace(spec.rollout, shadow=stage))
    return a_publication(spec)


def shared(months: int = 2) -> Story:
    """A story of the workspace that trains; each month from the second on is a release that goes live."""
    story = Story(publication=a_registry_publication(RegistryMode.SHARE))
    story.month(1, 2)
    story.passes(60)
    for month in range(3, months + 1):
        story.month(month)
        story.passes(60)
    return story


def taking(source: Story, approval: Approval | None = None, *, shadow: bool = False) -> Story:
    """A story of another workspace, to which the same registry is known."""
    story = Story(publication=a_registry_publication(RegistryMode.TAKE, approval, shadow=shadow))
    story.platform.registries = source.platform.registries
    return story


def took(story: Story, version: int | None = None) -> Story:
    story.command(Command.TAKE, version=version)
    story.passes(60)
    return story


def marked(change: dict[str, str | None]) -> Story:
    """The same, with other marks on the shared version; None takes one off."""
    story = shared()
    known = story.platform.registries[REGISTRY].versions[1]
    marks = {**known.marks, **change}
    known.marks = {name: value for name, value in marks.items() if value is not None}
    return story


def test_a_version_that_goes_live_is_shared_with_its_lineage() -> None:
    story = shared()
    known = story.platform.registries[REGISTRY].versions
    assert known[1].marks == story.platform.registered[1].properties
    assert story.record.shares == ()


def test_a_version_that_was_refused_or_rolled_back_is_never_shared() -> None:
    story = Story({2: Fate(better=False), 3: Fate(error_share=0.5)}, a_registry_publication(RegistryMode.SHARE))
    for month in range(1, 5):
        story.month(month)
        story.passes(60)
    assert set(story.platform.registries[REGISTRY].versions) == {1}


def test_a_version_that_was_taken_is_known_by_its_inputs() -> None:
    story = took(taking(shared()))
    assert story.record.live is not None
    assert story.record.live.inputs == {"minutes": "number"}


def test_a_rule_asks_about_a_shared_version_that_takes_other_inputs_than_the_live_one() -> None:
    source = shared()
    story = took(taking(source, Approval(required="rules", first_release=False)))
    source.platform.inputs = (*INPUTS, Input(name="at", type="timestamp"))
    source.month(3)
    source.passes(60)
    took(story)
    assert story.record.phase is Phase.AWAITING_APPROVAL
    assert "(at)" in story.text_of(Why.APPROVAL_NEEDED)


def test_a_shared_version_goes_live_elsewhere_without_a_training() -> None:
    story = took(taking(shared()))
    assert story.platform.jobs == {}
    assert story.record.live is not None
    assert (story.record.live.version, story.record.live.registry) == (1, REGISTRY)
    assert story.traffic == {"r0001": 100}


def test_a_second_version_that_is_taken_goes_through_the_canary() -> None:
    source = shared()
    story = took(taking(source))
    source.month(3)
    source.passes(60)
    took(story)
    assert story.seen_traffic[1:] == [
        {"r0001": 100},
        {"r0001": 90, "r0002": 10},
        {"r0001": 50, "r0002": 50},
        {"r0002": 100},
    ]
    assert story.record.live is not None
    assert story.record.live.version == 2


def test_a_version_that_is_taken_goes_through_the_shadow_where_the_spec_asks_for_it() -> None:
    source = shared(3)
    story = took(taking(source, shadow=True), version=1)
    took(story)
    assert Why.SHADOW_PASSED in story.whys


def test_a_taken_version_has_the_card_and_the_verdict_of_where_it_was_trained() -> None:
    card = took(taking(shared())).archive.cards[MODEL, 1]
    assert card.decision == "First candidate: mae 8, baseline 20."
    assert (card.scores["candidate"], card.lineage["upkeep_registry"]) == (8.0, REGISTRY)


def test_an_older_version_can_be_asked_for_by_its_number() -> None:
    story = took(taking(shared(4)), version=2)
    assert story.record.live is not None
    assert story.record.live.version == 2


def test_files_that_were_changed_in_the_registry_are_never_deployed() -> None:
    source = shared()
    source.platform.registries[REGISTRY].versions[1].files["model.skops"] = "tampered"
    story = took(taking(source))
    assert Why.ARTIFACT_CHANGED in story.whys
    assert story.deployments == set()


def test_a_taken_version_that_fails_its_canary_is_taken_back_and_not_taken_again() -> None:
    source = shared(3)
    story = took(taking(source), version=1)
    story.fates[2] = Fate(error_share=0.5)
    took(story, version=2)
    assert story.traffic == {"r0001": 100}
    took(story, version=2)
    assert story.whys[-1] is Why.ARTIFACT_BARRED


def test_a_taken_version_waits_for_approval_where_the_spec_asks_for_it() -> None:
    story = took(taking(shared(), Approval(required="always")))
    assert (story.record.phase, story.deployments) == (Phase.AWAITING_APPROVAL, set())
    story.command(Command.APPROVE)
    story.passes(60)
    assert story.traffic == {"r0001": 100}
    assert story.archive.cards[MODEL, 1].approved_by == "ada"


def test_the_effect_that_a_rule_of_approval_asks_about_comes_with_the_version() -> None:
    source = shared(3)
    rules = Approval(required="rules", first_release=False, effect_under_pct=30.0)
    story = took(took(taking(source, rules), version=1), version=2)
    assert "An effect of 20.0 % is under 30 %" in story.text_of(Why.APPROVAL_NEEDED)


def test_a_version_that_nobody_shared_is_refused() -> None:
    story = took(taking(shared()), version=7)
    assert story.text_of(Why.TAKE_REFUSED) == "Registry models has no version 7 of the model."


UNJUDGED = [
    {VERDICT: None},
    {NUMBERS: None},
    {NUMBERS: "{mae"},
    {OUTCOME: None},
    {OUTCOME: "splendid"},
    {OUTCOME: "fail"},
    {OUTCOME: "inconclusive"},
]


@pytest.mark.parametrize("change", UNJUDGED)
def test_a_version_that_does_not_say_that_it_passed_is_refused(change: dict[str, str | None]) -> None:
    story = took(taking(marked(change), Approval(required="rules", first_release=False, effect_under_pct=5.0)))
    assert Why.TAKE_REFUSED in story.whys
    assert (story.deployments, story.record.live) == (set(), None)


def test_a_version_that_bears_its_hashes_alone_is_refused() -> None:
    source = shared()
    known = source.platform.registries[REGISTRY].versions[1]
    known.marks = {name: known.marks[name] for name in (ARTIFACT, FOLDER)}
    story = took(taking(source))
    assert "does not say how it was judged" in story.text_of(Why.TAKE_REFUSED)
    assert story.deployments == set()


OVERLOOKED: dict[str, str | None] = {OUTCOME: "inconclusive", APPROVED_BY: "grace"}


def test_what_a_person_let_go_on_elsewhere_is_taken() -> None:
    assert took(taking(marked(OVERLOOKED))).traffic == {"r0001": 100}


def test_what_a_person_let_go_on_elsewhere_is_asked_about_again_where_rules_ask() -> None:
    story = took(taking(marked(OVERLOOKED), Approval(required="rules", first_release=False)))
    assert story.record.phase is Phase.AWAITING_APPROVAL
    assert "grace approved it where it was trained" in story.text_of(Why.APPROVAL_NEEDED)


def test_a_shared_effect_that_is_missing_is_asked_about() -> None:
    rules = Approval(required="rules", first_release=False, effect_under_pct=5.0)
    story = took(taking(marked({NUMBERS: "{}"}), rules))
    assert story.record.phase is Phase.AWAITING_APPROVAL
    assert "effect is not known" in story.text_of(Why.APPROVAL_NEEDED)


def test_a_version_that_is_live_already_is_not_taken_twice() -> None:
    story = took(took(taking(shared())))
    assert story.text_of(Why.TAKE_REFUSED) == "Version 1 of registry models is live already."
    assert story.deployments == {"r0001"}


def test_a_version_that_does_not_say_what_it_hashes_to_is_refused() -> None:
    source = shared()
    source.platform.registries[REGISTRY].versions[1].marks.clear()
    assert Why.TAKE_REFUSED in took(taking(source)).whys


def test_nothing_is_trained_where_versions_are_taken() -> None:
    story = taking(shared())
    story.month(1, 2, 3)
    story.alert("mae")
    story.command(Command.RETRAIN)
    story.passes(60)
    assert story.platform.jobs == {}
    assert Why.TRAINED_ELSEWHERE in story.whys
    assert not [row for row in story.state.decisions[MODEL] if SubmitJob.__name__ in row.actions]


def test_a_version_that_was_taken_is_brought_back_from_the_registry() -> None:
    story = took(took(taking(shared(3)), version=1), version=2)
    story.command(Command.ROLLBACK)
    story.passes(60)
    assert story.record.live is not None
    assert (story.record.live.version, story.record.live.registry) == (1, REGISTRY)


def test_a_taken_version_has_no_stage_here() -> None:
    story = took(taking(shared()))
    assert (story.platform.stages, story.record.stages) == ({}, ())


@pytest.mark.parametrize("paused", [True, False])
def test_a_take_that_makes_no_sense_now_is_refused(paused: bool) -> None:
    story = taking(shared()) if paused else Story()
    if paused:
        story.command(Command.PAUSE)
        story.passes(1)
    took(story)
    assert story.whys[-1] is Why.COMMAND_REFUSED


def test_a_registry_version_of_other_files_is_left_alone() -> None:
    source = shared()
    other = shared()
    other.platform.registries = source.platform.registries
    source.platform.registries[REGISTRY].versions[2] = source.platform.registries[REGISTRY].versions[1]
    other.month(3)
    other.passes(60)
    assert Why.SHARE_LEFT in other.whys
    assert other.record.shares == ()


def two_shared() -> Story:
    """Two versions are in the registry."""
    source = shared()
    source.month(3)
    source.passes(60)
    assert sorted(source.platform.registries[REGISTRY].versions) == [1, 2]
    return source


def replacing(source: Story) -> Story:
    """A story of another workspace, in which a newer release replaces the one in flight."""
    publication = a_registry_publication(RegistryMode.TAKE)
    spec = publication.spec
    spec = msgspec.structs.replace(spec, retrain=msgspec.structs.replace(spec.retrain, when_newer="replace"))
    story = Story(publication=msgspec.structs.replace(publication, spec=spec))
    story.platform.registries = source.platform.registries
    return story


def take_one_then_two(story: Story, second: int | None = 2) -> None:
    """The second take comes while the first version waits to be deployed."""
    story.fates[1] = Fate(deploy_s=600)
    story.command(Command.TAKE, version=1)
    story.until(Phase.DEPLOYING)
    story.clock.move(1)
    story.command(Command.TAKE, version=second)


def test_a_take_that_comes_during_another_waits_for_its_end() -> None:
    story = taking(two_shared())
    take_one_then_two(story)
    story.passes(180)
    assert Why.TAKE_WAITS in story.whys
    assert [live_version(story), story.record.last_release] == [2, 2]
    assert {"r0001": 100} in story.seen_traffic


def test_a_take_of_another_version_replaces_the_one_in_flight_where_the_spec_says_so() -> None:
    story = replacing(two_shared())
    take_one_then_two(story)
    story.passes(180)
    assert live_version(story) == 2
    assert {"r0001": 100} not in story.seen_traffic
    assert Why.SUPERSEDED in story.whys


def test_a_take_of_the_newest_waits_for_it_may_be_the_one_in_flight() -> None:
    story = replacing(two_shared())
    take_one_then_two(story, None)
    story.passes(180)
    assert {"r0001": 100} in story.seen_traffic
    assert live_version(story) == 2


def test_a_take_that_waits_begins_after_a_pause() -> None:
    story = taking(two_shared())
    take_one_then_two(story)
    story.passes(2)
    story.command(Command.PAUSE)
    story.passes(180)
    assert story.record.last_release == 1
    story.command(Command.RESUME)
    story.passes(180)
    assert live_version(story) == 2


def live_version(story: Story) -> int:
    assert story.record.live is not None
    return story.record.live.version
