"""Bytecode of a package: where the app's folder cannot be written to, each start would otherwise compile it all anew.

Called by package.py and package_dependencies.py. It is valid whatever the time of its source, because a package's
files all have the same one.
"""

import importlib.util
import py_compile
import sys
from pathlib import Path

PYTHON = "3.11"
"""Of the Function App. Another Python can neither write what this one reads, nor read what it wrote."""
ON_AZURE = "/home/site/wwwroot"


class WrongPython(Exception):  # noqa: N818 - reads as what happened
    """This Python's bytecode is not the Function App's."""


def cached(name: str) -> str:
    """Where the bytecode of a source lies, beside it."""
    return importlib.util.cache_from_source(name)


def write(source: Path, name: str, target: Path) -> bool:
    """Compile the source, which the package holds as `name`, into `target`; False when it is not for this Python."""
    if sys.version_info[:2] != tuple(map(int, PYTHON.split("."))):
        raise WrongPython(f"Bytecode for Python {PYTHON} can only be written by Python {PYTHON}.")
    try:
        py_compile.compile(
            str(source), str(target), f"{ON_AZURE}/{name}", doraise=True,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )  # fmt: skip
    except py_compile.PyCompileError:
        return False
    return True
