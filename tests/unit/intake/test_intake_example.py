"""The example's own data against the example's own contract."""

from pathlib import Path

import pytest

from localcloud.flights import write_broken, write_months
from shared.domain.spec import Data
from shared.intake.reading import read
from shared.intake.report import Rule
from shared.operator.reading import read_spec

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def data() -> Data:
    return read_spec(ROOT / "models" / "flight-duration" / "upkeep.yaml", None).data


@pytest.fixture(scope="module")
def january(tmp_path_factory: pytest.TempPathFactory) -> Path:
    [file] = write_months(tmp_path_factory.mktemp("flights"), [1])
    return file


def test_a_month_of_flights_is_accepted(data: Data, january: Path, tmp_path: Path) -> None:
    found = read([january.read_bytes()], data, tmp_path / "part.parquet")
    assert found.part is not None
    assert (found.part.rows, found.part.start.month, len(found.findings)) == (27_004, 1, 0)


def test_one_spoilt_cell_of_a_month_is_found_where_it_is(data: Data, january: Path, tmp_path: Path) -> None:
    spoilt = write_broken(january, tmp_path / "spoilt.csv", column="distance", row=5_000, cell="far")
    found = read([spoilt.read_bytes()], data, tmp_path / "part.parquet")
    assert [(finding.rule, finding.row, finding.column, finding.cell) for finding in found.findings.kept] == [
        (Rule.TYPE, 5_000, "distance", "'far'")
    ]
