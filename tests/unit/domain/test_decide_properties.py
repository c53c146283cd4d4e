"""Properties of the decision over random worlds: it is pure, it converges, and it never does what it must not."""

from datetime import timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.actions import Action, CreateDeployment, DeleteDeployment, SetTraffic
from shared.domain.decide import decide
from shared.domain.events import AlertFired, Command, CommandGiven, Event
from shared.domain.lifecycle import Phase
from shared.domain.observation import (
    DeploymentState,
    EndpointSeen,
    EvaluationSeen,
    JobSeen,
    JobStatus,
    ModelSeen,
    Observation,
    SmokeSeen,
    Stats,
    TrafficSeen,
)
from shared.domain.record import Record
from tests.fakes.archive import measured
from tests.fakes.clock import FakeClock
from tests.fakes.evaluations import evaluate
from tests.fakes.examples import a_publication, data_arrived

PUBLICATION = a_publication()
START = FakeClock().now()

events = st.one_of(
    st.integers(1, 6).map(lambda month: data_arrived(month, START)),
    st.sampled_from(["mae", "error-rate", "outage", "other"]).map(
        lambda rule: AlertFired(at=START, rule=rule, alert_id=rule)
    ),
    st.sampled_from(list(Command)).map(lambda command: CommandGiven(at=START, command=command, id="c", by="ada")),
)
steps = st.lists(
    st.tuples(
        st.lists(events, max_size=2),
        st.sampled_from(list(JobStatus)),
        st.booleans(),
        st.dictionaries(st.sampled_from([f"r{n:04d}" for n in range(1, 6)]), st.sampled_from(list(DeploymentState))),
        st.sampled_from([0, 1, 30]),
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
    max_size=60,
)


def look(record: Record, step: tuple[object, ...], traffic: dict[str, int], minutes: int) -> Observation:
    """A world that mostly does what it was told, and sometimes does not."""
    _, status, better, odd, errors, smoke, obedient = step
    release, now = record.release, START + timedelta(minutes=minutes)
    if release is None:
        return Observation()
    states = dict.fromkeys([release.deployment, *traffic], DeploymentState.READY)
    states = states if obedient else {**states, **odd}  # type: ignore[dict-item]
    evaluation = (
        evaluate(release.manifest, record.live, better=bool(better), artifact=f"a{release.number}")
        if release.manifest
        else None
    )
    since = release.step_since
    return Observation(
        job=JobSeen(name=release.job(record.model), status=JobStatus(str(status))),
        evaluation=EvaluationSeen(evaluation=evaluation),
        model=ModelSeen(exists=True, job=release.job(record.model)),
        artifact=measured({"model.skops": release.artifact}),
        endpoint=EndpointSeen(exists=True, traffic=traffic, deployments=states),
        smoke=SmokeSeen(ok=bool(smoke), status=200),
        traffic=TrafficSeen(
            start=since, end=now, stats={release.deployment: Stats(requests=100, errors=int(str(errors)))}
        )
        if since and now > since
        else None,
    )


def obey(actions: tuple[Action, ...], traffic: dict[str, int]) -> dict[str, int]:
    for action in actions:
        if isinstance(action, SetTraffic):
            traffic = dict(action.traffic)
    return traffic


@settings(max_examples=300, deadline=None)
@given(steps)
def test_whatever_happens_the_rules_of_the_endpoint_hold(script: list[tuple[list[Event], ...]]) -> None:
    record, traffic, passed = Record(model="flights"), dict[str, int](), set[int]()
    for number, step in enumerate(script):
        seen = look(record, step, traffic, 10 * number)
        now = START + timedelta(minutes=10 * number)
        decision = decide(PUBLICATION, record, tuple(step[0]), seen, now)
        assert decide(PUBLICATION, record, tuple(step[0]), seen, now) == decision, "the decision is pure"
        disruptive = [a for a in decision.actions if isinstance(a, SetTraffic | CreateDeployment | DeleteDeployment)]
        assert len(disruptive) <= 1
        for action in decision.actions:
            if isinstance(action, SetTraffic):
                assert sum(action.traffic.values()) == 100
                assert seen.endpoint is not None
                assert all(seen.endpoint.deployments[name] is DeploymentState.READY for name in action.traffic)
            if isinstance(action, DeleteDeployment):
                assert not traffic.get(action.deployment)
                assert decision.record.live is None or action.deployment != decision.record.live.deployment
            if isinstance(action, CreateDeployment):
                assert action.version in passed or decision.record.release.restores  # type: ignore[union-attr]
        if record.phase is Phase.JUDGING and decision.record.phase is Phase.REGISTERING:
            assert record.release is not None
            passed.add(record.release.version)
        before, after = record.release, decision.record.release
        assert not (before and after and before.number != after.number), "one release at a time"
        record, traffic = decision.record, obey(decision.actions, traffic)


@settings(max_examples=100, deadline=None)
@given(steps)
def test_deciding_twice_on_the_same_world_changes_nothing_more(script: list[tuple[list[Event], ...]]) -> None:
    """What is stored does not tick: once a pass rests, the same look gives the same record."""
    record = Record(model="flights")
    for number, step in enumerate(script):
        now = START + timedelta(minutes=number)
        record = decide(PUBLICATION, record, tuple(step[0]), look(record, step, {}, number), now).record
    seen, now = Observation(), START + timedelta(days=2)
    for _ in range(5):
        record = decide(PUBLICATION, record, (), seen, now).record
    assert decide(PUBLICATION, record, (), seen, now).record == record


@settings(max_examples=50, deadline=None)
@given(steps)
def test_a_record_survives_being_stored(script: list[tuple[list[Event], ...]]) -> None:
    record = Record(model="flights")
    for number, step in enumerate(script):
        now = START + timedelta(minutes=number)
        record = decide(PUBLICATION, record, tuple(step[0]), look(record, step, {}, number), now).record
    assert msgspec.json.decode(msgspec.json.encode(record), type=Record) == record
