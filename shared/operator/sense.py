"""What is wrong with a spec whose every value is well-formed by itself. Called by reading.py; reads no file but to
see that it is there.
"""

from collections.abc import Iterator
from pathlib import Path as FilePath
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import croniter

from shared.domain.analysis import Aspect
from shared.domain.record import MAX_PARTS
from shared.domain.spec import Analysis, Column, ColumnType, Data, Freeze, RegistryMode, Rollout, Spec
from shared.operator import sense_evidence
from shared.operator.places import Mistake, Path
from shared.operator.sense_gates import gate_mistakes
from shared.operator.shape import nearest

NUMBERS = frozenset({ColumnType.INT64, ColumnType.FLOAT64})
LONGEST_COLUMN_NAME = 128


def mistakes(spec: Spec, folder: FilePath) -> Iterator[Mistake]:
    """Everything in the spec that cannot be meant. `folder` is the model's."""
    yield from _data(spec.data)
    yield from _rollout(spec.rollout)
    yield from _analysis(spec.rollout.analysis)
    yield from _schedule(spec.retrain.schedule)
    yield from _budget(spec)
    yield from _freezes(spec.freezes)
    yield from _registry(spec)
    yield from gate_mistakes(spec.gates)
    for rule in spec.alerts:
        if not rule.strip():
            yield Mistake(("alerts",), "holds an alert rule without a name")
    yield from _files(spec, folder)
    yield from sense_evidence.mistakes(spec.rollout, folder)


def _data(data: Data) -> Iterator[Mistake]:
    yield from _time_column(data)
    for name, column in data.columns.items():
        at: Path = ("data", "columns", name)
        if not name.strip() or len(name) > LONGEST_COLUMN_NAME:
            yield Mistake(at, f"a column's name has 1 to {LONGEST_COLUMN_NAME} characters")
        yield from _column(column, at)
    readable = data.train_parts + data.held_out_parts
    if data.batch.min_parts > readable:
        yield Mistake(
            ("data", "batch", "min_parts"),
            f"{data.batch.min_parts} fresh parts are more than the {readable} that a training reads"
            " (train_parts + held_out_parts): the oldest would never be used",
        )
    if readable > MAX_PARTS:
        yield Mistake(
            ("data", "train_parts"), f"with held_out_parts it is more than the {MAX_PARTS} parts remembered"
        )


def _time_column(data: Data) -> Iterator[Mistake]:
    column = data.columns.get(data.time_column)
    at: Path = ("data", "time_column")
    if column is None:
        hint = nearest(data.time_column, data.columns)
        yield Mistake(at, f'"{data.time_column}" is none of the columns{hint}')
    elif column.type is not ColumnType.TIMESTAMP:
        yield Mistake(at, f"{data.time_column} is a column of type {column.type}; it must be a timestamp")
    elif column.nullable:
        yield Mistake(at, f"{data.time_column} is nullable; every row needs its time")


def _column(column: Column, at: Path) -> Iterator[Mistake]:
    if column.type not in NUMBERS:
        for key in ("min", "max"):
            if getattr(column, key) is not None:
                yield Mistake((*at, key), f"bounds numbers, and this column is of type {column.type}")
    elif column.min is not None and column.max is not None and column.min > column.max:
        yield Mistake((*at, "min"), f"{column.min:g} is more than max, {column.max:g}")
    if column.type is not ColumnType.STRING:
        for key in ("max_length", "values"):
            if getattr(column, key) is not None:
                yield Mistake((*at, key), f"is for columns of type string, and this one is of type {column.type}")
        return
    if column.values is not None:
        yield from _values(column.values, column.max_length, (*at, "values"))


def _values(values: tuple[str, ...], max_length: int | None, at: Path) -> Iterator[Mistake]:
    if not values:
        yield Mistake(at, "is empty: no value would be right; leave it out to allow any")
    for index, value in enumerate(values):
        if value in values[:index]:
            yield Mistake((*at, index), f'"{value}" stands twice')
        if max_length is not None and len(value) > max_length:
            yield Mistake((*at, index), f'"{value}" is longer than max_length, {max_length}')


