"""`python -m infra.check FOLDER [--types DIR]`: one line a problem, exit code 1 when there is any.

The types of Azure's resources are not part of the project. Without --types and UPKEEP_BICEP_TYPES everything else is
checked, and the last lines say that the type check was not made.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from infra.check import deployed, parameters, pragmas, roles, rules, symbols, typing_rules
from infra.check.problems import Problem
from infra.check.project import Project
from infra.check.types import Types

TYPES_VARIABLE = "UPKEEP_BICEP_TYPES"


def written(project: Project, types: Types) -> Iterator[Problem]:
    """What the files show without parameters filled in."""
    yield from project.syntax_problems()
    yield from symbols.check(project)
    yield from typing_rules.check(project, types)
    yield from rules.check(project)
    yield from roles.check(project)
    yield from parameters.check(project, types)


def found_in(folder: Path, types_folder: Path | None) -> list[Problem]:
    """The problems of a folder in the order of files and lines. It is deployed only when its text has none."""
    project, types = Project(folder), Types(types_folder)
    found = list(written(project, types))
    if all(pragmas.hides(project, each) for each in found):
        found += deployed.check(project, types)
    return sorted(pragmas.apply(project, found))


def main(arguments: Sequence[str]) -> int:
    """Check and print."""
    options = _options(arguments)
    chosen = options.types or os.environ.get(TYPES_VARIABLE)
    if not any(options.folder.rglob("*.bicep")):
        print(f"{options.folder} has no Bicep files: name the folder that holds main.bicep", file=sys.stderr)
        return 2
    try:
        found = found_in(options.folder, Path(chosen) if chosen else None)
    except NotADirectoryError as error:
        print(error, file=sys.stderr)
        return 2
    for problem in found:
        print(problem)
    count = len(list(options.folder.rglob("*.bicep")))
    print(f"{count} Bicep file{_s(count)}, {len(found) or 'no'} problem{_s(len(found) or 1)}.")
    if not chosen:
        print(
            "NOT CHECKED: resource types and API versions. `pipelines/steps/types.sh DIR` fetches the published ones;"
        )
        print(f"name them by {TYPES_VARIABLE}=DIR/generated (or --types) to check properties and versions too.")
    return 1 if found else 0


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.check", description="Check Bicep files without Azure.")
    parser.add_argument("folder", type=Path, help="folder of main.bicep")
    parser.add_argument("--types", help=f"folder of the published resource types; default: {TYPES_VARIABLE}")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
