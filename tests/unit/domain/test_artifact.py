"""What a model's files hash to, and when they are not those that were judged."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from shared.domain.artifact import ArtifactSeen, Expected, FileSeen, folder_sha256, objection


def seen(**files: str) -> ArtifactSeen:
    found = tuple(FileSeen(path=path.replace("__", "/"), size_bytes=1, sha256=sha) for path, sha in files.items())
    return ArtifactSeen(files=found)


def test_the_hash_of_a_folder_does_not_depend_on_the_order_in_which_it_is_listed() -> None:
    files = seen(b="2", a="1", a__c="3").files
    assert folder_sha256(files) == folder_sha256(files[::-1])


def test_a_file_that_is_renamed_changes_the_hash_of_the_folder() -> None:
    assert seen(a="1", b="2").sha256 != seen(a="1", c="2").sha256


def test_two_files_that_change_places_change_the_hash_of_the_folder() -> None:
    assert seen(a="1", b="2").sha256 != seen(a="2", b="1").sha256


def test_a_copy_that_lies_a_folder_further_down_has_the_same_hash() -> None:
    assert seen(m__a="1", m__s__b="2").sha256 == seen(a="1", s__b="2").sha256


def test_the_hash_is_the_one_that_sha256sum_gives(tmp_path: Path) -> None:
    content = {"model.skops": b"a model", "signature.json": b"{}", "deep/z": b""}
    for name, text in content.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(text)
    command = "find . -type f -printf '%P\\n' | LC_ALL=C sort | xargs -d '\\n' sha256sum | sha256sum"
    told = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    files = [
        FileSeen(path=name, size_bytes=len(text), sha256=hashlib.sha256(text).hexdigest())
        for name, text in content.items()
    ]
    assert told.split()[0] == folder_sha256(files)


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        (Expected(file_sha256="1"), seen(a="1", b="2")),
        (Expected(file_sha256="1", path="a"), seen(a="1", b="2")),
        (Expected(file_sha256=seen(a="1", b="2").sha256), seen(a="1", b="2")),
        (Expected(folder_sha256=seen(a="1").sha256, file_sha256="else"), seen(a="1")),
    ],
)
def test_the_bytes_that_were_judged_are_not_objected_to(expected: Expected, found: ArtifactSeen) -> None:
    assert objection(expected, found) == ""


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        (Expected(file_sha256="1"), seen(a="3", b="2")),
        (Expected(file_sha256="1", path="a"), seen(a="2", b="1")),
        (Expected(file_sha256=seen(a="1").sha256, path="a"), seen(a="1")),
        (Expected(folder_sha256=seen(a="1").sha256, file_sha256="1"), seen(a="1", b="2")),
        (Expected(), seen(a="1")),
        (Expected(file_sha256="1"), ArtifactSeen()),
        (Expected(file_sha256="1"), ArtifactSeen(files=seen(a="1").files, problem="there are more than 1000")),
    ],
)
def test_any_other_bytes_are(expected: Expected, found: ArtifactSeen) -> None:
    assert objection(expected, found)
