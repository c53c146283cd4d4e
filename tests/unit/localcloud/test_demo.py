"""The demo judges by what was recorded, and its plan speaks Upkeep's own words."""

from typing import Any

import pytest

from localcloud.demo import ending, plan
from localcloud.demo.ground import ROOT
from localcloud.demo.story import Story
from shared.domain.reasons import Why
from shared.operator.reading import read_spec


class Played:
    """A story that went as planned."""

    def __init__(self) -> None:
        self.refused = [{"state": "quarantined", "blob": "flight-duration/broken.csv", "why": "Row 5000"}]
        self.errors = {"before": 11.7, "after": 8.7}


def kept(words: list[str]) -> list[dict[str, Any]]:
    """A history, newest first, as the status API answers it."""
    parts = sum(len(act.months) for act in plan.ACTS)
    every = ["DataArrived"] * parts + words
    return [{"reasons": [{"why": word}]} for word in reversed(every)]


PLANNED = [word for act in plan.ACTS for word in act.follows]


def test_the_planned_history_is_the_story() -> None:
    assert ending.problems(_story(), kept(PLANNED)) == []


def test_words_that_are_no_milestones_do_not_matter() -> None:
    assert ending.problems(_story(), kept(["StepPassed", *PLANNED, "DeploymentRetired"])) == []


@pytest.mark.parametrize("words", [PLANNED[:-1], ["TrainingRetried", *PLANNED], PLANNED[::-1]])
def test_another_history_is_told(words: list[str]) -> None:
    assert ending.problems(_story(), kept(words))


def test_an_error_that_did_not_come_down_is_told() -> None:
    story = _story()
    story.errors = {"before": 8.7, "after": 9.1}
    assert ending.problems(story, kept(PLANNED))


def test_a_broken_file_that_was_not_refused_is_told() -> None:
    story = _story()
    story.refused = []
    assert ending.problems(story, kept(PLANNED))


def test_the_plan_uses_the_reasons_that_there_are() -> None:
    assert set(Why) >= {*plan.MILESTONES, *PLANNED}


def test_the_plan_has_all_parts_of_the_story() -> None:
    ends = [act.follows[-1] for act in plan.ACTS]
    assert ends.count("ReleaseLive") >= 3
    assert {"GatesInconclusive", "RolledBack"} <= set(ends)
    assert any(act.by_alert for act in plan.ACTS)


def test_the_alert_rule_is_one_that_the_spec_answers_with_a_training() -> None:
    spec = read_spec(ROOT / "models" / plan.MODEL, "local")
    assert spec.alerts[plan.ALERT_RULE] == "retrain"


def _story() -> Story:
    return Played()  # type: ignore[return-value]  # the part of a story that an ending looks at
