"""GitHub Actions and Azure Pipelines do the same, and neither names what is not there."""

import re

import pytest

from tests.pipelines import azure
from tests.pipelines.files import ALL, DOCUMENTS, JOBS, ROOT, SCRIPTS, WORKFLOWS, commands
from tests.pipelines.runs import AZURE, BY_HAND, MAIN, NIGHTLY, PULL_REQUEST, in_azure, in_github

VERIFY = ["make check", "types.sh dist/types", "make check-infra", "make audit", "make test"]
DEPLOY = [
    "provision.sh",
    "deploy.sh",
    "connect.sh --key",
    "smoke.sh",
    "publish.sh",
    "train.sh",
    "watch.sh",
    "take.sh",
    "check.sh",
]
# Kind of run: stage by stage, what it runs. GitHub's jobs and Azure's stages have the same names.
RUNS = {
    "pull-request": {"verify": VERIFY, "plan": ["plan.sh"]},
    "main": {"verify": VERIFY, "package": ["make package"], "dev": DEPLOY, "test": DEPLOY, "prod": DEPLOY},
    "nightly": {"verify": VERIFY, "locks": ["locks.sh"], "check": ["connect.sh", "check.sh"]},
    "train": {"train": ["connect.sh --key", "train.sh $MODELS"]},
}
TEXTS = {path: (ROOT / path).read_text(encoding="utf-8") for path in [*ALL, *DOCUMENTS, "README.md"]}
# What only one system has: GitHub shows what its own tools find, and comments by its own command.
ONLY_GITHUB = {"pull-request": {"dependencies", "comment"}}


@pytest.mark.parametrize("run", RUNS)
def test_github_runs_the_steps_of_the_table(run: str) -> None:
    jobs = WORKFLOWS[run]["jobs"]
    found = {name: in_github(job) for name, job in jobs.items() if name not in ONLY_GITHUB.get(run, ())}
    assert found == RUNS[run]


@pytest.mark.parametrize("run", RUNS)
def test_azure_pipelines_runs_the_steps_of_the_table(run: str) -> None:
    assert {stage["stage"]: in_azure(stage) for stage in AZURE[run]} == RUNS[run]


@pytest.mark.parametrize("run", RUNS)
def test_both_systems_put_the_same_stages_after_each_other(run: str) -> None:
    before = {name: job.get("needs", []) for name, job in WORKFLOWS[run]["jobs"].items() if name in RUNS[run]}
    in_github_order = {name: [needs] if isinstance(needs, str) else needs for name, needs in before.items()}
    after = {stage["stage"]: stage.get("dependsOn", []) for stage in AZURE[run]}
    assert {name: [on] if isinstance(on, str) else on for name, on in after.items()} == in_github_order


def test_both_systems_are_as_patient() -> None:
    github = {name: job["timeout-minutes"] for name, job in WORKFLOWS["verify"]["jobs"].items()}
    [verify] = [stage for stage in AZURE["main"] if stage["stage"] == "verify"]
    assert {job["job"]: job["timeoutInMinutes"] for job in azure.jobs(verify)} == github
    [prod] = [stage for stage in AZURE["main"] if stage["stage"] == "prod"]
    assert azure.jobs(prod)[0]["timeoutInMinutes"] == WORKFLOWS["deploy"]["jobs"]["deploy"]["timeout-minutes"]


def test_what_speaks_with_azure_runs_where_the_repository_says() -> None:
    speaking = [
        job for job in JOBS.values() if any("azure/login@" in step.get("uses", "") for step in job.get("steps", []))
    ]
    assert {job["runs-on"] for job in speaking} == {"${{ vars.UPKEEP_RUNNER || 'ubuntu-24.04' }}"}
    assert {job["runs-on"] for job in JOBS.values() if job not in speaking and "steps" in job} == {"ubuntu-24.04"}


@pytest.mark.parametrize("variables", [MAIN, PULL_REQUEST, NIGHTLY, BY_HAND])
def test_what_speaks_with_azure_runs_in_the_pool_that_is_given(variables: dict[str, str]) -> None:
    train = {"train": "flight-duration"} if variables == BY_HAND else {}
    for stage in azure.stages(variables, pool={"name": "ours"}, **train):
        for job in azure.jobs(stage):
            speaks = any("azureSubscription" in step.get("inputs", {}) for step in azure.steps(job))
            assert job.get("pool") == ({"name": "ours"} if speaks else None)


def test_what_ci_runs_on_a_desk_is_what_it_runs_in_both_systems() -> None:
    words = (ROOT / ".ci" / "run").read_text().rpartition("exec make")[2].split()
    assert {f"make {word}" for word in words if re.fullmatch("[a-z][a-z-]*", word)} - {"make setup"} <= set(VERIFY)


def test_every_script_is_run_by_both_systems() -> None:
    scripts = {name for name in SCRIPTS if name != "common.sh"}
    for told in (".github/", "pipelines/"):
        texts = [text for path, text in TEXTS.items() if path.startswith(told)]
        run = {f"{name}.sh" for text in texts for name in re.findall(r"\b([a-z]+)\.sh\b", text)}
        assert scripts <= run, told


@pytest.mark.parametrize("path", TEXTS)
def test_every_make_target_that_is_named_exists(path: str) -> None:
    rules = re.findall(r"^([a-z][\w -]*):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    targets = {target for rule in rules for target in rule.split()}
    named = set(re.findall(r"(?:^|[`:;]|&&)\s*make ([a-z][\w-]*)", TEXTS[path], re.MULTILINE))
    assert named <= targets


@pytest.mark.parametrize("path", TEXTS)
def test_every_script_that_is_named_exists(path: str) -> None:
    named = set(re.findall(r"pipelines/steps/([\w-]+\.sh)", TEXTS[path]))
    assert named <= SCRIPTS.keys()


@pytest.mark.parametrize("path", [path for path in TEXTS if path.endswith(".yml")])
def test_no_secret_is_kept_by_a_pipeline(path: str) -> None:
    found = re.findall(
        r"secrets\.\w+|\w*(?:CLIENT_SECRET|PASSWORD|CREDENTIALS|PUBLISH_PROFILE|_KEY\b)\w*|publish-profile|creds:",
        TEXTS[path],
    )
    assert found == []


def test_commands_are_found_in_a_script() -> None:
    assert commands("set -f\n make check\npipelines/steps/train.sh $MODELS\n") == ["make check", "train.sh $MODELS"]
