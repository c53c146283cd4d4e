"""The folder that every test of the check works in."""

from pathlib import Path

import pytest

from tests.unit.infra_check.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """An empty folder of Bicep files, and the types of Microsoft.Test."""
    return World(tmp_path)
