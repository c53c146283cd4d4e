"""The benchmark of verdicts: that it measures what it says, and that the strongest claims of its page hold."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from benchmarks.verdicts import __main__ as verdicts
from benchmarks.verdicts import comparing, judging, kayenta, latency, plan, rules
from benchmarks.verdicts.sampling import by_day
from benchmarks.verdicts.streams import Scenario, streams
from shared.domain.analysis import FALSE_ALARM

SEED = 7
PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "verdicts.md"
SCENARIOS = {scenario.name: scenario for scenario in comparing.SCENARIOS}
PROMISED = FALSE_ALARM * len(plan.STAGES)
"""False alarms of one limit in one rollout: the promise is made for each window."""


@pytest.fixture(scope="module")
def measured() -> verdicts.Measured:
    return verdicts.measure(verdicts.QUICK, SEED, workers=2)


def failed_by_product(name: str, rate_per_s: float, runs: int) -> float:
    endings = [rules.product(streams(SCENARIOS[name], rate_per_s, [SEED, run])) for run in range(runs)]
    return sum(ending.kind is plan.Kind.FAILED for ending in endings) / runs


def test_every_scenario_is_judged_by_every_rule(measured: verdicts.Measured) -> None:
    names = {scenario.name for scenario in (*comparing.SCENARIOS, comparing.SILENT)}
    assert {each.scenario for each in measured.played} == names
    assert all(len(each.endings[rule]) == each.runs for each in measured.played for rule in comparing.RULES)


def test_the_text_has_a_row_for_everything_measured(measured: verdicts.Measured) -> None:
    text = verdicts.text(measured, verdicts.QUICK, SEED)
    assert text.count("\n## ") == 5
    for each in measured.played:
        assert f"\n| {each.scenario} | {each.rate_per_s:g}/s |" in text
    assert text.count(" better | ") + text.count(" worse | ") + text.count("as good") == len(measured.judged)


def test_the_same_seed_finds_the_same_with_any_number_of_workers() -> None:
    one, two = (comparing.measure(SEED, runs=2, rates_per_s=(1.0,), workers=workers) for workers in (1, 2))
    assert one == two


def test_the_page_tells_of_every_scenario_and_rule() -> None:
    page = PAGE.read_text()
    for name in (*SCENARIOS, comparing.SILENT.name, *comparing.RULES, *judging.RULES, *latency.RULES):
        assert f"| {name} |" in page


@pytest.mark.parametrize(("rate_per_s", "within"), [(0.1, 40), (1.0, 40), (10.0, 100)])
def test_a_canary_that_fails_every_other_request_is_taken_back_at_once(rate_per_s: float, within: int) -> None:
    endings = [rules.product(streams(SCENARIOS["50 % fail"], rate_per_s, [SEED, run])) for run in range(500)]
    in_time = [ending.kind is plan.Kind.FAILED and ending.requests <= within for ending in endings]
    assert sum(in_time) > 0.99 * len(in_time)


@pytest.mark.parametrize("name", ["identical, 0.1 %", "identical, 0.5 %"])
def test_a_canary_like_the_live_one_is_failed_no_more_often_than_promised(name: str) -> None:
    assert failed_by_product(name, rate_per_s=1.0, runs=200) <= PROMISED


def test_a_canary_just_at_the_limit_is_failed_no_more_often_than_promised() -> None:
    assert failed_by_product("identical, both at the limit of 1 %", rate_per_s=1.0, runs=100) <= PROMISED


def test_a_canary_with_one_error_in_twenty_is_never_let_through(measured: verdicts.Measured) -> None:
    (found,) = (each for each in measured.played if each.scenario == "5 % fail")
    assert found.count("product", plan.Kind.PASSED) == 0


def test_a_canary_that_nearly_nobody_calls_is_held(measured: verdicts.Measured) -> None:
    (found,) = (each for each in measured.played if each.scenario == comparing.SILENT.name)
    assert found.count("product", plan.Kind.HELD) == found.runs


def test_a_copy_of_the_champion_is_not_promoted() -> None:
    assert not judging.promotes_its_copy()


def test_a_candidate_as_good_is_promoted_by_chance_only(measured: verdicts.Measured) -> None:
    """The interval may miss in 2.5 % on that side; 200 runs tell that to two or three percent."""
    as_good = [each for each in measured.judged if each.better_pct == 0]
    assert len(as_good) == len(judging.DRAWN) * len(judging.ROWS)
    assert all(each.by_rule["product, no least effect"] <= 0.08 * each.runs for each in as_good)


def test_a_candidate_as_good_is_not_promoted_on_days_that_are_too_few(measured: verdicts.Measured) -> None:
    few = [each for each in measured.judged if each.rows <= 2_000]
    assert all(each.by_rule["product"] == each.failed == 0 for each in few)


def test_a_candidate_better_by_a_tenth_is_promoted_on_many_rows(measured: verdicts.Measured) -> None:
    found = {each.drawn: each for each in measured.judged if each.rows == 27_000 and each.better_pct == 10}
    for drawn, share in (("alone", 0.99), (judging.BY_DAY, 0.95)):
        assert found[drawn].by_rule["product"] > share * found[drawn].runs


def test_rows_drawn_by_the_day_keep_the_true_difference(measured: verdicts.Measured) -> None:
    rng = np.random.default_rng(SEED)
    errors = judging.Errors(rng.gamma(1.0, 9.0, 5_000), rng.gamma(1.0, 9.0, 5_000), rows_a_day=900)
    drawn = by_day(errors, rows=2_000, runs=20_000, rng=rng).sums.sum(axis=1) / 2_000
    assert drawn[:, 0].mean() == pytest.approx(errors.champion.mean(), rel=0.01)
    assert drawn[:, 1].mean() == pytest.approx(errors.candidate.mean(), rel=0.01)


@pytest.mark.parametrize("rounded", [False, True])
def test_kayentas_interval_ends_where_the_mann_whitney_test_turns(rounded: bool) -> None:
    rng = np.random.default_rng(SEED)
    canary, baseline = rng.lognormal(1.0, 1.0, 40), rng.lognormal(0.5, 1.0, 30)
    if rounded:  # ties
        canary, baseline = canary.round(), baseline.round()
    found = kayenta.shift(canary, baseline)
    assert found.low < found.estimate < found.high
    for end, outside in ((found.low, -1e-6), (found.high, 1e-6)):
        beyond, within = (p_value(canary - end - side, baseline) for side in (outside, -outside))
        assert beyond <= 1 - kayenta.CONFIDENCE < within


def p_value(canary: kayenta.Series, baseline: kayenta.Series) -> float:
    return float(stats.mannwhitneyu(canary, baseline, method="asymptotic", use_continuity=True).pvalue)


def test_kayenta_calls_a_metric_high_only_if_it_is_plainly_above() -> None:
    rng = np.random.default_rng(SEED)
    usual = rng.normal(100.0, 5.0, 60)
    assert kayenta.is_high(rng.normal(120.0, 5.0, 60), usual)
    assert not kayenta.is_high(rng.normal(100.0, 5.0, 60), usual)
    assert not kayenta.is_high(rng.normal(80.0, 5.0, 60), usual)


def test_kayenta_takes_no_data_for_a_failure() -> None:
    assert kayenta.is_high(np.array([np.nan]), np.array([1.0]))


def test_a_plain_threshold_fails_on_one_error_among_the_first_requests() -> None:
    unlucky = Scenario("unlucky", 0.0, 1.0)
    ending = rules.threshold(streams(unlucky, 1.0, [SEED]), wait=False)
    assert ending.kind is plan.Kind.FAILED
    assert ending.requests < 20


def test_an_outage_of_both_fails_no_canary() -> None:
    assert failed_by_product("identical, an outage of both at 50 %", rate_per_s=1.0, runs=100) == 0


def test_a_canary_three_times_as_slow_within_the_limit_is_taken_back(measured: verdicts.Measured) -> None:
    (found,) = (each for each in measured.slow if each.live_p95_ms == latency.QUICK_P95_MS)
    assert found.failed["product"] > 0.9 * found.runs


def test_a_canary_just_within_the_limit_on_latency_is_not_failed_by_chance(measured: verdicts.Measured) -> None:
    (found,) = (each for each in measured.slow if each.candidate_p95_ms == 1_900)
    assert found.failed["product"] <= PROMISED * found.runs
