"""Where a value stands: its path in the file and its line. Used by everything that reads upkeep.yaml.

A mistake that names a place can be mended without searching.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

Path = tuple[str | int, ...]
"""Keys and list positions from the top of the document down to a value."""


class Mistake(NamedTuple):
    """One thing that is wrong, as a sentence, at the path where it stands."""

    at: Path
    text: str


class Place(NamedTuple):
    """Where a value was written. `path` differs from the one it is found by when an overlay brought it."""

    path: Path
    line: int


def shown(path: Path) -> str:
    """A path as a person writes it: `rollout.steps[1].traffic_pct`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")


def sentences(mistakes: Iterable[Mistake], places: Mapping[Path, Place]) -> tuple[str, ...]:
    """Mistakes as sentences with path and line, in the order of their lines, each said once."""
    told = [(_nearest(mistake.at, places), mistake) for mistake in mistakes]
    told.sort(key=lambda pair: pair[0].line)
    return tuple(dict.fromkeys(_sentence(place, mistake) for place, mistake in told))


def _nearest(path: Path, places: Mapping[Path, Place]) -> Place:
    # A key that is missing has no place of its own: the nearest one above it does.
    for length in range(len(path), -1, -1):
        place = places.get(path[:length])
        if place:
            return Place((*place.path, *path[length:]), place.line)
    return Place(path, 1)


def _sentence(place: Place, mistake: Mistake) -> str:
    head = f"{shown(place.path)}: " if place.path else ""
    return f"{head}{mistake.text} (line {place.line})"
