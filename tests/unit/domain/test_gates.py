"""The judge of candidates: surely better by enough, worse, or not to be told; closed where anything is missing."""

import math
from typing import Any

import msgspec
import pytest

from shared.domain.analysis import Finding
from shared.domain.evaluation import Evaluation, Groups, Input, Leakage, Scores, Scoring, Slice
from shared.domain.gatecheck import SliceFinding
from shared.domain.gates import judge
from shared.domain.metrics import Task
from shared.domain.record import HeldOutRows
from shared.domain.spec_gates import Bound, Gates, Leaks, Slices
from tests.fakes.evaluations import LEAKAGE, by_day, evaluate
from tests.unit.domain.judged import (
    CASE,
    CHAMPION,
    FIRST,
    GATES,
    ROWS,
    better,
    gates,
    manifest,
    of,
    of_losses,
    replace,
    spread,
)


def test_a_candidate_that_is_better_by_the_least_effect_passes() -> None:
    assert judge(GATES, better(), CASE).passed


def test_the_verdict_carries_the_numbers_and_the_interval() -> None:
    facts = judge(GATES, better(), CASE).facts
    assert (facts["candidate"], facts["champion"], facts["improvement_pct"]) == (8.0, 10.0, 20.0)
    assert 19.0 < float(facts["improvement_pct_low"] or 0) < 20.0 < float(facts["improvement_pct_high"] or 0) < 21.0
    assert (facts["groups"], facts["grouped_by"]) == (25, "day")


def test_a_candidate_that_is_surely_worse_fails() -> None:
    worse = evaluate(manifest(), CHAMPION, better=False, artifact="new")
    assert judge(GATES, worse, CASE).outcome is Finding.FAIL


def test_an_improvement_that_is_surely_under_the_least_effect_fails() -> None:
    verdict = judge(replace(GATES, min_improvement_pct=25.0), better(), CASE)
    assert verdict.outcome is Finding.FAIL
    assert "the least worth a release" in verdict.text


def unsure(**changes: Any) -> Evaluation:
    return replace(evaluate(manifest(), CHAMPION, better=True, artifact="new", spread=300.0), **changes)


def test_days_that_differ_as_much_as_the_models_leave_it_open() -> None:
    assert judge(GATES, unsure(), CASE).outcome is Finding.INCONCLUSIVE


def test_the_same_rows_would_pass_if_they_were_independent() -> None:
    """That is why the spec has to say so."""
    verdict = judge(replace(GATES, groups="none"), unsure(), CASE)
    assert verdict.passed
    assert "takes for independent" in verdict.text


def test_an_improvement_short_of_the_least_effect_that_might_reach_it_is_left_open() -> None:
    told = better()
    assert told.paired is not None
    paired = replace(told.paired, standard_deviation=99.0, groups=by_day(ROWS, -2.0, spread=60.0))
    verdict = judge(replace(GATES, min_improvement_pct=21.0), replace(told, paired=paired), CASE)
    assert verdict.outcome is Finding.INCONCLUSIVE


def test_fewer_days_than_an_interval_needs_leave_it_open() -> None:
    verdict = judge(replace(GATES, min_groups=26), better(), CASE)
    assert verdict.outcome is Finding.INCONCLUSIVE
    assert "26 groups are the least" in verdict.text


def test_a_copy_of_the_champion_fails_even_without_a_least_effect() -> None:
    told = better(candidate=Scores(metrics={"mae": 10.0}))
    assert told.paired is not None
    paired = replace(told.paired, mean_difference=0.0, standard_deviation=0.0, groups=by_day(ROWS, 0.0, 0.0))
    verdict = judge(replace(GATES, min_improvement_pct=0.0), replace(told, paired=paired), CASE)
    assert verdict.outcome is Finding.FAIL


def test_a_first_candidate_needs_no_champion() -> None:
    assert judge(GATES, evaluate(manifest(), None, better=True, artifact="new"), FIRST).passed


def test_a_first_candidate_that_does_not_beat_the_baseline_fails() -> None:
    told = evaluate(manifest(), None, better=False, artifact="new")
    assert judge(GATES, told, FIRST).outcome is Finding.FAIL


