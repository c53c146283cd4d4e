"""Which files are deployed."""

from pathlib import Path

import pytest

from infra import package_files as files
from tests.unit.package import product

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return product.write(tmp_path)


def test_what_the_app_imports_is_deployed_also_what_it_imports_later(root: Path) -> None:
    assert files.deployed(root) == [
        "function_app.py",
        "host.json",
        "requirements.txt",
        "shared/__init__.py",
        "shared/intake.py",
        "shared/triggers/__init__.py",
        "shared/triggers/uploads.py",
    ]


def test_what_a_module_has_beside_it_under_its_own_name_is_deployed(root: Path) -> None:
    (root / "shared" / "triggers" / "uploads.html").touch()
    assert "shared/triggers/uploads.html" in files.deployed(root)
    assert files.problems(root) == []


def test_a_sound_tree_has_no_problems(root: Path) -> None:
    assert files.problems(root) == []


def test_the_checkout_itself_has_no_problems() -> None:
    assert files.problems(ROOT) == []


def test_a_module_that_the_app_needs_and_that_is_ignored_is_a_problem(root: Path) -> None:
    with (root / ".funcignore").open("a") as file:
        file.write("shared/intake.py\n")
    assert files.problems(root) == ["shared/intake.py is needed by the app, but .funcignore leaves it out."]


def test_a_missing_host_json_is_a_problem(root: Path) -> None:
    (root / "host.json").unlink()
    assert files.problems(root) == ["host.json is needed by the app, but .funcignore leaves it out."]


def test_a_stray_file_is_a_problem_and_not_deployed(root: Path) -> None:
    (root / "secrets.env").write_text("KEY=1")
    assert files.problems(root) == ["secrets.env is not needed by the app: remove it, or name it in .funcignore."]
    assert "secrets.env" not in files.deployed(root)


def test_a_stray_folder_is_one_problem(root: Path) -> None:
    for name in ("a.py", "b.py", "deep/c.py"):
        path = root / "other-environment" / "lib" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert files.problems(root) == [
        "other-environment/ is not needed by the app: remove it, or name it in .funcignore."
    ]


def test_a_stray_file_among_the_modules_is_a_problem(root: Path) -> None:
    (root / "shared" / "model.pkl").touch()
    assert files.problems(root) == [
        "shared/model.pkl is not needed by the app: remove it, or name it in .funcignore."
    ]


def test_a_link_is_a_problem(root: Path) -> None:
    outside = root / "tests" / "intake.py"
    (root / "shared" / "intake.py").rename(outside)
    (root / "shared" / "intake.py").symlink_to(outside)
    assert files.problems(root) == ["shared/intake.py is a link; a package holds files only."]


def test_a_relative_import_is_refused_with_its_place(root: Path) -> None:
    (root / "shared" / "intake.py").write_text("\nfrom . import publish\n")
    with pytest.raises(ValueError, match=r"shared/intake\.py:2: relative imports"):
        files.needed(root)
