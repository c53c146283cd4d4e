"""Mistakes (mistakes.toml) put into a copy of infra/, each of which must be told; an untouched copy has none to tell.

A mistake that only the types of resources show is run against a few that are written by hand, and against the
published ones as well when UPKEEP_BICEP_TYPES names a folder of them (pipelines/steps/types.sh fetches it).
"""

import os
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from infra.check.__main__ import TYPES_VARIABLE, found_in
from tests.infra import contract, safety, some_types
from tests.infra.azure_side import INFRA, Azure

TYPES = Path(os.environ[TYPES_VARIABLE]) if os.environ.get(TYPES_VARIABLE) else None
needs_types = pytest.mark.skipif(
    TYPES is None, reason=f"the published types are not here: fetch them (types.sh) and set {TYPES_VARIABLE}"
)
# Only what is deployed shows it, and nothing is deployed that does not fit the types as a whole.
DEPLOYED = "a name that is too long"


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


@pytest.mark.parametrize("mistake", [each for each in mistakes("types") if each.name != DEPLOYED], ids=named)
def test_a_few_types_by_hand_tell(folder: Path, mistake: Mistake, tmp_path: Path) -> None:
    few = some_types.write(tmp_path / "types")
    before = set(checked(folder, few))  # full of what the few do not know
    make(folder, mistake)
    assert [line for line in checked(folder, few) if mistake.told in line and line not in before]


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
