"""YAML text as plain values, each with its line. Called by reading.py.

Stricter than YAML: a key that stands twice, a tag, a merge key, or a document of absurd size is a mistake. Builds no
object but dicts, lists and scalars, whatever the file asks for.
"""

from typing import Any

import yaml

from shared.operator.places import Mistake, Path, Place

MOST_BYTES = 1_000_000
MOST_DEPTH = 20
MOST_NODES = 20_000


class Source:
    """A document that was read: its value, the place of every part of it, and what was wrong with its text."""

    def __init__(self, text: str) -> None:
        self.value: object = None
        self.places: dict[Path, Place] = {(): Place((), 1)}
        self.mistakes: list[Mistake] = []
        self._nodes = 0
        self._read(text)

    def _read(self, text: str) -> None:
        if len(text) > MOST_BYTES:
            self.mistakes.append(Mistake((), f"the file is longer than {MOST_BYTES:,} characters"))
            return
        try:
            loader = yaml.SafeLoader(text)
            node = loader.get_single_node()
            self.value = None if node is None else self._build(loader, node, ())
        except yaml.MarkedYAMLError as error:
            self._unreadable(error)
        except yaml.YAMLError as error:
            self.mistakes.append(Mistake((), f"is not YAML: {error}"))

    def _unreadable(self, error: yaml.MarkedYAMLError) -> None:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        self.places[()] = Place((), line)
        self.mistakes.append(Mistake((), f"is not YAML: {error.problem or error.context}"))

    def _build(self, loader: yaml.SafeLoader, node: yaml.Node, at: Path) -> object:
        self.places.setdefault(at, Place(at, node.start_mark.line + 1))
        self._nodes += 1
        # Aliases can make a small text endless.
        if len(at) > MOST_DEPTH or self._nodes > MOST_NODES:
            raise yaml.MarkedYAMLError(problem="is too deep or too large", problem_mark=node.start_mark)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(loader, node, at)
        if isinstance(node, yaml.SequenceNode):
            return [self._build(loader, item, (*at, index)) for index, item in enumerate(node.value)]
        return loader.construct_object(node)

    def _mapping(self, loader: yaml.SafeLoader, node: yaml.MappingNode, at: Path) -> dict[str, object]:
        result: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node, at)
            here = (*at, key)
            if key in result:
                first = self.places[here].line
                again = key_node.start_mark.line + 1
                self.mistakes.append(Mistake(here, f"stands twice, in lines {first} and {again}; keep one"))
                continue
            self.places[here] = Place(here, key_node.start_mark.line + 1)
            result[key] = self._build(loader, value_node, here)
        return result

    def _key(self, node: yaml.Node, at: Path) -> str:
        if not isinstance(node, yaml.ScalarNode) or node.tag == "tag:yaml.org,2002:merge":
            self.mistakes.append(Mistake(at, "keys must be plain words; merge keys (<<) are not read"))
            return "?"
        return str(node.value)


def as_mapping(value: object) -> dict[str, Any]:
    """The value when it is a mapping, else an empty one: its shape is complained of elsewhere."""
    return value if isinstance(value, dict) else {}
