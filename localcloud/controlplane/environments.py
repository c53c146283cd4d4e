"""A conda file becomes a virtual environment, built once for each content and shared from then on.

Called by the job runner and by the deployments for the python of an environment asset, and by
`python -m localcloud prepare` ahead of time. The image of an environment is not looked at: there are no
containers here. The builder runs with the user's own settings, because it needs the package index.
"""

import asyncio
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from localcloud.cloud import Cloud
from localcloud.controlplane.asset_ids import parse_asset_id

_PYTHON = re.compile(r"^python\s*(?:={1,2}\s*([0-9.]+)(?:\.\*)?|>=.*)?$")


class EnvironmentBuildError(Exception):
    """The environment cannot be built; the message says what to change."""


@dataclass(frozen=True)
class CondaFile:
    """What is understood of a conda file: the version of Python and the list for pip."""

    python: str | None
    requirements: tuple[str, ...]


async def environment_python(cloud: Cloud, environment_id: str) -> Path:
    """The python of the environment asset's virtual environment, which is built if it is not there.

    Raises EnvironmentBuildError when there is no such environment or when it cannot be built.
    """
    asset = parse_asset_id(environment_id)
    document = cloud.store.get("environments", f"{asset.name}/{asset.version}")
    if document is None:
        raise EnvironmentBuildError(f"There is no environment {asset.name}:{asset.version}.")
    conda_file = document["properties"].get("condaFile")
    if not conda_file:
        raise EnvironmentBuildError(
            f"Environment {asset.name}:{asset.version} has no conda file. "
            "The local cloud runs no images: give it a conda file with python and a pip list."
        )
    target = environments_folder(cloud.folder)
    return await asyncio.to_thread(build, target, conda_file, cloud.install_env())


def prepare(folder: Path, conda_file: Path) -> Path:
    """Build the environment of a conda file ahead of time, for the local cloud in `folder`."""
    return build(environments_folder(folder), conda_file.read_text(), os.environ)


def environments_folder(folder: Path) -> Path:
    """Where environments are kept: UPKEEP_LOCAL_ENVS, else one cache for all folders of this user.

    `folder`, the local cloud's own, is used when there is no home to keep a cache in.
    """
    named = os.environ.get("UPKEEP_LOCAL_ENVS")
    if named:
        return Path(named)
    home = os.environ.get("HOME")
    return Path(home) / ".cache" / "upkeep" / "envs" if home else folder / "envs"


def build(target: Path, conda_text: str, env: Mapping[str, str]) -> Path:
    """The python of the conda file's environment below `target`; safe when several builders race.

    `env` is the installer's environment: it must lead to the package index.
    """
    conda = read_conda(conda_text)
    key = "\n".join([conda.python or _running_python(), *conda.requirements])
    place = target / hashlib.sha256(key.encode()).hexdigest()[:20]
    python = place / "bin" / "python"
    marker = place / "complete"
    if marker.exists():
        return python
    target.mkdir(parents=True, exist_ok=True)
    with (target / f"{place.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not marker.exists():
            # A virtual environment's scripts name its own path, so that it is built where it will stay;
            # the marker, written last, tells a whole one from one whose builder died.
            shutil.rmtree(place, ignore_errors=True)
            _create(place, conda, env)
            marker.write_text(key)
    return python


def read_conda(text: str) -> CondaFile:
    """Parse a conda file; EnvironmentBuildError for what a virtual environment cannot provide."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise EnvironmentBuildError(f"The conda file is not YAML: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("dependencies"), list):
        raise EnvironmentBuildError("The conda file has no list of dependencies.")
    python: str | None = None
    requirements: list[str] = []
    for entry in document["dependencies"]:
        if isinstance(entry, dict) and isinstance(entry.get("pip"), list):
            requirements += [str(line).strip() for line in entry["pip"]]
        elif isinstance(entry, str) and (match := _PYTHON.match(entry.strip())):
            python = match[1] or python
        elif not (isinstance(entry, str) and re.match(r"^pip\b", entry.strip())):
            raise EnvironmentBuildError(
                f"The conda dependency {entry!r} cannot be installed here: "
                "the local cloud knows python and the pip list. Move it to the pip list."
            )
    return CondaFile(python, tuple(requirements))


def _running_python() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _create(place: Path, conda: CondaFile, env: Mapping[str, str]) -> None:
    uv = [sys.executable, "-m", "uv"]
    # The running interpreter is surely there; for another version uv looks around, or fetches it.
    wanted = conda.python or _running_python()
    python = sys.executable if wanted == _running_python() else wanted
    _run([*uv, "venv", "--quiet", "--python", python, str(place)], env)
    if not conda.requirements:
        return
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as listing:
        listing.write("\n".join(conda.requirements) + "\n")
        listing.flush()
        built = str(place / "bin" / "python")
        install = [*uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", built]
        _run([*install, "-r", listing.name], env)


def _run(command: list[str], env: Mapping[str, str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    if done.returncode != 0:
        raise EnvironmentBuildError(f"`{' '.join(command[2:4])}` failed:\n{done.stderr.strip()[-4000:]}")
