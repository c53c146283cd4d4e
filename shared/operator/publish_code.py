"""The files of a code folder: which belong to it, their hash, and a clean copy to upload.

Called by publish.py. The copy is what is hashed and what is uploaded, so that the two cannot differ.
"""

import hashlib
import shutil
from functools import cached_property
from pathlib import Path

from shared.errors import BadInput

IGNORE = ".amlignore"
HASH_DIGITS = 30  # Azure ML takes versions of 30 characters at most
_NEVER = ["__pycache__/", "*.pyc", ".git/", ".ipynb_checkpoints/", ".DS_Store", IGNORE]


class CodeFolder:
    """A folder of code under the name that its asset will have."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder

    @cached_property
    def version(self) -> str:
        """First 30 hex digits of the SHA-256 over the asset's name and each file's path and content."""
        digest = hashlib.sha256(self.name.encode())
        for path in self.files():
            content = (self.folder / path).read_bytes()
            digest.update(f"\0{path.as_posix()}\0{len(content)}\0".encode() + content)
        return digest.hexdigest()[:HASH_DIGITS]

    def files(self) -> list[Path]:
        """Paths of its files, relative and sorted; .amlignore is honoured, and bytecode is never code."""
        import pathspec

        ignore = self.folder / IGNORE
        lines = ignore.read_text(encoding="utf-8").splitlines() if ignore.is_file() else []
        ignored = pathspec.GitIgnoreSpec.from_lines([*lines, *_NEVER])
        paths = (path.relative_to(self.folder) for path in self.folder.rglob("*") if path.is_file())
        found = sorted(path for path in paths if not ignored.match_file(path.as_posix()))
        if not found:
            raise BadInput(f"{self.folder}: holds no files of code")
        return found

    def copy_to(self, target: Path) -> None:
        """Copy its files, and a mark with the asset's name and version.

        Azure ML knows code by its content under all names: without the mark, a folder that somebody registered
        elsewhere would never come to exist under ours. BadInput when the folder changed since it was hashed.
        """
        version = self.version
        for path in self.files():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.folder / path, target / path)
        if CodeFolder(self.name, target).version != version:
            raise BadInput(f"{self.folder}: changed while it was being published; publish again")
        (target / ".upkeep-code").write_text(f"{self.name}:{version}\n", encoding="utf-8")
