"""Every line of the table of the life is walked by a release: one scenario each, in virtual time.

A line that is new in `lifecycle.TRANSITIONS` fails the first test here until WALKS says how a release takes it.
"""

import sys
from collections.abc import Callable
from typing import NamedTuple

import msgspec
import pytest

from shared.domain.events import Command
from shared.domain.lifecycle import TRANSITIONS, Phase, Signal
from shared.domain.observation import JobStatus, QuotaSeen
from shared.domain.spec import Approval, Registry, RegistryMode, Shadow, Spec
from shared.domain.spec_evidence import LoadTest
from tests.fakes.examples import ENDPOINT, a_publication, a_spec
from tests.fakes.platform import Fate
from tests.scenarios.story import Story
from tests.scenarios.test_promotion import REGISTRY, shared

replace = msgspec.structs.replace
Line = tuple[Phase, Signal]
P, S = Phase, Signal
HELD_BY = {
    P.TAKING: "shared",
    P.JUDGING: "evaluation",
    P.REGISTERING: "artifact",
    P.DEPLOYING: "endpoint",
    P.TESTING: "smoke",
    P.ROLLING_BACK: "put_endpoint",
}
"""The call that has to fail for a release to stay in a phase that would be over at once."""


class Table(dict[Line, Phase]):
    """The table of the life, which notes the lines that are looked up."""

    def __init__(self) -> None:
        super().__init__(TRANSITIONS)
        self.walked: set[Line] = set()

    def __getitem__(self, line: Line) -> Phase:
        self.walked.add(line)
        return super().__getitem__(line)

    def get(self, line: Line, default: Phase | None = None) -> Phase | None:  # type: ignore[override]
        if line in self:
            self.walked.add(line)
        return super().get(line, default)


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Table:
    """Stands in for the table wherever the domain looks it up."""
    noting = Table()
    for name, module in list(sys.modules.items()):
        if name.startswith("shared.domain.") and getattr(module, "TRANSITIONS", None) is TRANSITIONS:
            monkeypatch.setattr(module, "TRANSITIONS", noting)
    return noting


class Walk(NamedTuple):
    """What happens to the second release once it stands in `phase`, or else that of the line; how it comes about."""

    happens: Callable[[Story], None] = lambda _: None
    begins: Callable[[Story], None] = lambda story: story.month(3)
    fate: Fate = Fate()
    spec: Callable[[Spec], Spec] = lambda spec: spec
    phase: Phase | None = None


# what happens


def asks(command: Command) -> Callable[[Story], None]:
    """A person commands."""
    return lambda story: story.command(command)


def deployment_is_lost(story: Story) -> None:
    """Somebody takes all traffic from the release's deployment and deletes it."""
    endpoint = story.platform.endpoints[ENDPOINT]
    endpoint.traffic, endpoint.mirror = {"r0001": 100}, {}
    del endpoint.deployments["r0002"]


def answers_turn_bad(story: Story) -> None:
    """The release's deployment begins to fail."""
    story.platform.endpoints[ENDPOINT].deployments["r0002"].fate = Fate(error_share=0.5)


def files_change(story: Story) -> None:
    """Somebody writes over the model that was judged."""
    story.archive.files["flights-0002-a1"] = {"model.skops": "another hand's"}


def newer_data_comes(story: Story) -> None:
    """Another month, which another release could begin with."""
    story.month(4)


def quota_is_used_up(story: Story) -> None:
    """Nobody has a core left to deploy on."""
    story.platform.quota_seen = QuotaSeen(cores_per_instance=4, free=0, limited_by="the family")


def takes_over(story: Story) -> None:
    """A version that another workspace shared is taken over."""
    story.platform.registries = shared(3).platform.registries
    story.command(Command.TAKE, version=2)


def takes_what_is_not_there(story: Story) -> None:
    """A version that nobody shared is asked for."""
    story.platform.registries = shared(3).platform.registries
    story.command(Command.TAKE, version=9)


def old_version_is_lost(story: Story) -> None:
    """A person wants the first version back, which somebody has deleted."""
    del story.platform.versions[1]
    story.command(Command.ROLLBACK, version=1)


# what the spec says


