"""A clean place to run a package in: unpacked, with an environment that holds requirements.txt and nothing else.

Called by the end-to-end test and by benchmarks/coldstart. What the local Functions host needs beside that is linked
into a folder of its own, which only the host's process has on its path.
"""

import importlib.util
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

WORKER = ("localcloud", "azure_functions_runtime")
"""What indexes and invokes an app: Microsoft's worker library, and our code around it."""
HOST = (*WORKER, "aiohttp", "aiosignal", "aiohappyeyeballs", "frozenlist")
"""What a whole local host needs."""


def unpack(package: Path, folder: Path) -> Path:
    """Unpack the zip into an empty folder."""
    folder.mkdir(parents=True)
    with zipfile.ZipFile(package) as archive:
        archive.extractall(folder)
    return folder


def environment(folder: Path, *arguments: str) -> Path:
    """Make a virtual environment of this Python, install what arguments of `pip install` say, if any; its Python."""
    _uv("venv", "--python", sys.executable, str(folder))
    python = folder / "bin" / "python"
    if not arguments:
        return python
    # With bytecode, as Azure's build leaves it: without, each import of an Azure SDK takes three times as long.
    _uv("pip", "install", "--python", str(python), "--compile-bytecode", *arguments)
    return python


def _uv(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "uv", "--quiet", *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"uv {arguments[0]} failed: {done.stderr.strip()}")


def link(names: Iterable[str], folder: Path) -> Path:
    """Link packages of this environment into `folder`, so that they can be had without the rest of it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        spec = importlib.util.find_spec(name)
        assert spec is not None, name
        assert spec.origin is not None, name
        (folder / name).symlink_to(Path(spec.origin).parent)
    return folder
