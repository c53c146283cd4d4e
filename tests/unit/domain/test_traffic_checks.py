"""A window's errors, refusals and durations pass, fail, or say too little."""

import math
from collections.abc import Sequence
from itertools import pairwise

import msgspec
import pytest

from shared.domain import traffic_checks
from shared.domain.analysis import Check, Finding
from shared.domain.observation import Slice, Stats
from shared.domain.spec import Analysis
from shared.domain.traffic_checks import MAX_SLICES, grid_of
from tests.fakes.examples import a_spec

LIMITS = Analysis(max_error_rate_pct=1.0, max_error_rate_ratio=2.0, max_latency_p95_ms=500)


def stats(slices: Sequence[Slice], p95_ms: float | None = None) -> Stats:
    return Stats(
        requests=sum(each.requests for each in slices),
        errors=sum(each.errors for each in slices),
        throttled=sum(each.throttled for each in slices),
        slices=tuple(slices),
        latency_p95_ms=p95_ms,
    )


def failing(*errors: int, requests: int = 100) -> Stats:
    """So many errors in each slice."""
    return stats([Slice(requests=requests, errors=each) for each in errors])


def errors(candidate: Stats, live: Stats | None = None, limits: Analysis = LIMITS) -> Check:
    return traffic_checks.errors(limits, candidate, live)


def test_enough_requests_over_the_whole_window_pass() -> None:
    assert traffic_checks.requests(failing(0), None, 100, complete=True).finding is Finding.PASS


@pytest.mark.parametrize(("requests", "complete"), [(0, True), (99, True), (500, False)])
def test_too_few_requests_or_too_short_a_window_are_inconclusive(requests: int, complete: bool) -> None:
    found = traffic_checks.requests(Stats(requests=requests, errors=0), None, 100, complete=complete)
    assert found.finding is Finding.INCONCLUSIVE
    assert not found.suspect


def test_a_plainly_broken_candidate_fails_by_few_requests() -> None:
    assert errors(failing(4, 4, 4, requests=7)).finding is Finding.FAIL


def test_one_unlucky_answer_among_few_is_a_suspicion_and_no_failure() -> None:
    found = errors(failing(0, 1, requests=10))
    assert found.finding is Finding.INCONCLUSIVE
    assert found.suspect


def test_a_rate_over_the_limit_fails_once_it_cannot_be_chance() -> None:
    assert errors(failing(1, 2)).finding is Finding.INCONCLUSIVE
    assert errors(failing(*[3] * 20)).finding is Finding.FAIL


def test_an_outage_of_both_is_not_held_against_the_candidate() -> None:
    found = errors(failing(*[30] * 10), failing(*[270] * 10, requests=900))
    assert found.finding is Finding.INCONCLUSIVE


def test_an_outage_of_the_candidate_alone_is() -> None:
    assert errors(failing(*[30] * 10), failing(*[1] * 10, requests=900)).finding is Finding.FAIL


def test_a_live_deployment_that_nobody_calls_is_no_excuse() -> None:
    assert errors(failing(*[30] * 10), Stats(requests=0, errors=0)).finding is Finding.FAIL


def test_a_candidate_far_worse_than_live_fails_under_the_limit() -> None:
    lenient = Analysis(max_error_rate_pct=50.0, max_error_rate_ratio=2.0)
    live = failing(*[1] * 4, requests=1_000)
    assert errors(failing(15, 15, 15, 15), live, lenient).finding is Finding.FAIL


def test_errors_in_a_single_burst_are_no_proof() -> None:
    assert errors(failing(0, 0, 10, 0, requests=40)).finding is Finding.INCONCLUSIVE


def test_errors_in_bursts_count_for_less_than_errors_one_by_one() -> None:
    one_by_one, in_bursts = failing(*[3] * 20), failing(*[30, *[0] * 9] * 2)
    assert errors(one_by_one).finding is Finding.FAIL
    assert errors(in_bursts).finding is Finding.INCONCLUSIVE


def test_the_numbers_of_both_deployments_are_kept() -> None:
    facts = errors(failing(1, requests=9), failing(2, requests=90)).facts
    assert (facts["errors"], facts["live_errors"]) == (1, 2)


def refused(*throttled: int, requests: int = 100) -> Stats:
    return stats([Slice(requests=requests, throttled=each) for each in throttled])