@pytest.mark.parametrize(
    ("told", "passes"),
    [
        (of("auc", Task.BINARY, 0.85, 0.80, 0.5), True),
        (of("auc", Task.BINARY, 0.75, 0.80, 0.5), False),
        (of("f1", Task.BINARY, 0.62, 0.55, 0.1), True),
        (of("medae", Task.REGRESSION, 0.80, 0.90, 3.0), True),
        (of("medae", Task.REGRESSION, 0.95, 0.90, 3.0), False),
        (of("balanced_accuracy", Task.MULTICLASS, 0.7, 0.6, 0.33), True),
        (of("f1_macro", Task.MULTICLASS, 0.5, 0.6, 0.33), False),
        (of_losses("log_loss", Task.BINARY, 0.30, 0.35, 0.69, -0.05), True),
        (of_losses("brier", Task.BINARY, 0.20, 0.16, 0.25, 0.04), False),
        (of_losses("accuracy", Task.MULTICLASS, 0.92, 0.88, 0.4, -0.04), True),
        (of_losses("accuracy", Task.MULTICLASS, 0.86, 0.88, 0.4, 0.02), False),
        (of_losses("rmse", Task.REGRESSION, 3.0, 4.0, 9.0, -7.0), True),
        (of_losses("r2", Task.REGRESSION, 0.8, 0.7, 0.0, -12.0), True),
        (of_losses("r2", Task.REGRESSION, 0.6, 0.7, 0.0, 12.0), False),
    ],
)
def test_each_metric_is_judged_in_its_own_direction(told: Evaluation, passes: bool) -> None:
    (name,) = told.candidate.metrics
    verdict = judge(gates(name, Task(told.task)), told, CASE)
    assert verdict.usable, verdict.text
    assert verdict.outcome is (Finding.PASS if passes else Finding.FAIL)


def test_the_interval_of_a_root_is_that_of_the_root() -> None:
    facts = judge(gates("rmse", Task.REGRESSION), of_losses("rmse", Task.REGRESSION, 3.0, 4.0, 9.0, -7.0), CASE).facts
    high = 4.0 - math.sqrt(16.0 + float(facts["difference_low"] or 0))
    assert facts["improvement_pct_high"] == pytest.approx(100 * high / 4.0)


def test_a_metric_of_ones_own_needs_its_direction() -> None:
    told = of("profit", Task.REGRESSION, 11.0, 10.0, 1.0)
    assert judge(replace(gates("profit", Task.REGRESSION), direction="maximize"), told, CASE).passed
    assert not judge(gates("profit", Task.REGRESSION), told, CASE).usable


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -1.0])
def test_a_metric_that_is_missing_or_cannot_be_is_never_a_pass(value: float | None) -> None:
    assert not judge(GATES, better(candidate=Scores(metrics={"mae": value})), CASE).passed


def spoilt() -> dict[str, Evaluation]:
    good = better()
    assert good.champion is not None
    assert good.paired is not None
    groups = good.paired.groups
    assert groups is not None
    first, *rest = groups.sums
    return {
        "other data": better(data_version="x"),
        "other held-out parts": better(held_out=replace(good.held_out, parts=("x",))),
        "no hash of the rows": better(held_out=replace(good.held_out, sha256="")),
        "more rows than there are": better(held_out=replace(good.held_out, rows=9_999)),
        "another task": better(task="binary"),
        "no champion scored": better(champion=None),
        "another champion scored": better(champion=replace(good.champion, version="7")),
        "metric of another name": better(candidate=Scores(metrics={"rmse": 1.0})),
        "no baseline": better(baseline=None),
        "no paired differences": better(paired=None),
        "paired differences of another loss": better(paired=replace(good.paired, metric="mse")),
        "paired difference not finite": better(paired=replace(good.paired, mean_difference=math.nan)),
        "paired difference not that of the metrics": better(paired=replace(good.paired, mean_difference=-2.1)),
        "few pairs": better(paired=replace(good.paired, rows=3)),
        "no groups": better(paired=replace(good.paired, groups=None)),
        "groups of another kind": better(paired=replace(good.paired, groups=replace(groups, by="week"))),
        "a sum that does not fit": better(
            paired=replace(good.paired, groups=replace(groups, sums=(first + 1, *rest)))
        ),
        "a group without rows": better(
            paired=replace(good.paired, groups=replace(groups, rows=(0, *groups.rows[1:])))
        ),
        "a group a row": better(
            paired=replace(good.paired, groups=replace(groups, rows=(1,) * ROWS, sums=(-2.0,) * ROWS))
        ),
        "groups that spread more than rows": better(paired=replace(good.paired, groups=spread(groups, 900.0))),
        "artifact unnamed": better(artifact=replace(good.artifact, sha256="")),
        "no search for leaks": better(leakage=None),
        "no end of the training rows": better(leakage=Leakage(overlapping_rows=0)),
        "no inputs": better(inputs=()),
    }


