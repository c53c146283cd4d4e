"""A canary's window passes, fails, or says too little."""

import random

import pytest

from shared.domain import traffic_checks
from shared.domain.analysis import Aspect, Check, Finding, combined
from shared.domain.observation import Stats
from shared.domain.spec import Analysis
from shared.domain.statistics import evidence_over, wilson

LIMITS = Analysis(max_error_rate_pct=1.0, max_error_rate_ratio=2.0, max_latency_p95_ms=500)


def analyse(
    candidate: Stats, live: Stats | None = None, *, limits: Analysis = LIMITS, complete: bool = True
) -> Check:
    enough = traffic_checks.requests(candidate, 100, complete=complete)
    errors = traffic_checks.errors(limits, candidate, live)
    latency = traffic_checks.latency(limits, candidate, live, enough=enough.finding is Finding.PASS)
    return combined([enough, errors, latency])


def finding(candidate: Stats, live: Stats | None = None, *, complete: bool = True) -> Finding:
    return analyse(candidate, live, complete=complete).finding


def test_enough_good_answers_over_the_whole_window_pass() -> None:
    assert finding(Stats(requests=200, errors=0, latency_p95_ms=80)) is Finding.PASS


def test_silence_is_inconclusive() -> None:
    assert finding(Stats(requests=0, errors=0)) is Finding.INCONCLUSIVE


def test_a_window_that_is_not_over_is_inconclusive() -> None:
    assert finding(Stats(requests=500, errors=0), complete=False) is Finding.INCONCLUSIVE


def test_a_plainly_broken_candidate_fails_before_its_window_is_over() -> None:
    assert finding(Stats(requests=20, errors=12), complete=False) is Finding.FAIL


def test_one_unlucky_answer_among_few_is_not_yet_a_failure() -> None:
    assert finding(Stats(requests=20, errors=1), complete=False) is Finding.INCONCLUSIVE


def test_a_rate_over_the_limit_that_could_be_chance_is_held_not_passed() -> None:
    assert finding(Stats(requests=200, errors=3)) is Finding.INCONCLUSIVE


def test_a_rate_over_the_limit_fails_once_it_cannot_be_chance() -> None:
    assert finding(Stats(requests=2_000, errors=60)) is Finding.FAIL


def test_a_slow_candidate_fails_at_the_end_of_the_window() -> None:
    assert finding(Stats(requests=200, errors=0, latency_p95_ms=501)) is Finding.FAIL


def test_a_candidate_far_worse_than_the_live_one_fails_under_the_absolute_limit() -> None:
    lenient = Analysis(max_error_rate_pct=50.0, max_error_rate_ratio=2.0)
    check = analyse(Stats(requests=400, errors=60), Stats(requests=4_000, errors=4), limits=lenient, complete=False)
    assert check.finding is Finding.FAIL


def test_the_numbers_of_both_deployments_are_kept() -> None:
    facts = analyse(Stats(requests=9, errors=1), Stats(requests=90, errors=2), complete=False).facts
    assert (facts["requests"], facts["errors"], facts["live_requests"], facts["live_errors"]) == (9, 1, 90, 2)


def check(aspect: Aspect, finding: Finding, **others: bool) -> Check:
    return Check(aspect=aspect, finding=finding, text=f"{aspect}: {finding}.", facts={aspect: 1}, **others)


GOOD, OPEN = check(Aspect.ERRORS, Finding.PASS), check(Aspect.LATENCY, Finding.INCONCLUSIVE)
BAD = check(Aspect.QUERIES, Finding.FAIL, noisy=True)


@pytest.mark.parametrize(
    ("checks", "together"),
    [
        ([], Finding.INCONCLUSIVE),
        ([GOOD], Finding.PASS),
        ([GOOD, OPEN], Finding.INCONCLUSIVE),
        ([GOOD, OPEN, BAD], Finding.FAIL),
    ],
)
def test_checks_say_together_what_the_worst_of_them_says(checks: list[Check], together: Finding) -> None:
    assert combined(checks).finding is together


def test_only_the_checks_that_decided_are_quoted_and_named() -> None:
    found = combined([GOOD, OPEN, BAD])
    assert (found.text, found.facts["failed"]) == ("queries: fail.", "queries")


def test_the_numbers_of_all_checks_are_kept_together() -> None:
    assert combined([GOOD, OPEN, BAD]).facts.keys() >= {"errors", "latency", "queries"}


def test_a_failure_is_noisy_only_if_every_check_that_failed_is() -> None:
    assert combined([GOOD, BAD]).noisy
    assert not combined([check(Aspect.ERRORS, Finding.FAIL), BAD]).noisy


def test_a_suspicion_of_one_check_is_one_of_all() -> None:
    assert combined([GOOD, check(Aspect.ERRORS, Finding.INCONCLUSIVE, suspect=True)]).suspect


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (1, 100, 0.0018, 0.0545)],
)
def test_wilson_agrees_with_published_values(hits: int, trials: int, low: float, high: float) -> None:
    assert wilson(hits, trials) == pytest.approx((low, high), abs=5e-4)


def test_without_trials_anything_is_possible() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("hits", "trials", "limit"), [(0, 0, 0.01), (0, 10_000, 0.01), (1, 100, 0.01), (5, 10, 0.5), (10, 10, 1.0)]
)
def test_a_rate_within_the_limit_is_no_evidence(hits: int, trials: int, limit: float) -> None:
    assert evidence_over(hits, trials, limit) == 0


def test_any_error_is_proof_where_none_is_allowed() -> None:
    assert evidence_over(1, 1_000, 0.0) > 1e9


def test_looking_after_every_request_raises_no_more_false_alarms_than_promised() -> None:
    """At the very limit, over 300 streams of 2,000 requests: the promise is 5 % of them at most at 1/0.05."""
    rng, alarms = random.Random(7), 0
    for _ in range(300):
        hits = 0
        for trial in range(1, 2_001):
            hits += rng.random() < 0.02
            if evidence_over(hits, trial, 0.02) >= 1 / 0.05:
                alarms += 1
                break
    assert alarms <= 0.05 * 300 + 3 * (0.05 * 0.95 * 300) ** 0.5
