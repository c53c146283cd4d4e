"""The step that fetches the published types of resources, from a repository laid out like theirs."""

import os
import subprocess
from pathlib import Path

import pytest

from infra.check.types import Types
from tests.pipelines.files import ROOT

TYPE = '[{{"$type": "StringType"}}, {{"$type": "ResourceType", "name": "{name}", "body": {{"$ref": "#/0"}}}}]'
STORAGE, WEB = "generated/storage/microsoft.storage", "generated/web/microsoft.web"
NOBODY = {f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def git(folder: Path, *words: str) -> str:
    environ = {**os.environ, **NOBODY, "GIT_CONFIG_GLOBAL": os.devnull}
    line = ["git", "-C", str(folder), *words]
    return subprocess.run(line, env=environ, capture_output=True, text=True, check=True, timeout=30).stdout.strip()


@pytest.fixture
def published(tmp_path: Path) -> tuple[Path, str]:
    """A repository with types, more of them than infra/ uses, and the commit to take."""
    folder = tmp_path / "published"
    for path, name in {
        f"{STORAGE}/2025-01-01/types.json": "Microsoft.Storage/storageAccounts@2025-01-01",
        f"{STORAGE}/2015-05-01/types.json": "Microsoft.Storage/storageAccounts@2015-05-01",
        f"{WEB}/2024-04-01/types.json": "Microsoft.Web/sites@2024-04-01",
        f"{WEB}/2024-04-01/types.md": "a page",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(TYPE.format(name=name))
    git(folder.parent, "init", "-q", str(folder))
    for setting in ("allowFilter", "allowAnySHA1InWant"):
        git(folder, "config", f"uploadpack.{setting}", "true")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "types")
    return folder, git(folder, "rev-parse", "HEAD")


def fetch(target: Path, published: tuple[Path, str]) -> Path:
    repository, commit = published
    line = [str(ROOT / "pipelines/steps/types.sh"), str(target), f"file://{repository}", commit]
    environ = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run(line, cwd=ROOT, env=environ, check=True, capture_output=True, timeout=60)
    return target / "generated"


def test_only_the_versions_that_the_templates_use_are_fetched(tmp_path: Path, published: tuple[Path, str]) -> None:
    generated = fetch(tmp_path / "types", published)
    files = {path.relative_to(generated.parent).as_posix() for path in generated.rglob("*") if path.is_file()}
    assert files == {f"{STORAGE}/2025-01-01/types.json", f"{WEB}/2024-04-01/types.json"}


def test_the_check_reads_them_as_they_lie(tmp_path: Path, published: tuple[Path, str]) -> None:
    types = Types(fetch(tmp_path / "types", published))
    assert types.namespaces() == ["microsoft.storage", "microsoft.web"]
    assert types.versions("Microsoft.Web/sites") == ["2024-04-01"]
    assert types.resource("Microsoft.Storage/storageAccounts@2025-01-01")


def test_fetching_again_is_no_fault(tmp_path: Path, published: tuple[Path, str]) -> None:
    fetch(tmp_path / "types", published)
    assert fetch(tmp_path / "types", published).is_dir()


def test_the_commit_is_pinned() -> None:
    text = (ROOT / "pipelines/steps/types.sh").read_text()
    assert "commit=${3:-1f896de2db966ad91e8f7d7d981e11d32e4f5d8d}" in text
