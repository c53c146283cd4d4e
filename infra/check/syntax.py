"""A Bicep file as values of nodes.py, with what could not be read. Called by symbols.py through `read_file`.

tree-sitter-bicep knows less than the compiler: spread (`...x`), `$'''`, ternaries over several lines and a nullable
union in parentheses are syntax errors here though Azure takes them. The files of this project do without.
"""

from dataclasses import replace
from functools import cache
from pathlib import Path

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

from infra.check.nodes import (
    Alias,
    Call,
    Declaration,
    Expr,
    Function,
    Import,
    Literal,
    Loop,
    Module,
    Output,
    Parameter,
    Properties,
    Resource,
    Source,
    Variable,
    When,
)
from infra.check.reading import Reader, UnreadableError, has, line_of, named, words
from infra.check.shapes import ANY, ARRAY, BOOL, INT, OBJECT, STRING, Shape, Slot, array_of, literal

PRIMITIVES = {"string": STRING, "int": INT, "bool": BOOL, "object": OBJECT, "array": ARRAY, "any": ANY}
# Declarations that say nothing which is checked here.
_SILENT = {"metadata_declaration", "assert_statement", "comment", "diagnostic_comment"}


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_bicep.language()))


def read_file(path: Path) -> Source:
    """Read one file from the disk."""
    return read_text(path, path.read_text(encoding="utf-8"))


def read_text(path: Path, text: str) -> Source:
    """Read one file whose text is at hand; `path` is for messages and for the modules' relative paths."""
    root = _parser().parse(text.encode()).root_node
    errors = list(_errors(root))
    file = _File()
    for node in root.named_children:
        try:
            file.take(node)
        except UnreadableError as trouble:
            errors.append((trouble.line, str(trouble)))
        except (IndexError, ValueError):  # half a declaration: the error in it is told already
            errors.append((line_of(node), f"cannot read this {node.type.replace('_', ' ')}"))
    return Source(path, file.scope, tuple(file.declarations), tuple(_comments(root)), tuple(sorted(set(errors))))


class _File:
    """Collects the declarations of one file."""

    def __init__(self) -> None:
        self.scope = "resourceGroup"
        self.declarations: list[Declaration] = []
        self._decorators: tuple[Call, ...] = ()
        self._reader = Reader(self._resource)
        self._rules = {
            "parameter_declaration": self._parameter,
            "variable_declaration": self._variable,
            "type_declaration": self._alias,
            "user_defined_function": self._function,
            "module_declaration": self._module,
            "output_declaration": self._output,
        }

    def take(self, node: Node) -> None:
        if node.type == "decorators":
            self._decorators = tuple(self._reader.call(found.named_children[0]) for found in named(node))
            return
        decorators, self._decorators = self._decorators, ()
        if node.type in _SILENT or node.is_error:
            return
        if node.type == "target_scope_assignment":
            self.scope = _plain(self._reader.read(named(node)[0]))
        elif node.type == "import_functionality":
            self._import(node)
        elif node.type == "resource_declaration":
            self.declarations.append(self._resource(node, decorators))
        elif node.type in self._rules:
            self.declarations.append(_decorated(self._rules[node.type](node), decorators))
        else:
            raise UnreadableError(node)

    def _parameter(self, node: Node) -> Parameter:
        name, kind, *default = named(node)
        return Parameter(
            words(name), line_of(name), self.shape(kind), self._reader.read(default[0]) if default else None
        )

    def _variable(self, node: Node) -> Variable:
        name, *_, value = named(node)
        return Variable(words(name), line_of(name), self._reader.read(value))

    def _alias(self, node: Node) -> Alias:
        name, kind = named(node)
        return Alias(words(name), line_of(name), self.shape(kind))

    def _function(self, node: Node) -> Function:
        name, parameters, returns, body = named(node)
        taken = tuple((words(named(each)[0]), self.shape(named(each)[1])) for each in named(parameters))
        return Function(words(name), line_of(name), taken, self.shape(returns), self._reader.read(body))

    def _module(self, node: Node) -> Module:
        name, path, body = named(node)
        return Module(words(name), line_of(name), _plain(self._reader.read(path)), self._reader.read(body))

    def _output(self, node: Node) -> Output:
        name, kind, value = named(node)
        return Output(words(name), line_of(name), self.shape(kind), self._reader.read(value))

    def _resource(self, node: Node, decorators: tuple[Call, ...]) -> Resource:
        name, kind, body = named(node)
        made = Resource(
            words(name),
            line_of(name),
            _plain(self._reader.read(kind)),
            has(node, "existing"),
            self._reader.read(body),
            decorators=decorators,
        )
        return replace(made, body=_owned(made.body, made.name))

    def _import(self, node: Node) -> None:
        parts = [words(child) for child in node.children if child.type not in ("comment", "{", "}", ",")]
        path = parts[-1].strip("'")
        if "*" in parts:
            self.declarations.append(Import(parts[parts.index("as") + 1], line_of(node), None, path))
            return
        wanted = parts[1 : parts.index("from")]
        while wanted:
            original = alias = wanted.pop(0)
            if wanted and wanted[0] == "as":
                alias = wanted[1]
                wanted = wanted[2:]
            self.declarations.append(Import(alias, line_of(node), original, path))

    def shape(self, node: Node) -> Shape:
        """The shape that a type expression gives."""
        match node.type:
            case "type" | "parenthesized_type":
                return self.shape(named(node)[0])
            case "primitive_type":
                return PRIMITIVES[words(node)]
            case "nullable_type":
                return self.shape(named(node)[0]).or_null()
            case "array_type":
                return array_of(self.shape(named(node)[0]))
            case "union_type":
                return _union([self.shape(child) for child in named(node)])
            case "object":
                return self._object(node)
            case "identifier" | "member_expression":
                return Shape("alias", alias=words(node))
            case _:
                value = self._reader.read(node)
                if not isinstance(value, Literal):
                    raise UnreadableError(node)
                return literal(value.value)

    def _object(self, node: Node) -> Shape:
        slots: dict[str, Slot] = {}
        extra: Shape | None = None
        decorators: tuple[Call, ...] = ()
        for child in named(node):
            if child.type != "object_property":
                decorators = tuple(self._reader.call(found.named_children[0]) for found in named(child))
                continue
            kind, decorators = _limited(self.shape(named(child)[-1]), decorators), ()
            if has(child, "*"):
                extra = kind
            else:
                slots[words(named(child)[0]).strip("'")] = Slot(lambda kind=kind: kind, not kind.nullable)  # type: ignore[misc]  # binds the loop's value
        return Shape("object", slots=slots, extra=(lambda: extra) if extra else None)


