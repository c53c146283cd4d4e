"""The verdict of the cold-start benchmark, and the order of its runs."""

from pathlib import Path

from benchmarks.coldstart.__main__ import misses, ratio, table
from benchmarks.coldstart.measuring import Candidate, Run, in_turns


def runs(*times_s: float, peak_mb: float = 50.0) -> list[Run]:
    return [Run(time_s, time_s, peak_mb, 100) for time_s in times_s]


def test_a_package_within_its_limits_misses_none() -> None:
    assert misses({"package": runs(0.25), "naive": runs(1.0)}, 66.0) == []


def test_a_slow_package_is_told() -> None:
    assert misses({"package": runs(0.3), "naive": runs(1.0)}, 66.0) == [
        "The package takes 0.30 of the naive app's time, more than 0.25."
    ]


def test_a_large_package_is_told_by_its_largest_run() -> None:
    found = {"package": [*runs(0.2), *runs(0.2, peak_mb=70.0)], "naive": runs(1.0)}
    assert misses(found, 66.0) == ["The package takes 70.0 MB of memory, not less than 70."]


def test_a_large_zip_is_told() -> None:
    found = {"package": runs(0.2), "naive": runs(1.0)}
    assert misses(found, 70.0) == ["The package has 70.0 MB, not less than 70."]


def test_disturbed_runs_do_not_count() -> None:
    assert ratio({"package": runs(0.2, 0.9, 0.9), "naive": runs(3.0, 1.0)}) == 0.2


def test_the_table_has_median_minimum_and_maximum() -> None:
    row = table({"package": runs(0.1, 0.2, 0.6)}).splitlines()[2]
    assert row.startswith("| package | 0.20 (0.10 to 0.60) |")


def test_runs_go_in_turns_and_the_first_round_is_left_out() -> None:
    order: list[str] = []

    def run(candidate: Candidate) -> Run:
        order.append(candidate.name)
        return runs(float(len(order)))[0]

    found = in_turns([Candidate(name, Path(), Path()) for name in ("a", "b")], 2, run)
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert [run.time_s for run in found["a"]] == [4.0, 5.0]
