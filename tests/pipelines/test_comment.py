"""The plan's comment: the shell code of both systems, with a `curl` and a `gh` that note what they are asked."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.pipelines import azure
from tests.pipelines.files import JOBS
from tests.pipelines.runs import AZURE

TITLE = "## What a merge would change in prod"
_CURL = """#!{python}
import json, pathlib, sys
here = pathlib.Path({here!r})
body = sys.stdin.read() if "@-" in sys.argv else ""
with (here / "calls").open("a") as log:
    log.write(json.dumps([sys.argv[1:], body]) + "\\n")
sys.stdout.write((here / "threads").read_text())
"""


_GH = """#!{python}
import json, pathlib, sys
here = pathlib.Path({here!r})
with (here / "calls").open("a") as log:
    log.write(json.dumps(sys.argv[1:]) + "\\n")
if "--paginate" in sys.argv:  # a page after the other
    sys.stdout.write("".join(json.dumps([one]) for one in json.loads((here / "comments").read_text())) or "[]")
"""
BOT, PERSON = {"login": "github-actions[bot]"}, {"login": "ann"}


def commented(tmp_path: Path, threads: list[dict[str, Any]]) -> tuple[str, str, dict[str, Any]]:
    """Comment where these threads are; method, address and body of the last call."""
    (tmp_path / "plan").mkdir()
    (tmp_path / "plan" / "plan.md").write_text(f'{TITLE}\n### Models\n```\n"quoted"\n```\n')
    (tmp_path / "threads").write_text(json.dumps({"value": threads}))
    curl = tmp_path / "curl"
    curl.write_text(_CURL.format(python=sys.executable, here=str(tmp_path)))
    curl.chmod(0o755)
    [script] = [
        azure.script(step)
        for stage in AZURE["pull-request"]
        for job in azure.jobs(stage)
        for step in azure.steps(job)
        if "SYSTEM_ACCESSTOKEN" in step.get("env", {})
    ]
    environ = {
        "PATH": f"{tmp_path}:/usr/bin:/bin",
        "SYSTEM_COLLECTIONURI": "https://dev.azure.com/us/",
        "SYSTEM_TEAMPROJECTID": "team",
        "BUILD_REPOSITORY_ID": "repo",
        "SYSTEM_PULLREQUEST_PULLREQUESTID": "7",
        "SYSTEM_ACCESSTOKEN": "token",
    }
    text = script.replace("$(Pipeline.Workspace)", str(tmp_path))
    subprocess.run(["bash", "-c", text], env=environ, check=True, capture_output=True, timeout=30)
    arguments, body = json.loads((tmp_path / "calls").read_text().splitlines()[-1])
    return arguments[arguments.index("--request") + 1], arguments[-1], json.loads(body)


def test_the_first_plan_is_a_new_comment(tmp_path: Path) -> None:
    method, address, body = commented(tmp_path, [])
    assert method == "POST"
    assert address == (
        "https://dev.azure.com/us/team/_apis/git/repositories/repo/pullRequests/7/threads?api-version=7.1"
    )
    assert body["comments"][0]["content"].startswith(TITLE)


@pytest.mark.parametrize("others", [[], [{"id": 3, "comments": [{"content": "nice"}]}, {"id": 4, "comments": [{}]}]])
def test_the_next_plan_takes_the_place_of_the_one_before(tmp_path: Path, others: list[dict[str, Any]]) -> None:
    method, address, body = commented(tmp_path, [*others, {"id": 9, "comments": [{"content": f"{TITLE}\nold"}]}])
    assert (method, address.partition("?")[0].rpartition("/threads/")[2]) == ("PATCH", "9/comments/1")
    assert '"quoted"' in body["content"]


def commented_on_github(tmp_path: Path, comments: list[dict[str, Any]]) -> list[str]:
    """Comment where these comments are; the last call of `gh`."""
    (tmp_path / "plan.md").write_text(f"{TITLE}\n### Models\n")
    (tmp_path / "comments").write_text(json.dumps(comments))
    gh = tmp_path / "gh"
    gh.write_text(_GH.format(python=sys.executable, here=str(tmp_path)))
    gh.chmod(0o755)
    [script] = [step["run"] for step in JOBS["pull-request", "comment"]["steps"] if "run" in step]
    environ = {"PATH": f"{tmp_path}:/usr/bin:/bin", "GITHUB_REPOSITORY": "us/upkeep", "PULL_REQUEST": "7"}
    subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environ, check=True, capture_output=True, timeout=30)
    calls: list[list[str]] = [json.loads(line) for line in (tmp_path / "calls").read_text().splitlines()]
    return calls[-1]


OTHERS = [
    {"id": 3, "user": BOT, "body": "coverage is 97 %"},
    {"id": 4, "user": PERSON, "body": f"{TITLE}\nI copied this"},
]


@pytest.mark.parametrize("others", [[], OTHERS])
def test_the_first_plan_on_github_is_a_new_comment(tmp_path: Path, others: list[dict[str, Any]]) -> None:
    call = commented_on_github(tmp_path, others)
    assert call[call.index("POST") + 1] == "repos/us/upkeep/issues/7/comments"
    assert "body=@plan.md" in call


def test_the_next_plan_on_github_leaves_the_comments_of_others(tmp_path: Path) -> None:
    last = {"id": 10, "user": BOT, "body": "labels are missing"}
    call = commented_on_github(tmp_path, [*OTHERS, {"id": 9, "user": BOT, "body": f"{TITLE}\nold"}, last])
    assert call[call.index("PATCH") + 1] == "repos/us/upkeep/issues/comments/9"