@pytest.mark.parametrize("case", sorted(spoilt()))
def test_what_is_not_as_it_should_be_says_nothing_of_the_candidate(case: str) -> None:
    verdict = judge(GATES, spoilt()[case], CASE)
    assert (verdict.outcome, verdict.usable) == (Finding.INCONCLUSIVE, False)
    assert verdict.text.endswith(".")


def test_held_out_rows_that_changed_are_told() -> None:
    known = HeldOutRows(of="", rows=ROWS, sha256="1" * 64)
    assert "have changed" in judge(GATES, better(), replace(CASE, known=known)).text


def test_held_out_rows_that_did_not_change_are_fine() -> None:
    known = HeldOutRows(of="", rows=ROWS, sha256=better().held_out.sha256)
    assert judge(GATES, better(), replace(CASE, known=known)).passed


def test_too_few_rows_leave_it_open() -> None:
    assert judge(replace(GATES, min_rows=1_001), better(), CASE).outcome is Finding.INCONCLUSIVE


def wanting() -> dict[str, tuple[Any, Evaluation]]:
    named = [Input(name="minutes", type="number"), Input(name="seats", type="number")]
    late = replace(LEAKAGE, train_until=LEAKAGE.held_out_from, held_out_from=LEAKAGE.train_until)
    return {
        "under the floor": (replace(GATES, floor=7.5), better()),
        "no better than the baseline": (GATES, better(baseline=Scores(metrics={"mae": 8.0}))),
        "another metric under its floor": (
            replace(GATES, metrics={"rmse": Bound(floor=9.0)}),
            better(candidate=Scores(metrics={"mae": 8.0, "rmse": 9.5})),
        ),
        "biased": (replace(GATES, max_bias=1.0), better(candidate=Scores(metrics={"mae": 8.0, "bias": -1.5}))),
        "slow": (
            replace(GATES, max_scoring_p95_ms=10),
            better(scoring=Scoring(calls=100, p50_ms=5.0, p95_ms=11.0)),
        ),
        "large": (replace(GATES, max_model_bytes=10), better(artifact=replace(better().artifact, bytes=11))),
        "rows seen in training": (GATES, better(leakage=replace(LEAKAGE, overlapping_rows=1))),
        "days out of order": (GATES, better(leakage=late)),
        "one input is all": (
            replace(GATES, leaks=Leaks(max_input_share_pct=90.0)),
            better(leakage=replace(LEAKAGE, strongest_input="answer", strongest_share_pct=99.0)),
        ),
        "an input that no upload has": (GATES, better(inputs=tuple(named))),
        "an input of another type": (GATES, better(inputs=(Input(name="minutes", type="string"),))),
    }


@pytest.mark.parametrize("case", sorted(wanting()))
def test_a_gate_that_is_not_met_fails_the_candidate(case: str) -> None:
    limits, told = wanting()[case]
    verdict = judge(limits, told, CASE)
    assert verdict.outcome is Finding.FAIL, verdict.text
    assert verdict.text.endswith(".")


def test_a_further_metric_may_get_worse_by_so_much_and_no_more() -> None:
    told = better(candidate=Scores(metrics={"mae": 8.0, "rmse": 10.9}))
    assert told.champion is not None
    told = replace(told, champion=replace(told.champion, metrics={"mae": 10.0, "rmse": 10.0}))
    allowed, not_allowed = (replace(GATES, metrics={"rmse": Bound(max_regression_pct=pct)}) for pct in (10.0, 8.0))
    assert judge(allowed, told, CASE).passed
    assert judge(not_allowed, told, CASE).outcome is Finding.FAIL


@pytest.mark.parametrize("limits", [replace(GATES, leaks=Leaks(too_good=8.5)), GATES])
def test_a_score_too_good_to_be_believed_is_left_open(limits: Any) -> None:
    told = better()
    if limits is GATES:  # without any error
        assert told.paired is not None
        paired = replace(told.paired, mean_difference=-10.0, groups=by_day(ROWS, -10.0))
        told = replace(told, candidate=Scores(metrics={"mae": 0.0}), paired=paired)
    assert judge(limits, told, CASE).outcome is Finding.INCONCLUSIVE