def _union(shapes: list[Shape]) -> Shape:
    kinds = {shape.kind for shape in shapes}
    if len(kinds) == 1 and all(shape.literals for shape in shapes):
        return replace(shapes[0], literals=frozenset().union(*(shape.literals or () for shape in shapes)))
    return Shape("any", choices=tuple(shapes))


def _limited(shape: Shape, decorators: tuple[Call, ...]) -> Shape:
    limits: dict[str, int | None] = {}
    for call in decorators:
        first = call.arguments[0] if call.arguments else None
        if isinstance(first, Literal) and isinstance(first.value, int):
            limits[call.function] = first.value
        elif call.function == "allowed" and first:
            allowed = [each.value for each in first.inner() if isinstance(each, Literal) and each.value is not None]
            shape = replace(shape, literals=frozenset(allowed))
    return replace(
        shape,
        length=(limits.get("minLength"), limits.get("maxLength")),
        bounds=(limits.get("minValue"), limits.get("maxValue")),
    )


def _decorated(made: Declaration, decorators: tuple[Call, ...]) -> Declaration:
    if isinstance(made, Parameter | Alias | Output):
        return replace(made, shape=_limited(made.shape, decorators), decorators=decorators)
    return replace(made, decorators=decorators)


def _owned(body: Expr, owner: str) -> Expr:
    match body:
        case Loop() | When():
            return replace(body, body=_owned(body.body, owner))
        case Properties(resources=nested) if nested:
            return replace(body, resources=tuple(replace(each, outer=owner) for each in nested))
        case _:
            return body


def _plain(value: Expr) -> str:
    return str(value.value) if isinstance(value, Literal) else ""


def _comments(node: Node) -> list[tuple[int, str]]:
    found = [(line_of(node), words(node))] if "comment" in node.type else []
    return found + [each for child in node.children for each in _comments(child)]


def _errors(node: Node) -> list[tuple[int, str]]:
    if not node.has_error:
        return []
    if node.is_missing:
        return [(line_of(node), f"syntax error: {node.type} is missing")]
    inner = [error for child in node.children for error in _errors(child)]
    if not inner and node.is_error:
        snippet = " ".join(words(node).split())[:60]
        return [(line_of(node), f"syntax error at {snippet!r}")]
    return inner
