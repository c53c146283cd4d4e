"""The example's contract and the flights that the demo drops, held against each other."""

from pathlib import Path

import pytest

from localcloud import flights
from shared.intake.reading import Reading, read
from shared.intake.report import Rule
from shared.operator.reading import environments, read_spec

MODEL = Path(__file__).resolve().parents[2] / "models" / "flight-duration"


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return flights.write_months(tmp_path_factory.mktemp("flights"))


def intake(path: Path, folder: Path) -> Reading:
    return read([path.read_bytes()], read_spec(MODEL, "local").data, folder / "part.parquet")


@pytest.mark.parametrize("environment", environments(MODEL))
def test_the_spec_is_right_in_every_environment(environment: str):
    assert read_spec(MODEL, environment).name == "flight-duration"


def test_every_month_of_the_year_keeps_the_contract(months: list[Path], tmp_path: Path):
    readings = [intake(path, tmp_path) for path in months]
    assert [len(reading.findings) for reading in readings] == [0] * 12
    assert sum(reading.rows for reading in readings) == 336_776


def test_a_month_cut_alone_is_the_same_file(months: list[Path], tmp_path: Path):
    assert flights.write_months(tmp_path, [3])[0].read_bytes() == months[2].read_bytes()


def test_the_broken_file_is_refused_for_its_one_cell(months: list[Path], tmp_path: Path):
    reading = intake(flights.write_broken(months[11], tmp_path / "broken.csv"), tmp_path)
    assert reading.part is None
    assert [(finding.rule, finding.row, finding.column) for finding in reading.findings.kept] == [
        (Rule.TYPE, 5_000, "distance")
    ]


def test_a_sample_of_requests_is_the_same_each_time_and_has_its_outcome():
    sample = list(flights.scoring_requests(11, 50))
    assert sample == list(flights.scoring_requests(11, 50))
    assert len(sample) == 50
    assert all(minutes > 0 and set(request) == set(flights.REQUEST_COLUMNS) for request, minutes in sample)


@pytest.mark.parametrize("text", ["0", "13", "5-3", "may", "-3"])
def test_months_that_do_not_exist_are_refused(text: str, tmp_path: Path):
    with pytest.raises(SystemExit):
        flights.main([str(tmp_path), f"--months={text}"])
