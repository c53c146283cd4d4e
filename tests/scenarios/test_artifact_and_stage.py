"""What becomes of a registered version besides its traffic: its bytes, its lineage, its card and its stage."""

from typing import Any

import pytest
from msgspec.structs import replace

from shared.domain.actions import CreateDeployment, SetStage
from shared.domain.evaluation import Slice
from shared.domain.events import Command
from shared.domain.lifecycle import Phase
from shared.domain.observation import EvaluationSeen
from shared.domain.publication import Publication
from shared.domain.reasons import Why
from shared.domain.spec_gates import Slices
from shared.domain.stages import Stage
from shared.errors import NeedsPerson
from tests.fakes.evaluations import by_day
from tests.fakes.examples import MODEL, a_publication, a_spec
from tests.fakes.platform import FakePlatform, Fate, Violation
from tests.scenarios.story import Story
from tests.scenarios.test_life_of_a_release import live_story

JOB_2 = "flights-0002-a1"


def tampered(story: Story, job: str, file: str = "model.skops") -> None:
    story.archive.files[job] = {**story.archive.files[job], file: "tampered"}


def never_deploys(story: Story, version: int) -> None:
    """Deploying the version is what must not happen."""
    create = story.platform.create_deployment

    def guarded(model: str, order: CreateDeployment, publication: Publication) -> None:
        if order.version == version:
            raise Violation(f"version {version} was deployed")
        create(model, order, publication)

    story.platform.create_deployment = guarded  # type: ignore[method-assign]


def test_a_registered_version_tells_its_whole_lineage() -> None:
    story = live_story()
    order = story.platform.registered[1]
    assert order.properties["upkeep_verdict_numbers"].startswith('{"metric":"mae","rows":1000,"candidate":8.0')
    assert order.properties["upkeep_folder_sha256"] == story.record.live.folder  # type: ignore[union-attr]
    assert order.properties["upkeep_cause"] == "2 fresh parts with 2000 rows are waiting."


def test_a_registered_version_has_a_card() -> None:
    card = live_story().archive.cards[MODEL, 1]
    assert card.decision == "First candidate: mae 8, baseline 20."


def test_the_card_of_a_version_that_was_compared_has_its_slices() -> None:
    spec = a_spec()
    limits = replace(spec.gates, slices=Slices(columns=("kind",)))
    story = Story(publication=a_publication(replace(spec, gates=limits)))
    story.month(1, 2)
    story.passes(60)
    story.month(3)
    story.until(Phase.TRAINING)
    told = story.archive.evaluations[JOB_2].evaluation
    assert told is not None
    rows = told.held_out.rows
    of_all = Slice(
        name="kind", value="all", metric="mae", rows=rows, candidate=8.0, champion=10.0, groups=by_day(rows, -2.0)
    )
    story.archive.evaluations[JOB_2] = EvaluationSeen(evaluation=replace(told, slices=(of_all,)))
    story.passes(60)
    table = story.archive.cards[MODEL, 2].slices
    assert table is not None
    assert [(each.name, each.difference) for each in table.slices] == [("kind=all", -2.0)]


@pytest.mark.parametrize("file", ["model.skops", "signature.json"])
def test_files_that_were_changed_after_they_were_registered_are_never_deployed(file: str) -> None:
    story = live_story()
    never_deploys(story, 2)
    story.month(3)
    story.until(Phase.TRAINING)
    story.command(Command.PAUSE)
    story.until(Phase.DEPLOYING)
    assert story.platform.registered[2].job == JOB_2
    tampered(story, JOB_2, file)
    story.command(Command.RESUME)
    story.passes(60)
    assert story.record.last is not None
    assert (story.record.last.release, story.record.last.phase) == (2, Phase.FAILED)
    assert Why.ARTIFACT_CHANGED in story.whys
    assert story.traffic == {"r0001": 100}


def test_a_model_that_is_not_the_evaluated_one_is_never_registered() -> None:
    story = live_story()
    story.month(3)
    story.until(Phase.TRAINING)
    tampered(story, JOB_2)
    story.passes(60)
    assert Why.ARTIFACT_CHANGED in story.whys
    assert 2 not in story.platform.versions


def test_a_model_whose_files_are_gone_is_never_registered() -> None:
    story = live_story()
    story.month(3)
    story.until(Phase.TRAINING)
    story.archive.files[JOB_2] = {}
    story.passes(60)
    assert "there are none" in story.text_of(Why.ARTIFACT_CHANGED)


def test_an_artifact_that_was_changed_is_barred() -> None:
    story = live_story()
    story.month(3)
    story.until(Phase.TRAINING)
    tampered(story, JOB_2)
    story.passes(60)
    assert [bar.release for bar in story.record.barred] == [2]


def test_a_version_that_is_brought_back_is_looked_at_first() -> None:
    story = live_story()
    story.month(3)
    story.passes(60)
    tampered(story, "flights-0001-a1")
    never_deploys(story, 1)
    story.command(Command.ROLLBACK)
    story.passes(60)
    assert Why.ARTIFACT_CHANGED in story.whys
    assert story.traffic == {"r0002": 100}


def test_the_stage_follows_the_release() -> None:
    story = live_story()
    assert story.platform.stages == {1: "Production"}
    story.month(3)
    story.until(Phase.CANARY)
    assert story.platform.stages == {1: "Production", 2: "Development"}
    story.passes(60)
    assert story.platform.stages == {1: "Archived", 2: "Production"}


def test_the_stage_follows_a_version_that_is_brought_back() -> None:
    story = live_story()
    story.month(3)
    story.passes(60)
    story.command(Command.ROLLBACK)
    story.passes(60)
    assert story.platform.stages == {1: "Production", 2: "Archived"}


def test_a_version_that_is_rolled_back_is_archived() -> None:
    story = live_story({2: Fate(error_share=0.5)})
    story.month(3)
    story.passes(60)
    assert story.platform.stages == {1: "Production", 2: "Archived"}


def test_a_stage_that_was_changed_by_hand_is_left_alone() -> None:
    story = live_story()
    story.platform.stages[1] = "Quarantine"
    story.passes(60 * 24)
    assert story.platform.stages == {1: "Quarantine"}


def test_who_changes_a_stage_by_hand_in_between_has_the_last_word() -> None:
    story = live_story()
    story.month(3)
    by_hand(story)
    story.passes(120)
    assert story.platform.stages[2] == "Quarantine"
    assert Why.STAGE_LEFT in story.whys


def by_hand(story: Story) -> None:
    """Every move of a stage is answered by a person with another one."""

    def contrary(model: str, order: SetStage) -> None:
        story.platform.stages[order.version] = "Quarantine"

    story.platform.set_stage = contrary  # type: ignore[method-assign]


def test_a_stage_that_cannot_be_changed_keeps_no_release_from_going_live(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any) -> None:
        raise NeedsPerson("no role")

    monkeypatch.setattr(FakePlatform, "set_stage", refused)
    story = live_story()
    story.month(3)
    story.passes(120)
    assert story.traffic == {"r0002": 100}
    assert {move.version: move.stage for move in story.record.stages} == {1: Stage.ARCHIVED, 2: Stage.PRODUCTION}
