"""The life of a release, from data to live traffic and back, in virtual time."""

import msgspec
import pytest

from shared.domain.analysis import Aspect
from shared.domain.events import Command, JobEnded
from shared.domain.lifecycle import Phase
from shared.domain.observation import JobStatus, Stats
from shared.domain.reasons import Why
from shared.domain.spec import Analysis, NoData, Retrain
from shared.errors import RetryLater
from tests.fakes.examples import a_publication, a_spec, rolled_out
from tests.fakes.platform import Fate
from tests.scenarios.story import Story


def live_story(fates: dict[int, Fate] | None = None) -> Story:
    """A story whose first release is live, and its second one as good unless said otherwise."""
    story = Story({1: Fate(), 2: Fate(), **(fates or {})})
    story.month(1, 2)
    story.passes(60)
    assert story.record.live is not None
    return story


def test_the_first_release_goes_to_all_traffic_after_its_smoke_test() -> None:
    story = live_story()
    assert story.seen_traffic == [{}, {"r0001": 100}]


def test_a_single_part_cannot_be_trained_on_and_held_out() -> None:
    story = Story()
    story.month(1)
    story.passes(60)
    assert story.platform.jobs == {}


def test_a_better_candidate_takes_over_in_the_steps_of_the_spec() -> None:
    story = live_story()
    story.month(3)
    story.passes(60)
    assert story.seen_traffic[1:] == [
        {"r0001": 100},
        {"r0001": 90, "r0002": 10},
        {"r0001": 50, "r0002": 50},
        {"r0002": 100},
    ]


def test_the_old_deployment_is_deleted_once_the_new_one_is_live() -> None:
    story = live_story()
    story.month(3)
    story.passes(60)
    assert story.deployments == {"r0002"}


def test_the_newest_month_is_held_out_whatever_the_order_of_arrival() -> None:
    story = Story()
    story.month(3)
    story.month(1)
    story.month(2)
    story.passes(5)
    manifest = story.platform.jobs["flights-0001-a1"].order.manifest
    assert manifest.held_out == (f"{3:032x}",)


def test_a_worse_candidate_is_refused_and_never_deployed() -> None:
    story = live_story({2: Fate(better=False)})
    story.month(3)
    story.passes(60)
    assert story.record.last is not None
    assert story.record.last.phase is Phase.REJECTED
    assert story.deployments == {"r0001"}


def test_a_refusal_names_both_numbers() -> None:
    story = live_story({2: Fate(better=False)})
    story.month(3)
    story.passes(60)
    assert "from 10 to 12" in story.text_of(Why.GATES_FAILED)


def test_a_failed_job_is_tried_again_under_the_next_attempts_name() -> None:
    story = Story({1: Fate(job=JobStatus.FAILED)})
    story.month(1, 2)
    story.passes(30)
    assert sorted(story.platform.jobs) == ["flights-0001-a1", "flights-0001-a2"]


def test_a_release_fails_when_its_attempts_are_used_up() -> None:
    story = Story({1: Fate(job=JobStatus.FAILED)})
    story.month(1, 2)
    story.passes(30)
    assert story.record.last is not None
    assert story.record.last.phase is Phase.FAILED


def test_a_job_that_takes_too_long_is_canceled() -> None:
    story = Story({1: Fate(job_s=1e6)})
    story.month(1, 2)
    story.passes(180)
    assert Why.TRAINING_TIMED_OUT in story.whys


def test_a_canary_that_answers_errors_is_taken_back() -> None:
    story = live_story({2: Fate(error_share=0.5)})
    story.month(3)
    story.passes(60)
    assert story.record.last is not None
    assert story.record.last.phase is Phase.ROLLED_BACK
    assert story.traffic == {"r0001": 100}


def test_an_artifact_that_was_rolled_back_is_barred() -> None:
    story = live_story({2: Fate(error_share=0.5)})
    story.month(3)
    story.passes(60)
    assert [bar.release for bar in story.record.barred] == [2]


def test_a_deployment_that_cannot_be_provisioned_never_gets_traffic() -> None:
    story = live_story({2: Fate(deploys=False)})
    story.month(3)
    story.passes(60)
    assert story.traffic == {"r0001": 100}
    assert story.deployments == {"r0001"}


def test_a_deployment_that_fails_its_smoke_test_never_gets_traffic() -> None:
    story = live_story({2: Fate(smoke=False)})
    story.month(3)
    story.passes(60)
    assert {name for traffic in story.seen_traffic for name in traffic} == {"r0001"}


def test_a_canary_without_requests_is_held_not_passed() -> None:
    story = live_story({2: Fate(requests_per_s=0)})
    story.month(3)
    story.until(Phase.CANARY)
    story.passes(300)
    assert story.traffic == {"r0001": 90, "r0002": 10}
    assert Why.NO_DATA in story.whys


