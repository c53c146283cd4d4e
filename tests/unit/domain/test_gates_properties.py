"""Whatever a job writes into evaluation.json, a candidate that is not shown to be better does not pass.

An evaluation that passes is spoilt in one place at random; what comes of it must never be a pass, unless the place is
one that no gate looks at.
"""

import json
import math
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.adapters.blob_archive import read_evaluation
from shared.domain.gates import judge
from shared.domain.metrics import Task
from shared.domain.spec_gates import Bound, Gates, Leaks, Slices
from tests.unit.domain.judged import CASE, GATES, ROWS, better, gates, of, replace
from tests.unit.domain.test_gates import a_slice, by_day

Path = tuple[str | int, ...]
ALL = replace(
    GATES,
    metrics={"rmse": Bound(floor=20.0, max_regression_pct=5.0)},
    slices=Slices(columns=("kind",)),
    max_bias=1.0,
    max_scoring_p95_ms=50,
    max_model_bytes=1_000,
    leaks=Leaks(max_input_share_pct=90.0),
)
IGNORED = {
    # what a gate does not look at: to change it may leave a pass a pass
    ("candidate", "metrics", "extra"),
    ("champion", "metrics", "bias"),
    ("scoring", "p50_ms"),
    ("leakage", "strongest_input"),
    ("artifact", "path"),
}


def a_regression() -> dict[str, Any]:
    told = better()
    assert told.champion is not None
    told = replace(
        told,
        candidate=replace(told.candidate, metrics={"mae": 8.0, "rmse": 10.0, "bias": 0.5}),
        champion=replace(told.champion, metrics={"mae": 10.0, "rmse": 10.0, "bias": 0.1}),
        slices=(a_slice("kind", "a", 500, 9.0, by_day(500, -1.0)), a_slice("kind", "b", 500, 9.5, by_day(500, -0.5))),
    )
    document: dict[str, Any] = json.loads(msgspec.json.encode(told))
    document["scoring"] = {"calls": 30, "p50_ms": 2.0, "p95_ms": 3.0}
    document["artifact"] |= {"bytes": 900, "path": "model.skops"}
    document["leakage"] |= {"strongest_input": "minutes", "strongest_share_pct": 80.0, "overlapping_rows": 0}
    document["task"] = "regression"
    return document


def a_classification() -> dict[str, Any]:
    told: dict[str, Any] = json.loads(msgspec.json.encode(of("auc", Task.BINARY, 0.85, 0.8, 0.5)))
    told["leakage"]["overlapping_rows"] = 0
    return told


KINDS: dict[str, tuple[Gates, dict[str, Any]]] = {
    "regression": (ALL, a_regression()),
    "classification": (gates("auc", Task.BINARY), a_classification()),
}


def places(value: Any, at: Path = ()) -> Iterator[Path]:
    """Every place in the document but the whole."""
    if at:
        yield at
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*at, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, (*at, index))


def put(document: dict[str, Any], at: Path, value: Any) -> dict[str, Any]:
    copy: Any = json.loads(json.dumps(document))
    inner = copy
    for step in at[:-1]:
        inner = inner[step]
    if value is DROPPED:
        del inner[at[-1]]
    else:
        inner[at[-1]] = value
    return dict(copy)


def get(document: Any, at: Path) -> Any:
    for step in at:
        document = document[step]
    return document


DROPPED = object()
NONSENSE = [DROPPED, None, math.nan, math.inf, -math.inf, -1, 2**60, 10**400, "x", "", [], {}, True, -0.5, 1e300]


def passes(limits: Gates, document: dict[str, Any]) -> bool:
    """As in production: what is read from the bytes, judged."""
    seen = read_evaluation(json.dumps(document).encode())
    return seen.evaluation is not None and judge(limits, seen.evaluation, CASE).passed


@pytest.mark.parametrize("kind", KINDS)
def test_the_evaluation_that_is_spoilt_below_passes_as_it_is(kind: str) -> None:
    limits, document = KINDS[kind]
    evaluation = read_evaluation(json.dumps(document).encode()).evaluation
    assert evaluation is not None
    assert judge(limits, evaluation, CASE).passed, judge(limits, evaluation, CASE).text


