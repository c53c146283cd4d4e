"""Names mean models, then endpoints; limits come from the published spec unless others are given."""

from datetime import UTC, datetime

import msgspec
import pytest

from shared.domain.health import Limits
from shared.domain.publication import Publication
from shared.domain.spec import Analysis, Step
from shared.errors import BadInput
from shared.operator.monitor_targets import Given, resolve
from shared.operator.monitoring import Target
from shared.reconcile.ports import Pointer
from tests.fakes.archive import FakeArchive
from tests.fakes.clock import FakeClock
from tests.fakes.examples import a_publication, a_spec
from tests.fakes.platform import Endpoint, FakePlatform
from tests.fakes.state import FakeStateStore


def resolved(*names: str, given: Given = Given(), published: Publication | None = None) -> list[Target]:  # noqa: B008
    archive, state = FakeArchive(), FakeStateStore()
    platform = FakePlatform(FakeClock(), archive)
    platform.endpoints |= {"flights-live": Endpoint(), "taxis-live": Endpoint()}
    if published is not None:
        archive.put_publication(published)
        at = datetime(2026, 1, 5, tzinfo=UTC)
        state.publish(Pointer(model=published.spec.name, publication=published.hash, published_at=at))
    return resolve(names, given, state, archive, platform)


def a_model(**rollout: object) -> Publication:
    """The example, on an endpoint of another name."""
    spec = a_spec()
    made = a_publication(msgspec.structs.replace(spec, rollout=msgspec.structs.replace(spec.rollout, **rollout)))
    serving = msgspec.structs.replace(made.serving, endpoint="flights-live")
    return msgspec.structs.replace(made, serving=serving)


def test_a_model_means_its_endpoint() -> None:
    [target] = resolved("flights", published=a_model())
    assert (target.model, target.endpoint) == ("flights", "flights-live")


def test_an_endpoint_of_a_model_means_that_model() -> None:
    assert resolved("flights-live", published=a_model()) == resolved("flights", published=a_model())


def test_both_names_together_are_looked_at_once() -> None:
    assert len(resolved("flights", "flights-live", published=a_model())) == 1


def test_no_name_means_all_published_models() -> None:
    assert resolved(published=a_model()) == resolved("flights", published=a_model())


def test_limits_and_lag_are_those_of_the_published_spec() -> None:
    steps = (Step(traffic_pct=10, min_requests=40), Step(traffic_pct=100, min_requests=0))
    analysis = Analysis(max_error_rate_pct=3.0, max_error_rate_ratio=4.0, max_latency_p95_ms=900)
    [target] = resolved("flights", published=a_model(steps=steps, analysis=analysis, log_lag_s=77))
    assert target.log_lag_s == 77
    assert target.limits == Limits(
        max_error_rate_pct=3.0, max_error_rate_ratio=4.0, max_latency_p95_ms=900, min_requests=40
    )


def test_a_spec_that_asks_for_no_requests_does_not_make_silence_enough() -> None:
    [target] = resolved("flights", published=a_model(steps=(Step(traffic_pct=100, min_requests=0),)))
    assert target.limits.min_requests == 100


def test_what_is_given_wins_over_the_spec() -> None:
    given = Given(max_error_rate_pct=5.0, max_latency_p95_ms=10.0, max_latency_ratio=3.0, min_requests=7, log_lag_s=1)
    [target] = resolved("flights", given=given, published=a_model())
    assert target.log_lag_s == 1
    assert (target.limits.max_error_rate_pct, target.limits.min_requests) == (5.0, 7)
    assert (target.limits.max_latency_p95_ms, target.limits.max_latency_ratio) == (10.0, 3.0)


def test_an_endpoint_of_nobody_gets_the_defaults() -> None:
    assert resolved("taxis-live") == [Target(endpoint="taxis-live", limits=Limits(), log_lag_s=300)]


def test_names_of_nothing_are_all_told_with_what_was_meant() -> None:
    with pytest.raises(BadInput) as caught:
        resolved("flihgts", "models/flights", published=a_model())
    first, second = caught.value.problems
    assert first == (
        '"flihgts" is neither a published model nor an endpoint of the workspace;'
        " published models: flights; did you mean flights?"
    )
    assert "the spec in a folder is read by `upkeep validate`" in second


def test_nothing_named_and_nothing_published_is_one_sentence() -> None:
    with pytest.raises(BadInput, match="no model was published yet"):
        resolved()
