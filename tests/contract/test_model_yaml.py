"""The example's Azure ML YAML, read by the loaders of azure-ai-ml that `az ml` shares."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

MODEL = Path(__file__).resolve().parents[2] / "models" / "flight-duration"
# In a process of its own: azure.ai.ml takes the cloud that it talks to from the environment when it is imported.
LOAD = """
import json, sys
from azure.ai.ml import load_job, load_online_deployment, load_online_endpoint
folder = sys.argv[1]
job = load_job(f"{folder}/train/job.yml")
endpoint = load_online_endpoint(f"{folder}/score/endpoint.yml")
deployment = load_online_deployment(f"{folder}/score/deployment.yml")
print(json.dumps({
    "command": job.command, "inputs": sorted(job.inputs), "outputs": sorted(job.outputs),
    "train_pip": job.environment.conda_file["dependencies"][-1]["pip"],
    "variables": job.environment_variables,
    "auth_mode": endpoint.auth_mode, "endpoint": endpoint.name, "deployed_to": deployment.endpoint_name,
    "script": deployment.code_configuration.scoring_script, "instance_type": deployment.instance_type,
    "score_pip": deployment.environment.conda_file["dependencies"][-1]["pip"],
}))
"""


@pytest.fixture(scope="module")
def loaded() -> dict[str, Any]:
    public = {name: value for name, value in os.environ.items() if name != "AZUREML_CURRENT_CLOUD"}
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(MODEL)], env=public, capture_output=True, text=True, check=True, timeout=90
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_the_job_takes_and_gives_what_upkeep_sets(loaded: dict[str, Any]):
    assert loaded["inputs"] == ["champion", "champion_version", "manifest", "parts"]
    assert loaded["outputs"] == ["evaluation", "model"]


def test_the_command_uses_every_input_and_output(loaded: dict[str, Any]):
    wanted = {f"inputs.{name}" for name in loaded["inputs"]} | {f"outputs.{name}" for name in loaded["outputs"]}
    assert {piece.split("}}")[0] for piece in loaded["command"].split("${{")[1:]} == wanted


def test_the_deployment_belongs_to_the_endpoint(loaded: dict[str, Any]):
    assert loaded["deployed_to"] == loaded["endpoint"] == "flight-duration"
    assert loaded["auth_mode"] == "key"


def test_the_scoring_script_exists(loaded: dict[str, Any]):
    assert (MODEL / "score" / loaded["script"]).is_file()


@pytest.mark.parametrize("which", ["train_pip", "score_pip"])
def test_every_package_is_pinned(loaded: dict[str, Any], which: str):
    assert all("==" in requirement for requirement in loaded[which])


def test_model_files_are_written_and_read_by_the_same_versions(loaded: dict[str, Any]):
    pins = [dict(line.split("==") for line in loaded[which]) for which in ("train_pip", "score_pip")]
    for package in ("scikit-learn", "skops", "numpy"):
        assert pins[0][package] == pins[1][package]


@pytest.mark.parametrize("path", ["train/job.yml", "score/endpoint.yml", "score/deployment.yml"])
def test_the_schema_stands_first(path: str):
    assert (MODEL / path).read_text().startswith("$schema: https://azuremlschemas.azureedge.net/latest/")
