"""The parts of a spec's `rollout` that say what a release is judged by besides the traffic log's counts.

Read by spec.py, which says what a spec is. Every option is explained in docs/guide/rollout.md.
"""

from shared.domain.base import Written
from shared.domain.spec_types import RelativePath


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