def with_registry(spec: Spec) -> Spec:
    """Versions come from a registry."""
    return replace(spec, registry=Registry(name=REGISTRY, mode=RegistryMode.TAKE))


def with_approval(spec: Spec) -> Spec:
    """Somebody has to say yes, within half an hour."""
    return replace(spec, approval=Approval(required="always", expires_s=1_800))


def with_load_test(spec: Spec) -> Spec:
    return replace(spec, rollout=replace(spec.rollout, load_test=LoadTest(duration_s=5, requests_per_s=10)))


def with_shadow(spec: Spec) -> Spec:
    """There is a mirror stage."""
    shadow = Shadow(mirror_pct=20, hold_s=120, min_requests=30)
    return replace(spec, rollout=replace(spec.rollout, shadow=shadow))


def with_newer(spec: Spec) -> Spec:
    """A newer release replaces the one in flight."""
    return replace(spec, retrain=replace(spec.retrain, when_newer="replace"))


def with_little_patience(spec: Spec) -> Spec:
    """A release waits minutes for a place."""
    return replace(spec, rollout=replace(spec.rollout, max_wait_s=600))


# the walks

ABORT, ROLLBACK = Walk(asks(Command.ABORT)), Walk(asks(Command.ROLLBACK))
PROMOTE, LOST, BAD = Walk(asks(Command.PROMOTE)), Walk(deployment_is_lost), Walk(answers_turn_bad)
NEWER = Walk(newer_data_comes, spec=with_newer)
TAKE = Walk(begins=takes_over, spec=with_registry)

