"""The values that a Bicep file is read into: expressions and declarations, each with its line.

Made by syntax.py and read by everything else here. They hold what is written, and decide nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from infra.check.shapes import Shape

Scalar: TypeAlias = str | int | bool | None


@dataclass(frozen=True)
class Expr:
    """Any expression; `line` counts from 1."""

    line: int

    def inner(self) -> "Iterator[Expr]":
        """The expressions directly inside this one."""
        return iter(())


@dataclass(frozen=True)
class Literal(Expr):
    """A string without interpolation, a number, true, false or null."""

    value: Scalar


@dataclass(frozen=True)
class Text(Expr):
    """A string with interpolation: pieces of text between expressions."""

    parts: tuple[str | Expr, ...]

    def inner(self) -> Iterator[Expr]:
        return (part for part in self.parts if isinstance(part, Expr))


@dataclass(frozen=True)
class Name(Expr):
    """A symbol."""

    name: str


@dataclass(frozen=True)
class Member(Expr):
    """`of.name`; with `safe`, `of.?name`."""

    of: Expr
    name: str
    safe: bool

    def inner(self) -> Iterator[Expr]:
        return iter((self.of,))


@dataclass(frozen=True)
class Nested(Expr):
    """`of::name`, a resource declared inside another."""

    of: Expr
    name: str

    def inner(self) -> Iterator[Expr]:
        return iter((self.of,))


@dataclass(frozen=True)
class Index(Expr):
    """`of[at]`."""

    of: Expr
    at: Expr
    safe: bool

    def inner(self) -> Iterator[Expr]:
        return iter((self.of, self.at))


@dataclass(frozen=True)
class Call(Expr):
    """A function, or with `of` a function of a resource or a namespace."""

    function: str
    arguments: tuple[Expr, ...]
    of: Expr | None = None

    def inner(self) -> Iterator[Expr]:
        return iter((*self.arguments, *((self.of,) if self.of else ())))


@dataclass(frozen=True)
class Lambda(Expr):
    """`(a, b) => body`."""

    parameters: tuple[str, ...]
    body: Expr

    def inner(self) -> Iterator[Expr]:
        return iter((self.body,))


@dataclass(frozen=True)
class Operation(Expr):
    """An operator: one operand, two, or three for `? :`. `grouped` says that parentheses stand around it."""

    sign: str
    operands: tuple[Expr, ...]
    grouped: bool = False

    def inner(self) -> Iterator[Expr]:
        return iter(self.operands)


@dataclass(frozen=True)
class Items(Expr):
    """An array."""

    items: tuple[Expr, ...]

    def inner(self) -> Iterator[Expr]:
        return iter(self.items)


@dataclass(frozen=True)
class Property:
    """One property of an object; `key` instead of `name` when the name is computed."""

    line: int
    name: str
    value: Expr
    key: Expr | None = None


@dataclass(frozen=True)
class Properties(Expr):
    """An object; in a resource's body, with the resources declared inside it."""

    properties: tuple[Property, ...]
    resources: tuple["Resource", ...] = ()

    def inner(self) -> Iterator[Expr]:
        for item in self.properties:
            if item.key:
                yield item.key
            yield item.value

    def find(self, name: str) -> Property | None:
        """The property of this name."""
        return next((item for item in self.properties if item.name == name), None)


@dataclass(frozen=True)
class Loop(Expr):
    """`[for (item, index) in over: body]`."""

    item: str
    index: str | None
    over: Expr
    body: Expr

    def inner(self) -> Iterator[Expr]:
        return iter((self.over, self.body))


@dataclass(frozen=True)
class When(Expr):
    """`if (condition) body`, of a resource or a module."""

    condition: Expr
    body: Expr

    def inner(self) -> Iterator[Expr]:
        return iter((self.condition, self.body))