@pytest.mark.parametrize("kind", KINDS)
def test_no_place_can_be_nonsense_and_pass(kind: str) -> None:
    """Every place of the document, with every kind of nonsense."""
    limits, document = KINDS[kind]
    passed = [
        (at, value)
        for at in places(document)
        for value in NONSENSE
        if not harmless(at, value) and passes(limits, put(document, at, value))
    ]
    assert passed == []


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_nonsense_in_several_places_is_a_verdict_and_no_pass(data: st.DataObject) -> None:
    limits, document = KINDS[data.draw(st.sampled_from(sorted(KINDS)))]
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.sampled_from(sorted(places(document), key=str)))
        document = put(document, at, data.draw(st.sampled_from(NONSENSE)))
    at = data.draw(st.sampled_from(sorted(places(document), key=str)))
    value = data.draw(st.sampled_from(NONSENSE))
    passed = passes(limits, put(document, at, value))
    assert not passed or harmless(at, value)


def harmless(at: Path, value: Any) -> bool:
    """What may be so: metrics that are better still, names that say nothing, and fields that only tell."""
    name = at[-1]
    if at in IGNORED:
        return True
    if at == ("task",):
        return value is DROPPED  # regression, if it does not say
    if name == "value" and at[0] == "slices":
        return isinstance(value, str)
    if at == ("resampled", "seed"):
        return isinstance(value, int)
    if name == "standard_deviation" and at[0] == "slices":
        return True  # it counts only where rows are independent
    if at == ("held_out", "sha256"):
        return value == "x"  # any text names the rows, where they were not seen before
    if at == ("artifact", "sha256"):
        return value == "x"
    lower_is_fine = {
        ("candidate", "metrics", "rmse"),
        ("candidate", "metrics", "bias"),
        ("leakage", "strongest_share_pct"),
        ("scoring", "p95_ms"),
        ("artifact", "bytes"),
        ("scoring", "calls"),
        ("resampled", "replicates"),
        ("baseline", "metrics", "mae"),
        ("baseline", "metrics", "auc"),
        ("champion", "metrics", "rmse"),
        ("paired", "standard_deviation"),  # of rows; where days count, it only bounds what they may spread
    }
    return at in lower_is_fine and isinstance(value, int | float) and abs(value) < 1e300


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_sums_that_are_off_by_a_little_never_pass(data: st.DataObject) -> None:
    """A slip in a count or a sum, as by a group left out or counted twice."""
    limits, document = KINDS["regression"]
    numbers = [at for at in places(document) if isinstance(get(document, at), int | float)]
    inside = [at for at in numbers if at[0] in ("paired", "slices") and isinstance(at[-1], int)]
    at = data.draw(st.sampled_from(inside))
    by = data.draw(st.sampled_from([-1, 1, 7]))
    assert not passes(limits, put(document, at, get(document, at) + by))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_versions_and_parts_that_were_swapped_never_pass(data: st.DataObject) -> None:
    limits, document = KINDS[data.draw(st.sampled_from(sorted(KINDS)))]
    texts = [
        at for at in places(document) if isinstance(get(document, at), str) and at[0] not in ("slices", "artifact")
    ]
    one, other = data.draw(st.sampled_from(texts)), data.draw(st.sampled_from(texts))
    if get(document, one) == get(document, other) or {one, other} & {("leakage", "strongest_input")}:
        return
    swapped = put(put(document, one, get(document, other)), other, get(document, one))
    assert not passes(limits, swapped), f"{one} and {other}"


@settings(max_examples=300, deadline=None)
@given(
    mean=st.floats(-9.0, 9.0),
    spread=st.floats(0.0, 400.0),
    least=st.floats(0.0, 30.0),
    few=st.integers(2, 60),
)
def test_a_pass_is_better_by_the_least_effect_and_by_more_than_chance(
    mean: float, spread: float, least: float, few: int
) -> None:
    told = better()
    assert told.paired is not None
    groups = by_day(ROWS, mean, spread)
    told = replace(
        told,
        candidate=replace(told.candidate, metrics={"mae": 10.0 + mean}),
        baseline=replace(told.candidate, metrics={"mae": 30.0}),
        paired=replace(told.paired, mean_difference=mean, standard_deviation=1_000.0, groups=groups),
    )
    limits = replace(GATES, floor=None, min_improvement_pct=least, min_groups=few)
    verdict = judge(limits, told, CASE)
    assert verdict.usable
    if verdict.passed:
        assert few <= 25
        assert -10 * mean >= least
        assert float(verdict.facts["difference_high"] or 0) < 0
