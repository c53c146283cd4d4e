"""docs/azure/az-ml.sh: what it asks of `az ml`, and that the YAML which it names can be loaded with what it sets."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.pipelines.desk import fake
from tests.pipelines.files import ROOT

SCRIPT = ROOT / "docs" / "azure" / "az-ml.sh"
MODEL = "models/flight-duration"
NAME = "flight-duration-by-hand"
WORKSPACE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
ENDPOINT = f"{WORKSPACE}/onlineEndpoints/{NAME}"
# The loaders of azure-ai-ml, which `az ml` uses for --file, --name and --set. In a process of its own: azure.ai.ml
# takes the cloud that it talks to from the environment when it is imported.
LOAD = """
import json, sys
from azure.ai.ml import load_component, load_job, load_online_deployment, load_online_endpoint
from azure.ai.ml.entities._load_functions import load_schedule
kind, file, overrides = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
load = {"job": load_job, "online-deployment": load_online_deployment, "online-endpoint": load_online_endpoint,
        "component": load_component, "schedule": load_schedule}[kind]
made = load(file, params_override=overrides)
print(json.dumps({"name": made.name, **made._to_dict()}, default=str))
"""


class Shell:
    """The script beside an `az` that notes and answers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.answers: list[tuple[str, int, str]] = [
            ("az ml job show", 0, "Completed\n"),
            (f"az ml online-endpoint show --name {NAME} --query identity.principal_id", 0, "endpoints-identity\n"),
            (f"az ml online-endpoint show --name {NAME} --query id", 0, f"{ENDPOINT}\n"),
            ("az ml datastore show --name upkeep_runs", 0, "stupkeepx\n"),
            ("az storage account show --name stupkeepx", 0, "/accounts/stupkeepx\n"),
            (f"az resource show --ids {WORKSPACE} --query properties.applicationInsights", 0, "/appi-upkeep-x\n"),
            ("az resource show --ids /appi-upkeep-x --query properties.WorkspaceResourceId", 0, "/log-upkeep-x\n"),
        ]

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        fake(self.folder, self.folder / "az", self.answers)
        environ = {**os.environ, "PATH": f"{self.folder}:{os.environ['PATH']}", "UPKEEP_RETRY_S": "0", **variables}
        return subprocess.run(
            [SCRIPT, *arguments], env=environ, capture_output=True, text=True, timeout=60, check=False
        )

    def calls(self, beginning: str) -> list[list[str]]:
        log = self.folder / "calls"
        made = [json.loads(line) for line in log.read_text().splitlines()] if log.is_file() else []
        return [call for call in made if " ".join(call).startswith(beginning)]

    def loaded(self, beginning: str) -> dict[str, Any]:
        """What the SDK makes of the YAML of a call."""
        [call] = self.calls(beginning)
        options = {call[i]: call[i + 1] for i in range(len(call) - 1) if call[i].startswith("--")}
        pairs = call[call.index("--set") + 1 : -1] if "--set" in call else []
        overrides = [{key: value} for key, _, value in (pair.partition("=") for pair in pairs)]
        named = {"--name": "name", "--endpoint-name": "endpoint_name"}
        overrides += [{named[option]: value} for option, value in options.items() if option in named]
        public = {name: value for name, value in os.environ.items() if name != "AZUREML_CURRENT_CLOUD"}
        line = [sys.executable, "-c", LOAD, call[2], options["--file"], json.dumps(overrides)]
        done = subprocess.run(line, env=public, capture_output=True, text=True, check=True, timeout=90)
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """The script, in a workspace where nothing was made by hand yet."""
    return Shell(tmp_path)


def validate(shell: Shell, candidate: float, paired: dict[str, object] | None = None) -> int:
    """Validate a job whose evaluation says so; the exit code."""
    found = {"candidate": {"metrics": {"mae": candidate}}, "baseline": {"metrics": {"mae": 8.0}}, "paired": paired}
    shell.answers.append(("az ml job download", 0, json.dumps(found)))
    return shell.run("validate", "flight-duration", "job-1").returncode


def by_day(mean: float, days: int = 20) -> dict[str, object]:
    """Paired differences of 50 rows a day, whose means differ by 0.5 about the mean."""
    sums = [50 * (mean + (0.5 if day % 2 else -0.5)) for day in range(days)]
    return {"mean_difference": mean, "groups": {"by": "day", "rows": [50] * days, "sums": sums}}


def test_the_job_trains_on_the_data_that_was_asked_for(shell: Shell) -> None:
    job = shell.run("train", "flight-duration", "abc").stdout.strip()
    made = shell.loaded("az ml job create")
    assert made["name"] == job
    assert made["inputs"]["manifest"]["path"].endswith("/upkeep_accepted/paths/flight-duration/manifests/abc.json")
    assert made["outputs"]["model"]["path"].endswith(f"/upkeep_runs/paths/flight-duration/{job}/model")
    assert made["inputs"]["champion_version"] == "0"


