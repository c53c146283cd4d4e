"""The formulas keep what their sources promise."""

import random

import pytest

from shared.domain.statistics import design_effect, evidence_more, evidence_over, wilson


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


@pytest.mark.parametrize("rate", [0.001, 0.2])
def test_a_rate_shared_by_both_is_no_evidence_whatever_it_is(rate: float) -> None:
    assert evidence_more(round(1_000 * rate), 1_000, round(9_000 * rate), 9_000, 1.0) == 0


def test_more_hits_than_the_others_rate_explains_are_evidence_against_it() -> None:
    assert evidence_more(30, 1_000, 9, 9_000, 2.0) > 1e6


def test_without_the_other_there_is_nothing_to_compare_with() -> None:
    assert evidence_more(30, 30, 0, 0, 1.0) == 0


def test_comparing_after_every_request_raises_no_more_false_alarms_than_promised() -> None:
    """Twice the other's rate, which is allowed, while that rate leaps about: 300 streams of 2,000 requests."""
    rng, alarms = random.Random(11), 0
    for _ in range(300):
        hits, trials = [0, 0], [0, 0]
        for request in range(2_000):
            ours = int(rng.random() < 0.9)  # 0: ours
            rate = 0.25 if 500 < request < 600 else 0.01
            trials[ours] += 1
            hits[ours] += rng.random() < rate * (2 if ours == 0 else 1)
            if evidence_more(hits[0], trials[0], hits[1], trials[1], 2.0) >= 1 / 0.05:
                alarms += 1
                break
    assert alarms <= 0.05 * 300 + 3 * (0.05 * 0.95 * 300) ** 0.5


def test_hits_strewn_evenly_count_in_full() -> None:
    assert design_effect([100] * 10, [1] * 10) == 1


def test_hits_in_one_clump_count_as_one() -> None:
    assert 10 / design_effect([100] * 10, [10, *[0] * 9]) == pytest.approx(1, rel=0.2)
