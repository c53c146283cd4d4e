"""Settings come from the environment and from the file, and from each where it knows better."""

from pathlib import Path

import pytest

from shared.errors import BadInput
from shared.operator import surroundings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / ".upkeep.env"
    path.write_text(
        '# a comment\n\nUPKEEP_APP_URL="https://app.example/"\nSSL_CERT_FILE=/ca.pem\nUPKEEP_APP_KEY=a=b\n'
    )
    return path


def test_quotes_are_taken_off_and_values_may_hold_equals_signs(file: Path) -> None:
    assert surroundings.read_pairs(file) == {
        "UPKEEP_APP_URL": "https://app.example/",
        "SSL_CERT_FILE": "/ca.pem",
        "UPKEEP_APP_KEY": "a=b",
    }


def test_a_setting_of_upkeep_given_for_one_command_wins_over_the_file(file: Path) -> None:
    found = surroundings.gather({"UPKEEP_APP_URL": "https://other.example"}, file)
    assert found["UPKEEP_APP_URL"] == "https://other.example"


def test_certificates_of_the_file_win_over_those_of_the_machine(file: Path) -> None:
    assert surroundings.gather({"SSL_CERT_FILE": "/machine.pem"}, file)["SSL_CERT_FILE"] == "/ca.pem"


def test_without_a_file_the_environment_is_all_there_is() -> None:
    assert surroundings.gather({"A": "1"}, None) == {"A": "1"}


def test_a_line_that_is_no_setting_is_told_by_its_number(file: Path) -> None:
    file.write_text("A=1\nnonsense\n")
    with pytest.raises(BadInput, match="line 2 is not KEY=VALUE"):
        surroundings.read_pairs(file)


def test_the_app_is_found_without_the_slash_at_its_end(file: Path) -> None:
    app = surroundings.app(surroundings.read_pairs(file))
    assert app == surroundings.App("https://app.example", "a=b")


def test_a_missing_setting_is_told_by_its_name() -> None:
    with pytest.raises(BadInput, match="UPKEEP_APP_URL is not set"):
        surroundings.app({})
