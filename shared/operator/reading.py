"""Reads upkeep.yaml into a Spec, or tells everything that is wrong with it at once. Called by publish and the
command line; never by the function app, which reads what was published.
"""

from pathlib import Path

import msgspec
from msgspec import inspect

from shared.domain.spec import Document, Spec
from shared.errors import BadInput
from shared.operator import sense, shape
from shared.operator.overlay import merge, merge_places
from shared.operator.places import Mistake, sentences
from shared.operator.source import Source, as_mapping

FILE = "upkeep.yaml"
_DOCUMENT = inspect.type_info(Document)


def read_spec(path: Path, environment: str | None) -> Spec:
    """The spec of a model's folder (or of its upkeep.yaml), with the environment's overlay laid over it.

    A file without any `environments` holds for all of them. Raises BadInput with one sentence per mistake.
    """
    file = path / FILE if path.is_dir() else path
    source = _source(file)
    found, places = source.mistakes, source.places
    document = as_mapping(source.value)
    if not found and source.value is None:
        found = [Mistake((), "the file is empty")]
    if not found:
        found = [*_overlay_mistakes(document, environment), *shape.mistakes(source.value, _DOCUMENT)]
    if not found and environment is not None:
        over = as_mapping(as_mapping(document.get("environments")).get(environment))
        places = merge_places(places, document, over, ("environments", environment))
        document = merge(document, over)
        found = list(shape.mistakes(document, _DOCUMENT))
    if not found:
        spec = _convert(document)
        found = list(sense.mistakes(spec, file.parent))
        if not found:
            return spec
    raise BadInput(*(f"{file}: {sentence}" for sentence in sentences(found, places)))


def environments(path: Path) -> tuple[str, ...]:
    """Names of the overlays of a spec, as far as it can be read."""
    file = path / FILE if path.is_dir() else path
    return tuple(as_mapping(as_mapping(_source(file).value).get("environments")))


def _source(file: Path) -> Source:
    try:
        return Source(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInput(f"{file}: there is no such file; a model's folder holds one named {FILE}") from None
    except UnicodeDecodeError as error:
        raise BadInput(
            f"{file}: is not UTF-8 text: byte {error.start} is {error.object[error.start]:#04x}"
        ) from error
    except OSError as error:
        raise BadInput(f"{file}: cannot be read: {error.strerror}") from error


def _overlay_mistakes(document: dict[str, object], environment: str | None) -> list[Mistake]:
    overlays = as_mapping(document.get("environments"))
    if environment is None or not overlays:
        return []
    fixed = {"version", "name", "environments"} & set(as_mapping(overlays.get(environment)))
    found = [
        Mistake(("environments", environment, key), "is the same in every environment; take it out")
        for key in sorted(fixed)
    ]
    if environment not in overlays:
        near = shape.nearest(environment, overlays)
        found.append(Mistake(("environments",), f'has no "{environment}", only {", ".join(overlays)}{near}'))
    return found


def _convert(document: dict[str, object]) -> Spec:
    spec = {key: value for key, value in document.items() if key != "environments"}
    try:
        return msgspec.convert(spec, Spec)
    except msgspec.ValidationError as error:
        # shape.py lets nothing through that msgspec refuses; if it does, say so in msgspec's words.
        raise BadInput(str(error)) from error
