"""A candidate whose numbers do not say: let go without a bar, or a person is asked, as the spec has it."""

import msgspec

from shared.domain.evaluation import Input
from shared.domain.events import Command
from shared.domain.lifecycle import Phase
from shared.domain.reasons import Why
from shared.domain.spec import Approval
from shared.domain.spec_gates import Inconclusive
from tests.fakes.evaluations import INPUTS
from tests.fakes.examples import a_publication, a_spec
from tests.fakes.platform import Fate
from tests.scenarios.story import Story
from tests.scenarios.test_life_of_a_release import live_story

replace = msgspec.structs.replace


def asking() -> Story:
    """A story with a live model, whose second candidate is not sure to be better; the spec asks a person then."""
    spec = a_spec()
    spec = replace(spec, gates=replace(spec.gates, on_inconclusive=Inconclusive.ASK))
    story = Story({2: Fate(sure=False)}, a_publication(spec))
    story.month(1, 2, 3)
    story.passes(60)
    assert story.record.live is not None
    story.month(4)
    story.until(Phase.AWAITING_APPROVAL, 60)
    return story


def test_it_is_let_go_and_the_live_model_stays() -> None:
    story = live_story({2: Fate(sure=False)})
    story.month(4)
    story.passes(60)
    assert story.record.last is not None
    assert story.record.last.phase is Phase.REJECTED
    assert story.record.live is not None
    assert story.record.live.release == 1
    assert "does not show it to be better" in story.text_of(Why.GATES_INCONCLUSIVE)


def test_its_artifact_is_not_barred() -> None:
    story = live_story({2: Fate(sure=False)})
    story.month(4)
    story.passes(60)
    assert story.record.barred == ()


def test_one_that_is_surely_worse_is_barred() -> None:
    story = live_story({2: Fate(better=False)})
    story.month(4)
    story.passes(60)
    assert [bar.release for bar in story.record.barred] == [2]


def test_where_the_spec_asks_a_person_it_waits() -> None:
    story = asking()
    assert story.platform.versions.keys() == {1}
    assert "do not say" in story.text_of(Why.APPROVAL_NEEDED)


def test_a_person_may_let_it_go_on() -> None:
    story = asking()
    story.command(Command.APPROVE, "the days differ, the model is fine")
    story.passes(60)
    assert story.record.live is not None
    assert story.record.live.release == 2


def test_held_out_rows_that_changed_between_two_trainings_on_the_same_data_are_not_judged() -> None:
    story = live_story()
    story.platform.held_out_sha256 = "f" * 64
    story.command(Command.RETRAIN)
    story.passes(60)
    assert "have changed" in story.text_of(Why.GATES_INCONCLUSIVE)
    assert story.record.live is not None
    assert story.record.live.release == 1


def test_a_rule_asks_when_the_model_takes_other_inputs_than_the_live_one() -> None:
    spec = replace(a_spec(), approval=Approval(required="rules", first_release=False))
    story = Story(publication=a_publication(spec))
    story.month(1, 2, 3)
    story.passes(60)
    assert story.record.live is not None, "a first release has nothing to differ from"
    story.platform.inputs = (*INPUTS, Input(name="at", type="timestamp"))
    story.month(4)
    story.until(Phase.AWAITING_APPROVAL, 60)
    assert "(at)" in story.text_of(Why.APPROVAL_NEEDED)
