"""False promotions and misses of the judge: many held-out sets, each judged by the product and by simpler rules.

Called by __main__. The verdict of the product is that of gates.judge itself.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from benchmarks.verdicts.flights import Errors
from benchmarks.verdicts.sampling import Draws, alone, by_day, scale
from shared.domain.analysis import Finding
from shared.domain.case import Case
from shared.domain.evaluation import Artifact, ChampionScores, Evaluation, Groups, HeldOut, Paired, Scores
from shared.domain.gates import judge
from shared.domain.manifest import Manifest, ManifestPart
from shared.domain.record import Serving
from shared.domain.spec_gates import Gates
from shared.domain.statistics import Z_95

LEAST_PCT = 2.0
"""The least effect worth a release, as in the example's spec."""
BETTER_PCT = (-10.0, -5.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 5.0, 10.0)
ROWS = (500, 2_000, 27_000, 81_000)
"""Half a day, two days, a month and three months of flights."""
BY_DAY, PRODUCT = "by day", "product"
DRAWN = {"alone": alone, BY_DAY: by_day}
RULES = ("threshold", "threshold, least effect", "by rows", "product, no least effect", PRODUCT)
_LEAST = Gates(metric="mae", min_improvement_pct=LEAST_PCT, min_rows=100, leaks=None, declared_inputs=False)
_ANY = Gates(metric="mae", min_improvement_pct=0.0, min_rows=100, leaks=None, declared_inputs=False)
_START = datetime(2013, 1, 1, tzinfo=UTC)
_PART = ManifestPart(name="1", path="1", rows=10**6, start=_START, end=_START + timedelta(days=365))
_CASE = Case(
    manifest=Manifest(model="flight-duration", parts=(_PART,), train=("0",), held_out=("1",)),
    champion=Serving(
        release=1,
        version=1,
        deployment="r0001",
        job="flight-duration-0001-a1",
        artifact="",
        publication="",
        since=_START,
    ),
)
_VERSION = _CASE.manifest.version


@dataclass(frozen=True)
class Promoted:
    """How many of `runs` candidates each rule promoted, where the candidate is better by `better_pct`.

    Of the rest the product `failed` so many; the others it left open.
    """

    drawn: str
    rows: int
    better_pct: float
    runs: int
    by_rule: dict[str, int]
    failed: int


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
    return _product(_ANY, 9.0, 9.0, 0.0, np.zeros(30), np.full(30, 900)) is Finding.PASS


def _effect(errors: Errors, draws: Draws, drawn: str, better_pct: float) -> Promoted:
    c, rows, runs = scale(errors, better_pct), draws.rows, len(draws.sums)
    a, b, aa, bb, ab = np.moveaxis(draws.sums.sum(axis=1), 1, 0)
    champion, candidate = a / rows, c * b / rows
    mean = candidate - champion
    spread = np.sqrt(np.maximum(0.0, c * c * bb - 2 * c * ab + aa - rows * mean * mean) / (rows - 1))
    least = candidate <= (1 - LEAST_PCT / 100) * champion
    groups = c * draws.sums[:, :, 1] - draws.sums[:, :, 0]
    product, loose = (
        [_product(gates, *told, draws.counts) for told in zip(candidate, champion, spread, groups, strict=True)]
        for gates in (_LEAST, _ANY)
    )
    counts = {
        "threshold": int((candidate < champion).sum()),
        "threshold, least effect": int(least.sum()),
        "by rows": int((least & (mean + Z_95 * spread / np.sqrt(rows) < 0)).sum()),
        "product, no least effect": loose.count(Finding.PASS),
        PRODUCT: product.count(Finding.PASS),
    }
    return Promoted(drawn, rows, better_pct, runs, counts, product.count(Finding.FAIL))


def _product(
    gates: Gates,
    candidate: float,
    champion: float,
    spread: float,
    sums: NDArray[np.float64],
    counts: NDArray[np.int64],
) -> Finding:
    rows = int(counts.sum())
    groups = Groups(by="day", rows=tuple(counts.tolist()), sums=tuple(sums.tolist()))
    evaluation = Evaluation(
        schema="upkeep.evaluation/1",
        data_version=_VERSION,
        held_out=HeldOut(parts=("1",), rows=rows, sha256="0"),
        candidate=Scores(metrics={"mae": float(candidate)}),
        champion=ChampionScores(version="1", metrics={"mae": float(champion)}),
        baseline=Scores(metrics={"mae": 10 * float(candidate)}),
        paired=Paired(
            metric="mae",
            rows=rows,
            mean_difference=float(candidate - champion),
            standard_deviation=float(spread),
            groups=groups,
        ),
        artifact=Artifact(sha256="0"),
    )
    verdict = judge(gates, evaluation, _CASE)
    assert verdict.usable, verdict.text
    return verdict.outcome
