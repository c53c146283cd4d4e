"""Evaluations for tests of the judge: of each task, as a job writes them, and the case that they are held against."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from shared.domain.case import Case
from shared.domain.evaluation import Evaluation, Groups, Resampled, Scores
from shared.domain.manifest import Manifest, seal
from shared.domain.metrics import STANDARD, Task
from shared.domain.record import Serving
from shared.domain.spec_gates import Gates
from tests.fakes.evaluations import GROUPS, INPUTS, by_day, evaluate
from tests.fakes.examples import MODEL, a_part, a_publication, a_spec

GATES = a_spec().gates
CHAMPION = Serving(
    release=1,
    version=1,
    deployment="r0001",
    job="flights-0001-a1",
    artifact="old",
    publication="p",
    since=datetime(2026, 1, 1, tzinfo=UTC),
    inputs={each.name: each.type for each in INPUTS},
)
ROWS = 1_000
replace = msgspec.structs.replace


def manifest() -> Manifest:
    sealed = seal(MODEL, a_spec().data, (a_part(1), a_part(2)))
    assert sealed is not None
    return sealed


CASE = Case(manifest=manifest(), champion=CHAMPION, columns=a_publication().spec.data.columns)
FIRST = replace(CASE, champion=None)


def better(**changes: Any) -> Evaluation:
    """A regression whose mean absolute error goes from 10 to 8."""
    return replace(evaluate(manifest(), CHAMPION, better=True, artifact="new"), **changes)


def of(name: str, task: Task, candidate: float, champion: float, baseline: float, **changes: Any) -> Evaluation:
    """An evaluation of a standard metric that is no mean over rows, with a bootstrap interval."""
    told = better(
        task=task.value,
        candidate=Scores(metrics={name: candidate}),
        baseline=Scores(metrics={name: baseline}),
        paired=None,
        resampled=Resampled(
            metric=name,
            method="percentile",
            by="day",
            groups=GROUPS,
            rows=ROWS,
            replicates=1_000,
            seed=0,
            confidence_pct=95.0,
            difference=candidate - champion,
            low=candidate - champion - 0.01,
            high=candidate - champion + 0.01,
        ),
    )
    assert told.champion is not None
    return replace(told, champion=replace(told.champion, metrics={name: champion}), **changes)


def of_losses(name: str, task: Task, candidate: float, champion: float, baseline: float, mean: float) -> Evaluation:
    """An evaluation of a standard metric that follows from a mean of losses, whose paired difference is `mean`."""
    told = better()
    assert told.paired is not None
    assert told.champion is not None
    paired = replace(
        told.paired,
        metric=STANDARD[name].loss,
        mean_difference=mean,
        standard_deviation=10 * abs(mean) + 1,
        groups=by_day(ROWS, mean, spread=abs(mean)),
    )
    return better(
        task=task.value,
        candidate=Scores(metrics={name: candidate}),
        champion=replace(told.champion, metrics={name: champion}),
        baseline=Scores(metrics={name: baseline}),
        paired=paired,
    )


def gates(name: str, task: Task, **changes: Any) -> Gates:
    """Gates of that metric, two percent better at least."""
    return replace(GATES, metric=name, task=task, direction=None, floor=None, **changes)


def spread(groups: Groups, by: float) -> Groups:
    """The same mean over days that differ by more."""
    return by_day(sum(groups.rows), sum(groups.sums) / sum(groups.rows), by)
