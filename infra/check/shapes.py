"""What a value may look like: one form for Bicep's own types and for the published types of resources.

Built by syntax.py (from `param x string`) and types.py (from the published types); compared by matching.py.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["any", "string", "int", "bool", "null", "array", "object", "alias"]


@dataclass(frozen=True)
class Slot:
    """A property of an object. `get` gives its shape when asked, because published types refer in circles."""

    get: "Callable[[], Shape]"
    required: bool = False
    read_only: bool = False
    write_only: bool = False
    settled: bool = False
    """Deploy-time constant: must be known before the deployment begins."""


@dataclass(frozen=True)
class Shape:
    """One type. `literals` closes a string, int or bool; `open` says that other strings are allowed beside them."""

    kind: Kind
    literals: frozenset[str | int | bool] | None = None
    open: bool = False
    item: "Callable[[], Shape] | None" = None
    slots: Mapping[str, Slot] | None = None
    """Of an object; None when nothing is known of its properties."""
    extra: "Callable[[], Shape] | None" = None
    discriminator: str | None = None
    variants: "Mapping[str, Callable[[], Shape]]" = field(default_factory=dict)
    choices: "tuple[Shape, ...]" = ()
    """Shapes of which any will do, when they are not all literals of one kind; `kind` is then any."""
    nullable: bool = False
    alias: str | None = None
    name: str = ""
    length: tuple[int | None, int | None] = (None, None)
    bounds: tuple[int | None, int | None] = (None, None)
    pattern: str | None = None

    def or_null(self) -> "Shape":
        """The same, or null."""
        return replace(self, nullable=True)

    def words(self) -> str:
        """The shape in a few words for a message."""
        if self.literals:
            shown = ", ".join(sorted(map(_written, self.literals))[:12])
            return shown if len(self.literals) <= 12 else f"{shown}, …"
        return self.alias or ("anything" if self.kind == "any" else self.kind)


ANY, STRING, INT, BOOL = Shape("any"), Shape("string"), Shape("int"), Shape("bool")
NULL, ARRAY, OBJECT = Shape("null"), Shape("array"), Shape("object")


def array_of(item: Shape) -> Shape:
    """An array of one shape."""
    return Shape("array", item=lambda: item)


def literal(value: str | int | bool | None) -> Shape:
    """The shape of one known value."""
    if value is None:
        return NULL
    kind: Kind = "bool" if isinstance(value, bool) else "int" if isinstance(value, int) else "string"
    return Shape(kind, literals=frozenset({value}))


def _written(value: str | int | bool) -> str:
    return f"'{value}'" if isinstance(value, str) else str(value).lower()
