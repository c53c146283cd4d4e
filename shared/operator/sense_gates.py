"""What cannot be meant in a spec's gates: metrics that are none of the task's, bounds that nothing can meet.

Called by sense.py.
"""

from collections.abc import Iterator

from shared.domain.metrics import STANDARD, Direction, Metric, Task, metric_of
from shared.domain.spec_gates import Gates
from shared.operator.places import Mistake, Path
from shared.operator.shape import nearest


def gate_mistakes(gates: Gates) -> Iterator[Mistake]:
    """Everything in the gates that contradicts itself, or the metrics as they are known."""
    at: Path = ("gates",)
    yield from _metric(gates.metric, gates.direction, gates.task, (*at, "metric"), (*at, "direction"))
    main = metric_of(gates.metric, gates.direction)
    if main is not None:
        yield from _floor(main, gates.floor, (*at, "floor"))
        yield from _too_good(main, gates)
    for name, bound in gates.metrics.items():
        place: Path = (*at, "metrics", name)
        if name == gates.metric:
            yield Mistake(place, "is the main metric already; its floor belongs to gates.floor")
            continue
        yield from _metric(name, bound.direction, gates.task, place, (*place, "direction"))
        further = metric_of(name, bound.direction)
        if further is not None:
            yield from _floor(further, bound.floor, (*place, "floor"))
        if bound.floor is None and bound.max_regression_pct is None:
            yield Mistake(place, "asks for nothing; give it a floor, or max_regression_pct, or take it out")
    if gates.slices is not None:
        yield from _columns(gates.slices.columns, (*at, "slices", "columns"))


def _metric(name: str, direction: Direction | None, task: Task, at: Path, at_direction: Path) -> Iterator[Mistake]:
    known = STANDARD.get(name)
    if not name.strip():
        yield Mistake(at, "must name a metric of evaluation.json")
    elif known is None and direction is None:
        yield Mistake(
            at, f'"{name}" is no standard metric, and one of your own needs its direction{nearest(name, STANDARD)}'
        )
    elif known is not None and task not in known.tasks:
        of = " or ".join(sorted(known.tasks))
        fitting = ", ".join(each.name for each in STANDARD.values() if task in each.tasks)
        yield Mistake(at, f"{name} is a metric of {of} models, and gates.task is {task}, whose metrics are {fitting}")
    elif known is not None and direction is not None and direction != known.direction:
        yield Mistake(at_direction, f"the better {name} is the one that you {known.direction}; leave direction out")


def _floor(metric: Metric, floor: float | None, at: Path) -> Iterator[Mistake]:
    if floor is not None and not metric.low <= floor <= metric.high:
        yield Mistake(at, f"{floor:g} is nothing that {metric.name} can be: it is {_range(metric)}")


def _too_good(metric: Metric, gates: Gates) -> Iterator[Mistake]:
    bound = gates.leaks.too_good if gates.leaks else None
    if bound is not None and gates.floor is not None and metric.better_by(bound, gates.floor) <= 0:
        yield Mistake(
            ("gates", "leaks", "too_good"),
            f"{bound:g} is no better than gates.floor, {gates.floor:g}",
        )


def _columns(columns: tuple[str, ...], at: Path) -> Iterator[Mistake]:
    if not columns:
        yield Mistake(at, "is empty; name a column, or leave gates.slices out")
    for index, name in enumerate(columns):
        if not name.strip():
            yield Mistake((*at, index), "must name a column by which evaluation.json has slices")
        elif name in columns[:index]:
            yield Mistake((*at, index), f'"{name}" stands twice')


def _range(metric: Metric) -> str:
    low = "" if metric.low == float("-inf") else f"{metric.low:g} or more"
    high = "" if metric.high == float("inf") else f"{metric.high:g} or less"
    return " and ".join(part for part in (low, high) if part)