def _rollout(rollout: Rollout) -> Iterator[Mistake]:
    at: Path = ("rollout", "steps")
    if not rollout.steps:
        yield Mistake(at, "is empty; the last step must give 100 % of the traffic")
        return
    before = 0
    for index, step in enumerate(rollout.steps):
        if step.traffic_pct <= before:
            yield Mistake(
                (*at, index, "traffic_pct"),
                f"{step.traffic_pct} is not more than {before}, the step before; steps rise",
            )
        if step.hold_s > rollout.max_hold_s:
            yield Mistake(
                (*at, index, "hold_s"), f"{step.hold_s} is more than rollout.max_hold_s, {rollout.max_hold_s}"
            )
        before = step.traffic_pct
    if before != 100:
        last = len(rollout.steps) - 1
        yield Mistake((*at, last, "traffic_pct"), f"{before} is the last step; the last one must give 100")


def _analysis(analysis: Analysis) -> Iterator[Mistake]:
    for index, aspect in enumerate(analysis.skip):
        at: Path = ("rollout", "analysis", "skip", index)
        if aspect is Aspect.REQUESTS:
            yield Mistake(at, "requests cannot be skipped; a stage with min_requests: 0 passes without any")
        if aspect in analysis.skip[:index]:
            yield Mistake(at, f'"{aspect}" stands twice')


def _schedule(schedule: str | None) -> Iterator[Mistake]:
    if schedule is None:
        return
    at: Path = ("retrain", "schedule")
    fields = len(schedule.split())
    if fields != 5:
        yield Mistake(at, f'"{schedule}" has {fields} fields; cron has 5: minute hour day month weekday')
    elif not croniter.is_valid(schedule):
        yield Mistake(at, f'"{schedule}" is no cron expression; "0 3 * * 1" is every Monday at 3:00 UTC')


def _budget(spec: Spec) -> Iterator[Mistake]:
    hours, longest = spec.retrain.max_compute_hours_per_month, spec.training.timeout_s / 3_600
    if hours is not None and hours < longest:
        yield Mistake(
            ("retrain", "max_compute_hours_per_month"),
            f"{hours:g} is less than the {longest:g} hours that one training may take (training.timeout_s)",
        )


def _registry(spec: Spec) -> Iterator[Mistake]:
    if spec.registry is None or spec.registry.mode is not RegistryMode.TAKE:
        return
    if spec.retrain.schedule is not None:
        yield Mistake(
            ("retrain", "schedule"),
            "would never train: registry.mode is take, so versions come from the registry; make it null here",
        )


def _freezes(freezes: tuple[Freeze, ...]) -> Iterator[Mistake]:
    for number, freeze in enumerate(freezes):
        at: Path = ("freezes", number)
        if not freeze.days:
            yield Mistake((*at, "days"), "a freeze needs a day, such as [sat, sun]")
        if freeze.start == freeze.end:
            yield Mistake((*at, "end"), f"start and end are both {freeze.start}, so that the freeze is empty")
        try:
            ZoneInfo(freeze.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            yield Mistake((*at, "time_zone"), f'"{freeze.time_zone}" is no time zone; "Europe/Berlin" is one')


def _files(spec: Spec, folder: FilePath) -> Iterator[Mistake]:
    named: dict[Path, str] = {
        ("training", "job"): spec.training.job,
        ("rollout", "endpoint"): spec.rollout.endpoint,
        ("rollout", "deployment"): spec.rollout.deployment,
        ("rollout", "sample_request"): spec.rollout.sample_request,
        **sense_evidence.files(spec.rollout),
        **{("schedules", number): name for number, name in enumerate(spec.schedules)},
    }
    if spec.training.component is not None:
        named["training", "component"] = spec.training.component
    root = folder.resolve()
    for at, name in named.items():
        path = (root / name).resolve()
        if not path.is_relative_to(root):
            yield Mistake(at, f'"{name}" leads out of the model\'s folder')
        elif not path.is_file():
            yield Mistake(at, f'there is no file "{name}" in {folder}')
