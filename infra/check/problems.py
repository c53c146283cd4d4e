"""One mistake, as a line that says where and what to do. Made by every part of the check."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path


@dataclass(frozen=True, order=True)
class Problem:
    """`rule` is a word by which a test or a reader can tell the kind."""

    path: Path
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message} [{self.rule}]"


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?`, or nothing when no known word is near."""
    by_case = {each.lower(): each for each in known}
    found = get_close_matches(word.lower(), by_case, n=1, cutoff=0.7)
    return f"; did you mean '{by_case[found[0]]}'?" if found else ""
