"""Evaluations as training jobs write them: the candidate is plainly better than the champion, worse, or unclear."""

from datetime import UTC, datetime

from shared.domain.evaluation import (
    Artifact,
    ChampionScores,
    Evaluation,
    Groups,
    HeldOut,
    Input,
    Leakage,
    Paired,
    Scores,
)
from shared.domain.manifest import Manifest
from shared.domain.record import Serving

GROUPS = 25
SPREAD = 8.0
INPUTS = (Input(name="minutes", type="number"),)
LEAKAGE = Leakage(
    overlapping_rows=0,
    train_until=datetime(2025, 1, 31, tzinfo=UTC),
    held_out_from=datetime(2025, 2, 1, tzinfo=UTC),
)


def by_day(rows: int, mean: float, spread: float = SPREAD) -> Groups:
    """Rows in days that differ by the spread (of a day's sum), with that mean over all of them."""
    counts = tuple(rows // GROUPS + (day < rows % GROUPS) for day in range(GROUPS))
    around = [0.0, *(spread if day % 2 else -spread for day in range(1, GROUPS))]
    return Groups(by="day", rows=counts, sums=tuple(n * mean + off for n, off in zip(counts, around, strict=True)))


def evaluate(
    manifest: Manifest, champion: Serving | None, *, better: bool, artifact: str, spread: float = SPREAD
) -> Evaluation:
    """An evaluation such as a training job writes: the candidate is plainly better than the champion, or worse.

    With a spread of 300 the days differ so much that the numbers do not say which.
    """
    rows = sum(part.rows for part in manifest.parts if part.name in manifest.held_out)
    mean = -2.0 if better else 2.0
    return Evaluation(
        schema="upkeep.evaluation/1",
        data_version=manifest.version,
        held_out=HeldOut(parts=manifest.held_out, rows=rows, sha256="0" * 64),
        candidate=Scores(metrics={"mae": 8.0 if better else 12.0}),
        champion=ChampionScores(version=str(champion.version), metrics={"mae": 10.0}) if champion else None,
        baseline=Scores(metrics={"mae": 20.0 if champion or better else 11.0}),
        paired=Paired(
            metric="mae", rows=rows, mean_difference=mean, standard_deviation=9.0, groups=by_day(rows, mean, spread)
        )
        if champion
        else None,
        artifact=Artifact(sha256=artifact),
        leakage=LEAKAGE,
        inputs=INPUTS,
    )
