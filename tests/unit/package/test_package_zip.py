"""The zip that is deployed."""

import importlib.util
import marshal
import os
import sys
import zipfile
from pathlib import Path

import pytest

from infra import package, package_bytecode, package_dependencies, package_papers
from tests.unit.package import product


@pytest.fixture(autouse=True)
def _no_papers(monkeypatch: pytest.MonkeyPatch) -> None:
    """They have tests of their own, and take a second each."""
    monkeypatch.setattr(package_papers, "write", lambda root, made, version: None)


def bare(root: Path, out: Path) -> Path:
    """The package without its dependencies, which take half a minute."""
    return package.build(root, out, with_dependencies=False)


def test_its_name_tells_the_version(tmp_path: Path) -> None:
    assert bare(product.write(tmp_path), tmp_path / "dist").name == "upkeep-1.2.3-without-dependencies.zip"


def test_the_same_tree_gives_the_same_bytes(tmp_path: Path) -> None:
    first = product.write(tmp_path / "first")
    second = product.write(tmp_path / "second")
    for path in second.rglob("*.py"):
        os.utime(path, (1, 1))
        path.chmod(0o700)
    assert bare(first, tmp_path / "a").read_bytes() == bare(second, tmp_path / "b").read_bytes()


def test_another_tree_gives_other_bytes(tmp_path: Path) -> None:
    first = product.write(tmp_path / "first")
    second = product.write(tmp_path / "second")
    (second / "host.json").write_text("{ }")
    assert bare(first, tmp_path / "a").read_bytes() != bare(second, tmp_path / "b").read_bytes()


def test_what_an_earlier_build_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    out = tmp_path / "dist"
    out.mkdir()
    for name in ("upkeep-1.0.0.zip", "upkeep-1.0.0.zip.sha256", "notes.txt"):
        (out / name).touch()
    bare(product.write(tmp_path / "tree"), out)
    assert sorted(path.name for path in out.iterdir()) == ["notes.txt", "upkeep-1.2.3-without-dependencies.zip"]


def test_its_files_are_readable_by_all_and_executable_by_none(tmp_path: Path) -> None:
    with zipfile.ZipFile(bare(product.write(tmp_path), tmp_path / "dist")) as archive:
        assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o100644}


def test_a_tree_with_problems_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    root = product.write(tmp_path)
    (root / "stray.bin").touch()
    with pytest.raises(package.Refused, match=r"stray\.bin"):
        bare(root, tmp_path / "dist")
    assert not (tmp_path / "dist").exists()


def test_the_summary_tells_size_number_and_hash(tmp_path: Path) -> None:
    made = bare(product.write(tmp_path), tmp_path / "dist")
    name, files, digest = package.summary(made).split(", ")
    assert (name.split(": ")[0], files) == ("upkeep-1.2.3-without-dependencies.zip", "7 files")
    assert len(digest.removeprefix("sha256 ")) == 64


def test_what_is_deployed_as_it_is_has_bytecode_that_never_looks_at_its_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package_dependencies, "install", lambda requirements, folder: {})
    made = package.build(product.write(tmp_path / "tree"), tmp_path / "dist")
    with zipfile.ZipFile(made) as archive:
        names = archive.namelist()
        code = archive.read("shared/__pycache__/intake.cpython-311.pyc")
    sources = [name for name in names if name.endswith(".py")]
    assert {*sources, *map(importlib.util.cache_from_source, sources)} == {*names} - {"host.json", "requirements.txt"}
    assert int.from_bytes(code[4:8], "little") == 0b01  # by hash, which is not checked (PEP 552)
    assert marshal.loads(code[16:]).co_filename == "/home/site/wwwroot/shared/intake.py"


def test_another_python_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 12, 0))
    with pytest.raises(package_bytecode.WrongPython, match=r"only be written by Python 3\.11"):
        package_bytecode.write(Path(__file__), "x.py", tmp_path / "x.pyc")


@pytest.mark.parametrize(
    ("name", "never"),
    [
        ("pyarrow/libarrow_flight.so.2600", True),
        ("pyarrow/_flight.cpython-311-x86_64-linux-gnu.so", True),
        ("pyarrow/libarrow_python.so.2600.1.0", True),
        ("pyarrow/libarrow_python.so.2600", False),
        ("pyarrow/libarrow_substrait.so.2600", False),
        ("pyarrow/tests/test_fs.py", True),
        ("pyarrow/lib.pyx", True),
        ("pyarrow/parquet/core.py", False),
        ("azure/ai/ml/tests/x.py", False),
    ],
)
def test_what_never_runs_is_left_out_of_the_dependencies(name: str, never: bool) -> None:
    assert package_dependencies.never_runs(name) is never