@dataclass(frozen=True)
class Declaration:
    """Whatever a file declares by name."""

    name: str
    line: int
    decorators: tuple[Call, ...] = field(kw_only=True, default=())

    def decorator(self, name: str) -> Call | None:
        """The decorator of this name, with or without its namespace."""
        return next((found for found in self.decorators if found.function == name), None)


@dataclass(frozen=True)
class Parameter(Declaration):
    """`param`."""

    shape: Shape
    default: Expr | None

    @property
    def required(self) -> bool:
        """Whether a caller must give it."""
        return self.default is None and not self.shape.nullable


@dataclass(frozen=True)
class Variable(Declaration):
    """`var`."""

    value: Expr


@dataclass(frozen=True)
class Function(Declaration):
    """`func`."""

    parameters: tuple[tuple[str, Shape], ...]
    returns: Shape
    body: Expr


@dataclass(frozen=True)
class Alias(Declaration):
    """`type`."""

    shape: Shape


@dataclass(frozen=True)
class Import(Declaration):
    """One name of an `import`; `original` is None for `* as name`."""

    original: str | None
    path: str


@dataclass(frozen=True)
class Resource(Declaration):
    """`resource`; `type` is as written, so `blobServices` for a nested one."""

    type: str
    existing: bool
    body: Expr
    outer: str | None = None

    @property
    def properties(self) -> Properties:
        """The body without its loop and its condition."""
        return _bare(self.body)


@dataclass(frozen=True)
class Module(Declaration):
    """`module`."""

    path: str
    body: Expr

    @property
    def properties(self) -> Properties:
        """The body without its loop and its condition."""
        return _bare(self.body)


@dataclass(frozen=True)
class Output(Declaration):
    """`output`."""

    shape: Shape
    value: Expr


@dataclass(frozen=True)
class Source:
    """One Bicep file. With syntax errors, `declarations` may lack some."""

    path: Path
    scope: str
    declarations: tuple[Declaration, ...]
    comments: tuple[tuple[int, str], ...]
    errors: tuple[tuple[int, str], ...]

    def of_kind(self, *kinds: type[Declaration]) -> list[Declaration]:
        """The declarations of these kinds, nested resources not among them."""
        return [found for found in self.declarations if isinstance(found, kinds)]

    @property
    def symbols(self) -> dict[str, Declaration]:
        """What expressions can name: outputs have names of their own."""
        return {found.name: found for found in self.declarations if not isinstance(found, Output)}

    @property
    def parameters(self) -> dict[str, Parameter]:
        """By name."""
        return {found.name: found for found in self.declarations if isinstance(found, Parameter)}

    @property
    def outputs(self) -> dict[str, Output]:
        """By name."""
        return {found.name: found for found in self.declarations if isinstance(found, Output)}

    @property
    def resources(self) -> Iterator[tuple[Resource, Resource | None]]:
        """All resources, each with the one that it is declared in."""
        for found in self.declarations:
            if isinstance(found, Resource):
                yield from _with_nested(found, None)


def walk(expression: Expr) -> Iterator[Expr]:
    """The expression and everything inside it, but for nested resources."""
    yield expression
    for inner in expression.inner():
        yield from walk(inner)


def expressions(declaration: Declaration) -> Iterator[Expr]:
    """The expressions at the top of a declaration, its decorators' among them."""
    yield from declaration.decorators
    match declaration:
        case Parameter(default=Expr() as value) | Variable(value=value) | Output(value=value):
            yield value
        case Function(body=body) | Resource(body=body) | Module(body=body):
            yield body
        case _:
            pass


def _with_nested(resource: Resource, outer: Resource | None) -> Iterator[tuple[Resource, Resource | None]]:
    yield resource, outer
    for nested in resource.properties.resources:
        yield from _with_nested(nested, resource)


def _bare(body: Expr) -> Properties:
    while isinstance(body, Loop | When):
        body = body.body
    return body if isinstance(body, Properties) else Properties(body.line, ())
