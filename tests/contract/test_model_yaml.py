"""The example's Azure ML YAML, read by the loaders of azure-ai-ml that `az ml` shares."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

MODEL = Path(__file__).resolve().parents[2] / "models" / "flight-duration"
# In a process of its own: azure.ai.ml takes the cloud that it talks to from the environment when it is imported.
LOAD = """
import json, sys
from azure.ai.ml import load_component, load_job, load_online_deployment, load_online_endpoint
from azure.ai.ml.entities._load_functions import load_schedule
folder = sys.argv[1]
job = load_job(f"{folder}/train/job.yml")
endpoint = load_online_endpoint(f"{folder}/score/endpoint.yml")
deployment = load_online_deployment(f"{folder}/score/deployment.yml")
component = load_component(f"{folder}/train/component.yml")
monitor = load_schedule(f"{folder}/monitor.yml")
print(json.dumps({
    "component": component.name, "component_command": component.command, "component_inputs": sorted(component.inputs),
    "watched": monitor.create_monitor.monitoring_target.endpoint_deployment_id,
    "signals": {
        name: [each.type, each.alert_enabled] for name, each in monitor.create_monitor.monitoring_signals.items()
    },
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


@pytest.mark.parametrize("file", ["train/job.yml", "train/component.yml", "score/deployment.yml"])
def test_dependabot_finds_the_environment(file: str):
    environment = yaml.safe_load((MODEL / file).read_text())["environment"]["conda_file"]
    assert environment == "environment.yml"  # the only name that it looks for
    config = yaml.safe_load((MODEL.parents[1] / ".github/dependabot.yml").read_text())
    [conda] = [each for each in config["updates"] if each["package-ecosystem"] == "conda"]
    assert (MODEL / file).parent in {
        path for glob in conda["directories"] for path in MODEL.parents[1].glob(glob[1:])
    }


@pytest.mark.parametrize("which", ["train_pip", "score_pip"])
def test_every_package_is_pinned(loaded: dict[str, Any], which: str):
    assert all("==" in requirement for requirement in loaded[which])


def test_model_files_are_written_and_read_by_the_same_versions(loaded: dict[str, Any]):
    pins = [dict(line.split("==") for line in loaded[which]) for which in ("train_pip", "score_pip")]
    for package in ("scikit-learn", "skops", "numpy"):
        assert pins[0][package] == pins[1][package]


def test_the_component_is_the_job(loaded: dict[str, Any]):
    assert loaded["component"] == "flight_duration_train"
    assert loaded["component_command"].split() == loaded["command"].split()
    assert loaded["component_inputs"] == loaded["inputs"]


def test_the_monitor_watches_drift_of_the_deployment_and_its_alerts_are_mapped(loaded: dict[str, Any]):
    assert loaded["watched"] == "azureml:flight-duration:r0001"
    assert loaded["signals"] == {
        "flight-duration-input-drift": ["data_drift", True],
        "flight-duration-prediction-drift": ["prediction_drift", True],
    }
    alerts = yaml.safe_load((MODEL / "upkeep.yaml").read_text())["alerts"]
    assert loaded["signals"].keys() <= alerts.keys()


@pytest.mark.parametrize("threshold", ["mae", "mse", "rmse"])
def test_this_sdk_takes_no_threshold_of_a_regression(threshold: str):
    """Once it does, the example's monitor can watch the error too, and monitor.yml should no more say otherwise."""
    from azure.ai.ml._schema.monitoring.thresholds import ModelPerformanceRegressionThresholdsSchema

    with pytest.raises(TypeError):
        ModelPerformanceRegressionThresholdsSchema().load({threshold: 12.0})


@pytest.mark.parametrize(
    "path",
    ["train/job.yml", "train/component.yml", "score/endpoint.yml", "score/deployment.yml", "monitor.yml"],
)
def test_the_schema_stands_first(path: str):
    assert (MODEL / path).read_text().startswith("$schema: https://azuremlschemas.azureedge.net/latest/")
