"""The triggers without an answer: uploads, nudges and the timer."""

from datetime import UTC, datetime

import pytest

from shared.errors import BadInput, RetryLater
from shared.triggers.nudge import nudge
from shared.triggers.sweep import sweep
from shared.triggers.uploads import uploads
from tests.unit.triggers.trigger_world import MODEL, TriggerWorld, call, message


def test_an_upload_is_handed_to_the_intake(world: TriggerWorld) -> None:
    call(uploads, message('{"a": "ä"}'))
    assert world.intake.handled == ['{"a": "ä"}']


def test_an_upload_that_is_no_text_goes_the_way_of_the_poison(world: TriggerWorld) -> None:
    with pytest.raises(BadInput):
        call(uploads, message(b"\xff"))


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ('{"model": "flights", "due": null}', None),
        ('{"model": "flights"}', None),
        ('{"model": "flights", "due": 1767614400.25}', datetime(2026, 1, 5, 12, 0, 0, 250_000, tzinfo=UTC)),
    ],
)
def test_a_nudge_runs_the_reconciler(world: TriggerWorld, text: str, due: datetime | None) -> None:
    call(nudge, message(text))
    assert world.runs == [(MODEL, due)]


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"model": 1}', '{"model": "m", "due": "x"}', '{"model":"m","due":1e99}']
)
def test_a_nudge_that_names_no_model_goes_the_way_of_the_poison(world: TriggerWorld, text: str) -> None:
    with pytest.raises(BadInput):
        call(nudge, message(text))


def test_the_sweep_looks_at_uploads_and_at_every_model(world: TriggerWorld) -> None:
    world.publish("flights")
    world.publish("taxi")
    call(sweep, None)
    assert world.intake.sweeps == 1
    assert [each.model for each in world.nudges.queue] == ["flights", "taxi"]


def test_trouble_with_the_uploads_does_not_keep_the_models_waiting(world: TriggerWorld) -> None:
    def broken() -> int:
        raise RetryLater("down")

    world.publish()
    world.intake.sweep = broken  # type: ignore[method-assign]
    with pytest.raises(RetryLater):
        call(sweep, None)
    assert [each.model for each in world.nudges.queue] == [MODEL]
