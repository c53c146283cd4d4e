"""evaluation.json is written by a model's own code: whatever it holds, reading it gives an answer."""

import json
from typing import Any

import pytest

from shared.adapters.blob_archive import MOST_EVALUATION_BYTES, read_evaluation


def document(**changes: Any) -> bytes:
    good = {
        "schema": "upkeep.evaluation/1",
        "data_version": "v",
        "held_out": {"parts": ["p"], "rows": 10, "sha256": "0" * 64},
        "candidate": {"metrics": {"mae": 1.5}},
        "artifact": {"sha256": "1" * 64},
    }
    return json.dumps({**good, **changes}).encode()


def test_a_good_one_is_read() -> None:
    seen = read_evaluation(document())
    assert seen.evaluation
    assert (seen.evaluation.candidate.metrics, seen.problem) == ({"mae": 1.5}, "")


def test_fields_that_nobody_knows_yet_are_passed_over() -> None:
    assert read_evaluation(document(weather={"wind": {}})).evaluation


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"\xff\xfe",
        b"not json",
        b"[" * 500_000,
        document()[:-1],
        document(schema="upkeep.evaluation/2"),
        document(candidate={"metrics": {"mae": "low"}}),
        document(held_out=None),
        b'{"candidate": {"metrics": {"mae": NaN}}}',
        b" " * (MOST_EVALUATION_BYTES + 1),
    ],
)
def test_a_bad_one_is_told_in_a_sentence(content: bytes) -> None:
    seen = read_evaluation(content)
    assert seen.evaluation is None
    assert seen.problem.startswith("evaluation.json is ")