def test_the_next_job_is_scored_beside_the_version_before(shell: Shell) -> None:
    shell.answers += [("az ml model list", 0, "2\n"), ("az ml model show", 0, "azureml://the/champion\n")]
    shell.run("train", "flight-duration", "abc")
    made = shell.loaded("az ml job create")
    assert made["inputs"]["champion"]["path"] == "azureml://the/champion"
    assert made["inputs"]["champion_version"] == "2"


def test_a_job_that_failed_ends_the_pipeline(shell: Shell) -> None:
    shell.answers.insert(0, ("az ml job show", 0, "Failed\n"))
    assert shell.run("train", "flight-duration", "abc").returncode == 1


@pytest.mark.parametrize(("before", "version"), [("", "1"), ("9\n", "10")])
def test_a_version_is_a_number_after_the_one_before(shell: Shell, before: str, version: str) -> None:
    shell.answers.append(("az ml model list", 0, before))
    assert shell.run("register", "flight-duration", "job-1").stdout.strip() == version
    [call] = shell.calls("az ml model create")
    assert call[call.index("--path") + 1] == "azureml://datastores/upkeep_runs/paths/flight-duration/job-1/model"


@pytest.mark.parametrize("command", [("train", "flight-duration", "abc"), ("register", "flight-duration", "job-1")])
@pytest.mark.parametrize("asked", ["az ml model list --query", "az ml model list --name"])
def test_versions_that_cannot_be_listed_end_it(shell: Shell, command: tuple[str, ...], asked: str) -> None:
    shell.answers += [(asked, 1, ""), ("az ml model list", 0, "2\n")]
    assert shell.run(*command).returncode == 1
    assert shell.calls("az ml job create") == shell.calls("az ml model create") == []


def test_everything_can_have_another_name(shell: Shell) -> None:
    shell.run("register", "flight-duration", "job-1", SUFFIX="ab12")
    [call] = shell.calls("az ml model create")
    assert call[call.index("--name") + 1] == "flight-duration-ab12"


def test_the_endpoint_and_the_deployment_are_those_of_the_folder_under_another_name(shell: Shell) -> None:
    assert shell.run("deploy", "flight-duration", "3").returncode == 0
    assert shell.loaded("az ml online-endpoint create")["name"] == NAME
    made = shell.loaded("az ml online-deployment create")
    assert (made["name"], made["endpoint_name"], made["model"]) == ("v3", NAME, f"azureml:{NAME}:3")
    assert made["code_configuration"]["scoring_script"] == "score.py"


def test_a_deployment_gets_no_traffic_before_it_has_answered(shell: Shell) -> None:
    shell.run("deploy", "flight-duration", "3")
    [call] = shell.calls("az ml online-deployment create")
    assert "--all-traffic" not in call
    [asked] = shell.calls("az ml online-endpoint invoke")
    assert asked[asked.index("--deployment-name") + 1] == "v3"
    assert Path(asked[asked.index("--request-file") + 1]).is_file()


def test_an_endpoint_that_is_there_is_not_made_again(shell: Shell) -> None:
    shell.answers.append(("az ml online-endpoint list", 0, f"{NAME}\n"))
    assert shell.run("deploy", "flight-duration", "3").returncode == 0
    assert shell.calls("az ml online-endpoint create") == []


@pytest.mark.parametrize("asked", ["az ml online-endpoint list", "az ml online-deployment list"])
def test_what_cannot_be_listed_is_not_taken_for_missing(shell: Shell, asked: str) -> None:
    shell.answers.append((asked, 1, ""))
    assert shell.run("deploy", "flight-duration", "3").returncode == 1
    assert shell.calls("az ml online-deployment create") == []


def test_the_endpoints_identity_may_read_models_before_the_first_deployment(shell: Shell) -> None:
    shell.run("deploy", "flight-duration", "1")
    [call] = shell.calls("az role assignment create")
    given = {call[i]: call[i + 1] for i in range(len(call) - 1) if call[i].startswith("--")}
    assert given["--role"] == "Storage Blob Data Reader"
    assert given["--scope"] == "/accounts/stupkeepx/blobServices/default/containers/runs"
    assert given["--assignee-object-id"] == "endpoints-identity"
    order = [" ".join(made[1:4]) for made in shell.calls("az")]
    assert order.index("role assignment create") < order.index("ml online-deployment create")


