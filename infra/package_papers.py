"""What accompanies the zip: checksum, bill of materials (CycloneDX) and provenance (SLSA), all reproducible.

Called by package.py. In CI, GitHub's attestation signs them: `subject-checksums` is the .sha256, `sbom-path` the
.cdx.json, `predicate-path` the .provenance.json, whose type is PREDICATE_TYPE. Nothing is signed here, and nothing
holds a time or a path of the machine.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from infra.package_locks import read_lock

PREDICATE_TYPE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "urn:upkeep:make-package:1"
_SPEC = SchemaVersion.V1_6


class NotWritten(Exception):  # noqa: N818 - reads as what happened
    """A paper cannot be written; the message says why."""


def write(root: Path, made: Path, version: str) -> None:
    """Write all three beside the zip, under its name."""
    digest = hashlib.sha256(made.read_bytes()).hexdigest()
    made.with_name(f"{made.name}.sha256").write_text(f"{digest}  {made.name}\n", encoding="utf-8")
    write_bill(root, made.parent, version)
    _write_json(made.with_suffix(".provenance.json"), provenance(root, os.environ))


def write_bill(root: Path, out: Path, version: str) -> Path:
    """Write the bill of materials, which is the same for both kinds of package; its path."""
    path = out / f"upkeep-{version}.cdx.json"
    out.mkdir(parents=True, exist_ok=True)
    _write_json(path, bill_of_materials(root / "requirements.txt", version))
    return path


def bill_of_materials(requirements: Path, version: str) -> dict[str, Any]:
    """Every locked dependency with its hashes, and which of them wants which, as CycloneDX says it."""
    done = subprocess.run(
        [
            sys.executable, "-W", "ignore::UserWarning", "-m", "cyclonedx_py", "requirements", str(requirements),
            "--output-format", "JSON", "--spec-version", _SPEC.to_version(), "--output-reproducible",
        ],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise NotWritten(f"The bill of materials cannot be written: {done.stderr.strip()}")
    bill: dict[str, Any] = json.loads(done.stdout)
    _complete(bill, read_lock(requirements.read_text(encoding="utf-8")), version)
    if problem := JsonStrictValidator(_SPEC).validate_str(json.dumps(bill)):
        raise NotWritten(f"The bill of materials is not what CycloneDX wants: {problem}")
    return bill


def _complete(bill: dict[str, Any], wanted_by: Mapping[str, list[str]], version: str) -> None:
    """Name the product, name each component by its package URL instead of its line, and say who wants whom."""
    product = f"pkg:generic/upkeep@{version}"
    refs = {component["name"]: component["purl"] for component in bill["components"]}
    wants: dict[str, list[str]] = {ref: [] for ref in [product, *refs.values()]}
    for component in bill["components"]:
        component["bom-ref"] = component["purl"]
        del component["description"]  # the line of the file again
        for parent in wanted_by[component["name"]]:
            wants[refs.get(parent, product)].append(component["purl"])
    main = {"type": "application", "name": "upkeep", "version": version, "bom-ref": product, "purl": product}
    bill["metadata"]["component"] = main
    bill["dependencies"] = [{"ref": ref, "dependsOn": sorted(parts)} for ref, parts in sorted(wants.items())]


def provenance(root: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    """What the package was made from and by whom, as a SLSA predicate; on GitHub with the run that made it."""
    server, repository = environment.get("GITHUB_SERVER_URL", ""), environment.get("GITHUB_REPOSITORY", "")
    on_github = bool(server and repository)
    source = f"git+{server}/{repository}" if on_github else "git+local"
    metadata = {}
    if on_github:
        run = f"{environment.get('GITHUB_RUN_ID')}/attempts/{environment.get('GITHUB_RUN_ATTEMPT')}"
        metadata["invocationId"] = f"{server}/{repository}/actions/runs/{run}"
    return {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": {"command": "make package", "ref": environment.get("GITHUB_REF", "")},
            "resolvedDependencies": [
                {"uri": source, "digest": {"gitCommit": _commit(root)}, "annotations": {"changed": _changed(root)}},
                {"name": "requirements.txt", "digest": {"sha256": _sha256(root / "requirements.txt")}},
            ],
        },
        "runDetails": {
            "builder": {"id": f"{server}/{environment.get('GITHUB_WORKFLOW_REF', '')}" if on_github else "local"},
            "metadata": metadata,
        },
    }


def _commit(root: Path) -> str:
    return _git(root, "rev-parse", "HEAD")


def _changed(root: Path) -> bool:
    """Whether the tree is another than that of the commit."""
    return bool(_git(root, "status", "--porcelain"))


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n", encoding="utf-8")