@pytest.mark.parametrize(
    ("sample", "passes"),
    [
        ('{"data": [{"minutes": 3}]}', True),
        ('{"data": [{"minutes": 3}, {"hours": 3}]}', False),
        ('{"data": [{"minutes": "three"}]}', False),
        ('{"input_data": {"columns": ["minutes"], "data": [[3], [4.5]]}}', True),
        ('{"input_data": {"columns": ["hours"], "data": [[3]]}}', False),
        ('{"flights": [[3]]}', True),  # a shape of the scoring script's own: the smoke test shows
    ],
)
def test_the_sample_request_gives_what_the_model_takes(sample: str, passes: bool) -> None:
    assert judge(GATES, better(), replace(CASE, sample=sample)).passed is passes


@pytest.mark.parametrize(("rows_at", "passes"), [("flights.rows", False), ("flights", True), (None, True)])
def test_the_rows_of_the_sample_are_found_where_the_spec_says(rows_at: str | None, passes: bool) -> None:
    case = replace(CASE, sample='{"flights": {"rows": [{"hours": 1}]}}', rows_at=rows_at)
    assert judge(GATES, better(), case).passed is passes


def sliced(*worse: float, spread_by: float = 8.0) -> Evaluation:
    """One slice of all rows in each of some columns; their mean loss goes from 10 up by these."""
    return better(
        slices=tuple(
            a_slice(f"k{number}", "all", ROWS, 10.0 + by, by_day(ROWS, by, spread_by))
            for number, by in enumerate(worse)
        )
    )


def a_slice(name: str, value: str, rows: int, candidate: float, groups: Groups) -> Slice:
    return Slice(name=name, value=value, metric="mae", rows=rows, candidate=candidate, champion=10.0, groups=groups)


def slicing(told: Evaluation, min_rows: int = 200) -> Gates:
    """Gates that ask for the slices that there are."""
    columns = tuple({each.name: None for each in told.slices})
    return replace(GATES, slices=Slices(columns=columns, tolerance_pct=5.0, min_rows=min_rows))


def test_a_slice_that_is_plainly_worse_fails_the_candidate() -> None:
    told = sliced(-2.0, 3.0)
    verdict = judge(slicing(told), told, CASE)
    assert verdict.outcome is Finding.FAIL
    assert "k1=all by 30.0 %" in verdict.text


def test_a_slice_that_may_be_worse_by_chance_passes_and_is_told() -> None:
    told = sliced(-2.0, 0.8, spread_by=40.0)
    verdict = judge(slicing(told), told, CASE)
    assert verdict.passed
    assert verdict.facts["slices_measured_worse"] == "k1=all by 8.0 %"


def test_the_more_slices_the_surer_each_has_to_be() -> None:
    one, many = sliced(1.2, spread_by=50.0), sliced(1.2, *[-2.0] * 40, spread_by=50.0)
    assert judge(slicing(one), one, CASE).outcome is Finding.FAIL
    assert judge(slicing(many), many, CASE).passed


def test_small_slices_are_left_out_and_without_a_large_one_it_is_left_open() -> None:
    told = sliced(3.0)
    assert judge(slicing(told, min_rows=ROWS + 1), told, CASE).outcome is Finding.INCONCLUSIVE


