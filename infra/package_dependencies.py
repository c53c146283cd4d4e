"""The locked dependencies as files of a package that needs no build on Azure.

Called by package.py. Only wheels whose hash stands in requirements.txt are taken, for the machines and the Python of
the Function App, whatever this machine is. The result lies where the Functions worker looks: .python_packages.
"""

import re
import subprocess
import sys
from pathlib import Path

from infra import package_bytecode

INSIDE = ".python_packages/lib/site-packages"
PLATFORM = "x86_64-manylinux_2_28"


class NotInstalled(Exception):  # noqa: N818 - reads as what happened
    """The dependencies cannot be had; the message is the installer's."""


def install(requirements: Path, folder: Path) -> dict[str, Path]:
    """Install into `folder`; the files by their name in the package."""
    done = subprocess.run(
        [
            sys.executable, "-m", "uv", "pip", "install", "--quiet", "--target", str(folder), "--require-hashes",
            "--only-binary", ":all:", "--python-version", package_bytecode.PYTHON, "--python-platform", PLATFORM,
            "-r", str(requirements),
        ],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise NotInstalled(done.stderr.strip())
    for source in sorted(folder.rglob("*.py")):
        # A few packages carry templates and tests that are not meant for this Python; they stay without.
        name = f"{INSIDE}/{source.relative_to(folder).as_posix()}"
        package_bytecode.write(source, name, Path(package_bytecode.cached(str(source))))
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not _of_this_machine(path))
    named = {path.relative_to(folder).as_posix(): path for path in files}
    return {f"{INSIDE}/{name}": path for name, path in named.items() if not never_runs(name)}


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