def test_refused_requests_are_no_errors() -> None:
    assert errors(refused(*[50] * 10)).finding is Finding.PASS


def test_a_candidate_that_is_overrun_fails() -> None:
    found = traffic_checks.throttling(LIMITS, refused(*[50] * 10), refused(*[0] * 10, requests=900))
    assert found.finding is Finding.FAIL


def test_an_endpoint_that_is_overrun_is_no_fault_of_the_candidate() -> None:
    found = traffic_checks.throttling(LIMITS, refused(*[20] * 10), refused(*[180] * 10, requests=900))
    assert found.finding is Finding.INCONCLUSIVE


def taking(*durations_ms: int, each: int = 20, slices: int = 10, limit_ms: int = 500) -> Stats:
    """In every slice `each` answers of each duration."""
    levels = tuple((math.floor(2 * math.log2(ms)), each) for ms in sorted(durations_ms))
    slow = sum(each for ms in durations_ms if ms > limit_ms)
    one = Slice(requests=each * len(durations_ms), slow=slow, levels=levels)
    return stats([one] * slices, p95_ms=float(max(durations_ms)))


def latency(candidate: Stats, live: Stats | None = None, limits: Analysis = LIMITS) -> Finding:
    return traffic_checks.latency(limits, candidate, live).finding


def test_answers_within_the_limit_pass() -> None:
    assert latency(taking(100)) is Finding.PASS


def test_a_slow_candidate_fails() -> None:
    assert latency(taking(100, 600)) is Finding.FAIL


def test_a_few_answers_over_the_limit_are_within_a_95th_percentile() -> None:
    found = stats([Slice(requests=100, slow=4, levels=((13, 96), (18, 4)))] * 10)
    assert latency(found) is Finding.PASS


def test_slightly_more_than_that_could_be_chance() -> None:
    found = stats([Slice(requests=100, slow=6, levels=((13, 94), (18, 6)))] * 3)
    assert latency(found) is Finding.INCONCLUSIVE


def test_a_slow_endpoint_is_no_fault_of_the_candidate() -> None:
    assert latency(taking(100, 600), taking(100, 600, each=180)) is Finding.INCONCLUSIVE


@pytest.mark.parametrize("live_ms", [80, 90, 100, 110, 120, 130, 140, 150])
def test_a_candidate_three_times_as_slow_fails_within_the_limit(live_ms: int) -> None:
    assert latency(taking(3 * live_ms), taking(live_ms, each=180)) is Finding.FAIL


def test_a_candidate_a_little_slower_passes_within_the_limit() -> None:
    assert latency(taking(80, 400), taking(70, 350, each=180)) is Finding.PASS


def test_a_rise_of_a_few_milliseconds_is_none() -> None:
    assert latency(taking(20), taking(4, each=180)) is Finding.PASS


def test_one_slow_spell_of_a_candidate_is_no_proof() -> None:
    slow, quick = taking(400, slices=1).slices, taking(80, slices=9).slices
    assert latency(stats([*slow, *quick]), taking(80, each=180)) is Finding.PASS


def test_without_durations_a_limit_on_them_cannot_be_judged() -> None:
    assert latency(failing(0)) is Finding.INCONCLUSIVE


def test_without_a_limit_and_a_live_deployment_durations_are_only_told() -> None:
    assert latency(taking(80, 400), limits=Analysis(max_latency_p95_ms=None)) is Finding.PASS


@pytest.mark.parametrize("seconds", [1, 300, 1_800, 1_801, 86_400, 30 * 86_400])
def test_a_window_is_cut_into_a_bounded_number_of_slices(seconds: int) -> None:
    assert seconds / grid_of(a_spec(), seconds).slice_s <= MAX_SLICES


def test_slices_of_a_longer_window_hold_whole_slices_of_a_shorter_one() -> None:
    spec = a_spec()
    lengths = [grid_of(spec, seconds).slice_s for seconds in range(60, 90_000, 997)]
    assert all(later % earlier == 0 for earlier, later in pairwise(lengths))


def test_slices_are_no_longer_than_the_time_between_two_looks() -> None:
    quick = msgspec.structs.replace(a_spec(), poll_s=1)
    assert grid_of(quick, 6).slice_s == 1
