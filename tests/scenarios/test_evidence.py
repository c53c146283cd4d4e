"""A release under watch is judged by the spec's own queries and by its predictions, besides the traffic log."""

from collections.abc import Callable

import msgspec
import pytest

from shared.domain.lifecycle import Phase
from shared.domain.publication import DataCollection, Publication
from shared.domain.reasons import Why
from shared.domain.spec import Analysis, NoData
from shared.domain.spec_evidence import OnNoData, Predictions, Query
from shared.errors import NeedsPerson, RetryLater
from tests.fakes.examples import ENDPOINT, a_publication, a_spec
from tests.fakes.platform import Fate
from tests.scenarios.story import Story

COLLECTS = DataCollection(collections=("model_outputs",))
QUERY = Query(name="mean_error", kql="T | where D == {deployment} | project value = E", max=12, max_ratio=1.5)
QUERIES = Analysis(queries=(QUERY,))
WHOLE = Analysis(queries=(QUERY,), predictions=Predictions(min_rows=100, max_psi=None, max_ks=0.3))


def published(analysis: Analysis, *, no_data: NoData = NoData.HOLD, collects: bool = True) -> Publication:
    spec = a_spec()
    rollout = msgspec.structs.replace(spec.rollout, analysis=analysis, no_data=no_data)
    publication = a_publication(msgspec.structs.replace(spec, rollout=rollout))
    serving = msgspec.structs.replace(publication.serving, data_collector=COLLECTS if collects else None)
    return msgspec.structs.replace(publication, serving=serving)


def second_release(publication: Publication, **fate: object) -> Story:
    """A first release is live; the second one is as told, and its canary has begun."""
    story = Story({2: Fate(**fate)}, publication)  # type: ignore[arg-type]
    story.month(1, 2)
    story.passes(60)
    story.month(3)
    story.until(Phase.CANARY)
    return story


def test_a_candidate_with_good_values_and_like_predictions_goes_live() -> None:
    story = second_release(published(WHOLE))
    story.passes(60)
    assert story.traffic == {"r0002": 100}
    assert "mean_error is 1, live 1." in story.text_of(Why.STEP_PASSED) or story.text_of(Why.RELEASE_LIVE)


@pytest.mark.parametrize(
    ("fate", "told"),
    [
        ({"value": 20.0}, "The query mean_error gave 20; the most is 12."),
        ({"value": 2.0}, "The query mean_error gave 2, and 1 for the live deployment; the most is 1.5 times that."),
        ({"shifted": 0.6}, "Predictions differ from the live deployment's"),
    ],
)
def test_a_candidate_beyond_a_limit_is_taken_back_with_the_numbers(fate: dict[str, float], told: str) -> None:
    story = second_release(published(WHOLE), **fate)
    story.passes(60)
    assert story.traffic == {"r0001": 100}
    assert told in story.text_of(Why.ANALYSIS_FAILED)


def test_a_query_that_cannot_be_run_holds_and_a_person_is_told_once() -> None:
    story = second_release(published(WHOLE), query_problem="SemanticError: no table T")
    story.passes(60)
    assert story.record.phase is Phase.CANARY
    assert story.text_of(Why.UNREADABLE) == "The query mean_error could not be run: SemanticError: no table T."
    assert story.whys.count(Why.UNREADABLE) == 1


@pytest.mark.parametrize(
    ("policy", "phase"), [(NoData.PROMOTE, Phase.CANARY), (NoData.HOLD, Phase.CANARY), (NoData.ROLLBACK, None)]
)
def test_a_query_that_cannot_be_run_is_never_let_go_on(policy: NoData, phase: Phase | None) -> None:
    story = second_release(published(QUERIES, no_data=policy), query_problem="it is broken")
    story.passes(240)
    assert (story.record.release.phase if story.record.release else None) is phase
    assert story.traffic.get("r0001", 0) > 0


def test_a_query_without_a_row_is_held_and_then_ended_by_the_policy_for_silence() -> None:
    story = second_release(published(WHOLE, no_data=NoData.ROLLBACK), value=None)
    story.passes(240)
    assert story.traffic == {"r0001": 100}
    assert "gave no number for the candidate" in story.text_of(Why.NO_DATA)


def test_a_query_without_a_row_may_be_ignored_where_the_spec_says_so() -> None:
    query = msgspec.structs.replace(QUERY, on_no_data=OnNoData.IGNORE)
    story = second_release(published(Analysis(queries=(query,))), value=None)
    story.passes(60)
    assert story.traffic == {"r0002": 100}


def test_a_live_deployment_that_never_collected_is_not_compared_with() -> None:
    story = Story({2: Fate(shifted=0.6)}, published(Analysis(), collects=False))
    story.month(1, 2)
    story.passes(60)
    story.publish(published(WHOLE))
    story.month(3)
    story.passes(120)
    assert story.traffic == {"r0002": 100}


def test_predictions_that_are_not_collected_are_no_pass() -> None:
    wanting = Analysis(predictions=Predictions(min_rows=10_000))
    story = second_release(published(wanting))
    story.passes(60)
    assert story.record.phase is Phase.CANARY


def test_a_first_release_has_nothing_to_be_compared_with_but_its_own_bounds() -> None:
    story = Story({1: Fate(value=20.0)}, published(WHOLE))
    story.month(1, 2)
    story.passes(60)
    assert Why.ANALYSIS_FAILED in story.whys


# looks that fail


