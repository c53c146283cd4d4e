"""The part of a spec that says what a candidate must show on the held-out rows. Read by spec.py.

Every option is explained in docs/reference/gates.md.
"""

from enum import StrEnum
from typing import Annotated, Literal

from msgspec import Meta, field

from shared.domain.base import Written
from shared.domain.metrics import Direction, Task
from shared.domain.spec_types import NotNegative, Percent, Positive


class Bound(Written, frozen=True, kw_only=True):
    """What one more metric must show, beside the main one. `max_regression_pct` is held against the champion's."""

    direction: Direction | None = None
    floor: float | None = None
    max_regression_pct: Percent | None = None


class Slices(Written, frozen=True, kw_only=True):
    """Groups of rows that may not get worse than they are with the champion, by column.

    A slice fails when it is proven (with the gates' confidence, over all slices together) to be worse by more than
    the tolerance. Slices of fewer rows are left out.
    """

    columns: tuple[str, ...]
    tolerance_pct: Percent = 5.0
    min_rows: Positive = 200


class Leaks(Written, frozen=True, kw_only=True):
    """Signs that the answer leaked into training. `too_good` is a value of the main metric that nobody believes."""

    max_overlapping_rows: NotNegative = 0
    held_out_is_later: bool = True
    too_good: float | None = None
    max_input_share_pct: Percent | None = None


class Inconclusive(StrEnum):
    """What to do with a candidate that is neither shown to be better nor shown not to be."""

    REJECT = "reject"
    ASK = "ask"


class Gates(Written, frozen=True, kw_only=True):
    """What a candidate must show on the held-out rows before it is registered.

    `groups` says which rows hang together: an interval that takes a day's rows for independent is far too narrow.
    `leaks` null switches off the search for leaks, `declared_inputs` false the comparison of inputs and contract.
    """

    metric: str
    task: Task = Task.REGRESSION
    direction: Direction | None = None
    floor: float | None = None
    min_improvement_pct: Percent = 0.0
    confidence_pct: Annotated[float, Meta(ge=80, le=99.9)] = 95.0
    min_rows: Positive = 100
    groups: Literal["hour", "day", "week", "none"] = "day"
    min_groups: Annotated[int, Meta(ge=2)] = 10
    on_inconclusive: Inconclusive = Inconclusive.REJECT
    metrics: dict[str, Bound] = field(default_factory=dict)
    slices: Slices | None = None
    max_bias: Annotated[float, Meta(ge=0)] | None = None
    max_scoring_p95_ms: Positive | None = None
    max_model_bytes: Positive | None = None
    leaks: Leaks | None = field(default_factory=Leaks)
    declared_inputs: bool = True
