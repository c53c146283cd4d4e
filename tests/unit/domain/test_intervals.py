"""Intervals from sums: held to scipy, and to what they are for."""

import numpy as np
import pytest
from scipy import stats

from shared.domain.intervals import of_groups, of_rows, t_quantile


@pytest.mark.parametrize("degrees", [1, 2, 3, 9, 10, 30, 199, 200, 201, 365, 5_000, 1_000_000])
@pytest.mark.parametrize("share", [0.025, 0.3, 0.5001, 0.75, 0.95, 0.975, 0.995, 0.9999])
def test_the_quantile_of_t_is_scipys(share: float, degrees: int) -> None:
    assert t_quantile(share, degrees) == pytest.approx(stats.t.ppf(share, degrees), rel=1e-7)


def test_rows_give_the_interval_of_the_t_test() -> None:
    rows = np.random.default_rng(1).normal(-1.0, 3.0, 500)
    found = of_rows(500, float(rows.mean()), float(rows.std(ddof=1)), 0.95)
    wanted = stats.ttest_1samp(rows, 0.0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high))


def test_groups_of_equal_size_give_the_interval_of_their_means() -> None:
    means = np.random.default_rng(2).normal(-1.0, 3.0, 30)
    found = of_groups([40] * 30, [float(40 * mean) for mean in means], 0.95)
    wanted = stats.ttest_1samp(means, 0.0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high))


def test_groups_of_a_row_each_give_the_interval_of_rows() -> None:
    rows = np.random.default_rng(3).normal(0.5, 2.0, 200)
    by_group = of_groups([1] * 200, [float(row) for row in rows], 0.9)
    by_row = of_rows(200, float(rows.mean()), float(rows.std(ddof=1)), 0.9)
    assert (by_group.low, by_group.high) == pytest.approx((by_row.low, by_row.high))


def test_rows_that_hang_together_are_covered_as_often_as_promised() -> None:
    """A thousand months of 31 days whose rows share the day's own difference: the interval must hold the truth."""
    rng = np.random.default_rng(4)
    held = 0
    for _ in range(1_000):
        sizes = rng.integers(20, 60, 31)
        sums = sizes * rng.normal(rng.normal(0, 1.5, 31), 5.0 / np.sqrt(sizes))
        found = of_groups(sizes.tolist(), sums.tolist(), 0.95)
        held += found.low <= 0.0 <= found.high
    assert 0.93 <= held / 1_000 <= 0.97
