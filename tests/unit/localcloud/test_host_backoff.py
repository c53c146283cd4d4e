"""How the queue poller slows down and speeds up."""

import pytest

from localcloud.host.backoff import Backoff


def test_empty_polls_double_the_wait_from_the_least() -> None:
    backoff = Backoff(60.0, draw=lambda: 1.0)
    waits_s = [backoff.missed_s() for _ in range(4)]
    assert waits_s == pytest.approx([0.2, 0.3, 0.5, 0.9])


def test_the_wait_never_passes_max_polling_interval() -> None:
    backoff = Backoff(2.0, draw=lambda: 1.2)
    assert max(backoff.missed_s() for _ in range(100)) == 2.0


def test_a_found_message_brings_the_wait_back_to_the_start() -> None:
    backoff = Backoff(60.0, draw=lambda: 1.0)
    for _ in range(8):
        backoff.missed_s()
    backoff.found()
    assert backoff.missed_s() == pytest.approx(0.2)


def test_waits_are_spread_by_a_fifth_either_way() -> None:
    assert Backoff(60.0, draw=lambda: 0.8).missed_s() == pytest.approx(0.18)
    assert Backoff(60.0, draw=lambda: 1.2).missed_s() == pytest.approx(0.22)


def test_the_least_possible_max_polling_interval_is_kept() -> None:
    assert Backoff(0.1).missed_s() == 0.1
