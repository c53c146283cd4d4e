"""`make package`: dist/upkeep-VERSION.zip, what is deployed to the Function App.

Called by the Makefile, CI and tests. The same tree gives the same bytes on every machine: names are sorted, times and
modes are fixed, and nothing is compressed, because what deflate makes of a file hangs on the version of zlib. Beside
the zip it writes the papers of package_papers.py. It never touches the tree that it reads.

    python -m infra.package [--without-dependencies] [--bill-only] [--out dist]

The zip holds the locked dependencies, has bytecode of everything, and is deployed as it is. With
--without-dependencies Azure's remote build has to install requirements.txt, for which it allows 60 seconds.
"""

import argparse
import hashlib
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Mapping
from pathlib import Path

from infra import package_bytecode, package_dependencies, package_files, package_papers

ROOT = Path(__file__).resolve().parents[1]
NO_TIME = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can tell."""
_UNIX = 3
_PLAIN_FILE = 0o100644 << 16


class Refused(Exception):  # noqa: N818 - reads as what happened
    """The tree is not one that can be packaged; the message has one sentence a line."""


def build(root: Path, out: Path, *, with_dependencies: bool = True) -> Path:
    """Write the zip, its checksum, its bill of materials and its provenance; the zip's path."""
    if problems := package_files.problems(root):
        raise Refused("\n".join(problems))
    _empty(out)
    name = f"upkeep-{version(root)}{'' if with_dependencies else '-without-dependencies'}"
    made = out / f"{name}.zip"
    files = {path: root / path for path in package_files.deployed(root)}
    if with_dependencies:
        with tempfile.TemporaryDirectory(dir=out) as folder:
            files |= _bytecode(files, Path(folder) / "app")
            files |= package_dependencies.install(root / "requirements.txt", Path(folder) / "dependencies")
            write_zip(files, made, zipfile.ZIP_DEFLATED)
    else:
        write_zip(files, made, zipfile.ZIP_STORED)
    package_papers.write(root, made, version(root))
    return made


def _bytecode(sources: Mapping[str, Path], folder: Path) -> dict[str, Path]:
    """Compile the app's own modules into `folder`; the files by their name in the package."""
    written = {}
    for name, source in sources.items():
        if name.endswith(".py") and package_bytecode.write(source, name, folder / package_bytecode.cached(name)):
            written[package_bytecode.cached(name)] = folder / package_bytecode.cached(name)
    return written


def _empty(out: Path) -> None:
    """The folder, without what an earlier build left: who deploys takes the one zip that is there."""
    out.mkdir(parents=True, exist_ok=True)
    for pattern in ("upkeep-*.zip", "upkeep-*.zip.sha256", "upkeep-*.cdx.json", "upkeep-*.provenance.json"):
        for path in out.glob(pattern):
            path.unlink()


def version(root: Path) -> str:
    """The product's version."""
    found: str = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    return found


def write_zip(files: Mapping[str, Path], made: Path, compression: int) -> None:
    """Write the files under their names. An unfinished zip never stands under the final name."""
    unfinished = made.with_suffix(".unfinished")
    with zipfile.ZipFile(unfinished, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, NO_TIME)
            entry.create_system, entry.external_attr, entry.compress_type = _UNIX, _PLAIN_FILE, compression
            archive.writestr(entry, files[name].read_bytes())
    unfinished.replace(made)


def summary(made: Path) -> str:
    """Name, size, number of files and SHA-256, for a person."""
    with zipfile.ZipFile(made) as archive:
        count = len(archive.namelist())
    digest = hashlib.sha256(made.read_bytes()).hexdigest()
    return f"{made.name}: {made.stat().st_size / 1e6:.2f} MB, {count} files, sha256 {digest}"


def main() -> int:
    """Package this checkout."""
    parser = argparse.ArgumentParser(prog="python -m infra.package", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="folder to write to")
    parser.add_argument("--without-dependencies", action="store_true", help="leave them to Azure's remote build")
    parser.add_argument("--bill-only", action="store_true", help="write the bill of materials and nothing else")
    arguments = parser.parse_args()
    try:
        if arguments.bill_only:
            print(package_papers.write_bill(ROOT, arguments.out, version(ROOT)))
            return 0
        made = build(ROOT, arguments.out, with_dependencies=not arguments.without_dependencies)
    except (
        Refused,
        package_bytecode.WrongPython,
        package_dependencies.NotInstalled,
        package_papers.NotWritten,
    ) as error:
        print(error, file=sys.stderr)
        return 1
    print(summary(made))
    return 0


if __name__ == "__main__":
    sys.exit(main())
