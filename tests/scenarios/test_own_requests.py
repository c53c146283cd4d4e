"""Requests that Upkeep sends itself: a load test before any user, and probes where users are too few."""

from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest

from shared.domain.events import Command
from shared.domain.lifecycle import Phase
from shared.domain.publication import Publication
from shared.domain.reasons import Why
from shared.domain.sample import Sample
from shared.domain.spec import Analysis, NoData
from shared.domain.spec_evidence import LoadTest, Probe
from shared.domain.tally import Burst, Tally
from shared.errors import RetryLater
from tests.fakes.examples import ENDPOINT, MODEL, rolled_out
from tests.fakes.platform import Deployment, Fate
from tests.scenarios.story import Story

LOAD = LoadTest(duration_s=12, requests_per_s=20, max_latency_p95_ms=100, max_error_rate_pct=1.0)


def loaded(plan: LoadTest = LOAD) -> Publication:
    return rolled_out(load_test=plan)


def first_release(fate: Fate, plan: LoadTest = LOAD) -> Story:
    story = Story({1: fate}, loaded(plan))
    story.month(1, 2)
    return story


def test_a_deployment_that_bears_its_load_goes_on_and_the_numbers_are_told() -> None:
    story = first_release(Fate())
    story.passes(60)
    assert story.traffic == {"r0001": 100}
    assert story.text_of(Why.LOAD_TEST_PASSED) == "240 sample requests in 12 s, 0 failed, p95 40 ms."


def test_the_load_comes_in_bursts_of_a_few_seconds_one_a_pass() -> None:
    story = first_release(Fate())
    story.passes(60)
    assert [burst.seconds for _, burst in story.platform.bursts] == [5.0, 5.0, 2.0]


@pytest.mark.parametrize(
    ("fate", "told"),
    [
        (Fate(answer_ms=250.0), "the 95th percentile of latency was 2"),
        (Fate(own_errors=0.05), "10 of 200 requests failed (503); the limit is 1 %"),
        (Fate(own_malformed=0.05), "10 of 200 requests failed (200 the answer holds NaN); the limit is 1 %"),
    ],
)
def test_a_deployment_that_does_not_bear_it_never_reaches_a_user(fate: Fate, told: str) -> None:
    story = first_release(fate)
    story.passes(60)
    assert story.seen_traffic == [{}]
    assert told in story.text_of(Why.LOAD_TEST_FAILED)


def test_errors_that_prove_it_end_each_try_early() -> None:
    story = first_release(Fate(own_errors=0.5))
    story.passes(60)
    assert len(story.platform.bursts) == LOAD.tries


def test_a_busy_minute_costs_a_try_and_not_the_model() -> None:
    story = first_release(Fate(answer_ms=250.0))

    def quieten(point: str) -> None:
        if point == "after burst" and len(story.platform.bursts) == 3:
            story.fates[1].answer_ms = 40.0

    story.platform.interrupt = quieten
    story.passes(60)
    assert story.traffic == {"r0001": 100}
    assert story.text_of(Why.LOAD_TEST_REPEATED).endswith("the limit is 100 ms. Try 2 of 2.")
    assert story.text_of(Why.LOAD_TEST_PASSED) == "240 sample requests in 12 s, 0 failed, p95 40 ms."


def test_one_try_is_the_last_where_the_spec_says_so() -> None:
    story = first_release(Fate(answer_ms=250.0), msgspec.structs.replace(LOAD, tries=1))
    story.passes(60)
    assert Why.LOAD_TEST_REPEATED not in story.whys
    assert story.seen_traffic == [{}]


class Died(BaseException):
    """The process ended here: nothing of ours runs after it."""


def test_a_pass_that_dies_after_its_burst_costs_that_burst_alone() -> None:
    story, deaths = first_release(Fate()), list[str]()

    def die(point: str) -> None:
        if point == "after burst" and not deaths:
            deaths.append(point)
            raise Died

    story.platform.interrupt = die
    with pytest.raises(Died):
        story.passes(60)
    story.nudges.send(MODEL, 120, None)  # as the sweep would
    story.passes(60)
    assert [burst.seconds for _, burst in story.platform.bursts] == [5.0, 5.0, 5.0, 2.0]
    assert story.text_of(Why.LOAD_TEST_PASSED).startswith("240 sample requests in 12 s")