def cannot_be_read(story: Story, call: str, trouble: Callable[[str], Exception]) -> None:
    def interrupt(point: str) -> None:
        if point == f"before {call}":
            raise trouble(f"{call}: 403 at {story.clock.now():%H:%M:%S}")

    story.platform.interrupt = interrupt


@pytest.mark.parametrize("trouble", [NeedsPerson, RetryLater])
@pytest.mark.parametrize(
    ("analysis", "call", "told"),
    [
        (WHOLE, "predictions", "Predictions could not be read: predictions: 403 at"),
        (QUERIES, "values", "The query mean_error could not be run: values: 403 at"),
    ],
)
@pytest.mark.parametrize(
    ("policy", "phase"),
    [
        (NoData.PROMOTE, Phase.CANARY),
        (NoData.PROBE, Phase.CANARY),
        (NoData.HOLD, Phase.CANARY),
        (NoData.ROLLBACK, None),
    ],
)
def test_what_cannot_be_read_is_never_let_go_on(
    policy: NoData, phase: Phase | None, analysis: Analysis, call: str, told: str, trouble: Callable[[str], Exception]
) -> None:
    story = second_release(published(analysis, no_data=policy))
    cannot_be_read(story, call, trouble)
    story.passes(240)
    assert (story.record.release.phase if story.record.release else None) is phase
    assert story.traffic.get("r0001", 0) > 0
    assert story.text_of(Why.UNREADABLE).startswith(told)
    assert story.whys.count(Why.UNREADABLE) <= 2, "once while it is held, once at the end"


def test_predictions_that_cannot_be_read_for_a_moment_are_no_news() -> None:
    story = second_release(published(WHOLE))
    cannot_be_read(story, "predictions", RetryLater)
    story.passes(8)
    story.platform.interrupt = lambda _: None
    story.passes(60)
    assert Why.UNREADABLE not in story.whys
    assert story.traffic == {"r0002": 100}


def test_what_could_not_be_read_is_waited_for_no_longer_once_it_can_be() -> None:
    story = second_release(published(WHOLE), query_problem="it is broken", requests_per_s=0.1)
    story.until_why(Why.UNREADABLE)
    story.platform.endpoints[ENDPOINT].deployments["r0002"].fate.query_problem = ""
    story.passes(1)
    assert story.record.release is not None
    assert story.record.release.waiting == ""


def test_queries_that_cannot_be_run_do_not_hide_predictions_that_differ() -> None:
    story = second_release(published(WHOLE), shifted=0.6)
    cannot_be_read(story, "values", NeedsPerson)
    story.passes(60)
    assert story.traffic == {"r0001": 100}
    assert "Predictions differ" in story.text_of(Why.ANALYSIS_FAILED)


# failures in a row


@pytest.mark.parametrize(
    ("fate", "told"),
    [({"value": 20.0}, "The query mean_error gave 20"), ({"shifted": 0.6}, "Predictions differ from the live")],
)
def test_what_may_fail_by_chance_has_to_fail_at_so_many_looks(fate: dict[str, float], told: str) -> None:
    story = second_release(published(msgspec.structs.replace(WHOLE, failures_in_a_row=3)), **fate)
    doubts = set()

    def note(point: str) -> None:
        if story.record.release is not None and story.record.release.doubt is not None:
            doubts.add(story.record.release.doubt.looks)

    story.platform.interrupt = note
    story.passes(60)
    assert doubts == {1, 2, 3}
    assert story.traffic == {"r0001": 100}
    assert told in story.text_of(Why.ANALYSIS_FAILED)


def test_a_query_that_is_over_its_limit_at_one_look_and_within_it_at_the_next_takes_nothing_back() -> None:
    story = second_release(published(msgspec.structs.replace(WHOLE, failures_in_a_row=3)), value=20.0)
    fate = story.platform.endpoints[ENDPOINT].deployments["r0002"].fate
    for _ in range(200):
        story.passes(0.1)
        if story.record.release is not None and story.record.release.doubt is not None:
            break
    fate.value = 1.0
    story.passes(60)
    assert Why.ANALYSIS_FAILED not in story.whys
    assert story.traffic == {"r0002": 100}


# the bake


@pytest.mark.parametrize(
    ("policy", "live"), [(NoData.HOLD, False), (NoData.ROLLBACK, False), (NoData.PROMOTE, True), (NoData.PROBE, True)]
)
def test_a_bake_that_nobody_sees_a_request_of_is_no_pass(policy: NoData, live: bool) -> None:
    story = second_release(published(Analysis(), no_data=policy))
    story.until(Phase.BAKING)
    story.platform.endpoints[ENDPOINT].deployments["r0002"].fate.requests_per_s = 0
    story.passes(30)
    assert story.record.phase is Phase.BAKING
    story.passes(120)
    assert (story.record.live is not None and story.record.live.release == 2) is live
    assert {Why.NO_DATA, Why.PROBED} & set(story.whys)


def test_a_bake_of_a_model_whose_steps_ask_for_no_request_needs_none() -> None:
    publication = published(Analysis())
    steps = tuple(msgspec.structs.replace(step, min_requests=0) for step in publication.spec.rollout.steps)
    rollout = msgspec.structs.replace(publication.spec.rollout, steps=steps)
    publication = msgspec.structs.replace(
        publication, spec=msgspec.structs.replace(publication.spec, rollout=rollout)
    )
    story = second_release(publication, requests_per_s=0)
    story.passes(60)
    assert story.traffic == {"r0002": 100}
