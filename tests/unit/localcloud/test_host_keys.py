"""Who may call which function, and where the keys come from."""

import stat
from pathlib import Path

import pytest

from localcloud.host.keys import Keys, given_key, load_or_create

KEYS = Keys(master="master", host={"default": "host", "ci": "other"}, functions={"echo": {"default": "own"}})


@pytest.mark.parametrize(
    ("level", "key", "allowed"),
    [
        ("anonymous", None, True),
        ("anonymous", "wrong", True),
        ("function", None, False),
        ("function", "", False),
        ("function", "wrong", False),
        ("function", "host", True),
        ("function", "other", True),
        ("function", "own", True),
        ("function", "master", True),
        ("admin", "host", False),
        ("admin", "own", False),
        ("admin", "master", True),
    ],
)
def test_a_key_opens_what_its_level_allows(level: str, key: str | None, allowed: bool) -> None:
    assert KEYS.allows(level, "echo", key) is allowed


def test_a_functions_own_key_opens_no_other_function() -> None:
    assert not KEYS.allows("function", "elsewhere", "own")


def test_the_header_beats_the_query() -> None:
    assert given_key({"x-functions-key": "header"}, {"code": "query"}) == "header"


def test_the_query_counts_without_a_header() -> None:
    assert given_key({}, {"code": "query"}) == "query"


def test_keys_are_made_once(tmp_path: Path) -> None:
    assert load_or_create(tmp_path) == load_or_create(tmp_path)


def test_two_folders_have_different_keys(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert load_or_create(tmp_path / "a").master != load_or_create(tmp_path / "b").master


def test_master_and_default_are_different_keys(tmp_path: Path) -> None:
    keys = load_or_create(tmp_path)
    assert keys.master != keys.host["default"]


def test_only_the_owner_reads_the_file(tmp_path: Path) -> None:
    load_or_create(tmp_path)
    assert stat.S_IMODE((tmp_path / "host-keys.json").stat().st_mode) == 0o600