def test_a_version_that_is_brought_back_is_not_loaded_first() -> None:
    story = first_release(Fate())
    story.passes(60)
    story.month(3)
    story.passes(60)
    before = len(story.platform.bursts)
    story.command(Command.ROLLBACK)
    story.passes(60)
    assert len(story.platform.bursts) == before
    assert story.traffic == {"r0003": 100}


def test_a_pause_holds_it_after_the_test_and_does_not_repeat_it() -> None:
    story = first_release(Fate())
    story.until(Phase.DEPLOYING)
    story.command(Command.PAUSE)
    story.passes(30)
    assert story.record.phase is Phase.TESTING
    assert len(story.platform.bursts) == 3
    story.command(Command.RESUME)
    story.passes(30)
    assert story.traffic == {"r0001": 100}


# probes


def quiet(fate: Fate, probe: Probe | None = None) -> Story:
    """A live first release; the second one's canary gets no requests at all."""
    publication = rolled_out(
        no_data=NoData.PROBE,
        probe=probe or Probe(requests=40, requests_per_s=2),
        analysis=Analysis(max_latency_p95_ms=100),
        max_hold_s=600,
    )
    story = Story({1: Fate(requests_per_s=0), 2: fate}, publication)
    story.month(1, 2)
    story.passes(60)
    story.month(3)
    story.until(Phase.CANARY)
    return story


def test_without_users_sample_requests_let_a_good_candidate_go_live() -> None:
    story = quiet(Fate(requests_per_s=0))
    story.passes(120)
    assert story.traffic == {"r0002": 100}
    told = story.text_of(Why.PROBED)
    assert told.startswith("By 40 sample requests of Upkeep's own: 0 failed, p95 40 ms.")


def test_what_probes_say_is_marked_as_synthetic() -> None:
    story = quiet(Fate(requests_per_s=0))
    story.passes(120)
    facts = story.facts_of(Why.PROBED)
    assert (facts["synthetic"], facts["probe_requests"]) == (True, 40)
    assert "requests" not in facts


def test_candidate_and_live_deployment_get_the_same_number_at_a_low_rate() -> None:
    story = quiet(Fate(requests_per_s=0))
    story.until_why(Why.PROBED)
    sent = [name for name, _ in story.platform.bursts]
    assert sent.count("r0001") == sent.count("r0002") == 4
    assert all(burst.per_s == 2 and burst.seconds <= 5 for _, burst in story.platform.bursts)


def test_probes_begin_only_when_users_were_waited_for() -> None:
    story = quiet(Fate(requests_per_s=0))
    began = story.clock.now()
    story.until_why(Why.PROBING)
    assert story.clock.now() - began >= timedelta(seconds=120 + 600)


@pytest.mark.parametrize(
    ("fate", "told"),
    [
        (Fate(requests_per_s=0, own_errors=0.5), "failed (503); the limit is 1 %"),
        (Fate(requests_per_s=0, own_malformed=0.5), "(200 the answer holds NaN)"),
        (Fate(requests_per_s=0, answer_ms=300), "the 95th percentile of latency is"),
    ],
)
def test_a_candidate_that_fails_its_probes_is_taken_back(fate: Fate, told: str) -> None:
    story = quiet(fate)
    story.passes(120)
    assert story.traffic == {"r0001": 100}
    assert told in story.text_of(Why.ANALYSIS_FAILED)


def test_probes_that_could_fail_by_chance_alone_are_left_to_a_person() -> None:
    story = quiet(Fate(requests_per_s=0, own_errors=0.1), Probe(requests=20, requests_per_s=2))
    story.passes(240)
    assert story.record.phase is Phase.CANARY
    assert Why.UNDECIDED in story.whys


def test_users_that_come_after_all_decide_and_not_the_probes() -> None:
    fate = Fate(requests_per_s=0)
    story = quiet(fate)

    def arrive(point: str) -> None:
        if point == "after burst":
            fate.requests_per_s = 50.0

    story.platform.interrupt = arrive
    story.passes(60)
    assert Why.PROBING in story.whys
    assert Why.PROBED not in story.whys
    assert Why.STEP_PASSED in story.whys


