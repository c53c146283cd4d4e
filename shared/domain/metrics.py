"""The metrics that have a standard name: which way is better, for which tasks, and what decides between two models.

Called by the judge, and by the check of a spec. A metric of another name may be used; the spec then says which way is
better, and evaluation.json which loss it is the mean of.
"""

import math
from enum import StrEnum
from typing import Literal

from shared.domain.base import Kept

Direction = Literal["minimize", "maximize"]


class Task(StrEnum):
    """What a model predicts: a number, one of two classes, or one of several."""

    REGRESSION = "regression"
    BINARY = "binary"
    MULTICLASS = "multiclass"


class Shape(StrEnum):
    """How a metric follows from the mean of a loss over the rows. Without one it can only be resampled."""

    MEAN = "mean"
    """It is the mean loss."""
    ROOT = "root"
    """It is the root of the mean loss."""
    SHARE = "share"
    """It is one minus the mean loss."""
    SCALED = "scaled"
    """It is one minus the mean loss times a scale, which is the same for every model on the same rows."""
    NONE = "none"


class Metric(Kept, frozen=True, kw_only=True):
    """A metric. `low` and `high` bound what it can be; `perfect` is what a model without any error gets."""

    name: str
    direction: Direction
    tasks: frozenset[Task]
    shape: Shape = Shape.NONE
    loss: str = ""
    low: float = -math.inf
    high: float = math.inf
    perfect: float | None = None

    def better_by(self, value: float, other: float) -> float:
        """How much better the first value is than the other, in the metric's own units; less than nought is worse."""
        return other - value if self.direction == "minimize" else value - other


_R, _B, _M = frozenset({Task.REGRESSION}), frozenset({Task.BINARY}), frozenset({Task.MULTICLASS})


def _error(name: str, tasks: frozenset[Task], shape: Shape, loss: str, high: float = math.inf) -> Metric:
    return Metric(
        name=name, direction="minimize", tasks=tasks, shape=shape, loss=loss, low=0.0, high=high, perfect=0.0
    )


def _score(name: str, tasks: frozenset[Task], low: float = 0.0, shape: Shape = Shape.NONE, loss: str = "") -> Metric:
    return Metric(
        name=name, direction="maximize", tasks=tasks, shape=shape, loss=loss, low=low, high=1.0, perfect=1.0
    )


STANDARD = {
    metric.name: metric
    for metric in (
        _error("mae", _R, Shape.MEAN, "mae"),
        _error("mse", _R, Shape.MEAN, "mse"),
        _error("rmse", _R, Shape.ROOT, "mse"),
        _error("msle", _R, Shape.MEAN, "msle"),
        _error("rmsle", _R, Shape.ROOT, "msle"),
        _error("mape", _R, Shape.MEAN, "mape"),
        _error("medae", _R, Shape.NONE, ""),
        _score("r2", _R, low=-math.inf, shape=Shape.SCALED, loss="mse"),
        _error("log_loss", _B | _M, Shape.MEAN, "log_loss"),
        _error("brier", _B | _M, Shape.MEAN, "brier", high=2.0),
        _error("error_rate", _B | _M, Shape.MEAN, "error_rate", high=1.0),
        _score("accuracy", _B | _M, shape=Shape.SHARE, loss="error_rate"),
        _score("balanced_accuracy", _B | _M),
        _score("auc", _B),
        _score("average_precision", _B),
        _score("f1", _B),
        _score("precision", _B),
        _score("recall", _B),
        _score("mcc", _B | _M, low=-1.0),
        _score("auc_ovr", _M),
        _score("f1_macro", _M),
        _score("f1_weighted", _M),
    )
}


def metric_of(name: str, direction: Direction | None) -> Metric | None:
    """The metric of that name; one of your own needs its direction, and is taken for the mean of its own loss."""
    if name in STANDARD:
        return STANDARD[name]
    if direction is None:
        return None
    shape = Shape.MEAN if direction == "minimize" else Shape.SHARE
    return Metric(name=name, direction=direction, tasks=frozenset(Task), shape=shape, loss=name)


def loss_difference(metric: Metric, candidate: float, champion: float) -> float | None:
    """The mean difference of losses that the two values of the metric imply; None where they do not tell."""
    match metric.shape:
        case Shape.MEAN:
            return candidate - champion
        case Shape.ROOT:
            return candidate * candidate - champion * champion
        case Shape.SHARE:
            return champion - candidate
        case _:
            return None


def metric_at(metric: Metric, candidate: float, champion: float, mean: float, difference: float) -> float:
    """What the candidate's metric would be, were its mean loss `difference` above the champion's.

    `mean` is the difference that was measured with `candidate`: it gives the scale, where the metric has one.
    """
    match metric.shape:
        case Shape.ROOT:
            return math.sqrt(max(0.0, champion * champion + difference))
        case Shape.SHARE:
            return champion - difference
        case Shape.SCALED:
            return champion + (candidate - champion) * (difference / mean if mean else 0.0)
        case _:
            return champion + difference
