"""What the guides say of the pipelines is so: commands, options, variables, files, and the short pipelines."""

import argparse
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from infra.hooks.models import OPTIONS
from shared.operator import cli
from tests.pipelines.files import ALL, DOCUMENTS, GUIDE, ROOT, SCRIPTS
from tests.pipelines.runs import AZURE

TEXTS = {path: (ROOT / path).read_text(encoding="utf-8") for path in [*DOCUMENTS, *ALL]}
SHELL = {**TEXTS, **{f"pipelines/steps/{name}": text for name, text in SCRIPTS.items()}}
BIN = Path(sys.executable).parent
# What the systems and their runners set by themselves.
GIVEN = re.compile(r"GITHUB_\w+|BUILD_\w+|SYSTEM_\w+|TF_BUILD|HOME|PWD|PATH|NO_COLOR|AZURE_CORE_NO_COLOR")


def upkeep_calls(text: str) -> list[list[str]]:
    """Calls of `upkeep` in shell code, in code spans and in blocks, as words."""
    joined = text.replace("\\\n", " ").replace('"$@"', "")
    lines = re.findall(
        r"(?:^\s*|[`;&(]\s*|! |again |\|\| |\]? && )(?:\.venv/bin/)?upkeep ([a-z][^`\n|;#)]*)", joined, re.M
    )
    return [shlex.split(re.sub(r"\$\{\w+:\+([^}]*)\}", r"\1", line.partition(" >")[0])) for line in lines]


CALLS = [(path, call) for path, text in SHELL.items() for call in upkeep_calls(text)]


def blocks(path: str, language: str) -> list[str]:
    """The code blocks of a document."""
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXTS[path], re.MULTILINE | re.DOTALL)


def parser_of(command: str) -> argparse.ArgumentParser:
    """The parser of one command of `upkeep`."""
    [commands] = [one for one in cli._parser()._actions if isinstance(one, argparse._SubParsersAction)]
    found: argparse.ArgumentParser = commands.choices[command]
    return found


@pytest.mark.parametrize(("path", "call"), CALLS, ids=[f"{path}: {' '.join(call)[:40]}" for path, call in CALLS])
def test_a_call_of_upkeep_is_one_that_it_takes(path: str, call: list[str]) -> None:
    options = {name for action in parser_of(call[0])._actions for name in action.option_strings}
    assert {word for word in call if word.startswith("--")} <= options


def test_calls_are_found() -> None:
    assert {"publish", "retrain", "check", "status"} <= {call[0] for _, call in CALLS}


def test_every_variable_that_a_step_reads_is_documented() -> None:
    read = {name for text in SCRIPTS.values() for name in re.findall(r"\$\{?([A-Z][A-Z_]+)\b", text)}
    own = {"REPORTS", "PYTHON"}
    documented = set(re.findall(r"`([A-Z][A-Z_]+)`", GUIDE.read_text()))
    assert {name for name in read - own if not GIVEN.fullmatch(name)} <= documented


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_of_the_models_is_documented_with_its_variable(option: str) -> None:
    rows = [line for line in GUIDE.read_text().splitlines() if line.startswith("|")]
    assert [row for row in rows if f"`{option}`" in row and f"`{OPTIONS[option]}`" in row]


def test_every_variable_of_github_is_documented() -> None:
    read = {name for path in ALL if path.startswith(".github") for name in re.findall(r"\bvars\.(\w+)", TEXTS[path])}
    assert read <= set(re.findall(r"^\| `(\w+)` \|", GUIDE.read_text(), re.MULTILINE))


def test_every_group_and_environment_of_azure_pipelines_is_documented() -> None:
    stages = [stage for stages in AZURE.values() for stage in stages]
    groups = {one["group"] for stage in stages for one in stage.get("variables", []) if "group" in one}
    assert groups <= set(re.findall(r"`(upkeep-\w+)`", GUIDE.read_text()))


@pytest.mark.parametrize("path", DOCUMENTS)
def test_every_link_leads_to_a_file(path: str) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[\w-]+)?\)", TEXTS[path])
    assert [link for link in links if not ((ROOT / path).parent / link).exists()] == []


def test_the_readme_leads_to_the_pipelines() -> None:
    text = (ROOT / "README.md").read_text()
    links = re.findall(r"\]\(([^)#:]+)\)", text)
    wanted = {"azure-pipelines.yml", ".github/workflows", "docs/guide/hello-pipeline.md", "docs/azure/az-ml.md"}
    assert wanted <= set(links)
    assert all((ROOT / link).exists() for link in wanted)


def test_every_step_is_in_the_table_of_the_guide() -> None:
    documented = set(re.findall(r"^\| `([a-z]+\.sh)", GUIDE.read_text(), re.MULTILINE))
    assert documented == SCRIPTS.keys() - {"common.sh"}


def test_every_azure_yaml_of_the_repository_is_in_the_guide() -> None:
    named = set(re.findall(r"\(\.\./\.\./([\w./-]+\.yml)\)", GUIDE.read_text()))
    parts = {"pipelines/step.yml", "pipelines/check.yml", ".github/workflows/verify.yml"}
    assert set(ALL) - parts <= named


def test_the_short_workflow_passes_the_linters_of_the_long_ones(tmp_path: Path) -> None:
    [workflow, _] = blocks("docs/guide/hello-pipeline.md", "yaml")
    file = tmp_path / ".github" / "workflows" / "hello.yml"
    file.parent.mkdir(parents=True)
    file.write_text(workflow)
    linters = [
        ["actionlint", str(file)],
        ["zizmor", "--offline", "--quiet", str(file)],
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", str(file)],
    ]
    for linter in linters:
        done = subprocess.run([BIN / linter[0], *linter[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_short_pipeline_is_one_that_azure_takes(tmp_path: Path) -> None:
    [_, pipeline] = blocks("docs/guide/hello-pipeline.md", "yaml")
    file = tmp_path / "azure-pipelines.yml"
    file.write_text(pipeline)
    line = "--regex-variant nonunicode --builtin-schema vendor.azure-pipelines --data-transform azure-pipelines"
    done = subprocess.run(
        [BIN / "check-jsonschema", *line.split(), file], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_the_short_pipelines_use_what_the_long_ones_use() -> None:
    for block in blocks("docs/guide/hello-pipeline.md", "yaml"):
        for uses in re.findall(r"uses: (\S+@\S+)", block):
            assert uses in TEXTS[".github/workflows/deploy.yml"]
        for template in re.findall(r"template: (\S+)", block):
            assert (ROOT / template).is_file()


def test_the_guide_of_az_ml_calls_what_the_script_calls() -> None:
    verbs = r"(ml job|ml model|ml online-endpoint|ml online-deployment|role assignment|diagnostic-settings) (\w+)"
    script = (ROOT / "docs" / "azure" / "az-ml.sh").read_text()
    told = set(re.findall(verbs, TEXTS["docs/azure/az-ml.md"])) - {("ml online-endpoint", "delete")}
    beside = {("ml online-deployment", "delete")}  # between two tries
    assert (
        told - {("ml online-endpoint", "show")}
        == {(what, verb) for what, verb in re.findall(verbs, script) if verb not in ("show", "list")} - beside
    )


def test_the_federated_credential_of_the_guide_is_json_once_the_shell_has_read_it() -> None:
    [block] = re.findall(r'--parameters "(\{.*?\})"$', GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    found = json.loads(block.replace('\\"', '"'))
    assert found["subject"] == "repo:OWNER/REPOSITORY:environment:$environment"
