"""The locked dependencies as files of a package that needs no build on Azure.

Called by package.py. Only wheels whose hash stands in requirements.txt are taken, for the machines and the Python of
the Function App, whatever this machine is. The result lies where the Functions worker looks: .python_packages.
"""

import importlib.util
import py_compile
import re
import subprocess
import sys
from pathlib import Path

INSIDE = ".python_packages/lib/site-packages"
PYTHON = "3.11"
PLATFORM = "x86_64-manylinux_2_28"
ON_AZURE = f"/home/site/wwwroot/{INSIDE}"


class NotInstalled(Exception):  # noqa: N818 - reads as what happened
    """The dependencies cannot be had; the message is the installer's."""


def install(requirements: Path, folder: Path) -> dict[str, Path]:
    """Install into `folder`; the files by their name in the package."""
    done = subprocess.run(
        [
            sys.executable, "-m", "uv", "pip", "install", "--quiet", "--target", str(folder), "--require-hashes",
            "--only-binary", ":all:", "--python-version", PYTHON, "--python-platform", PLATFORM,
            "-r", str(requirements),
        ],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise NotInstalled(done.stderr.strip())
    _compile(folder)
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not _of_this_machine(path))
    named = {path.relative_to(folder).as_posix(): path for path in files}
    return {f"{INSIDE}/{name}": path for name, path in named.items() if not never_runs(name)}


def _compile(folder: Path) -> None:
    """Write bytecode that is valid whatever the time of its source: a package's files all have the same one.

    Where the app's folder cannot be written to, each start would otherwise compile everything anew.
    """
    if sys.version_info[:2] != tuple(map(int, PYTHON.split("."))):
        raise NotInstalled(f"Bytecode for Python {PYTHON} can only be written by Python {PYTHON}.")
    for source in sorted(folder.rglob("*.py")):
        target = importlib.util.cache_from_source(str(source))
        name = f"{ON_AZURE}/{source.relative_to(folder).as_posix()}"
        try:
            py_compile.compile(
                str(source), target, name, doraise=True,
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
            )  # fmt: skip
        except py_compile.PyCompileError:
            continue  # a few packages carry templates and tests that are not meant for this Python


# A quarter of the package: pyarrow's transport, its other cloud, what compilers and its own tests want, and the two
# further names of libraries, which are links where they were built and can be no links in a wheel.
_NEVER = re.compile(
    r"^pyarrow/(tests/|include/|src/|_pyarrow_cpp_tests|.*\.p(yx|xd|xi)$"
    r"|libarrow_(python_)?flight|_flight|libarrow_s3|_s3fs|libarrow_python\w*\.so(\.\d+\.\d+\.\d+)?$)"
)


def never_runs(name: str) -> bool:
    """Whether a file of the dependencies is of no use to the app, by its path in site-packages.

    What loads them is not there either: pyarrow takes a filesystem that it cannot import for one that was left out.
    """
    return _NEVER.match(name) is not None


def _of_this_machine(path: Path) -> bool:
    """Scripts with this machine's paths, the installer's lock, and records that differ from install to install."""
    return path.parent.name == "bin" or path.name in {".lock", "RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}
