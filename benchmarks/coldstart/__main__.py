"""`python -m benchmarks.coldstart`: the package's cold start beside that of a naive app and of an empty one.

Run by hand and by `make bench-coldstart`. Ends with 1 when the package misses a limit; README.md says how.
"""

import argparse
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import psutil

from benchmarks.coldstart.measuring import Measuring, Run, in_turns

MOST_OF_NAIVE = 0.25
MOST_MB = 70.0
COLUMNS: list[tuple[str, Callable[[Run], float], str]] = [
    ("first event s", lambda run: run.time_s, ".2f"),
    ("CPU s", lambda run: run.cpu_s, ".2f"),
    ("peak MB", lambda run: run.peak_mb, ".1f"),
]


def table(found: dict[str, list[Run]]) -> str:
    """Median, minimum and maximum of each app, in Markdown."""
    heads = [name for name, _, _ in COLUMNS]
    lines = [f"| app | {' | '.join(heads)} | modules |", f"|---|{'---|' * (len(heads) + 1)}"]
    for name, runs in found.items():
        cells = [_spread([of(run) for run in runs], form) for _, of, form in COLUMNS]
        lines.append(f"| {name} | {' | '.join(cells)} | {runs[0].modules} |")
    return "\n".join(lines)


def _spread(values: list[float], form: str) -> str:
    median, least, most = statistics.median(values), min(values), max(values)
    return f"{median:{form}} ({least:{form}} to {most:{form}})"


def ratio(found: dict[str, list[Run]]) -> float:
    """The package's time in parts of the naive app's, by the quickest run of each: what disturbs a run only adds."""
    ours, naive = (min(run.time_s for run in found[name]) for name in ("package", "naive"))
    return ours / naive


def misses(found: dict[str, list[Run]], zipped_mb: float) -> list[str]:
    """One sentence for each limit that the package misses."""
    peak_mb = max(run.peak_mb for run in found["package"])
    told = []
    if ratio(found) > MOST_OF_NAIVE:
        told.append(f"The package takes {ratio(found):.2f} of the naive app's time, more than {MOST_OF_NAIVE}.")
    if peak_mb >= MOST_MB:
        told.append(f"The package takes {peak_mb:.1f} MB of memory, not less than {MOST_MB:.0f}.")
    if zipped_mb >= MOST_MB:
        told.append(f"The package has {zipped_mb:.1f} MB, not less than {MOST_MB:.0f}.")
    return told


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coldstart")
    parser.add_argument("--rounds", type=int, default=10, help="counted runs of each app")
    parser.add_argument("--folder", type=Path, help="where to set up; a temporary folder if not given")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        measuring = Measuring(arguments.folder or Path(temporary))
        candidates = measuring.candidates()
        zipped_mb, sizes = measuring.zipped_mb(), {each.name: measuring.unpacked_mb(each) for each in candidates}
        with measuring.cloud():
            before = measuring.handled()
            found = in_turns(candidates, arguments.rounds, measuring.run)
            handled = {name: count - before[name] for name, count in measuring.handled().items()}
    print(f"Python {platform.python_version()}, {psutil.cpu_count()} CPUs, {arguments.rounds} runs of each in turns;")
    print("median (minimum to maximum).\n")
    print(table(found))
    print(f"\nThe package takes {ratio(found):.3f} of the naive app's time, by the quickest run of each.")
    on_disk = ", ".join(f"{name} {size_mb:.0f}" for name, size_mb in sizes.items())
    print(f"On disk, in MB: {on_disk}. The package has {zipped_mb:.1f} MB as a zip.")
    told = misses(found, zipped_mb)
    sent = arguments.rounds + 1
    if handled != {"package": sent, "naive": 2 * sent}:
        told.append(f"Not every event was recorded: {handled}, and each app was sent {sent}.")
    print("\n".join(told) or "All limits are kept.")
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
