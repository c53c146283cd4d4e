"""What the reconciler may expect of the nudge queue, whoever keeps it."""

from datetime import UTC, datetime

from shared.reconcile.ports import Nudges
from tests.contract.conftest import Received

DUE = datetime(2026, 3, 1, 12, 0, 0, 250000, tzinfo=UTC)


def test_a_nudge_without_delay_is_visible_at_once(nudges: tuple[Nudges, Received], model: str) -> None:
    queue, received = nudges
    queue.send(model, 0, None)
    assert received() == [(model, None)]


def test_a_nudge_carries_the_time_that_it_is_due(nudges: tuple[Nudges, Received], model: str) -> None:
    queue, received = nudges
    queue.send(model, 0, DUE)
    assert received() == [(model, DUE.timestamp())]


def test_a_nudge_with_a_delay_is_not_visible_yet(nudges: tuple[Nudges, Received], model: str) -> None:
    queue, received = nudges
    queue.send(model, 0.5, DUE)
    queue.send(model, 30 * 86_400, DUE)
    assert received() == []
