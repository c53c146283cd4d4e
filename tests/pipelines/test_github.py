"""What the linters of `make check` do not ask of the workflows."""

import re

import pytest

from tests.pipelines.files import JOBS, ROOT, WORKFLOWS, Node, paths

FILES = paths(".github/workflows/*.yml", ".github/actions/*/*.yml")
USES = [
    (path, *found)
    for path in FILES
    for found in re.findall(r"uses: (\S+)(?: # (\S+))?$", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
]
OTHERS = [(path, uses, version) for path, uses, version in USES if not uses.startswith("$/")]
STEPS = [(flow, step) for (flow, _), job in JOBS.items() for step in job.get("steps", [])]

# Every right beyond reading the code, and which job has it.
RIGHTS = {
    ("code-scanning", "codeql"): {"actions": "read", "security-events": "write"},
    ("code-scanning", "zizmor"): {"security-events": "write"},
    ("deploy", "deploy"): {"id-token": "write", "attestations": "read"},
    ("main", "dev"): {"id-token": "write", "attestations": "read"},
    ("main", "test"): {"id-token": "write", "attestations": "read"},
    ("main", "prod"): {"id-token": "write", "attestations": "read"},
    ("main", "package"): {"id-token": "write", "attestations": "write"},
    ("nightly", "check"): {"id-token": "write"},
    ("pull-request", "plan"): {"id-token": "write"},
    ("pull-request", "comment"): {"pull-requests": "write"},
    ("train", "train"): {"id-token": "write"},
}


@pytest.mark.parametrize(("path", "uses", "version"), OTHERS)
def test_an_action_of_others_is_pinned_to_a_commit_and_tells_its_version(path: str, uses: str, version: str) -> None:
    assert re.fullmatch(r"[\w-]+/[\w/-]+@[0-9a-f]{40}", uses)
    assert re.fullmatch(r"v\d+\.\d+\.\d+", version)


def test_an_action_is_pinned_to_one_commit_everywhere() -> None:
    pins: dict[str, set[str]] = {}
    for _, uses, _ in OTHERS:
        repository, _, commit = uses.partition("@")
        pins.setdefault("/".join(repository.split("/")[:2]), set()).add(commit)
    assert {name: commits for name, commits in pins.items() if len(commits) > 1} == {}


@pytest.mark.parametrize("uses", sorted({uses for _, uses, _ in USES if uses.startswith("$/")}))
def test_what_is_used_of_this_repository_exists(uses: str) -> None:
    found = ROOT / uses.removeprefix("$/")
    assert (found / "action.yml").is_file() or found.is_file()


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_gives_no_right_to_all_its_jobs(name: str) -> None:
    assert WORKFLOWS[name]["permissions"] == {}


@pytest.mark.parametrize(("name", "job"), JOBS)
def test_a_job_has_the_rights_of_the_table_and_no_other(name: str, job: str) -> None:
    rights = {**JOBS[name, job]["permissions"]}
    assert rights.pop("contents", "read") == "read"
    assert rights == RIGHTS.get((name, job), {})


@pytest.mark.parametrize("key", [key for key, job in JOBS.items() if "steps" in job])
def test_a_job_has_a_limit_of_time(key: tuple[str, str]) -> None:
    assert 0 < int(JOBS[key]["timeout-minutes"]) <= 90


@pytest.mark.parametrize("name", [name for name, flow in WORKFLOWS.items() if set(flow["on"]) != {"workflow_call"}])
def test_a_workflow_says_what_becomes_of_a_second_run(name: str) -> None:
    assert "cancel-in-progress" in WORKFLOWS[name]["concurrency"]


def test_nothing_that_deploys_is_stopped_half_way() -> None:
    deploying = [WORKFLOWS["main"], WORKFLOWS["train"], WORKFLOWS["deploy"]["jobs"]["deploy"]]
    assert {flow["concurrency"]["cancel-in-progress"] for flow in deploying} == {"false"}


def test_no_workflow_runs_the_code_of_a_fork_with_rights() -> None:
    assert {event for flow in WORKFLOWS.values() for event in flow["on"]}.isdisjoint(
        {"pull_request_target", "workflow_run", "issue_comment"}
    )


def test_a_fork_is_not_planned() -> None:
    condition = JOBS["pull-request", "plan"]["if"]
    assert "github.event.pull_request.head.repo.full_name == github.repository" in condition


def test_the_job_that_comments_has_no_code_of_the_pull_request() -> None:
    used = [step.get("uses", "") for step in JOBS["pull-request", "comment"]["steps"]]
    assert not [uses for uses in used if "checkout" in uses or uses.startswith("$/")]


@pytest.mark.parametrize("step", [step for _, step in STEPS if "checkout@" in step.get("uses", "")])
def test_a_checkout_leaves_no_token_behind(step: Node) -> None:
    assert step["with"]["persist-credentials"] == "false"


@pytest.mark.parametrize("step", [step for _, step in STEPS if "azure/login@" in step.get("uses", "")])
def test_signing_in_to_azure_needs_no_secret(step: Node) -> None:
    assert step["with"].keys() == {"client-id", "tenant-id", "subscription-id"}


def test_whoever_signs_in_to_azure_does_so_within_an_environment() -> None:
    signing = [
        job for job in JOBS.values() if any("azure/login@" in step.get("uses", "") for step in job.get("steps", []))
    ]
    assert len(signing) == 4
    assert all("environment" in job for job in signing)


def test_the_package_is_built_without_caches() -> None:
    [setup] = [step for step in JOBS["main", "package"]["steps"] if step.get("uses", "").startswith("$/")]
    assert setup["with"]["cache"] == "false"


def test_a_package_is_built_in_one_place_only() -> None:
    building = [
        key for key, job in JOBS.items() for step in job.get("steps", []) if "make package" in step.get("run", "")
    ]
    assert building == [("main", "package")]
