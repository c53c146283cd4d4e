"""What a training job says of its candidate: evaluation.json, written by the model's own code, never trusted.

Source of the shape: docs/reference/evaluation.md. Metrics that are missing or not finite fail the gates.
"""

from typing import Literal

from shared.domain.base import Kept


class Scores(Kept, frozen=True, kw_only=True):
    """Metrics of one model on the held-out rows, by name."""

    metrics: dict[str, float | None]


class ChampionScores(Scores, frozen=True, kw_only=True):
    """Metrics of the model in production on the same rows, with its registered version."""

    version: str


class HeldOut(Kept, frozen=True, kw_only=True):
    """The rows that everything was scored on; `sha256` covers their keys and labels."""

    parts: tuple[str, ...]
    rows: int
    sha256: str


class Paired(Kept, frozen=True, kw_only=True):
    """Candidate minus champion, loss by loss over the held-out rows."""

    metric: str
    rows: int
    mean_difference: float | None
    standard_deviation: float | None


class Artifact(Kept, frozen=True, kw_only=True):
    """The model file that was scored, and where it lies in the output `model`; any file there, if it does not say."""

    sha256: str
    path: str = ""


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
