"""What the triggers' tests share."""

import pytest

from tests.unit.triggers.trigger_world import TriggerWorld


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> TriggerWorld:
    """An app with fakes, in place of the process's own."""
    return TriggerWorld(monkeypatch)
