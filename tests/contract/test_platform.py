"""What the reconciler may expect of a Platform, whoever plays it."""

from collections.abc import Callable
from uuid import uuid4

import msgspec
import pytest

from shared.domain.actions import SetStage, SetTraffic, ShareModel
from shared.domain.observation import DeploymentState, JobStatus, SharedSeen
from shared.domain.sample import Sample
from shared.domain.split import Split
from shared.domain.stages import Stage
from shared.domain.tally import Burst
from shared.errors import LostRace, NeedsPerson, RetryLater
from tests.contract.platforms import Bench

pytestmark = pytest.mark.timeout(300)


def a_deployment() -> str:
    """A deployment's name that no other test has used: the endpoint is shared."""
    return f"r{uuid4().int % 10**9:09d}"


def test_a_job_that_ended_tells_when_it_ran(bench: Bench) -> None:
    job = bench.order().job
    bench.platform.submit_job(bench.order(), bench.publication)
    bench.until(lambda: bench.platform.job(job).status is JobStatus.RUNNING)
    bench.platform.cancel_job(job)
    bench.until(lambda: bench.platform.job(job).status is JobStatus.CANCELED)
    seen = bench.platform.job(job)
    assert seen.started is not None
    assert seen.ended is not None
    assert (seen.started <= seen.ended, seen.nodes) == (True, 1)


def test_the_quota_of_a_size_is_told_in_cores(bench: Bench) -> None:
    seen = bench.platform.quota("Standard_DS3_v2")
    assert (seen.cores_per_instance, seen.problem) == (4, "")
    assert seen.free is not None
    assert seen.free > 0


def test_a_size_that_nobody_knows_has_no_quota_but_a_problem(bench: Bench) -> None:
    seen = bench.platform.quota("Standard_None")
    assert (seen.free, bool(seen.problem)) == (None, True)


def test_a_job_that_nobody_submitted_is_absent(bench: Bench) -> None:
    assert bench.platform.job(f"{bench.model}-0001-a1").status is JobStatus.ABSENT


def test_a_submitted_job_is_there_and_ours(bench: Bench) -> None:
    bench.platform.submit_job(bench.order(), bench.publication)
    seen = bench.platform.job(f"{bench.model}-0001-a1")
    assert (seen.status in {JobStatus.WAITING, JobStatus.RUNNING}, seen.ours) == (True, True)


def test_submitting_a_job_twice_is_submitting_it_once(bench: Bench) -> None:
    bench.platform.submit_job(bench.order(), bench.publication)
    bench.platform.submit_job(bench.order(), bench.publication)
    assert bench.platform.job(f"{bench.model}-0001-a1").status is not JobStatus.ABSENT


def test_a_canceled_job_ends_canceled(bench: Bench) -> None:
    job = bench.order().job
    bench.platform.submit_job(bench.order(), bench.publication)
    bench.platform.cancel_job(job)
    bench.until(lambda: bench.platform.job(job).status is JobStatus.CANCELED)


def test_a_version_that_nobody_registered_does_not_exist(bench: Bench) -> None:
    assert not bench.platform.model(bench.model, 7).exists


def test_a_registered_version_tells_its_job(bench: Bench) -> None:
    bench.register(1, "job-a")
    assert bench.platform.model(bench.model, 1) == msgspec.structs.replace(
        bench.platform.model(bench.model, 1), exists=True, job="job-a"
    )


def test_registering_a_version_twice_from_one_job_is_fine(bench: Bench) -> None:
    bench.register(1, "job-a")
    bench.register(1, "job-a")
    assert bench.platform.model(bench.model, 1).job == "job-a"


def test_a_version_that_comes_from_another_job_needs_a_person(bench: Bench) -> None:
    bench.register(1, "job-a")
    with pytest.raises(NeedsPerson):
        bench.register(1, "job-b")
    assert bench.platform.model(bench.model, 1).job == "job-a"


def test_a_version_is_registered_for_development(bench: Bench) -> None:
    bench.register(1, "job-a")
    assert bench.platform.model(bench.model, 1).stage == "Development"


def test_the_stage_of_a_version_is_changed_and_its_job_stays(bench: Bench) -> None:
    bench.register(1, "job-a")
    for stage in (Stage.PRODUCTION, Stage.PRODUCTION, Stage.ARCHIVED):
        bench.platform.set_stage(bench.model, SetStage(version=1, stage=stage))
        seen = bench.platform.model(bench.model, 1)
        assert (seen.exists, seen.stage, seen.job) == (True, stage, "job-a")


def test_the_stage_of_a_version_that_is_not_there_is_nothing_to_change(bench: Bench) -> None:
    bench.platform.set_stage(bench.model, SetStage(version=7, stage=Stage.PRODUCTION))
    assert not bench.platform.model(bench.model, 7).exists


def test_a_version_that_nobody_shared_is_not_in_the_registry(bench: Bench) -> None:
    assert bench.platform.shared(bench.registry, bench.model, 7) == SharedSeen(exists=False, version=7)


def test_a_registry_without_a_version_of_the_model_has_no_newest_one(bench: Bench) -> None:
    assert not bench.platform.shared(bench.registry, bench.model, 0).exists


def test_a_shared_version_bears_the_lineage_that_it_was_registered_with(bench: Bench) -> None:
    bench.register(1, "job-a")
    bench.share(1)
    seen = bench.platform.shared(bench.registry, bench.model, 1)
    assert (seen.exists, seen.version, seen.marks["upkeep_folder_sha256"]) == (True, 1, "f" * 64)