def in_days(rows: int, days: int, mean: float) -> Groups:
    """The same for each of so many days."""
    return Groups(by="day", rows=(rows // days,) * days, sums=(rows // days * mean,) * days)


def of_few_days(worse: float, *, days: int = 5) -> Evaluation:
    """Half of the rows in so few days, worse by that much, and the other half in many, better."""
    few = a_slice("kind", "few", 500, 10.0 + worse, in_days(500, days, worse))
    return better(slices=(few, a_slice("kind", "many", 500, 8.0, by_day(500, -2.0))))


def test_a_slice_of_too_few_days_is_not_counted_as_judged_and_is_named() -> None:
    told = of_few_days(-1.0)
    verdict = judge(slicing(told), told, CASE)
    assert verdict.passed
    assert "None of 1 slices is proven worse." in verdict.text
    assert "Not judged, with fewer than 200 rows or 10 days: kind=few (500 rows, 5 days)." in verdict.text
    assert (verdict.facts["slices"], verdict.facts["slices_not_judged"]) == (1, 1)
    assert verdict.facts["slices_measured_worse"] == ""


def test_a_slice_of_too_few_days_that_was_measured_worse_is_told_so_that_a_rule_can_ask() -> None:
    told = of_few_days(30.0)
    verdict = judge(slicing(told), told, CASE)
    assert verdict.facts["slices_measured_worse"] == "kind=few by 300.0 %"


def test_a_slice_of_just_enough_days_fails_the_candidate() -> None:
    told = of_few_days(30.0, days=10)
    assert judge(slicing(told), told, CASE).outcome is Finding.FAIL


def test_slices_that_are_not_judged_do_not_make_the_others_surer() -> None:
    """Each slice that is judged has its share of what may go wrong; one that is not needs none."""
    few = [a_slice("k0", f"v{number}", 10, 8.0, in_days(10, 2, -2.0)) for number in range(40)]
    many = a_slice("k0", "many", 600, 11.2, by_day(600, 1.2, 30.0))
    told = better(slices=(many, *few))
    assert judge(slicing(told, min_rows=10), told, CASE).outcome is Finding.FAIL


def test_a_column_whose_slices_all_have_too_few_days_is_left_open() -> None:
    halves = tuple(a_slice("kind", value, 500, 8.0, in_days(500, 5, -2.0)) for value in "ab")
    told = better(slices=halves)
    verdict = judge(slicing(told), told, CASE)
    assert verdict.outcome is Finding.INCONCLUSIVE
    assert "No slice of kind with 200 rows has the 10 days that gates.min_groups asks for." in verdict.text


def test_a_slice_that_is_proven_worse_fails_even_where_another_column_cannot_be_judged() -> None:
    halves = tuple(a_slice("other", value, 500, 8.0, in_days(500, 5, -2.0)) for value in "ab")
    told = better(slices=(*sliced(3.0).slices, *halves))
    assert judge(slicing(told), told, CASE).outcome is Finding.FAIL


def test_the_verdict_has_the_numbers_of_each_slice_the_worst_first() -> None:
    told = of_few_days(30.0)
    found = judge(slicing(told), told, CASE).slices
    assert found is not None
    assert [(each.name, each.rows, each.difference, each.finding) for each in found.slices] == [
        ("kind=few", 500, 30.0, SliceFinding.UNJUDGED_WORSE),
        ("kind=many", 500, -2.0, SliceFinding.NOT_WORSE),
    ]
    few, many = found.slices
    assert few.low is None
    assert many.low is not None
    assert many.high is not None
    assert many.low < -2.0 < many.high


def test_of_very_many_slices_the_worst_are_kept_and_the_others_counted() -> None:
    told = sliced(3.0, *[-2.0] * 70)
    told = replace(told, slices=tuple(replace(each, value=each.value + 3_000 * "x") for each in told.slices))
    verdict = judge(slicing(told), told, CASE)
    assert verdict.slices is not None
    assert (len(verdict.slices.slices), verdict.slices.left_out) == (50, 21)
    assert verdict.slices.slices[0].finding is SliceFinding.WORSE
    assert len(msgspec.json.encode(verdict.slices)) < 20_000


@pytest.mark.parametrize(
    ("slices", "says"),
    [
        ((), "no slices by k0"),
        (2 * sliced(-2.0).slices, "stands twice"),
        ((a_slice("k0", "a", 600, 8.0, by_day(600, -2.0)),), "600 rows together, and 1000 were held out"),
    ],
)
def test_slices_that_are_not_all_of_a_column_cannot_be_judged(slices: tuple[Slice, ...], says: str) -> None:
    verdict = judge(slicing(sliced(-2.0)), better(slices=slices), CASE)
    assert not verdict.usable
    assert says in verdict.text


@pytest.mark.parametrize(
    "change",
    [
        {"low": -0.2, "high": -0.1},
        {"method": "guess"},
        {"replicates": 10},
        {"confidence_pct": 90.0},
        {"by": "none"},
        {"rows": 3},
        {"groups": 500},
        {"difference": 0.2},
        {"low": math.nan},
        {"metric": "f1"},
    ],
)
def test_a_bootstrap_interval_that_cannot_be_is_not_believed(change: dict[str, Any]) -> None:
    told = of("auc", Task.BINARY, 0.85, 0.80, 0.5)
    assert told.resampled is not None
    told = replace(told, resampled=replace(told.resampled, **change))
    assert not judge(gates("auc", Task.BINARY), told, CASE).usable