def test_the_log_of_the_endpoints_requests_is_that_of_upkeeps_own_endpoints(shell: Shell) -> None:
    shell.run("deploy", "flight-duration", "1")
    [call] = shell.calls("az monitor diagnostic-settings create")
    given = {call[i]: call[i + 1] for i in range(len(call) - 1) if call[i].startswith("--")}
    assert (given["--resource"], given["--workspace"]) == (ENDPOINT, "/log-upkeep-x")
    template = (ROOT / "infra" / "modules" / "endpoint.bicep").read_text()
    assert given["--name"] in re.findall(r"name: '([\w-]+)'", template)
    assert [each["category"] for each in json.loads(given["--logs"])] == re.findall(r"category: '(\w+)'", template)


def test_an_endpoint_with_a_deployment_needs_nothing_but_the_next(shell: Shell) -> None:
    shell.answers += [("az ml online-endpoint list", 0, f"{NAME}\n"), ("az ml online-deployment list", 0, "v1\n")]
    assert shell.run("deploy", "flight-duration", "2").returncode == 0
    assert shell.calls("az role") == shell.calls("az monitor") == []


def test_a_first_deployment_that_comes_before_its_right_is_made_again(shell: Shell) -> None:
    shell.answers.append(("az ml online-deployment create", -1, ""))
    assert shell.run("deploy", "flight-duration", "1").returncode == 0
    made = [call[3] for call in shell.calls("az ml online-deployment") if call[3] != "list"]
    assert made == ["create", "delete", "create"]


@pytest.mark.parametrize(("there", "tries"), [("", 3), ("v1\n", 1)])
def test_a_deployment_that_fails_is_not_tried_for_ever(shell: Shell, there: str, tries: int) -> None:
    shell.answers += [("az ml online-deployment list", 0, there), ("az ml online-deployment create", 1, "")]
    assert shell.run("deploy", "flight-duration", "2").returncode == 1
    assert len(shell.calls("az ml online-deployment create")) == tries
    assert shell.calls("az ml online-endpoint invoke") == []


def test_the_monitor_watches_the_deployment_that_was_made_by_hand(shell: Shell) -> None:
    assert shell.run("watch", "flight-duration", "3").returncode == 0
    made = shell.loaded("az ml schedule create")
    assert made["name"] == f"{NAME}-monitor"
    assert made["create_monitor"]["monitoring_target"]["endpoint_deployment_id"] == f"azureml:{NAME}:v3"


@pytest.mark.parametrize(
    ("command", "live", "traffic"),
    [
        (("shift", "flight-duration", "3", "10"), {"v2": 100}, "v3=10 v2=90"),
        (("shift", "flight-duration", "3", "100"), {"v2": 90, "v3": 10}, "v3=100 v2=0"),
        (("shift", "flight-duration", "1", "100"), {}, "v1=100"),
        (("shift", "flight-duration", "3", "10"), {"v1": 0, "v2": 100}, "v3=10 v2=90"),
        (("rollback", "flight-duration", "2"), {"v2": 90, "v3": 10}, "v2=100 v3=0"),
    ],
)
def test_traffic_adds_up_to_100(shell: Shell, command: tuple[str, ...], live: dict[str, int], traffic: str) -> None:
    shell.answers.insert(0, ("az ml online-endpoint show", 0, json.dumps({"traffic": live})))
    assert shell.run(*command).returncode == 0
    [call] = shell.calls("az ml online-endpoint update")
    assert call[call.index("--traffic") + 1] == traffic


def test_the_first_version_cannot_get_a_part_of_the_traffic(shell: Shell) -> None:
    shell.answers.insert(0, ("az ml online-endpoint show", 0, json.dumps({"traffic": {}})))
    assert shell.run("shift", "flight-duration", "1", "10").returncode == 1
    assert shell.calls("az ml online-endpoint update") == []


@pytest.mark.parametrize(
    ("candidate", "paired", "code"),
    [
        (7.0, None, 0),
        (8.5, None, 1),
        (float("nan"), None, 1),
        (7.0, by_day(-1.0), 0),
        (7.0, by_day(-0.1), 1),
        (7.0, by_day(-1.0, days=10), 1),
    ],
)
def test_only_what_is_better_is_valid(
    shell: Shell, candidate: float, paired: dict[str, object] | None, code: int
) -> None:
    assert validate(shell, candidate, paired) == code


@pytest.mark.parametrize(
    "arguments", [(), ("train",), ("shift", "flight-duration", "3"), ("fly", "flight-duration", "3")]
)
def test_a_wrong_call_is_answered_by_the_commands_that_there_are(shell: Shell, arguments: tuple[str, ...]) -> None:
    done = shell.run(*arguments)
    assert done.returncode == 2
    assert len(re.findall(r"^az-ml\.sh \w+ MODEL", done.stderr, re.MULTILINE)) == 7
