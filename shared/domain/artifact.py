"""The model's bytes: what is hashed, how, and whether they are still those that were judged.

A file's hash is the SHA-256 of its content. A folder's is the SHA-256 of one line a file, `HASH  PATH`, in the order
of the paths' bytes, as `sha256sum` writes them, so that anybody can do it again (docs/guide/promotion.md). Paths are
relative to the deepest folder that holds all files: a copy in a registry may lie one folder further down.
"""

import hashlib
from collections.abc import Iterable
from posixpath import commonpath, dirname

from shared.domain.base import Kept


class FileSeen(Kept, frozen=True, kw_only=True):
    """One file of a model, hashed."""

    path: str
    size_bytes: int
    sha256: str


class ArtifactSeen(Kept, frozen=True, kw_only=True):
    """A model's files. `problem` says why they cannot be used; without `complete` more looks are needed."""

    files: tuple[FileSeen, ...] = ()
    complete: bool = True
    problem: str = ""

    @property
    def sha256(self) -> str:
        """Hash of the folder."""
        return folder_sha256(self.files)

    @property
    def size_bytes(self) -> int:
        """Of all files together."""
        return sum(file.size_bytes for file in self.files)


class Expected(Kept, frozen=True, kw_only=True):
    """What the bytes ought to be: the folder as it was registered, or until then the file that was evaluated.

    `path` is that file's, where the evaluation names it; otherwise any file of the folder, or the folder itself,
    may be the one.
    """

    folder_sha256: str = ""
    file_sha256: str = ""
    path: str = ""


def folder_sha256(files: Iterable[FileSeen]) -> str:
    """SHA-256 of a folder, in hex, or nothing of an empty one; the order of `files` does not matter."""
    found = {file.path: file.sha256 for file in files}
    if not found:
        return ""
    root = commonpath([dirname(path) for path in found])
    skipped = len(root) + 1 if root else 0
    lines = sorted((path[skipped:].encode(), sha256.encode()) for path, sha256 in found.items())
    return hashlib.sha256(b"".join(sha256 + b"  " + path + b"\n" for path, sha256 in lines)).hexdigest()


def objection(expected: Expected, seen: ArtifactSeen) -> str:
    """Why these are not the bytes that were judged, in a sentence; empty when they are. Closed by default."""
    if seen.problem:
        return f"The model's files cannot be used: {seen.problem}."
    if not seen.files:
        return "The model has no files."
    if expected.folder_sha256:
        if seen.sha256 == expected.folder_sha256:
            return ""
        return (
            f"The model's files hash to {_short(seen.sha256)}, not to {_short(expected.folder_sha256)} as registered."
        )
    if not expected.file_sha256:
        return "Nothing says what the model's files should hash to."
    named = [file.sha256 for file in seen.files if not expected.path or file.path == expected.path]
    if expected.file_sha256 in (*named, "" if expected.path else seen.sha256):
        return ""
    which = f"{expected.path} does not hash" if expected.path else "No file of the model hashes"
    return f"{which} to {_short(expected.file_sha256)}, which was evaluated."


def _short(sha256: str) -> str:
    return sha256[:12]
