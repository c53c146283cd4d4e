"""A burst keeps its pace and its bounds, and counts every outcome."""

import threading

import pytest

from shared.adapters import bursts
from shared.domain.observation import SmokeSeen
from shared.domain.tally import Burst, Tally
from shared.errors import RetryLater

GOOD = SmokeSeen(ok=True, status=200)


class Bench:
    """A clock that moves when somebody waits and while a request takes its time; for bursts of one worker."""

    def __init__(self, takes_s: float = 0.0, *outcomes: SmokeSeen) -> None:
        self.now_s, self.takes_s = 100.0, takes_s
        self.outcomes = list(outcomes)
        self.sent_at_s: list[float] = []

    def wait(self, seconds: float) -> None:
        self.now_s += seconds

    def send_one(self) -> SmokeSeen:
        self.sent_at_s.append(self.now_s - 100)
        self.now_s += self.takes_s
        return self.outcomes.pop(0) if self.outcomes else GOOD

    def send(self, **burst: float) -> Tally:
        return bursts.send(Burst(**burst), self.send_one, lambda: self.now_s, self.wait)  # type: ignore[arg-type]


def test_requests_come_at_their_pace() -> None:
    bench = Bench()
    bench.send(seconds=2, per_s=2)
    assert bench.sent_at_s == [0, 0.5, 1, 1.5]


def test_without_a_pace_one_follows_the_other_until_the_time_is_over() -> None:
    bench = Bench(0.4)
    assert bench.send(seconds=2).requests == 5
    assert bench.now_s - 100 == pytest.approx(2.0)


def test_a_request_that_had_to_wait_for_a_slow_one_is_as_slow_as_a_user_would_find_it() -> None:
    tally = Bench(1.0).send(seconds=1, per_s=4)
    # Due at 0, ¼, ½ and ¾ s; one after the other they end at 1, 2, 3 and 4 s.
    assert tally.quantile_ms(1.0) == pytest.approx(3_250, rel=0.02)


def test_what_cannot_be_sent_in_time_fails_and_the_burst_ends() -> None:
    bench = Bench(4.0)
    tally = bench.send(seconds=1, per_s=10)
    assert (tally.requests, tally.errors, len(bench.sent_at_s)) == (10, 8, 2)


def test_outcomes_are_told_apart() -> None:
    failed, wrong = SmokeSeen(ok=False, status=503), SmokeSeen(ok=False, status=200, detail="a prediction is null")
    tally = Bench(0.01, GOOD, failed, wrong).send(seconds=3, per_s=1)
    assert (tally.requests, tally.errors, tally.malformed, tally.detail) == (3, 1, 1, "503")
    assert sum(count for _, count in tally.latency) == 2


def test_at_once_means_that_so_many_are_under_way() -> None:
    all_here = threading.Barrier(3, timeout=30)

    def send_one() -> SmokeSeen:
        all_here.wait()  # passes only when three wait
        return GOOD

    assert bursts.send(Burst(seconds=0.001, per_s=3_000, at_once=3), send_one).requests == 3


def test_an_endpoint_that_cannot_be_reached_says_nothing_about_the_deployment() -> None:
    def unreachable() -> SmokeSeen:
        raise RetryLater("the endpoint could not be reached")

    with pytest.raises(RetryLater):
        bursts.send(Burst(seconds=1, per_s=100, at_once=4), unreachable)