def test_the_newest_shared_version_is_that_of_the_highest_number(bench: Bench) -> None:
    for version in (9, 10, 2):
        bench.register(version, f"job-{version}")
        bench.share(version)
    assert bench.platform.shared(bench.registry, bench.model, 0).version == 10


def test_sharing_a_version_again_changes_nothing(bench: Bench) -> None:
    bench.register(1, "job-a")
    bench.share(1)
    before = bench.platform.shared(bench.registry, bench.model, 1)
    bench.platform.share_model(bench.model, ShareModel(version=1, registry=bench.registry))
    assert bench.platform.shared(bench.registry, bench.model, 1) == before


def test_a_shared_version_hashes_to_what_it_hashed_to_where_it_was_trained(bench: Bench) -> None:
    bench.register(1, "job-a")
    bench.share(1)
    here = bench.archive.artifact(bench.model, "job-a")
    there = bench.platform.shared_artifact(bench.registry, bench.model, 1)
    assert there.sha256 == here.sha256 != ""


def test_a_version_that_is_not_in_the_registry_cannot_be_hashed(bench: Bench) -> None:
    assert bench.platform.shared_artifact(bench.registry, bench.model, 7).problem


def test_a_shared_version_is_deployed_from_the_registry(bench: Bench) -> None:
    bench.register(1, "job-a")
    bench.share(1)
    name = a_deployment()
    _insist(bench, lambda: bench.deploy(name, 1, bench.registry))

    def state() -> DeploymentState | None:
        return bench.platform.endpoint(bench.endpoint).deployments.get(name)

    bench.until(lambda: state() is not DeploymentState.CHANGING)
    assert state() is DeploymentState.READY
    _insist(bench, lambda: bench.platform.delete_deployment(bench.endpoint, name))


def test_an_endpoint_that_nobody_made_does_not_exist(bench: Bench) -> None:
    assert not bench.platform.endpoint(f"no-{bench.model}").exists


def test_traffic_for_a_deployment_that_is_not_there_is_to_be_tried_later(bench: Bench) -> None:
    with pytest.raises(RetryLater):
        bench.platform.set_traffic(bench.endpoint, SetTraffic(traffic={a_deployment(): 100}, before=split_of(bench)))


def test_deleting_a_deployment_that_is_not_there_is_fine(bench: Bench) -> None:
    name = a_deployment()
    _insist(bench, lambda: bench.platform.delete_deployment(bench.endpoint, name))
    assert name not in bench.platform.endpoint(bench.endpoint).deployments


def test_a_deployment_becomes_ready_scores_takes_traffic_and_goes(bench: Bench) -> None:
    # One walk: to begin each step anew would deploy five times.
    first, second = a_deployment(), a_deployment()
    bench.register(1, "job-a")
    _deploy(bench, first)
    _deploy(bench, second)
    assert bench.platform.endpoint(bench.endpoint).traffic.get(first, 0) == 0
    sample = Sample(request='{"data": []}')
    assert bench.platform.smoke(bench.endpoint, first, sample).ok
    tally = bench.platform.burst(bench.endpoint, first, sample, Burst(seconds=1, per_s=10, at_once=4))
    assert (tally.requests, tally.bad, tally.seconds) == (10, 0, 1)
    assert tally.quantile_ms(0.95) is not None
    _set_traffic(bench, {first: 90, second: 10})
    _refuses_what_was_decided_on_another_split(bench, first)
    assert bench.platform.endpoint(bench.endpoint).mark == Split(traffic={first: 90, second: 10}).text
    _set_traffic(bench, {first: 100})
    _insist(bench, lambda: bench.platform.delete_deployment(bench.endpoint, second))
    bench.until(lambda: second not in bench.platform.endpoint(bench.endpoint).deployments)


def _deploy(bench: Bench, deployment: str) -> None:
    def state() -> DeploymentState | None:
        return bench.platform.endpoint(bench.endpoint).deployments.get(deployment)

    _insist(bench, lambda: bench.deploy(deployment, 1))
    assert state() is DeploymentState.CHANGING
    bench.until(lambda: state() is not DeploymentState.CHANGING)
    assert state() is DeploymentState.READY


def _refuses_what_was_decided_on_another_split(bench: Bench, deployment: str) -> None:
    before, stale = split_of(bench), Split(traffic={deployment: 100})
    late = SetTraffic(traffic={deployment: 100}, before=stale)
    with pytest.raises(LostRace):
        _insist(bench, lambda: bench.platform.set_traffic(bench.endpoint, late))
    assert split_of(bench) == before


def _set_traffic(bench: Bench, traffic: dict[str, int]) -> None:
    def seen() -> dict[str, int]:
        shares = bench.platform.endpoint(bench.endpoint).traffic
        return {name: pct for name, pct in shares.items() if pct}

    _insist(
        bench, lambda: bench.platform.set_traffic(bench.endpoint, SetTraffic(traffic=traffic, before=split_of(bench)))
    )
    bench.until(lambda: seen() == traffic)


def split_of(bench: Bench) -> Split:
    """The split that the endpoint shows."""
    seen = bench.platform.endpoint(bench.endpoint)
    return Split(traffic=seen.traffic, mirror=seen.mirror)


def _insist(bench: Bench, change: Callable[[], None]) -> None:
    """Ask for a change until the endpoint is not busy with another."""

    def taken() -> bool:
        try:
            change()
        except RetryLater:
            return False
        return True

    bench.until(taken)