@pytest.mark.parametrize(("policy", "traffic"), [(NoData.ROLLBACK, {"r0001": 100}), (NoData.PROMOTE, {"r0002": 100})])
def test_silence_ends_as_the_spec_says(policy: NoData, traffic: dict[str, int]) -> None:
    story = Story({2: Fate(requests_per_s=0)}, rolled_out(no_data=policy))
    story.month(1, 2)
    story.passes(60)
    story.month(3)
    story.passes(600)
    assert story.traffic == traffic


def test_a_canary_is_not_taken_back_for_an_outage_of_both() -> None:
    story = live_story()
    story.month(3)
    story.until(Phase.CANARY)
    for fate in (1, 2):
        story.fates[fate].error_share = 0.3
    story.passes(20)
    assert story.record.phase is Phase.CANARY
    for fate in (1, 2):
        story.fates[fate].error_share = 0.0
    story.passes(60)
    assert story.traffic == {"r0002": 100}


def test_a_canary_far_slower_than_the_live_one_is_taken_back() -> None:
    story = live_story({2: Fate(latency_ms=400)})
    story.month(3)
    story.passes(60)
    assert "more than 2 times as long" in story.text_of(Why.ANALYSIS_FAILED)
    assert story.traffic == {"r0001": 100}


def test_a_canary_whose_errors_are_not_judged_says_so() -> None:
    analysis = Analysis(skip=(Aspect.ERRORS,))
    story = Story({2: Fate(error_share=0.5)}, rolled_out(analysis=analysis))
    story.month(1, 2)
    story.passes(60)
    story.month(3)
    story.passes(60)
    assert story.traffic == {"r0002": 100}
    assert "Not judged, as the spec says: errors." in story.text_of(Why.STEP_PASSED)


def undecided_bake(policy: NoData) -> Story:
    """Two in a hundred answers fail: over the limit, and of so few requests that it stays within chance."""
    story = Story({2: Fate(requests_per_s=0.3)}, rolled_out(steps=a_spec().rollout.steps[-1:], no_data=policy))
    story.month(1, 2)
    story.passes(60)
    story.month(3)
    story.until(Phase.BAKING)
    story.fates[2].error_share = 0.02
    story.passes(60)
    assert story.record.phase is Phase.BAKING
    return story


def test_a_bake_that_stays_over_its_limit_within_chance_is_held_for_a_person_in_the_end() -> None:
    story = undecided_bake(NoData.HOLD)
    story.passes(30)
    assert Why.UNDECIDED in story.whys
    assert story.record.phase is Phase.BAKING


def test_such_a_bake_is_taken_back_where_the_spec_says_so() -> None:
    story = undecided_bake(NoData.ROLLBACK)
    story.passes(30)
    assert story.traffic == {"r0001": 100}


def test_no_policy_lets_go_on_what_is_over_a_limit() -> None:
    story = undecided_bake(NoData.PROMOTE)
    story.passes(30)
    assert story.record.phase is Phase.BAKING


def test_a_first_release_that_fails_keeps_serving_because_nothing_else_does() -> None:
    story = Story({1: Fate(error_share=0.5)})
    story.month(1, 2)
    story.passes(60)
    assert story.traffic == {"r0001": 100}
    assert story.record.live is None


def test_the_next_release_takes_over_from_a_first_one_that_failed() -> None:
    story = Story({1: Fate(error_share=0.5)})
    story.month(1, 2)
    story.passes(60)
    story.month(3)
    story.passes(60)
    assert story.traffic == {"r0002": 100}
    assert story.deployments == {"r0002"}


def test_an_alert_mapped_to_retrain_begins_a_release_before_the_batch_is_full() -> None:
    spec = a_spec()
    data = msgspec.structs.replace(spec.data, batch=msgspec.structs.replace(spec.data.batch, min_parts=2))
    story = Story(publication=a_publication(msgspec.structs.replace(spec, data=data)))
    story.month(1, 2)
    story.passes(60)
    story.month(3)
    story.passes(60)
    assert story.record.last_release == 1
    story.alert("mae")
    story.passes(60)
    assert story.record.live is not None
    assert story.record.live.release == 2


def test_an_alert_mapped_to_rollback_takes_a_canary_back() -> None:
    story = live_story()
    story.month(3)
    story.until(Phase.CANARY)
    story.alert("error-rate")
    story.passes(10)
    assert story.traffic == {"r0001": 100}


def test_a_rollback_is_heard_while_the_traffic_log_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    story = live_story()
    story.month(3)
    story.until(Phase.CANARY)

    def silent(*_: object) -> dict[str, Stats]:
        raise RetryLater("Log Analytics does not answer")

    monkeypatch.setattr(story.platform, "stats", silent)
    story.command(Command.ROLLBACK)
    story.passes(10)
    assert story.traffic == {"r0001": 100}


