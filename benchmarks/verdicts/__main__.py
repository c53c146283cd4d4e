"""`python -m benchmarks.verdicts`: false alarms and misses of the judge and of the canary analysis, measured.

Run by hand; a test runs it with --quick. The same seed prints the same tables, whatever the number of workers.
docs/reference/verdicts.md says what the tables mean.
"""

import argparse
import os
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from benchmarks.verdicts import comparing, flights, judging, latency, tables


@dataclass(frozen=True)
class Size:
    """Runs of each kind, and the request rates of the rollouts, per second."""

    held_out_sets: int
    rollouts: int
    slow_rollouts: int
    rates_per_s: tuple[float, ...]


FULL = Size(held_out_sets=4_000, rollouts=300, slow_rollouts=100, rates_per_s=comparing.RATES_PER_S)
QUICK = Size(held_out_sets=200, rollouts=40, slow_rollouts=10, rates_per_s=(1.0,))


@dataclass(frozen=True)
class Measured:
    """All that was found; what was not asked for is empty."""

    judged: list[judging.Promoted]
    played: list[comparing.Played]
    slow: list[latency.Slow]


PARTS = ("judge", "canary", "latency")


def measure(size: Size, seed: int, workers: int, parts: Collection[str] = PARTS) -> Measured:
    """Simulate what is asked for."""
    # Threads that spin while they wait make the fits many times slower on a machine that is busy otherwise.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    rates = size.rates_per_s
    return Measured(
        judging.measure(flights.load(), seed, size.held_out_sets) if "judge" in parts else [],
        comparing.measure(seed, size.rollouts, rates, workers) if "canary" in parts else [],
        latency.measure(seed, size.slow_rollouts, rates, workers) if "latency" in parts else [],
    )


def text(measured: Measured, size: Size, seed: int) -> str:
    """The tables, each with its heading."""
    how_many = f"{size.held_out_sets} held-out sets, {size.rollouts} rollouts, {size.slow_rollouts} slow rollouts"
    parts = [f"Seed {seed}; of each kind {how_many}. Percent ± standard error."]
    if measured.judged:
        parts += [
            "## The judge: promoted, rows drawn one by one\n\n" + tables.judged(measured.judged, "alone"),
            "## The judge: promoted, rows drawn by the day\n\n" + tables.judged(measured.judged, judging.BY_DAY),
        ]
    if measured.played:
        parts += [
            "## The canary analysis: rollouts failed\n\n" + tables.failed(measured.played),
            "## The canary analysis: the candidate's requests until it was failed\n\n"
            + tables.speed(measured.played),
        ]
    if measured.slow:
        parts.append("## The canary analysis: latency\n\n" + tables.slow(measured.slow))
    return "\n\n".join(parts) + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verdicts", description="Rates of wrong verdicts.")
    parser.add_argument("--quick", action="store_true", help="fewer runs, under a minute")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2, help="processes; default 2")
    parser.add_argument("--only", choices=PARTS, action="append", help="this part alone; may be given again")
    arguments = parser.parse_args(argv)
    size = QUICK if arguments.quick else FULL
    measured = measure(size, arguments.seed, arguments.workers, arguments.only or PARTS)
    sys.stdout.write(text(measured, size, arguments.seed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
