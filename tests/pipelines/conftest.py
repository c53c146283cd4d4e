"""What the tests of the steps stand on."""

from pathlib import Path

import pytest

from tests.pipelines.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A copy of the steps, with nothing deployed."""
    return Desk(tmp_path)
