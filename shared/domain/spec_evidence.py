"""The parts of a spec's `rollout` that say what a release is judged by besides the traffic log's counts.

Read by spec.py, which says what a spec is. Every option is explained in docs/guide/rollout.md.
"""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from shared.domain.base import Written
from shared.domain.spec_types import Percent, Positive, RelativePath


class Answer(Written, frozen=True, kw_only=True):
    """What the answer to the sample request must look like: one prediction a row, of finite numbers within bounds.

    `rows` is where the rows stand in the request, `predictions` where the predictions stand in the answer: keys,
    joined by dots; an empty text where the whole is the list. `schema` is a JSON Schema of the whole answer.
    """

    rows: str = "data"
    predictions: str = "predictions"
    min: float | None = None
    max: float | None = None
    schema: RelativePath | None = None


class OnNoData(StrEnum):
    """What it means that a query of the analysis gives no row, or no number."""

    HOLD = "hold"
    IGNORE = "ignore"
    FAIL = "fail"


class Query(Written, frozen=True, kw_only=True):
    """A KQL query of one's own, whose one row has a number in the column `value`, and what that may be.

    The ratios compare the candidate's value with the live deployment's, for which the query is run again.
    """

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}$", description="a name of small letters, digits and _")]
    kql: str | None = None
    file: RelativePath | None = None
    min: float | None = None
    max: float | None = None
    min_ratio: Annotated[float, Meta(ge=0)] | None = None
    max_ratio: Annotated[float, Meta(ge=0)] | None = None
    on_no_data: OnNoData = OnNoData.HOLD

    @property
    def compares(self) -> bool:
        """Whether the live deployment's value is needed too."""
        return self.min_ratio is not None or self.max_ratio is not None


class Predictions(Written, frozen=True, kw_only=True):
    """How far the candidate's predictions may lie from the live deployment's, by what both collect.

    `max_psi` bounds the population stability index, `max_ks` the Kolmogorov-Smirnov distance: the statistics
    themselves, because at the size of a canary's window any difference is significant.
    """

    column: str = "prediction"
    collection: str = "model_outputs"
    min_rows: Annotated[int, Meta(ge=20, le=10_000)] = 500
    max_psi: Annotated[float, Meta(ge=0)] | None = 0.25
    max_ks: Annotated[float, Meta(ge=0, le=1)] | None = None


class LoadTest(Written, frozen=True, kw_only=True):
    """Sample requests in bursts, before any user is sent there: so many a second, or so many at once."""

    duration_s: Annotated[int, Meta(ge=1, le=600)] = 30
    requests_per_s: Annotated[float, Meta(ge=0.1, le=200)] | None = None
    concurrency: Annotated[int, Meta(ge=1, le=32)] | None = None
    max_latency_p95_ms: Positive | None = None
    max_error_rate_pct: Percent = 1.0
    tries: Annotated[int, Meta(ge=1, le=5)] = 2


class Probe(Written, frozen=True, kw_only=True):
    """Sample requests to candidate and live deployment in place of users, where `no_data` is probe."""

    requests: Annotated[int, Meta(ge=20, le=1_000)] = 100
    requests_per_s: Annotated[float, Meta(ge=0.1, le=20)] = 2.0
