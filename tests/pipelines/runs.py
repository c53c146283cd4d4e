"""The kinds of run of both systems, and which of our commands each runs, stage by stage.

Called by the tests that hold the two systems together. A stage is a deployment to one environment, or whatever
else is gated as one; GitHub's jobs that call deploy.yml are such stages.
"""

from tests.pipelines import azure
from tests.pipelines.files import WORKFLOWS, Node, commands

MAIN = {"Build.SourceBranch": "refs/heads/main", "Build.Reason": "IndividualCI"}
PULL_REQUEST = {"Build.SourceBranch": "refs/pull/7/merge", "Build.Reason": "PullRequest"}
NIGHTLY = {"Build.SourceBranch": "refs/heads/main", "Build.Reason": "Schedule"}
BY_HAND = {"Build.SourceBranch": "refs/heads/main", "Build.Reason": "Manual"}

AZURE = {
    "pull-request": azure.stages(PULL_REQUEST),
    "main": azure.stages(MAIN),
    "nightly": azure.stages(NIGHTLY),
    "train": azure.stages(BY_HAND, train="flight-duration", trainIn="test"),
}

# The set-up comes by a composite action and by a template; what a person's tools do instead of a script is left out.
_SET_UP = ("make setup", "make install")


def in_azure(stage: Node) -> list[str]:
    """Our commands in a stage of Azure Pipelines."""
    return [
        command
        for job in azure.jobs(stage)
        for step in azure.steps(job)
        for command in commands(azure.script(step))
        if command not in _SET_UP
    ]


def in_github(job: Node) -> list[str]:
    """Our commands in a job of a workflow, and in the workflow that it calls."""
    if called := job.get("uses"):
        flow = WORKFLOWS[called.rpartition("/")[2].removesuffix(".yml")]
        return [command for inner in flow["jobs"].values() for command in in_github(inner)]
    return [command for step in job["steps"] for command in commands(step.get("run", ""))]
