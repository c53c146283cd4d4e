"""Two samples of predictions are alike, or they are not, or there are too few of them to tell."""

import random

import pytest

from shared.domain.analysis import Finding
from shared.domain.predictions import (
    BINS,
    Collected,
    Prediction,
    PredictionsSeen,
    distance,
    judge,
    stability,
    stability_by_chance,
    summed_up,
)
from shared.domain.spec_evidence import Predictions

LIMITS = Predictions(min_rows=200, max_psi=0.25, max_ks=0.2)


def normal(seed: int, mean: float = 0.0, spread: float = 1.0, rows: int = 1_000) -> Collected:
    rng = random.Random(seed)
    return Collected(values=tuple(rng.gauss(mean, spread) for _ in range(rows)))


def labels(**counts: int) -> Collected:
    return Collected(values=tuple(label for label, count in counts.items() for _ in range(count)))


def finding(candidate: Collected, live: Collected, limits: Predictions = LIMITS) -> Finding:
    return judge(limits, summed_up(candidate, live)).finding


def test_samples_of_one_distribution_are_alike() -> None:
    assert finding(normal(1), normal(2)) is Finding.PASS


@pytest.mark.parametrize("other", [normal(1, mean=1.0), normal(1, spread=3.0), normal(1, spread=0.1)])
def test_a_distribution_that_moved_or_changed_its_spread_differs(other: Collected) -> None:
    assert finding(other, normal(2)) is Finding.FAIL


@pytest.mark.parametrize("value", [0.0, 1e9, -1e9])
def test_a_candidate_that_always_answers_the_same_differs(value: float) -> None:
    assert finding(Collected(values=(value,) * 1_000), normal(2)) is Finding.FAIL


def test_a_constant_live_deployment_is_compared_by_that_value() -> None:
    live = Collected(values=(5.0,) * 1_000)
    assert finding(Collected(values=(5.0,) * 500), live) is Finding.PASS
    assert finding(Collected(values=(4.0,) * 500), live) is Finding.FAIL


def test_missing_predictions_are_a_difference_of_their_own() -> None:
    half: tuple[Prediction, ...] = (*normal(1, rows=500).values, *(None,) * 500)
    assert finding(Collected(values=half), normal(2)) is Finding.FAIL


def test_labels_are_compared_by_their_shares() -> None:
    live = labels(cat=600, dog=400)
    assert finding(labels(cat=590, dog=410), live) is Finding.PASS
    assert finding(labels(cat=100, dog=900), live) is Finding.FAIL
    assert finding(labels(bird=1_000), live) is Finding.FAIL


def test_a_candidate_that_answers_text_where_the_live_one_answers_numbers_differs() -> None:
    assert finding(labels(high=500, low=500), normal(2)) is Finding.FAIL


def test_truth_values_are_labels() -> None:
    live = Collected(values=(True,) * 300 + (False,) * 300)
    assert finding(Collected(values=(True,) * 290 + (False,) * 310), live) is Finding.PASS
    assert summed_up(live, live).ks is None


@pytest.mark.parametrize(("mine", "theirs"), [(199, 1_000), (1_000, 199), (0, 0)])
def test_too_few_rows_of_either_are_inconclusive(mine: int, theirs: int) -> None:
    assert finding(normal(1, rows=mine), normal(2, rows=theirs)) is Finding.INCONCLUSIVE


@pytest.mark.parametrize(
    ("seen", "broken"),
    [
        (None, "Predictions could not be read: they were not looked at"),
        (
            PredictionsSeen(unread="reading blobs: refused with 403."),
            "Predictions could not be read: reading blobs: refused with 403",
        ),
    ],
)
def test_a_look_that_was_not_taken_or_failed_is_for_a_person(seen: PredictionsSeen | None, broken: str) -> None:
    check = judge(LIMITS, seen)
    assert (check.finding, check.broken, check.text) == (Finding.INCONCLUSIVE, broken, f"{broken}.")


def test_predictions_that_differ_may_do_so_by_chance() -> None:
    assert judge(LIMITS, summed_up(labels(cat=100, dog=900), labels(cat=600, dog=400))).noisy


def test_where_it_is_known_that_the_live_one_collects_nothing_there_is_nothing_to_compare() -> None:
    check = judge(LIMITS, PredictionsSeen(missing="the live deployment does not collect model_outputs"))
    assert check.finding is Finding.PASS
    assert check.text.startswith("Predictions are not compared: the live deployment does not collect")


def test_collected_rows_without_the_column_are_for_a_person() -> None:
    check = judge(LIMITS, summed_up(Collected(broken=500), normal(2)))
    assert check.finding is Finding.INCONCLUSIVE
    assert check.broken == "Collected rows cannot be used: they have no column prediction"


def test_no_prediction_stands_in_the_summary() -> None:
    seen = summed_up(labels(ada=300), labels(ada=300))
    assert "ada" not in repr(seen)


def test_the_index_agrees_with_a_hand_worked_example() -> None:
    # 0.5 added to each bin of (10, 90) and (50, 50): 10.5/101, 90.5/101; 50.5/101 twice
    assert stability((10, 90), (50, 50)) == pytest.approx(0.853, abs=1e-3)
    assert stability((7, 7), (7, 7)) == 0


def test_the_distance_agrees_with_a_hand_worked_example() -> None:
    assert distance([1, 2, 3, 4], [3, 4, 5, 6]) == 0.5
    assert distance([1, 1, 2], [1, 1, 2]) == 0


def test_by_chance_the_index_is_about_what_its_formula_says() -> None:
    rng = random.Random(3)
    found = []
    for _ in range(200):
        mine, theirs = ([rng.random() for _ in range(500)] for _ in range(2))
        seen = summed_up(Collected(values=tuple(mine)), Collected(values=tuple(theirs)))
        found.append(stability(seen.counts[:-1], seen.live_counts[:-1]))
    assert sum(found) / len(found) == pytest.approx(stability_by_chance(500, BINS), rel=0.3)