def test_each_step_is_probed_anew() -> None:
    story = quiet(Fate(requests_per_s=0))
    story.passes(240)
    steps_and_bake = 4
    assert story.whys.count(Why.PROBED) == steps_and_bake


# they are bounded

MOST = 8
"""Bursts that 40 requests at 2 a second are, for two deployments."""


STARTED = 6
"""So many are sent when something happens during the third: that pass's other one, and those of the next look."""


def interrupted(story: Story, happens: Callable[[], None]) -> None:
    """Something happens during the third burst. Bursts take their time; far too many of them end the story."""

    def interrupt(point: str) -> None:
        if point == "after burst":
            story.clock.move_to(story.clock.now() + timedelta(seconds=2))
            assert len(story.platform.bursts) <= 5 * MOST
            if len(story.platform.bursts) == 3:
                happens()

    story.platform.interrupt = interrupt


def sent(story: Story) -> int:
    return len(story.platform.bursts)


def test_a_pause_stops_them_and_they_are_sent_to_their_end_after_it() -> None:
    story = quiet(Fate(requests_per_s=0))
    interrupted(story, lambda: story.command(Command.PAUSE))
    story.passes(240)
    assert sent(story) <= STARTED
    story.command(Command.RESUME)
    story.until_why(Why.PROBED)
    assert sent(story) == MOST


def test_a_pause_stops_them_though_users_came_meanwhile() -> None:
    fate = Fate(requests_per_s=0)
    story = quiet(fate)

    def happens() -> None:
        story.command(Command.PAUSE)
        fate.requests_per_s = 50.0

    interrupted(story, happens)
    story.passes(240)
    assert sent(story) <= STARTED
    assert story.record.phase is Phase.CANARY


def test_a_suspicion_that_users_bring_stops_them() -> None:
    fate = Fate(requests_per_s=0)
    story = quiet(fate)

    def happens() -> None:
        fate.requests_per_s, fate.error_share = 0.3, 0.05

    interrupted(story, happens)
    story.passes(240)
    assert sent(story) <= MOST
    assert Why.UNDECIDED in story.whys


def test_a_change_by_hand_stops_them() -> None:
    story = quiet(Fate(requests_per_s=0))

    def happens() -> None:
        story.platform.endpoints[ENDPOINT].traffic = {"r0001": 70, "r0002": 30}

    interrupted(story, happens)
    story.passes(240)
    assert sent(story) <= STARTED


def test_a_change_by_hand_stops_a_load_test_too() -> None:
    story = first_release(Fate())
    story.passes(60)
    story.month(3)
    before = sent(story)

    def interrupt(point: str) -> None:
        if point == "after burst":
            assert sent(story) <= before + 5
            story.platform.endpoints[ENDPOINT].deployments["green"] = Deployment(2, story.clock.now(), Fate())
            story.platform.endpoints[ENDPOINT].traffic = {"green": 100}

    story.platform.interrupt = interrupt
    story.passes(240)
    assert story.record.phase is Phase.TESTING
    assert sent(story) <= before + 2


def test_a_live_deployment_that_cannot_be_asked_does_not_cost_the_candidate_more_than_its_share(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    story = quiet(Fate(requests_per_s=0))
    burst, told = story.platform.burst, "scoring on r0001: the endpoint could not be reached"

    def to_candidate(endpoint: str, deployment: str, sample: Sample, order: Burst) -> Tally:
        if deployment == "r0001":
            raise RetryLater(told)
        return burst(endpoint, deployment, sample, order)

    monkeypatch.setattr(story.platform, "burst", to_candidate)
    story.passes(240)
    assert sent(story) == MOST / 2
    assert story.record.release is not None
    assert story.record.release.waiting == f"Cannot be seen: {told}"
    assert story.whys.count(Why.UNREADABLE) == 1
    monkeypatch.undo()
    story.until_why(Why.PROBED)
    assert sent(story) == MOST
