"""The judge fails closed: each thing that is missing, not finite or not ours is a refusal with a sentence."""

import math
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from shared.domain.evaluation import Evaluation, Scores
from shared.domain.gates import judge
from shared.domain.manifest import Manifest, seal
from shared.domain.record import Serving
from shared.domain.spec import Gates
from tests.fakes.examples import MODEL, a_part, a_spec
from tests.fakes.platform import evaluate

GATES = a_spec().gates
CHAMPION = Serving(
    release=1,
    version=1,
    deployment="r0001",
    job="flights-0001-a1",
    artifact="old",
    publication="p",
    since=datetime(2026, 1, 1, tzinfo=UTC),
)


def manifest() -> Manifest:
    sealed = seal(MODEL, a_spec().data, (a_part(1), a_part(2)))
    assert sealed is not None
    return sealed


def better(**changes: Any) -> Evaluation:
    evaluation = evaluate(manifest(), CHAMPION, better=True, artifact="new")
    return msgspec.structs.replace(evaluation, **changes)


def test_a_candidate_that_is_better_by_the_least_effect_passes() -> None:
    assert judge(GATES, better(), manifest(), CHAMPION).passed


def test_the_verdict_carries_both_numbers_and_the_improvement() -> None:
    facts = judge(GATES, better(), manifest(), CHAMPION).facts
    assert (facts["candidate"], facts["champion"], facts["improvement_pct"]) == (8.0, 10.0, 20.0)


def test_more_is_better_where_the_spec_maximizes() -> None:
    gates = Gates(metric="mae", direction="maximize", floor=5.0, min_improvement_pct=2.0, min_rows=1_000)
    verdict = judge(gates, better(), manifest(), CHAMPION)
    assert not verdict.passed
    assert verdict.facts["improvement_pct"] == -20.0


def test_an_improvement_under_the_least_effect_is_refused() -> None:
    gates = msgspec.structs.replace(GATES, min_improvement_pct=25.0)
    assert "the least worth a release" in judge(gates, better(), manifest(), CHAMPION).text


def test_a_first_candidate_needs_no_champion() -> None:
    evaluation = evaluate(manifest(), None, better=True, artifact="new")
    assert judge(GATES, evaluation, manifest(), None).passed


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_a_metric_that_is_missing_or_not_finite_is_never_a_pass(value: float | None) -> None:
    evaluation = better(candidate=Scores(metrics={"mae": value}))
    assert not judge(GATES, evaluation, manifest(), CHAMPION).passed


def spoilt() -> dict[str, Evaluation]:
    good = better()
    assert good.champion is not None
    assert good.paired is not None
    replace = msgspec.structs.replace
    return {
        "other data": better(data_version="x"),
        "other held-out parts": better(held_out=replace(good.held_out, parts=("x",))),
        "too few rows": better(held_out=replace(good.held_out, rows=10)),
        "no champion scored": better(champion=None),
        "another champion scored": better(champion=replace(good.champion, version="7")),
        "metric of another name": better(candidate=Scores(metrics={"rmse": 1.0})),
        "over the floor": better(candidate=Scores(metrics={"mae": 15.5})),
        "no baseline": better(baseline=None),
        "no better than the baseline": better(baseline=Scores(metrics={"mae": 8.0})),
        "no paired differences": better(paired=None),
        "paired difference not finite": better(paired=replace(good.paired, mean_difference=math.nan)),
        "paired difference within chance": better(paired=replace(good.paired, mean_difference=-0.01)),
        "few pairs": better(paired=replace(good.paired, rows=3)),
        "artifact unnamed": better(artifact=replace(good.artifact, sha256="")),
    }


@pytest.mark.parametrize("case", sorted(spoilt()))
def test_what_is_not_as_it_should_be_is_refused_with_a_sentence(case: str) -> None:
    verdict = judge(GATES, spoilt()[case], manifest(), CHAMPION)
    assert not verdict.passed
    assert verdict.text.endswith(".")
