"""Lays the part of a document that is meant for one environment over the rest of it. Called by reading.py.

Maps are merged key by key; anything else, lists too, replaces what was there. A value keeps the place where it was
written, so that a mistake in an overlay is told there.
"""

from shared.operator.places import Path, Place


def merge(base: dict[str, object], over: dict[str, object]) -> dict[str, object]:
    """A new mapping; neither argument is changed."""
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            result[key] = merge(below, value)
        else:
            result[key] = value
    return result


def merge_places(
    places: dict[Path, Place], base: dict[str, object], over: dict[str, object], prefix: Path
) -> dict[Path, Place]:
    """The places of the merged document, when the overlay stands at `prefix` of the file."""
    result = dict(places)
    _move(result, places, base, over, prefix, ())
    return result


def _move(
    result: dict[Path, Place],
    places: dict[Path, Place],
    base: dict[str, object],
    over: dict[str, object],
    prefix: Path,
    at: Path,
) -> None:
    for key, value in over.items():
        here = (*at, key)
        below = base.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            _move(result, places, below, value, prefix, here)
            continue
        source = (*prefix, *here)
        for path in places:
            if path[: len(here)] == here:
                result.pop(path, None)
        for path, place in places.items():
            if path[: len(source)] == source:
                result[(*here, *path[len(source) :])] = place
