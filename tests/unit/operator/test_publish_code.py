"""A folder of code is published as it was hashed, or not at all."""

from pathlib import Path

import pytest

from shared.errors import BadInput
from shared.operator.publish_code import CodeFolder


def a_folder(at: Path) -> Path:
    at.mkdir()
    (at / "train.py").write_text("print(1)\n")
    return at


def test_the_copy_has_the_hash_of_the_folder(tmp_path: Path) -> None:
    code = CodeFolder("flights-train", a_folder(tmp_path / "in"))
    code.copy_to(tmp_path / "out")
    (tmp_path / "out" / ".upkeep-code").unlink()
    assert CodeFolder("flights-train", tmp_path / "out").version == code.version


def test_a_folder_that_changed_since_it_was_hashed_is_not_published(tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "in")
    code = CodeFolder("flights-train", folder)
    assert code.version
    (folder / "train.py").write_text("print(2)\n")
    with pytest.raises(BadInput, match="publish again"):
        code.copy_to(tmp_path / "out")
