"""What the two commands print and exit with."""

from pathlib import Path
from typing import Any

import pytest

from infra.check import checkov
from infra.check.__main__ import TYPES_VARIABLE, main
from tests.unit.infra_check.world import World, box

FOUND = {
    "check_id": "CKV_1",
    "check_name": "Be safe",
    "file_path": "/a.bicep",
    "file_line_range": [3, 9],
    "resource": "T.box",
}
REASON = "because it is meant to be so"


@pytest.fixture(autouse=True)
def no_types(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's own folder of types."""
    monkeypatch.delenv(TYPES_VARIABLE, raising=False)


def test_without_types_it_passes_and_says_what_was_not_checked(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.problems(box("closd: true"))
    assert main([str(world.folder)]) == 0
    told = capsys.readouterr().out
    assert "NOT CHECKED: resource types and API versions. `pipelines/steps/types.sh DIR`" in told
    assert f"{TYPES_VARIABLE}=DIR/generated" in told


def test_with_types_a_problem_fails_it(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.problems(box("closd: true"))
    assert main([str(world.folder), "--types", str(world.types)]) == 1
    assert "1 Bicep file, 1 problem." in capsys.readouterr().out


def test_the_types_are_found_by_the_variable_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.problems(box("closd: true"))
    monkeypatch.setenv(TYPES_VARIABLE, str(world.types))
    assert main([str(world.folder)]) == 1


@pytest.mark.parametrize("arguments", [["--types", "nowhere"], []])
def test_a_folder_that_is_not_there_is_no_success(tmp_path: Path, arguments: list[str]) -> None:
    assert main([str(tmp_path), *arguments]) == 2


def report(*failed: dict[str, Any], errors: int = 0, skipped: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    results = {"failed_checks": list(failed), "skipped_checks": list(skipped)}
    return {"summary": {"parsing_errors": errors}, "results": results}


def accepted(*checks: str, reason: str = REASON) -> checkov.Accepted:
    return checkov.Accepted(frozenset(checks), "a.bicep", "box", reason)


def test_a_finding_with_a_reason_is_no_problem() -> None:
    assert list(checkov.problems(report(FOUND), [accepted("CKV_1")])) == []


@pytest.mark.parametrize(
    ("given", "table", "words"),
    [
        (report(FOUND), [], "a.bicep:3: CKV_1 on 'box': Be safe; mend it or accept it"),
        (report(FOUND), [accepted("CKV_2")], "CKV_2 is not found on 'box'"),
        (report(FOUND), [accepted("CKV_1", reason="so")], "nothing says why 'box' of a.bicep is accepted"),
        (report(errors=1), [], "checkov could not parse 1 file"),
        (
            report(skipped=({**FOUND, "check_result": {"suppress_comment": ""}},)),
            [],
            "the skip of CKV_1 gives no reason",
        ),
    ],
)
def test_what_is_not_explained_is_a_problem(given: dict[str, Any], table: list[checkov.Accepted], words: str) -> None:
    assert any(words in line for line in checkov.problems(given, table))


def test_checkov_gets_bicep_that_it_can_parse_on_the_same_lines() -> None:
    text = "param a string[] = []\ntype t = {\n  @description('x')\n  b: string\n}\n"
    assert checkov.plain(text) == "param a array = []\ntype t = {\n\n  b: string\n}\n"
