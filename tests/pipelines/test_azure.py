"""What the JSON schema of `make check` does not ask of Azure Pipelines."""

import re

import pytest

from tests.pipelines import azure
from tests.pipelines.files import ROOT, Node, paths, read
from tests.pipelines.runs import AZURE, MAIN, NIGHTLY, PULL_REQUEST

JOBS = [(run, stage["stage"], job) for run, stages in AZURE.items() for stage in stages for job in azure.jobs(stage)]
IDS = [f"{run}-{stage}-{job.get('job') or job['deployment']}" for run, stage, job in JOBS]
STEPS = [(run, step) for run, _, job in JOBS for step in azure.steps(job)]
FILES = paths("azure-pipelines.yml", "pipelines/*.yml")


@pytest.mark.parametrize("run", AZURE)
def test_a_stage_waits_only_for_stages_of_its_run(run: str) -> None:
    names = [stage["stage"] for stage in AZURE[run]]
    for stage in AZURE[run]:
        wanted = stage.get("dependsOn", [])
        assert set([wanted] if isinstance(wanted, str) else wanted) <= set(names[: names.index(stage["stage"])])


@pytest.mark.parametrize("stage", [stage for stages in AZURE.values() for stage in stages])
def test_a_job_waits_only_for_jobs_of_its_stage(stage: Node) -> None:
    names = {job.get("job") or job.get("deployment") for job in azure.jobs(stage)}
    assert {job["dependsOn"] for job in azure.jobs(stage) if "dependsOn" in job} <= names


@pytest.mark.parametrize(("run", "stage", "job"), JOBS, ids=IDS)
def test_a_job_has_a_limit_of_time(run: str, stage: str, job: Node) -> None:
    assert 0 < int(job["timeoutInMinutes"]) <= 90


@pytest.mark.parametrize(("run", "stage", "job"), JOBS, ids=IDS)
def test_a_job_begins_with_what_it_checks_out(run: str, stage: str, job: Node) -> None:
    first = azure.steps(job)[0]
    assert first["checkout"] == "none" or first["persistCredentials"] == "false"


def test_every_task_is_pinned_to_a_version() -> None:
    assert [
        step["task"] for _, step in STEPS if "task" in step and not re.fullmatch(r"[\w-]+@\d", step["task"])
    ] == []


def test_a_pull_request_deploys_nothing_and_signs_in_only_to_read() -> None:
    jobs = [job for run, _, job in JOBS if run == "pull-request"]
    assert not [job for job in jobs if "deployment" in job or "environment" in job]
    connections = {_connection(step) for job in jobs for step in azure.steps(job)} - {None}
    assert connections == {"upkeep-plan"}


def test_a_fork_is_not_planned() -> None:
    [plan] = [stage for stage in AZURE["pull-request"] if stage["stage"] == "plan"]
    assert plan["condition"] == "ne(variables['System.PullRequest.IsFork'], 'True')"


def test_the_job_that_comments_has_no_code_of_the_pull_request() -> None:
    holding = [
        job for _, _, job in JOBS if any("SYSTEM_ACCESSTOKEN" in step.get("env", {}) for step in azure.steps(job))
    ]
    assert [azure.steps(job)[0]["checkout"] for job in holding] == ["none"]


def test_an_environment_is_reached_only_by_its_own_connection() -> None:
    for _, _, job in JOBS:
        if "deployment" in job:
            connections = {_connection(step) for step in azure.steps(job)} - {None}
            assert connections == {f"upkeep-{job['environment']}"}


def test_a_stage_reads_the_variables_of_the_connection_that_it_uses() -> None:
    for stages in AZURE.values():
        for stage in stages:
            connections = {_connection(step) for job in azure.jobs(stage) for step in azure.steps(job)} - {None}
            groups = {one["group"] for one in stage.get("variables", []) if "group" in one}
            assert groups == connections


@pytest.mark.parametrize("variables", [MAIN, PULL_REQUEST, NIGHTLY])
def test_whoever_has_no_azure_still_has_the_tests(variables: dict[str, str]) -> None:
    stages = azure.stages(variables, deploy="false")
    used = [_connection(step) for stage in stages for job in azure.jobs(stage) for step in azure.steps(job)]
    assert set(used) == {None}
    assert stages[0]["stage"] == "verify"


def test_another_branch_is_verified_and_nothing_else() -> None:
    stages = azure.stages({"Build.SourceBranch": "refs/heads/topic", "Build.Reason": "Manual"})
    assert [stage["stage"] for stage in stages] == ["verify"]


def test_advanced_security_scans_where_it_is_bought() -> None:
    [verify, *_] = azure.stages(PULL_REQUEST, advancedSecurity="true")
    assert [job["job"] for job in azure.jobs(verify)] == ["check", "test", "scan"]


def test_the_nightly_tests_try_more_schedules_than_the_others() -> None:
    def schedules(run: str) -> set[int]:
        return {
            int(step["env"]["UPKEEP_SIMULATIONS"])
            for name, step in STEPS
            if name == run and "UPKEEP_SIMULATIONS" in step.get("env", {})
        }

    assert min(schedules("nightly")) >= 10 * max(schedules("main"))


def test_the_report_of_the_check_becomes_test_results_even_if_it_fails() -> None:
    shown = [step for _, step in STEPS if step.get("task") == "PublishTestResults@2"]
    assert {(step["condition"], step["inputs"]["testResultsFiles"]) for step in shown} == {
        ("succeededOrFailed()", "dist/reports/check.xml")
    }


@pytest.mark.parametrize("path", FILES)
def test_a_template_is_used_or_is_the_pipeline(path: str) -> None:
    name = path.removeprefix("pipelines/")
    users = [
        other
        for other in FILES
        if re.search(rf"template: (pipelines/)?{re.escape(name)}$", (ROOT / other).read_text(), re.M)
    ]
    assert users or path == "azure-pipelines.yml"


@pytest.mark.parametrize("path", [path for path in FILES if path != "azure-pipelines.yml"])
def test_a_template_reads_only_parameters_that_it_declares(path: str) -> None:
    declared = {one["name"] for one in read(path).get("parameters", [])}
    assert set(re.findall(r"parameters\.(\w+)", (ROOT / path).read_text())) == declared


def _connection(step: Node) -> str | None:
    found: str | None = step.get("inputs", {}).get("azureSubscription")
    return found
