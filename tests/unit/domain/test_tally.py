"""Outcomes of own requests add up, whatever the order, and tell their quantiles to within a percent."""

import random

import msgspec
import pytest

from shared.domain.tally import MARK, Tally, bucket_of, is_ours


def of(*latencies_ms: float) -> Tally:
    tally = Tally()
    for latency_ms in latencies_ms:
        tally = tally.plus(Tally(requests=1, latency=((bucket_of(latency_ms), 1),)))
    return tally


def test_tallies_add_up_in_any_order() -> None:
    one, other = of(10, 20), of(20, 4_000).plus(Tally(requests=2, errors=1, malformed=1, seconds=5))
    assert one.plus(other) == other.plus(one)
    assert (one.plus(other).requests, one.plus(other).bad) == (6, 2)


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
def test_quantiles_are_right_to_within_a_percent(share: float) -> None:
    rng = random.Random(5)
    latencies = sorted(rng.lognormvariate(4, 1) + 1 for _ in range(1_000))
    exact = latencies[int(share * 1_000) - 1]
    assert of(*latencies).quantile_ms(share) == pytest.approx(exact, rel=0.011)


def test_of_few_answers_the_95th_percentile_is_the_slowest() -> None:
    assert of(10, 10, 900).quantile_ms(0.95) == pytest.approx(900, rel=0.011)


def test_without_an_answer_there_is_no_latency() -> None:
    assert Tally(requests=3, errors=3).quantile_ms(0.95) is None


def test_a_tally_survives_being_stored() -> None:
    tally = of(0.2, 5, 70_000)
    assert msgspec.json.decode(msgspec.json.encode(tally), type=Tally) == tally


def test_own_requests_are_known_by_their_mark() -> None:
    assert is_ours(f"{MARK}-1")
    assert not is_ours("curl")
    assert not is_ours(None)
