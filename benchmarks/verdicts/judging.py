"""False promotions and misses of the judge: many held-out sets, each judged by the product and by simpler rules.

Called by __main__. The verdict of the product is that of gates.judge itself.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from scipy import stats  # type: ignore[import-untyped]  # ships no types

from benchmarks.verdicts.flights import Errors
from benchmarks.verdicts.sampling import Draws, alone, by_day, scale
from shared.domain.evaluation import Artifact, ChampionScores, Evaluation, HeldOut, Paired, Scores
from shared.domain.gates import judge
from shared.domain.manifest import Manifest
from shared.domain.record import Serving
from shared.domain.spec import Gates

Bools = NDArray[np.bool_]
LEAST_PCT = 2.0
"""The least effect worth a release, as in the example's spec."""
BETTER_PCT = (-10.0, -5.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 5.0, 10.0)
ROWS = (500, 2_000, 27_000, 81_000)
"""Half a day, two days, a month and three months of flights."""
BY_DAY, PROPOSED = "by day", "proposed"
DRAWN = {"alone": alone, BY_DAY: by_day}
RULES = ("threshold", "threshold, least effect", "product, no least effect", "product", PROPOSED)
_LEAST = Gates(metric="mae", direction="minimize", min_improvement_pct=LEAST_PCT, min_rows=100)
_ANY = Gates(metric="mae", direction="minimize", min_improvement_pct=0.0, min_rows=100)
_MANIFEST = Manifest(model="flight-duration", parts=(), train=("0",), held_out=("1",))
_VERSION = _MANIFEST.version
_CHAMPION = Serving(
    release=1,
    version=1,
    deployment="r0001",
    job="flight-duration-0001-a1",
    artifact="",
    publication="",
    since=datetime(2013, 1, 1, tzinfo=UTC),
)


@dataclass(frozen=True)
class Promoted:
    """How many of `runs` candidates each rule promoted, where the candidate is better by `better_pct`."""

    drawn: str
    rows: int
    better_pct: float
    runs: int
    by_rule: dict[str, int]


def measure(errors: Errors, seed: int, runs: int) -> list[Promoted]:
    """Every way of drawing, number of rows and true effect."""
    found = []
    for number, (drawn, draw) in enumerate(DRAWN.items()):
        for rows in ROWS:
            draws = draw(errors, rows, runs, np.random.default_rng([seed, number, rows]))
            found += [_effect(errors, draws, drawn, better_pct) for better_pct in BETTER_PCT]
    return found


def promotes_its_copy() -> bool:
    """Whether the product promotes a copy of the champion, without a least effect: no difference in any row."""
    return _product(_ANY, 9.0, 9.0, 0.0, 27_000)


def _effect(errors: Errors, draws: Draws, drawn: str, better_pct: float) -> Promoted:
    c, rows, runs = scale(errors, better_pct), draws.rows, len(draws.sums)
    a, b, aa, bb, ab = np.moveaxis(draws.sums.sum(axis=1), 1, 0)
    champion, candidate = a / rows, c * b / rows
    mean = candidate - champion
    spread = np.sqrt((c * c * bb - 2 * c * ab + aa - rows * mean * mean) / (rows - 1))
    least = candidate <= (1 - LEAST_PCT / 100) * champion
    product, loose = (
        np.array([_product(gates, *row, rows) for row in zip(candidate, champion, spread, strict=True)])
        for gates in (_LEAST, _ANY)
    )
    groups = c * draws.sums[:, :, 1] - draws.sums[:, :, 0]
    passed = (candidate < champion, least, loose, product, least & _below_nought(groups, draws.counts, mean))
    counts = {name: int(promoted.sum()) for name, promoted in zip(RULES, passed, strict=True)}
    return Promoted(drawn, rows, better_pct, runs, counts)


def _below_nought(groups: NDArray[np.float64], counts: NDArray[np.int64], mean: NDArray[np.float64]) -> Bools:
    """Whether the mean difference is below nought by more than chance, if rows of a group hang together.

    Groups' residuals for rows' (Liang and Zeger 1986), Student's t with a degree less than groups (Cameron and
    Miller 2015, section VI). With a single group nothing can be told.
    """
    many = len(counts)
    if many < 2:
        return np.zeros(len(groups), dtype=bool)
    residuals = groups - counts * mean[:, None]
    error = np.sqrt(many / (many - 1) * (residuals**2).sum(axis=1)) / counts.sum()
    below: Bools = mean + stats.t.ppf(0.975, many - 1) * error < 0
    return below


def _product(gates: Gates, candidate: float, champion: float, spread: float, rows: int) -> bool:
    evaluation = Evaluation(
        schema="upkeep.evaluation/1",
        data_version=_VERSION,
        held_out=HeldOut(parts=("1",), rows=rows, sha256="0"),
        candidate=Scores(metrics={"mae": float(candidate)}),
        champion=ChampionScores(version="1", metrics={"mae": float(champion)}),
        baseline=Scores(metrics={"mae": 10 * float(candidate)}),
        paired=Paired(
            metric="mae", rows=rows, mean_difference=float(candidate - champion), standard_deviation=float(spread)
        ),
        artifact=Artifact(sha256="0"),
    )
    return judge(gates, evaluation, _MANIFEST, _CHAMPION).passed
