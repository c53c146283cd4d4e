"""An endpoint passes, fails, or has shown too little; silence is never a pass."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.health import (
    Aspect,
    Check,
    Limits,
    ReleaseSeen,
    Seen,
    Verdict,
    Window,
    judge,
    overall,
)
from shared.domain.lifecycle import Phase
from shared.domain.observation import DeploymentState, EndpointSeen, Stats, TrafficSeen
from shared.domain.record import Outcome
from shared.domain.statistics import difference

SINCE = datetime(2026, 1, 5, 12, tzinfo=UTC)
END = SINCE + timedelta(minutes=10)
LIMITS = Limits(max_error_rate_pct=1.0, max_error_rate_ratio=2.0, max_latency_p95_ms=500, min_requests=100)
GOOD = Stats(requests=600, errors=0, latency_p95_ms=80)
BEFORE = Stats(requests=3_600, errors=2, latency_p95_ms=70)


def seen(
    *, before: Stats | None = BEFORE, shares: dict[str, int] | None = None, failed: str = "", **stats: Stats
) -> Seen:
    traffic = {"r0002": 100} if shares is None else shares
    states = {name: DeploymentState.FAILED if name == failed else DeploymentState.READY for name in traffic}
    return Seen(
        since=SINCE,
        now=TrafficSeen(start=SINCE, end=END, stats=stats),
        before=Window(start=SINCE - timedelta(hours=1), end=SINCE, stats=before) if before else None,
        endpoint=EndpointSeen(exists=True, traffic=traffic, deployments=states),
        served=tuple(traffic),
    )


def verdict(at: Seen, limits: Limits = LIMITS) -> Verdict:
    return overall(check.verdict for check in judge(limits, at))


def found(at: Seen, aspect: Aspect, of: str = "r0002", limits: Limits = LIMITS) -> Check:
    return next(check for check in judge(limits, at) if check.aspect is aspect and check.of == of)


class TestErrors:
    def test_enough_good_answers_pass(self) -> None:
        assert verdict(seen(r0002=GOOD)) is Verdict.PASS

    def test_a_rate_over_the_limit_fails(self) -> None:
        check = found(seen(r0002=Stats(requests=600, errors=7)), Aspect.ERROR_RATE)
        assert check.verdict is Verdict.FAIL
        assert check.text == "7 of 600 requests failed (1.17 %); the limit is 1 %."

    def test_a_rate_just_over_the_limit_may_yet_come_down(self) -> None:
        assert not found(seen(r0002=Stats(requests=600, errors=7)), Aspect.ERROR_RATE).plain

    def test_a_broken_deployment_is_plain_after_few_requests(self) -> None:
        check = found(seen(r0002=Stats(requests=8, errors=8)), Aspect.ERROR_RATE)
        assert (check.verdict, check.plain) == (Verdict.FAIL, True)

    def test_one_unlucky_answer_among_few_is_no_verdict(self) -> None:
        assert found(seen(r0002=Stats(requests=2, errors=1)), Aspect.ERROR_RATE).verdict is Verdict.NO_DATA

    def test_a_canary_that_fails_is_not_hidden_by_the_others(self) -> None:
        few = Stats(requests=200, errors=20, latency_p95_ms=80)
        at = seen(shares={"r0001": 90, "r0002": 10}, r0001=GOOD, r0002=few)
        assert (verdict(at), found(at, Aspect.ERROR_RATE, "r0001").verdict) == (Verdict.FAIL, Verdict.PASS)


class TestTheWindowBefore:
    def test_a_rate_under_the_limit_that_has_plainly_risen_fails(self) -> None:
        check = found(seen(r0002=Stats(requests=2_000, errors=15)), Aspect.ERROR_RATE_RISE)
        assert check.verdict is Verdict.FAIL
        assert "15 of 2000 requests failed (0.75 %); before: 2 of 3600 requests failed (0.06 %)" in check.text

    def test_a_rise_that_chance_explains_passes(self) -> None:
        at = seen(r0002=Stats(requests=600, errors=3), before=Stats(requests=600, errors=1))
        assert found(at, Aspect.ERROR_RATE_RISE).verdict is Verdict.PASS

    def test_a_sure_rise_that_is_small_passes(self) -> None:
        at = seen(
            r0002=Stats(requests=1_000_000, errors=600, latency_p95_ms=80),
            before=Stats(requests=1_000_000, errors=400),
        )
        assert found(at, Aspect.ERROR_RATE_RISE).verdict is Verdict.PASS

    def test_a_rate_that_was_bad_before_is_no_rise(self) -> None:
        at = seen(r0002=Stats(requests=600, errors=30), before=Stats(requests=600, errors=30))
        assert found(at, Aspect.ERROR_RATE_RISE).verdict is Verdict.PASS
        assert found(at, Aspect.ERROR_RATE).verdict is Verdict.FAIL

    def test_a_slower_percentile_fails_under_the_absolute_limit(self) -> None:
        at = seen(r0002=Stats(requests=600, errors=0, latency_p95_ms=190))
        assert found(at, Aspect.LATENCY_P95_RISE).verdict is Verdict.FAIL
        assert found(at, Aspect.LATENCY_P95).verdict is Verdict.PASS

    def test_a_few_milliseconds_more_are_no_rise(self) -> None:
        at = seen(
            r0002=Stats(requests=600, errors=0, latency_p95_ms=40),
            before=Stats(requests=600, errors=0, latency_p95_ms=5),
        )
        assert found(at, Aspect.LATENCY_P95_RISE).verdict is Verdict.PASS

    @pytest.mark.parametrize("before", [None, Stats(requests=0, errors=0)])
    def test_an_endpoint_that_is_new_is_not_compared(self, before: Stats | None) -> None:
        checks = judge(LIMITS, seen(r0002=GOOD, before=before))
        assert not {Aspect.ERROR_RATE_RISE, Aspect.LATENCY_P95_RISE} & {check.aspect for check in checks}
        assert overall(check.verdict for check in checks) is Verdict.PASS


class TestNoData:
    def test_silence_is_no_data(self) -> None:
        assert verdict(seen()) is Verdict.NO_DATA

    def test_nothing_seen_at_all_is_no_data(self) -> None:
        assert verdict(Seen(since=SINCE)) is Verdict.NO_DATA

    def test_few_requests_are_no_data_and_say_how_many_are_needed(self) -> None:
        check = found(seen(r0002=Stats(requests=9, errors=0)), Aspect.REQUESTS, of="")
        assert check.verdict is Verdict.NO_DATA
        assert check.text == (
            "9 requests (0.9 a minute); before: 3600 (60.0 a minute); at least 100 are needed to judge by."
        )

    def test_few_requests_of_a_deployment_are_no_data_though_the_other_has_many(self) -> None:
        at = seen(shares={"r0001": 99, "r0002": 1}, r0001=GOOD, r0002=Stats(requests=5, errors=0))
        assert verdict(at) is Verdict.NO_DATA

    def test_a_slow_answer_among_few_is_no_data(self) -> None:
        at = seen(r0002=Stats(requests=5, errors=0, latency_p95_ms=9_000))
        assert found(at, Aspect.LATENCY_P95).verdict is Verdict.NO_DATA

    def test_what_could_not_be_seen_is_no_data(self) -> None:
        blind = Seen(since=SINCE, unseen=("The log does not answer.",))
        assert [(check.verdict, check.text) for check in judge(LIMITS, blind)] == [
            (Verdict.NO_DATA, "The log does not answer.")
        ]

    def test_a_failure_weighs_more_than_what_is_missing(self) -> None:
        assert overall([Verdict.PASS, Verdict.NO_DATA, Verdict.FAIL]) is Verdict.FAIL


class TestWhoIsJudged:
    def test_requests_to_a_deployment_without_live_traffic_are_nobodys_trouble(self) -> None:
        assert verdict(seen(r0002=GOOD, r0003=Stats(requests=500, errors=500))) is Verdict.PASS

    def test_a_deployment_that_lost_its_traffic_meanwhile_still_fails(self) -> None:
        at = seen(r0002=GOOD, r0001=Stats(requests=50, errors=25))
        left = Seen(since=SINCE, now=at.now, before=at.before, endpoint=at.endpoint, served=("r0001", "r0002"))
        assert found(left, Aspect.ERROR_RATE, "r0001").verdict is Verdict.FAIL

    def test_a_deployment_that_lost_its_traffic_meanwhile_is_not_waited_for(self) -> None:
        at = seen(r0002=GOOD, r0001=Stats(requests=5, errors=0))
        left = Seen(since=SINCE, now=at.now, before=at.before, endpoint=at.endpoint, served=("r0001", "r0002"))
        assert verdict(left) is Verdict.PASS


class TestThePlatform:
    def test_an_endpoint_that_lost_all_live_traffic_fails(self) -> None:
        check = found(seen(shares={}), Aspect.TRAFFIC, of="")
        assert (check.verdict, check.text) == (
            Verdict.FAIL,
            "No deployment has live traffic; before, there were 3600 requests.",
        )

    def test_an_endpoint_that_never_had_traffic_is_no_data(self) -> None:
        assert found(seen(shares={"r0002": 0}, before=None), Aspect.TRAFFIC, of="").verdict is Verdict.NO_DATA

    def test_an_endpoint_that_is_gone_fails_plainly(self) -> None:
        gone = Seen(since=SINCE, endpoint=EndpointSeen(exists=False))
        assert found(gone, Aspect.TRAFFIC, of="").plain

    def test_live_traffic_on_a_failed_deployment_fails(self) -> None:
        check = found(seen(failed="r0002", r0002=GOOD), Aspect.TRAFFIC, of="")
        assert (check.verdict, check.plain) == (Verdict.FAIL, True)


class TestTheRelease:
    def judged(self, release: ReleaseSeen) -> Check:
        return found(Seen(since=SINCE, release=release), Aspect.RELEASE, of="")

    def ended(self, phase: Phase, at: datetime) -> Outcome:
        return Outcome(release=2, phase=phase, at=at, text="8 of 8 requests failed.")

    def test_a_release_that_was_rolled_back_meanwhile_fails(self) -> None:
        last = self.ended(Phase.ROLLED_BACK, SINCE + timedelta(seconds=5))
        check = self.judged(ReleaseSeen(phase=Phase.COLLECTING, last=last))
        assert (check.verdict, check.plain) == (Verdict.FAIL, True)
        assert check.text == "Release 2 was rolled back in the meantime: 8 of 8 requests failed."

    def test_one_that_is_being_rolled_back_fails(self) -> None:
        assert self.judged(ReleaseSeen(phase=Phase.ROLLING_BACK, number=2)).verdict is Verdict.FAIL

    def test_one_that_was_rolled_back_earlier_is_told_and_passes(self) -> None:
        last = self.ended(Phase.ROLLED_BACK, SINCE - timedelta(seconds=1))
        check = self.judged(ReleaseSeen(phase=Phase.COLLECTING, last=last))
        assert (check.verdict, check.text) == (
            Verdict.PASS,
            "No release is in flight; release 2 was the last to end: rolled back.",
        )

    def test_one_in_its_canary_is_told(self) -> None:
        check = self.judged(ReleaseSeen(phase=Phase.CANARY, number=3))
        assert check.text == "Release 3 is in flight: canary."


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [((56, 70), (48, 80), 0.0524, 0.3339), ((9, 10), (3, 10), 0.1705, 0.8090), ((10, 10), (0, 10), 0.6075, 1.0)],
)
def test_the_difference_agrees_with_published_values(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    """Newcombe (1998), table II, method 10."""
    assert difference(*first, *second) == pytest.approx((low, high), abs=5e-5)


def test_a_difference_from_nothing_can_be_anything() -> None:
    assert difference(5, 5, 0, 0) == (-1.0, 1.0)
