"""Held-out sets drawn from real rows whose true difference is known, as sums that give every mean and deviation.

Called by judging.py. A candidate better by e % is the real one with its errors scaled, so that over the whole
population its mean absolute error is exactly e % below the champion's.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.verdicts.flights import Array, Errors


@dataclass(frozen=True)
class Draws:
    """Held-out sets, one a run. `sums` is runs x groups x (a, b, aa, bb, ab) of champion a and candidate b.

    Rows of one group hang together (flights of a day share its winds); `counts` is groups' rows.
    """

    sums: Array
    counts: NDArray[np.int64]

    @property
    def rows(self) -> int:
        """Rows of each held-out set."""
        return int(self.counts.sum())


def scale(errors: Errors, better_pct: float) -> float:
    """What the candidate's errors are multiplied by, so that its true error is `better_pct` below the champion's."""
    return float((1 - better_pct / 100) * errors.champion.mean() / errors.candidate.mean())


def alone(errors: Errors, rows: int, runs: int, rng: np.random.Generator) -> Draws:
    """Each row drawn by itself, with replacement, and days made of what came: rows that do not hang together."""
    moments, count = _moments(errors), len(errors.champion)
    lengths = _lengths(errors, rows)
    ends = np.cumsum(lengths)
    sums = np.empty((runs, len(lengths), moments.shape[1]))
    for run in range(runs):
        running = np.cumsum(moments[rng.integers(0, count, rows)], axis=0)[ends - 1]
        sums[run] = np.diff(running, axis=0, prepend=0.0)
    return Draws(sums, lengths)


def by_day(errors: Errors, rows: int, runs: int, rng: np.random.Generator) -> Draws:
    """A day's worth of neighbouring rows at a time, from any start: what a held-out month is like.

    The circular block bootstrap of Politis and Romano (1992): every row is as likely as any other, so that the
    true difference is still that of the population.
    """
    moments, count = _moments(errors), len(errors.champion)
    lengths = _lengths(errors, rows)
    running = np.vstack([np.zeros(moments.shape[1]), np.cumsum(np.vstack([moments, moments]), axis=0)])
    starts = rng.integers(0, count, (runs, len(lengths)))
    return Draws(running[starts + lengths] - running[starts], lengths)


def _lengths(errors: Errors, rows: int) -> NDArray[np.int64]:
    """Rows of each day, the last one shorter."""
    full, rest = divmod(rows, errors.rows_a_day)
    return np.array([errors.rows_a_day] * full + ([rest] if rest else []))


def _moments(errors: Errors) -> Array:
    a, b = errors.champion, errors.candidate
    return np.column_stack([a, b, a * a, b * b, a * b])
