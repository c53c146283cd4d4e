"""Which files are deployed: of what .funcignore leaves, that which function_app.py imports.

Called by package.py and by tests. `func` and `azd` read the same .funcignore, so that what must not leave the machine
stays by any way of deploying. It looks at source only: it never imports the app.
"""

import ast
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from pathspec import GitIgnoreSpec

IGNORE_FILE = ".funcignore"
ENTRY = "function_app.py"
PRODUCT = "shared/"
BESIDE_CODE = ("host.json", "requirements.txt")
"""What the Functions host and its build read, beside the modules."""


def deployed(root: Path) -> list[str]:
    """What goes into the package, sorted. Call it when there are no `problems`."""
    return sorted({*left(root)} & needed(root))


def left(root: Path) -> list[str]:
    """Paths below `root` that .funcignore leaves, sorted, with forward slashes."""
    spec = GitIgnoreSpec.from_lines((root / IGNORE_FILE).read_text(encoding="utf-8").splitlines())
    return sorted(_left(root, spec))


def _left(root: Path, spec: GitIgnoreSpec) -> Iterator[str]:
    for folder, folders, files in os.walk(root):
        inside = Path(folder).relative_to(root)
        # Ignored folders are not entered: a virtual environment holds tens of thousands of files.
        folders[:] = [name for name in folders if not spec.match_file(f"{(inside / name).as_posix()}/")]
        paths = ((inside / name).as_posix() for name in files)
        yield from (path for path in paths if not spec.match_file(path))


def needed(root: Path) -> set[str]:
    """What has to be there: the modules that function_app.py imports, at its top or later, and theirs, and so on."""
    found: set[str] = set()
    waiting = [ENTRY]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting.extend(_imported(root, path))
    return found | {own for path in found for own in _own_files(root, path)} | set(BESIDE_CODE)


def _own_files(root: Path, path: str) -> Iterator[str]:
    """What a module reads from beside itself: files of its name with another ending, as page.html of page.py."""
    module = root / path
    beside = module.parent.glob(f"{module.stem}.*") if path.startswith(PRODUCT) else ()
    yield from (file.relative_to(root).as_posix() for file in beside if file.suffix not in (".py", ".pyc"))


def problems(root: Path) -> list[str]:
    """One sentence for each file that is left out and needed, and for each file or folder that nobody knows.

    A module of the product that the app does not import is the command line's: it is not packed, and that is all.
    """
    there, wanted = set(left(root)), needed(root)
    unknown = (path for path in there - wanted if not (path.startswith(PRODUCT) and path.endswith(".py")))
    strange = sorted({_highest(path, wanted) for path in unknown})
    return [
        *(f"{path} is needed by the app, but {IGNORE_FILE} leaves it out." for path in sorted(wanted - there)),
        *(f"{path} is not needed by the app: remove it, or name it in {IGNORE_FILE}." for path in strange),
        *(f"{path} is a link; a package holds files only." for path in sorted(there & wanted) if _linked(root, path)),
    ]


def _highest(path: str, wanted: set[str]) -> str:
    """The file, or the highest folder above it that holds nothing wanted: a stray environment is one finding."""
    folders = [f"{folder.as_posix()}/" for folder in reversed(PurePosixPath(path).parents) if folder.name]
    return next((folder for folder in folders if not any(name.startswith(folder) for name in wanted)), path)


def _linked(root: Path, path: str) -> bool:
    return any(
        part.is_symlink() for part in (root / path, *(root / folder for folder in PurePosixPath(path).parents))
    )


def _imported(root: Path, path: str) -> Iterator[str]:
    """The app's own files that one file imports."""
    for node in ast.walk(ast.parse((root / path).read_text(encoding="utf-8"), path)):
        match node:
            case ast.Import(names=names):
                modules = [alias.name for alias in names]
            case ast.ImportFrom(module=str(module), level=0, names=names):
                # What is imported from a package may be a module of it or a name in it.
                modules = [module, *(f"{module}.{alias.name}" for alias in names)]
            case ast.ImportFrom():
                raise ValueError(f"{path}:{node.lineno}: relative imports are not followed here")
            case _:
                continue
        for name in modules:
            yield from _files_of(root, name)


def _files_of(root: Path, module: str) -> Iterator[str]:
    """The module's file and those of the packages around it, as far as they are the app's own."""
    parts = module.split(".")
    for depth in range(1, len(parts) + 1):
        stem = Path(*parts[:depth])
        for path in (stem / "__init__.py", stem.with_suffix(".py")):
            if (root / path).is_file():
                yield path.as_posix()
