"""Mistakes (mistakes.toml) put into a copy of infra/, each of which must be told; an untouched copy has none to tell.

A mistake that only the published types show is not run without them: name their folder by UPKEEP_BICEP_TYPES.
"""

import os
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from infra.check.__main__ import TYPES_VARIABLE, found_in
from tests.infra import contract, safety
from tests.infra.azure_side import INFRA, Azure

TYPES = Path(os.environ[TYPES_VARIABLE]) if os.environ.get(TYPES_VARIABLE) else None
needs_types = pytest.mark.skipif(TYPES is None, reason=f"not run: no types (set {TYPES_VARIABLE})")


class Mistake(NamedTuple):
    """One edit of one file, and words of what must be told of it."""

    name: str
    file: str
    old: str
    new: str
    told: str


def mistakes(by: str) -> list[Mistake]:
    """Those of mistakes.toml that one part of the tests must tell."""
    known = tomllib.loads(Path(__file__).with_name("mistakes.toml").read_text())["mistake"]
    return [
        Mistake(each["name"], each["file"], each["old"], each["new"], each["told"])
        for each in known
        if each["by"] == by
    ]


def named(mistake: Mistake) -> str:
    return mistake.name


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of infra/ without the checker."""
    return Path(
        shutil.copytree(INFRA, tmp_path / "infra", ignore=shutil.ignore_patterns("check", "*.py", "__pycache__"))
    )


def make(folder: Path, mistake: Mistake) -> None:
    """Put the mistake into the copy, at its first place."""
    path = folder / mistake.file
    text = path.read_text()
    assert mistake.old in text, f"{mistake.file} has no longer {mistake.old!r}: renew this mistake"
    path.write_text(text.replace(mistake.old, mistake.new, 1))


def checked(folder: Path, types: Path | None = None) -> list[str]:
    """What the checker tells."""
    return [str(problem) for problem in found_in(folder, types)]


def broken(folder: Path, promises: tuple[contract.Promise, ...]) -> Iterator[str]:
    """What the promises tell."""
    azure = Azure.of(folder)
    for promise in promises:
        yield from promise(azure)


def test_the_untouched_copy_has_nothing_to_tell(folder: Path) -> None:
    assert checked(folder) == []
    assert list(broken(folder, (*contract.PROMISES, *safety.PROMISES))) == []


@needs_types
def test_the_untouched_copy_fits_the_published_types(folder: Path) -> None:
    assert checked(folder, TYPES) == []


@needs_types
@pytest.mark.parametrize("mistake", mistakes("types"), ids=named)
def test_the_types_tell(folder: Path, mistake: Mistake) -> None:
    make(folder, mistake)
    assert [line for line in checked(folder, TYPES) if mistake.told in line]


@pytest.mark.parametrize("mistake", mistakes("checker"), ids=named)
def test_the_checker_tells(folder: Path, mistake: Mistake) -> None:
    make(folder, mistake)
    assert [line for line in checked(folder) if mistake.told in line]


@pytest.mark.parametrize("mistake", mistakes("contract"), ids=named)
def test_app_and_infrastructure_no_longer_agree(folder: Path, mistake: Mistake) -> None:
    make(folder, mistake)
    assert [line for line in broken(folder, contract.PROMISES) if mistake.told in line]


@pytest.mark.parametrize("mistake", mistakes("safety"), ids=named)
def test_it_is_no_longer_safe(folder: Path, mistake: Mistake) -> None:
    make(folder, mistake)
    assert [line for line in broken(folder, safety.PROMISES) if mistake.told in line]
