"""A check watches as long as it was told to, reads the log as late as it is, and ends early on a plain failure."""

from datetime import timedelta

import pytest

from shared.domain.health import Aspect, Limits, ReleaseSeen, Verdict
from shared.domain.lifecycle import Phase
from shared.domain.observation import Stats
from shared.domain.record import Outcome
from shared.errors import NeedsPerson, RetryLater
from shared.operator.monitoring import LATE_LOOKS, Plan, Target, monitor
from tests.unit.operator.monitor_world import LAG_S, World


def test_good_answers_pass_once_the_log_has_shown_the_whole_window() -> None:
    world = World()
    health = world.check()
    assert health.verdict is Verdict.PASS
    assert world.passed_s == 600 + LAG_S
    assert health.seen.now is not None
    assert (health.seen.now.end - health.seen.now.start).total_seconds() == 600


def test_every_request_of_the_window_is_counted_though_the_log_is_late() -> None:
    health = World().check()
    assert health.seen.now is not None
    assert health.seen.now.of("r0002").requests == 2 * 599  # the one at the end is outside


def test_the_last_minutes_before_are_waited_for() -> None:
    health = World().check()
    assert health.seen.before is not None
    assert health.seen.before.stats.requests == 3_600


def test_a_log_that_is_later_than_was_said_shows_less_and_is_no_pass() -> None:
    world = World(lag_s=1_000)
    assert world.check().verdict is Verdict.NO_DATA


def test_an_endpoint_that_nobody_asks_is_no_data() -> None:
    assert World(per_s=0).check().verdict is Verdict.NO_DATA


def test_a_plain_failure_ends_the_check_early() -> None:
    world = World(ok=lambda _: False)
    health = world.check()
    assert (health.verdict, health.early) == (Verdict.FAIL, True)
    assert world.passed_s <= LAG_S + 60


def test_the_deployment_that_fails_is_named() -> None:
    world = World(ok=lambda _: False)
    assert {check.of for check in world.check().checks if check.verdict is Verdict.FAIL} == {"r0002"}


def test_a_failure_that_is_not_plain_is_watched_to_the_end() -> None:
    world = World(ok=lambda second: second % 80 > 0)
    health = world.check(baseline_s=0)
    assert (health.verdict, health.early, world.passed_s) == (Verdict.FAIL, False, 600 + LAG_S)


def test_a_deployment_that_happened_earlier_moves_both_windows() -> None:
    world = World()
    health = world.check(since=world.start - timedelta(minutes=5))
    assert health.seen.before is not None
    assert health.seen.before.end == world.start - timedelta(minutes=5)
    assert health.seen.now is not None
    assert health.seen.now.start == health.seen.before.end


def test_without_a_baseline_nothing_is_compared() -> None:
    health = World().check(baseline_s=0)
    assert health.seen.before is None
    assert health.verdict is Verdict.PASS


def test_a_release_that_is_rolled_back_during_the_check_fails_at_once() -> None:
    world = World(release=ReleaseSeen(phase=Phase.CANARY, number=2))

    def roll_back() -> None:
        if world.passed_s >= 120:
            at = world.start + timedelta(seconds=100)
            last = Outcome(release=2, phase=Phase.ROLLED_BACK, at=at, text="Too many errors.")
            world.release = ReleaseSeen(phase=Phase.COLLECTING, last=last)

    world.on_sleep = roll_back
    health = world.check()
    assert (health.verdict, health.early, world.passed_s) == (Verdict.FAIL, True, 120)


def test_a_moment_in_which_the_log_does_not_answer_does_no_harm() -> None:
    world = World()

    def trouble(what: str) -> None:
        if what == "latency" and 200 < world.passed_s < 300:
            raise RetryLater("The log does not answer.")

    world.trouble = trouble
    assert world.check().verdict is Verdict.PASS


def test_a_log_that_does_not_answer_at_the_end_is_asked_again() -> None:
    world = World()

    def trouble(what: str) -> None:
        if what == "latency" and 600 < world.passed_s < 720:
            raise RetryLater("The log does not answer.")

    world.trouble = trouble
    assert (world.check().verdict, world.passed_s) == (Verdict.PASS, 720)


@pytest.mark.parametrize("blind", ["latency", "endpoint", "overall", "release"])
def test_what_never_answers_leaves_no_verdict_and_says_so(blind: str) -> None:
    world = World(release=ReleaseSeen(phase=Phase.COLLECTING))

    def trouble(what: str) -> None:
        if what == blind:
            raise RetryLater(f"The {blind} does not answer.")

    world.trouble = trouble
    health = world.check()
    told = [check.text for check in health.checks if check.aspect is Aspect.UNSEEN]
    assert (health.verdict, told) == (Verdict.NO_DATA, [f"The {blind} does not answer."])
    assert world.passed_s == 600 + LAG_S + LATE_LOOKS * 30


def test_a_missing_role_ends_it_at_the_first_look() -> None:
    def trouble(what: str) -> None:
        raise NeedsPerson("refused with 403")

    world = World(trouble=trouble)
    with pytest.raises(NeedsPerson):
        world.check()
    assert world.passed_s == 0


def test_a_picture_that_cannot_be_had_costs_no_verdict() -> None:
    def trouble(what: str) -> None:
        if what == "slices":
            raise RetryLater("The log does not answer.")

    health = World(trouble=trouble).check()
    assert (health.verdict, health.slices) == (Verdict.PASS, None)


def test_the_slices_of_a_report_hold_every_request_once() -> None:
    health = World().check()
    assert health.slices is not None

    def total(part: tuple[Stats, ...]) -> int:
        return sum(stats.requests for stats in part)

    # Slices are equal: of the hour before, those are shown that fit whole.
    assert total(health.slices.now) == 2 * 599
    assert 3_500 <= total(health.slices.before) <= 3_600


def test_progress_tells_the_numbers_so_far() -> None:
    world = World()
    world.check()
    assert world.told[0] == "12:00:00 flights: waiting for the log, which lags by 60 s"
    assert world.told[-1] == "12:11:00 flights: r0002 1198 requests, 0 errors, p95 40 ms (600 of 600 s)"


def test_two_endpoints_are_watched_at_the_same_time() -> None:
    world = World()
    targets = [Target(endpoint=name, limits=Limits(), log_lag_s=LAG_S) for name in ("flights", "taxis")]
    plan = Plan(window_s=600, every_s=30, baseline_s=0)
    found = monitor(targets, plan, world.eyes(), world.told.append)
    assert [health.target.endpoint for health in found] == ["flights", "taxis"]
    assert world.passed_s == 600 + LAG_S
