"""What holds a release back: budgets, intervals, quota and places on the endpoint. In virtual time."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from shared.domain.events import Command
from shared.domain.lifecycle import Phase
from shared.domain.observation import JobStatus, QuotaSeen
from shared.domain.reasons import Why
from shared.domain.spec import Freeze, Retrain, Spec
from tests.fakes.examples import ENDPOINT, a_publication, a_spec
from tests.fakes.platform import Deployment, Fate
from tests.scenarios.story import Story

DAY_M = 24 * 60


def guarded(rollout: dict[str, Any] | None = None, retrain: dict[str, Any] | None = None) -> Spec:
    """A spec with these guards."""
    spec = a_spec()
    return msgspec.structs.replace(
        spec,
        rollout=msgspec.structs.replace(spec.rollout, **(rollout or {})),
        retrain=Retrain(**{"cooldown_s": 0, "max_runs_per_day": 100, **(retrain or {})}),
    )


def live_story(spec: Spec, fates: dict[int, Fate] | None = None) -> Story:
    """A story whose first release is live."""
    story = Story(fates, a_publication(spec))
    story.month(1, 2)
    story.passes(60)
    assert story.record.live is not None
    return story


def short_story(**rollout: Any) -> Story:
    """A story with a first release live and a second one whose deployment the quota leaves no room for."""
    story = live_story(guarded(rollout))
    story.platform.quota_seen = QuotaSeen(cores_per_instance=4, free=7, limited_by="Standard DSv2 Family")
    story.month(3)
    story.until(Phase.DEPLOYING)
    return story


def strangers(story: Story, number: int) -> None:
    """So many deployments that Upkeep did not make stand on the endpoint."""
    for index in range(number):
        made = Deployment(version=1, ready=story.clock.now(), fate=Fate())
        story.platform.endpoints[ENDPOINT].deployments[f"theirs-{index}"] = made


# before a release begins


def test_the_cool_down_is_told_once() -> None:
    story = live_story(guarded(retrain={"cooldown_s": 7_200}))
    story.month(3)
    story.passes(30)
    assert story.whys.count(Why.COOLING_DOWN) == 1
    assert "until 2026-01-05 14:00" in story.text_of(Why.COOLING_DOWN)


def test_a_spent_day_is_told_once() -> None:
    story = live_story(guarded(retrain={"max_runs_per_day": 1}))
    story.month(3)
    story.passes(60)
    assert story.whys.count(Why.BUDGET_SPENT) == 1


def test_a_freeze_that_holds_up_a_beginning_is_told_once() -> None:
    freeze = Freeze(days=("mon",), start="12:30", end="18:00")
    story = live_story(msgspec.structs.replace(guarded(), freezes=(freeze,)))
    story.passes(1)
    story.month(3)
    story.passes(60)
    assert story.whys.count(Why.FROZEN) == 1


def test_what_held_a_release_up_is_forgotten_when_it_begins() -> None:
    story = live_story(guarded(retrain={"cooldown_s": 7_200}))
    story.month(3)
    story.passes(90)
    assert (story.record.last_release, story.record.held_up) == (2, "")


# compute hours


def test_a_jobs_own_times_are_charged() -> None:
    story = live_story(guarded(), {1: Fate(job_s=1_800)})
    assert story.record.compute_hours == {"2026-01-05": 0.5}


def test_every_attempt_is_charged() -> None:
    story = Story({1: Fate(job=JobStatus.FAILED, job_s=1_800)}, a_publication(guarded()))
    story.month(1, 2)
    story.passes(120)
    assert story.record.compute_hours == {"2026-01-05": 1.0}


def test_a_job_whose_times_azure_does_not_tell_is_charged_from_its_order_on() -> None:
    story = Story({1: Fate(job_s=1_800)}, a_publication(guarded()))
    story.month(1, 2)
    story.until(Phase.TRAINING)
    story.passes(1)
    story.platform.jobs["flights-0001-a1"].begins = None
    story.passes(60)
    assert story.record.compute_hours["2026-01-05"] == pytest.approx(0.5, abs=0.02)


def test_no_training_begins_when_the_months_hours_are_spent() -> None:
    story = live_story(
        guarded(retrain={"max_compute_hours_per_month": 1.5}), {1: Fate(job_s=3_000), 2: Fate(job_s=3_000)}
    )
    story.month(3)
    story.passes(120)
    assert story.record.last_release == 2
    story.month(4)
    story.passes(120)
    assert story.record.last_release == 2
    assert story.whys.count(Why.COMPUTE_SPENT) == 1


def test_a_month_later_the_hours_are_free_again() -> None:
    story = live_story(guarded(retrain={"max_compute_hours_per_month": 0.5}), {1: Fate(job_s=1_800)})
    story.month(3)
    story.passes(29 * DAY_M)
    assert story.record.last_release == 1
    story.passes(DAY_M)
    assert story.record.last_release == 2


def test_a_person_may_train_past_the_months_hours() -> None:
    story = live_story(guarded(retrain={"max_compute_hours_per_month": 0.5}), {1: Fate(job_s=1_800)})
    story.month(3)
    story.command(Command.RETRAIN, "now")
    story.passes(10)
    assert story.record.last_release == 2


def test_hours_of_older_months_are_not_remembered() -> None:
    story = live_story(guarded(), {1: Fate(job_s=1_800), 2: Fate(job_s=1_800)})
    story.passes(31 * DAY_M)
    story.month(3)
    story.passes(120)
    assert list(story.record.compute_hours) == ["2026-02-05"]


# between two releases


def test_the_next_version_takes_no_traffic_before_the_interval_is_over() -> None:
    story = live_story(guarded({"min_interval_s": 4 * 3_600}))
    story.month(3)
    story.passes(3 * 60)
    assert (story.record.phase, story.traffic) == (Phase.TESTING, {"r0001": 100})
    assert story.whys.count(Why.TOO_SOON) == 1
    story.passes(120)
    assert story.traffic == {"r0002": 100}


def test_a_person_may_lift_the_interval() -> None:
    story = live_story(guarded({"min_interval_s": 4 * 3_600}))
    story.month(3)
    story.until(Phase.TESTING)
    story.passes(1)
    story.command(Command.PROMOTE, "hot fix")
    story.passes(60)
    assert story.traffic == {"r0002": 100}


def test_a_rollback_does_not_wait_for_the_interval() -> None:
    story = live_story(guarded({"min_interval_s": 4 * 3_600}))
    story.month(3)
    story.passes(6 * 60)
    story.command(Command.ROLLBACK)
    story.passes(60)
    assert story.record.live is not None
    assert story.record.live.version == 1


# quota and places


def test_a_deployment_that_the_quota_has_no_room_for_is_not_ordered() -> None:
    story = short_story()
    story.passes(60)
    assert story.deployments == {"r0001"}
    assert story.whys.count(Why.QUOTA_SHORT) == 1


def test_cores_are_counted_as_azure_reserves_them() -> None:
    """One instance of four cores takes ceil(1.2 x 1) x 4 = 8."""
    story = short_story()
    story.passes(1)
    assert "needs 8 cores" in story.text_of(Why.QUOTA_SHORT)


def test_a_deployment_is_ordered_once_there_is_room() -> None:
    story = short_story()
    story.passes(60)
    story.platform.quota_seen = QuotaSeen(cores_per_instance=4, free=8)
    story.passes(60)
    assert story.traffic == {"r0002": 100}


def test_a_release_that_waited_too_long_for_quota_fails_and_touches_nothing() -> None:
    story = short_story(max_wait_s=3_600)
    story.passes(90)
    assert story.record.last is not None
    assert story.record.last.phase is Phase.FAILED
    assert (story.traffic, story.deployments, story.record.barred) == ({"r0001": 100}, {"r0001"}, ())


def test_time_spent_waiting_for_quota_is_not_time_to_provision() -> None:
    story = short_story(deploy_timeout_s=300)
    story.passes(60)
    story.platform.quota_seen = QuotaSeen(cores_per_instance=4, free=8)
    story.passes(60)
    assert story.traffic == {"r0002": 100}


def test_a_quota_that_cannot_be_read_is_told_and_holds_nothing() -> None:
    story = live_story(guarded())
    story.platform.quota_seen = QuotaSeen(problem="refused with 403")
    story.month(3)
    story.passes(60)
    assert story.traffic == {"r0002": 100}
    assert "refused with 403" in story.text_of(Why.QUOTA_UNKNOWN)


def test_while_paused_no_deployment_is_ordered_and_none_times_out() -> None:
    story = live_story(guarded({"deploy_timeout_s": 600}))
    story.month(3)
    story.until(Phase.TRAINING)
    story.command(Command.PAUSE)
    story.passes(60)
    assert (story.record.phase, story.deployments) == (Phase.DEPLOYING, {"r0001"})
    story.command(Command.RESUME)
    story.passes(60)
    assert story.traffic == {"r0002": 100}


def test_a_full_endpoint_is_told_and_nobody_elses_deployment_is_deleted() -> None:
    story = live_story(guarded({"max_wait_s": 3_600}))
    strangers(story, 19)
    story.month(3)
    story.passes(180)
    assert story.record.last is not None
    assert story.record.last.phase is Phase.FAILED
    assert story.whys.count(Why.ENDPOINT_FULL) == 2  # when the wait began, and when it ended
    assert len(story.deployments) == 20


def test_on_a_full_endpoint_a_deployment_of_ours_that_nothing_needs_makes_room() -> None:
    story = live_story(guarded())
    strangers(story, 18)
    story.month(3)
    story.until(Phase.TRAINING)
    late = Deployment(version=1, ready=story.clock.now() - timedelta(minutes=1), fate=Fate())
    story.platform.endpoints[ENDPOINT].deployments["r0000"] = late
    story.passes(60)
    assert story.traffic == {"r0002": 100}
    assert late.gone is not None


def test_an_order_tells_what_it_takes() -> None:
    story = live_story(guarded())
    assert story.text_of(Why.DEPLOYMENT_ORDERED) == "r0001 is ordered: it needs 8 cores, and 1000 are free."