def test_an_alert_that_no_spec_maps_changes_nothing() -> None:
    story = live_story()
    before = story.record.live
    story.alert("cpu")
    story.passes(10)
    assert story.record.live == before
    assert story.whys[-1] is Why.ALERT_UNMAPPED


def test_rolling_back_with_nothing_in_flight_brings_the_version_before_back() -> None:
    story = live_story()
    story.month(3)
    story.passes(60)
    story.command(Command.ROLLBACK, "wrong numbers in the app")
    story.passes(60)
    assert story.record.live is not None
    assert story.record.live.version == 1
    assert story.traffic == {"r0003": 100}


def test_rolling_back_a_live_version_bars_it() -> None:
    story = live_story()
    story.month(3)
    story.passes(60)
    story.command(Command.ROLLBACK)
    story.passes(60)
    assert [bar.release for bar in story.record.barred] == [2]


def test_rolling_back_without_a_version_before_is_refused() -> None:
    story = live_story()
    story.command(Command.ROLLBACK)
    story.passes(10)
    assert story.traffic == {"r0001": 100}
    assert story.whys[-1] is Why.NOTHING_TO_ROLL_BACK_TO


def test_while_paused_no_release_begins() -> None:
    story = live_story()
    story.command(Command.PAUSE)
    story.month(3)
    story.passes(60)
    assert story.record.last_release == 1


def test_resuming_begins_what_waited() -> None:
    story = live_story()
    story.command(Command.PAUSE)
    story.month(3)
    story.passes(60)
    story.command(Command.RESUME)
    story.passes(60)
    assert story.record.live is not None
    assert story.record.live.release == 2


def test_while_paused_a_canary_goes_no_further() -> None:
    story = live_story()
    story.month(3)
    story.until(Phase.CANARY)
    story.command(Command.PAUSE)
    story.passes(120)
    assert story.traffic == {"r0001": 90, "r0002": 10}


def test_while_paused_a_failing_canary_is_still_taken_back() -> None:
    story = live_story({2: Fate(error_share=0.5, requests_per_s=0.2)})
    story.month(3)
    story.until(Phase.CANARY)
    story.command(Command.PAUSE)
    story.passes(120)
    assert story.traffic == {"r0001": 100}


def test_retraining_waits_for_the_cool_down() -> None:
    retrain = Retrain(cooldown_s=7_200, max_runs_per_day=100)
    story = Story(publication=a_publication(msgspec.structs.replace(a_spec(), retrain=retrain)))
    story.month(1, 2)
    story.passes(60)
    story.month(3)
    story.passes(50)
    assert story.record.last_release == 1
    story.passes(30)
    assert story.record.last_release == 2


def test_a_machine_stays_within_the_runs_of_a_day() -> None:
    retrain = Retrain(cooldown_s=0, max_runs_per_day=1)
    story = Story(publication=a_publication(msgspec.structs.replace(a_spec(), retrain=retrain)))
    story.month(1, 2)
    story.passes(60)
    story.month(3)
    story.passes(20 * 60)
    assert story.record.last_release == 1


def test_data_that_was_trained_on_already_is_not_trained_on_again_by_an_alert() -> None:
    story = live_story()
    story.alert("mae")
    story.passes(10)
    assert story.record.last_release == 1
    assert story.whys[-1] is Why.NO_NEW_DATA


def test_a_part_that_arrives_twice_is_one_part() -> None:
    story = Story()
    story.month(1)
    story.clock.move(40 * 86_400)
    story.state.forget_seen("flights", story.clock.now())
    story.month(1)
    story.passes(10)
    assert len(story.record.parts) == 1


def test_a_release_ends_by_the_spec_that_it_began_with() -> None:
    story = live_story()
    story.month(3)
    story.until(Phase.CANARY)
    spec = a_spec()
    strict = msgspec.structs.replace(spec.rollout, steps=spec.rollout.steps[-1:])
    story.publish(a_publication(msgspec.structs.replace(spec, rollout=strict)))
    story.passes(60)
    assert {"r0001": 50, "r0002": 50} in story.seen_traffic


def test_a_pass_that_changes_nothing_writes_nothing() -> None:
    story = live_story()
    before = len(story.state.decisions["flights"])
    for _ in range(5):
        story.reconciler.run("flights")
    assert len(story.state.decisions["flights"]) == before


def test_nudges_do_not_pile_up_while_a_job_runs() -> None:
    story = Story({1: Fate(job_s=3_000)})
    story.month(1, 2)
    story.passes(5)
    for number in range(10):
        story.happens(JobEnded(at=story.clock.now(), job=f"other-{number}", status="completed"))
        story.passes(1)
    assert len(story.nudges.queue) <= 2
