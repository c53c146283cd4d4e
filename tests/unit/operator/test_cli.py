"""The command line ends with 0, 1 or 2, and with one sentence for each problem."""

import json
import os
from pathlib import Path

import pytest

from shared.operator import cli
from tests.unit.operator.test_reading import GOOD, OVERLAY

FILES = {
    "job.yml": """\
type: command
code: train
command: >-
  python train.py --manifest ${{inputs.manifest}} --parts ${{inputs.parts}}
  --model ${{outputs.model}} --evaluation ${{outputs.evaluation}}
environment: azureml:training:1
inputs: {manifest: {type: uri_file, path: "azureml:m:1"}, parts: {type: uri_folder, path: "azureml:p:1"}}
outputs: {model: {type: uri_folder}, evaluation: {type: uri_folder}}
""",
    "train/train.py": "",
    "endpoint.yml": "name: trips\n",
    "deployment.yml": """\
name: r0001
endpoint_name: trips
code_configuration: {code: score, scoring_script: score.py}
environment: azureml:serving:3
instance_type: Standard_DS3_v2
""",
    "score/score.py": "",
    "sample.json": "{}",
}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in, and an environment without settings, restored afterwards."""
    monkeypatch.chdir(tmp_path)
    for name in ("UPKEEP_APP_URL", "UPKEEP_APP_KEY", "UPKEEP_STORAGE__blobServiceUri"):
        monkeypatch.setenv(name, "")  # remembered, so that what a command sets is taken back
        monkeypatch.delenv(name)
    return tmp_path


def model_folder(root: Path, name: str, text: str = GOOD) -> Path:
    folder = root / "models" / name
    folder.mkdir(parents=True)
    for file, content in FILES.items():
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_text(content)
    (folder / "upkeep.yaml").write_text(text)
    return folder


def test_a_right_model_is_told_with_its_environments(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model_folder(elsewhere, "trips", GOOD + OVERLAY)
    assert cli.main(["validate"]) == 0
    assert capsys.readouterr().out == "models/trips: trips is right (environments: dev, prod)\n"


def test_mistakes_of_all_environments_are_told(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model_folder(elsewhere, "trips", GOOD + OVERLAY.replace("prod: {}", "prod: {poll_s: 0}"))
    assert cli.main(["validate", "models/trips"]) == 1
    assert "environments.prod.poll_s: 0 is less than 1" in capsys.readouterr().out


def test_mistakes_in_files_of_azure_ml_are_told_too(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = model_folder(elsewhere, "trips")
    (folder / "job.yml").write_text("type: sweep")
    (folder / "deployment.yml").write_text(FILES["deployment.yml"].replace("score.py", "gone.py"))
    (folder / "endpoint.yml").write_text("auth_mode: key")
    assert cli.main(["validate"]) == 1
    told = capsys.readouterr().out
    assert "job.yml: Azure ML refuses it" in told
    assert "endpoint.yml: Azure ML refuses it" in told


def test_the_cloud_that_the_environment_names_is_not_asked(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZUREML_CURRENT_CLOUD", "ACloudThatIsDown")
    model_folder(elsewhere, "trips")
    assert cli.main(["validate"]) == 0
    assert os.environ["AZUREML_CURRENT_CLOUD"] == "ACloudThatIsDown"


def test_two_folders_of_one_model_are_a_mistake(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model_folder(elsewhere, "trips")
    model_folder(elsewhere, "copy")
    assert cli.main(["validate"]) == 1
    assert "models/copy: another folder has a model of that name too, trips" in capsys.readouterr().out


def test_what_was_validated_can_be_had_as_json(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model_folder(elsewhere, "trips")
    assert cli.main(["validate", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["model"] == "trips"


def test_without_any_model_validate_says_where_it_looked(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["validate"]) == 1
    assert "there is no models/NAME/upkeep.yaml below" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [
        ["status"],
        ["history", "trips"],
        ["card", "trips", "3"],
        ["pause", "trips", "--reason", "holidays"],
        ["take", "trips", "--version", "3", "--reason", "prod"],
    ],
)
def test_an_app_that_is_not_configured_is_one_sentence(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(command) == 1
    assert capsys.readouterr().err == (
        "upkeep: UPKEEP_APP_URL is not set: set it in the environment or in .upkeep.env of this folder\n"
    )


def test_files_that_cannot_be_uploaded_are_all_told(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (elsewhere / "empty.csv").touch()
    assert cli.main(["drop", "nowhere.csv", "empty.csv", str(elsewhere), "--model", "trips"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "upkeep: nowhere.csv: there is no such file",
        "upkeep: empty.csv: is empty",
        f"upkeep: {elsewhere}: is not a file",
    ]


def test_two_files_of_one_name_would_be_one_upload(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("a", "b"):
        (elsewhere / folder).mkdir()
        (elsewhere / folder / "may.csv").write_text("x")
    assert cli.main(["drop", "a/may.csv", "b/may.csv", "--model", "trips"]) == 1
    assert capsys.readouterr().err == "upkeep: may.csv: is named twice\n"


def test_a_drop_without_storage_is_one_sentence(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (elsewhere / "may.csv").write_text("x")
    assert cli.main(["drop", "may.csv", "--model", "trips"]) == 1
    assert capsys.readouterr().err.startswith("upkeep: UPKEEP_STORAGE__blobServiceUri is not set")


def test_a_named_file_of_settings_must_be_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["status", "--env-file", "gone.env"]) == 1
    assert capsys.readouterr().err == "upkeep: gone.env: there is no such file of settings\n"


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["publsh"],
        ["pause", "trips"],
        ["history", "trips", "--most", "0"],
        ["drop", "--model", "trips"],
        ["take", "trips"],
    ],
)
def test_a_command_that_is_wrong_ends_with_2(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(command)
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("usage: upkeep")


@pytest.mark.parametrize("most", ["x", "0", "1001", "1.5", "-3"])
def test_a_wrong_number_of_decisions_is_answered_by_one_sentence(
    most: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["history", "trips", f"--most={most}"])
    assert caught.value.code == 2
    assert capsys.readouterr().err.endswith("argument --most: must be a whole number, 1 to 1000\n")


def test_the_pages_address_keeps_the_key_in_the_fragment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("UPKEEP_APP_URL", "https://app/")
    monkeypatch.setenv("UPKEEP_APP_KEY", "a+key=")
    assert cli.main(["page", "--address"]) == 0
    assert capsys.readouterr().out == "https://app/api/page#key=a%2Bkey%3D\n"


def test_without_a_browser_the_page_is_told_to_be_opened_by_hand(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("UPKEEP_APP_URL", "https://app")
    monkeypatch.setattr("webbrowser.open", lambda _address: False)
    assert cli.main(["page"]) == 1
    assert "upkeep page --address" in capsys.readouterr().err