WALKS: dict[Line, Walk] = {
    (P.COLLECTING, S.RELEASE_BEGUN): Walk(newer_data_comes),
    (P.COLLECTING, S.RESTORE_BEGUN): ROLLBACK,
    (P.COLLECTING, S.TAKE_BEGUN): Walk(takes_over, spec=with_registry),
    (P.TAKING, S.TAKEN): TAKE,
    (P.TAKING, S.APPROVAL_NEEDED): TAKE._replace(spec=lambda spec: with_registry(with_approval(spec))),
    (P.TAKING, S.TAKE_REFUSED): TAKE._replace(begins=takes_what_is_not_there),
    (P.TAKING, S.ABORTED): TAKE._replace(happens=asks(Command.ABORT)),
    (P.TRAINING, S.JOB_COMPLETED): Walk(),
    (P.TRAINING, S.JOB_RETRIED): Walk(fate=Fate(job=JobStatus.FAILED)),
    (P.TRAINING, S.JOB_FAILED): Walk(fate=Fate(job=JobStatus.FAILED)),
    (P.TRAINING, S.ABORTED): ABORT,
    (P.TRAINING, S.SUPERSEDED): NEWER,
    (P.JUDGING, S.GATES_PASSED): Walk(),
    (P.JUDGING, S.GATES_FAILED): Walk(fate=Fate(better=False)),
    (P.JUDGING, S.GATES_INCONCLUSIVE): Walk(fate=Fate(sure=False)),
    (P.JUDGING, S.APPROVAL_NEEDED): Walk(spec=with_approval),
    (P.JUDGING, S.ABORTED): ABORT,
    (P.JUDGING, S.SUPERSEDED): NEWER,
    (P.AWAITING_APPROVAL, S.APPROVED): Walk(asks(Command.APPROVE), spec=with_approval),
    (P.AWAITING_APPROVAL, S.APPROVAL_REFUSED): Walk(asks(Command.REJECT), spec=with_approval),
    (P.AWAITING_APPROVAL, S.APPROVAL_EXPIRED): Walk(spec=with_approval),
    (P.AWAITING_APPROVAL, S.ABORTED): Walk(asks(Command.ABORT), spec=with_approval),
    (P.AWAITING_APPROVAL, S.SUPERSEDED): Walk(newer_data_comes, spec=lambda spec: with_newer(with_approval(spec))),
    (P.REGISTERING, S.MODEL_REGISTERED): Walk(),
    (P.REGISTERING, S.ABORTED): ABORT,
    (P.REGISTERING, S.ARTIFACT_CHANGED): Walk(files_change),
    (P.REGISTERING, S.SUPERSEDED): NEWER,
    (P.DEPLOYING, S.ARTIFACT_CHANGED): Walk(files_change),
    (P.DEPLOYING, S.NO_ROOM): Walk(quota_is_used_up, spec=with_little_patience),
    (P.DEPLOYING, S.VERSION_LOST): Walk(old_version_is_lost, phase=P.COLLECTING),
    (P.DEPLOYING, S.DEPLOYMENT_READY): Walk(),
    (P.DEPLOYING, S.DEPLOYMENT_FAILED): Walk(fate=Fate(deploys=False)),
    (P.DEPLOYING, S.ROLLBACK_ASKED): ROLLBACK,
    (P.DEPLOYING, S.SUPERSEDED): NEWER,
    (P.TESTING, S.SMOKE_PASSED): Walk(),
    (P.TESTING, S.SMOKE_FAILED): Walk(fate=Fate(smoke=False)),
    (P.TESTING, S.LOAD_TEST_FAILED): Walk(spec=with_load_test, fate=Fate(own_errors=0.5)),
    (P.TESTING, S.DEPLOYMENT_FAILED): LOST,
    (P.TESTING, S.ROLLBACK_ASKED): ROLLBACK,
    (P.TESTING, S.SUPERSEDED): NEWER,
    (P.TESTING, S.SHADOW_BEGUN): Walk(spec=with_shadow),
    (P.SHADOWING, S.SHADOW_PASSED): Walk(spec=with_shadow),
    (P.SHADOWING, S.PROMOTED): PROMOTE._replace(spec=with_shadow),
    (P.SHADOWING, S.ANALYSIS_FAILED): BAD._replace(spec=with_shadow),
    (P.SHADOWING, S.DEPLOYMENT_FAILED): LOST._replace(spec=with_shadow),
    (P.SHADOWING, S.ROLLBACK_ASKED): ROLLBACK._replace(spec=with_shadow),
    (P.SHADOWING, S.SUPERSEDED): Walk(newer_data_comes, spec=lambda spec: with_newer(with_shadow(spec))),
    (P.CANARY, S.STEP_PASSED): Walk(),
    (P.CANARY, S.LAST_STEP_PASSED): Walk(),
    (P.CANARY, S.PROMOTED): PROMOTE,
    (P.CANARY, S.ANALYSIS_FAILED): BAD,
    (P.CANARY, S.DEPLOYMENT_FAILED): LOST,
    (P.CANARY, S.ROLLBACK_ASKED): ROLLBACK,
    (P.CANARY, S.SUPERSEDED): NEWER,
    (P.BAKING, S.BAKED): Walk(),
    (P.BAKING, S.PROMOTED): PROMOTE,
    (P.BAKING, S.ANALYSIS_FAILED): BAD,
    (P.BAKING, S.DEPLOYMENT_FAILED): LOST,
    (P.BAKING, S.ROLLBACK_ASKED): ROLLBACK,
    (P.ROLLING_BACK, S.TRAFFIC_RESTORED): Walk(),
    (P.ROLLING_BACK, S.SUPERSEDED): NEWER._replace(phase=P.CANARY),
}


def standing_in(phase: Phase, walk: Walk) -> Story:
    """A story with a first release live, and a second one that stands in the phase: collecting, once it is live."""
    story = Story({2: walk.fate})
    story.month(1, 2)
    story.passes(60)
    story.publish(a_publication(walk.spec(a_spec())))
    walk.begins(story)
    match phase:
        case Phase.COLLECTING:
            story.passes(60)
        case Phase.ROLLING_BACK:
            story.until(Phase.CANARY)
            story.passes(0.6)
            story.troubles.add(HELD_BY[phase])
            story.command(Command.ABORT)
            story.until(phase)
        case _:
            story.troubles.add(HELD_BY.get(phase, "nothing"))
            story.until(phase)
            story.passes(0.6)
    return story


def test_every_line_of_the_table_has_a_walk() -> None:
    assert set(WALKS) == set(TRANSITIONS)


@pytest.mark.parametrize(("line", "walk"), WALKS.items(), ids=["-".join(line) for line in WALKS])
def test_a_release_takes_the_line(line: Line, walk: Walk, table: Table) -> None:
    story = standing_in(walk.phase or line[0], walk)
    table.walked.clear()
    walk.happens(story)
    story.troubles.clear()
    story.passes(60)
    assert line in table.walked
