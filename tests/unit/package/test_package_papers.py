"""Checksum, bill of materials and provenance."""

import hashlib
import json
from pathlib import Path

import pytest

from infra import package_papers as papers
from infra.package_locks import read_lock

ROOT = Path(__file__).resolve().parents[3]
LOCK = f"""# made by a tool
azure-core==1.41.0 \\
    --hash=sha256:{"a" * 64} \\
    --hash=sha256:{"b" * 64}
    # via
    #   -r requirements.in
    #   azure-identity
azure-identity==1.27.0 ; sys_platform != 'plan9' \\
    --hash=sha256:{"c" * 64}
    # via -r requirements.in
"""
COMMIT = "0123456789abcdef0123456789abcdef01234567"
GITHUB = {
    "GITHUB_SERVER_URL": "https://github.example",
    "GITHUB_REPOSITORY": "someone/upkeep",
    "GITHUB_RUN_ID": "7",
    "GITHUB_RUN_ATTEMPT": "2",
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_WORKFLOW_REF": "someone/upkeep/.github/workflows/main.yml@refs/heads/main",
}


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> dict:
    lock = tmp_path_factory.mktemp("bill") / "requirements.txt"
    lock.write_text(LOCK)
    return papers.bill_of_materials(lock, "1.2.3")


def test_a_lock_tells_what_came_by_what() -> None:
    assert read_lock(LOCK) == {
        "azure-core": ["-r requirements.in", "azure-identity"],
        "azure-identity": ["-r requirements.in"],
    }


def test_the_lock_of_the_product_is_read_whole() -> None:
    text = (ROOT / "requirements.txt").read_text()
    found = read_lock(text)
    assert len(found) == sum("==" in line for line in text.splitlines() if line[:1].isalnum())
    assert all(found.values()), "each pin is wanted by something"


def test_the_bill_names_each_component_with_its_hashes(bill: dict) -> None:
    hashes = {
        component["purl"]: [each["content"] for each in component["externalReferences"][0]["hashes"]]
        for component in bill["components"]
    }
    assert hashes == {
        "pkg:pypi/azure-core@1.41.0": ["a" * 64, "b" * 64],
        "pkg:pypi/azure-identity@1.27.0": ["c" * 64],
    }


def test_the_bill_tells_who_wants_whom(bill: dict) -> None:
    assert {each["ref"]: each["dependsOn"] for each in bill["dependencies"]} == {
        "pkg:generic/upkeep@1.2.3": ["pkg:pypi/azure-core@1.41.0", "pkg:pypi/azure-identity@1.27.0"],
        "pkg:pypi/azure-core@1.41.0": [],
        "pkg:pypi/azure-identity@1.27.0": ["pkg:pypi/azure-core@1.41.0"],
    }


def test_the_bill_holds_no_time_and_no_serial_number(bill: dict) -> None:
    assert "serialNumber" not in bill
    assert "timestamp" not in bill["metadata"]


def test_a_lock_that_cannot_be_read_is_no_empty_bill(tmp_path: Path) -> None:
    with pytest.raises(papers.NotWritten):
        papers.bill_of_materials(tmp_path / "missing.txt", "1")


def test_the_checksum_is_one_that_sha256sum_checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(papers, "bill_of_materials", lambda requirements, version: {})
    (tmp_path / "requirements.txt").touch()
    made = tmp_path / "upkeep-1.zip"
    made.write_bytes(b"zip")
    papers.write(tmp_path, made, "1")
    told = (tmp_path / "upkeep-1.zip.sha256").read_text()
    assert told == f"{hashlib.sha256(b'zip').hexdigest()}  upkeep-1.zip\n"


@pytest.fixture
def at_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(papers, "_git", lambda root, *arguments: COMMIT if arguments[0] == "rev-parse" else "")
    (tmp_path / "requirements.txt").write_text(LOCK)
    return tmp_path


def test_the_provenance_names_commit_and_lock(at_commit: Path) -> None:
    source, lock = papers.provenance(at_commit, {})["buildDefinition"]["resolvedDependencies"]
    assert source["digest"] == {"gitCommit": COMMIT}
    assert source["annotations"] == {"changed": False}
    assert lock["digest"] == {"sha256": hashlib.sha256(LOCK.encode()).hexdigest()}


def test_the_provenance_of_a_build_on_github_names_its_run(at_commit: Path) -> None:
    told = papers.provenance(at_commit, GITHUB)
    assert told["buildDefinition"]["resolvedDependencies"][0]["uri"] == "git+https://github.example/someone/upkeep"
    assert told["runDetails"] == {
        "builder": {"id": "https://github.example/someone/upkeep/.github/workflows/main.yml@refs/heads/main"},
        "metadata": {"invocationId": "https://github.example/someone/upkeep/actions/runs/7/attempts/2"},
    }


def test_the_provenance_of_a_build_by_hand_tells_nothing_of_the_machine(at_commit: Path) -> None:
    told = json.dumps(papers.provenance(at_commit, {}))
    assert str(at_commit) not in told
    assert '"id": "local"' in told
