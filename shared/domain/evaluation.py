"""What a training job says of its candidate: evaluation.json, written by the model's own code, never trusted.

Source of the shape: docs/reference/evaluation.md; its JSON Schema is published beside that of upkeep.yaml. Types are
all that decoding checks: soundness.py asks whether what stands here can be true, before a gate looks at a number.
"""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from shared.domain.base import Kept

Count = Annotated[int, Meta(ge=0, le=2**53)]


class Scores(Kept, frozen=True, kw_only=True):
    """Metrics of one model on the held-out rows, by name.

    `bias`, if it is among them, is the mean prediction minus the mean label.
    """

    metrics: dict[str, float | None]


class ChampionScores(Scores, frozen=True, kw_only=True):
    """Metrics of the model in production on the same rows, with its registered version."""

    version: str


class HeldOut(Kept, frozen=True, kw_only=True):
    """The rows that everything was scored on; `sha256` covers their keys and labels."""

    parts: tuple[str, ...]
    rows: Count
    sha256: str


class Groups(Kept, frozen=True, kw_only=True):
    """Rows that hang together, such as a day's. `rows` and `sums` (of the differences) have one value a group."""

    by: str
    rows: tuple[Count, ...]
    sums: tuple[float, ...]


class Paired(Kept, frozen=True, kw_only=True):
    """Candidate minus champion, loss by loss over the held-out rows. `metric` names the loss."""

    metric: str
    rows: Count
    mean_difference: float | None
    standard_deviation: float | None
    groups: Groups | None = None


class Resampled(Kept, frozen=True, kw_only=True):
    """A bootstrap interval of candidate minus champion, for a metric that is no mean over rows.

    Both models are scored on the same draws, and whole groups are drawn. `difference` is the one on all rows.
    """

    metric: str
    method: str
    by: str
    groups: Count
    rows: Count
    replicates: Count
    seed: int
    confidence_pct: float
    difference: float
    low: float
    high: float


class Slice(Kept, frozen=True, kw_only=True):
    """Some of the held-out rows: those whose column `name` has that value. Both numbers are mean losses."""

    name: str
    value: str
    metric: str
    rows: Count
    candidate: float
    champion: float | None = None
    standard_deviation: float | None = None
    groups: Groups | None = None


class Artifact(Kept, frozen=True, kw_only=True):
    """The model file that was scored, and where it lies in the output `model`; any file there, if it does not say."""

    sha256: str
    path: str = ""
    bytes: Count | None = None


class Scoring(Kept, frozen=True, kw_only=True):
    """How long the candidate takes for one row at a time, in the job, and how often that was measured."""

    calls: Count
    p50_ms: float
    p95_ms: float


class Leakage(Kept, frozen=True, kw_only=True):
    """What the job found when it looked for answers that leak into training.

    `overlapping_rows` are held-out rows whose key is in the training rows too. `strongest_share_pct` is the share of
    one input in the importance of all.
    """

    overlapping_rows: Count
    train_until: datetime | None = None
    held_out_from: datetime | None = None
    strongest_input: str = ""
    strongest_share_pct: float | None = None


class Input(Kept, frozen=True, kw_only=True):
    """A column that the candidate takes when it is asked to predict."""

    name: str
    type: Literal["string", "number", "bool", "timestamp"]


class Evaluation(Kept, frozen=True, kw_only=True):
    """One evaluation of one candidate."""

    schema: Literal["upkeep.evaluation/1"]
    data_version: str
    held_out: HeldOut
    candidate: Scores
    artifact: Artifact
    task: str = "regression"
    champion: ChampionScores | None = None
    baseline: Scores | None = None
    paired: Paired | None = None
    resampled: Resampled | None = None
    slices: tuple[Slice, ...] = ()
    leakage: Leakage | None = None
    inputs: tuple[Input, ...] = ()
    scoring: Scoring | None = None
