"""Expressions of the syntax tree as values of nodes.py. Called by syntax.py alone.

The grammar gives `a + b.c` as `(a + b).c`: a postfix belongs to the last operand of what is not in parentheses, and
is put there. Text is taken from the source between the interpolations, because the grammar drops `\\$`.
"""

import re
from collections.abc import Callable
from dataclasses import replace

from tree_sitter import Node

from infra.check.nodes import (
    Call,
    Expr,
    Index,
    Items,
    Lambda,
    Literal,
    Loop,
    Member,
    Name,
    Nested,
    Operation,
    Properties,
    Property,
    Resource,
    Text,
    When,
)

_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "'": "'", "\\": "\\", "$": "$"}
NestedReader = Callable[[Node, tuple[Call, ...]], Resource]


class UnreadableError(Exception):
    """A piece of the tree that this reader does not know; syntax.py tells it like a syntax error."""

    def __init__(self, node: Node):
        super().__init__(f"cannot read {node.type} here: {words(node)[:40]!r}")
        self.line = line_of(node)


class Reader:
    """Reads expressions. `nested` reads a resource that is declared inside a resource's body."""

    def __init__(self, nested: NestedReader):
        self._nested = nested
        self._rebuilt: dict[int, Expr] = {}
        self._rules: dict[str, Callable[[Node], Expr]] = {
            "string": self._string,
            "number": lambda node: Literal(line_of(node), int(words(node))),
            "boolean": lambda node: Literal(line_of(node), words(node) == "true"),
            "null": lambda node: Literal(line_of(node), None),
            "identifier": lambda node: Name(line_of(node), words(node)),
            "member_expression": self._member,
            "resource_expression": self._child,
            "subscript_expression": self._index,
            "call_expression": self._call,
            "lambda_expression": self._lambda,
            "binary_expression": self._operation,
            "unary_expression": self._operation,
            "ternary_expression": self._operation,
            "parenthesized_expression": self._group,
            "array": self._array,
            "object": self._object,
            "for_statement": self._loop,
            "if_statement": self._when,
        }

    def read(self, node: Node) -> Expr:
        """The expression of a node."""
        if node.id in self._rebuilt:
            return self._rebuilt[node.id]
        rule = self._rules.get(node.type)
        if rule is None:
            if len(named(node)) == 1:  # `a!` and other wrappers around one expression
                return self.read(named(node)[0])
            raise UnreadableError(node)
        return rule(node)

    def call(self, node: Node) -> Call:
        """A call, as in a decorator."""
        found = self.read(node)
        if not isinstance(found, Call):
            raise UnreadableError(node)
        return found

    def _string(self, node: Node) -> Expr:
        raw = node.text or b""
        quote = 3 if raw.startswith(b"'''") else 1
        plain = quote == 3
        parts: list[str | Expr] = []
        at = node.start_byte + quote
        for hole in (child for child in named(node) if child.type == "interpolation"):
            parts += [_text(raw[at - node.start_byte : hole.start_byte - node.start_byte], plain)]
            parts += [self.read(named(hole)[0])]
            at = hole.end_byte
        last = _text(raw[at - node.start_byte : len(raw) - quote], plain)
        if not parts:
            return Literal(line_of(node), last.removeprefix("\n") if plain else last)
        return Text(line_of(node), tuple(part for part in (*parts, last) if part != ""))

    def _member(self, node: Node) -> Expr:
        name, safe = words(field(node, "property")), has(node, ".?")
        return _behind(self.read(field(node, "object")), lambda of: Member(line_of(node), of, name, safe))

    def _child(self, node: Node) -> Expr:
        name = words(field(node, "resource"))
        return _behind(self.read(field(node, "object")), lambda of: Nested(line_of(node), of, name))

    def _index(self, node: Node) -> Expr:
        at, safe = self.read(field(node, "index")), has(node, "?")
        return _behind(self.read(field(node, "object")), lambda of: Index(line_of(node), of, at, safe))

    def _call(self, node: Node) -> Expr:
        arguments = tuple(map(self.read, named(field(node, "arguments"))))
        function = field(node, "function")
        if function.type == "identifier":
            return Call(line_of(node), words(function), arguments)
        name = words(field(function, "property"))
        of = self.read(field(function, "object"))
        return _behind(of, lambda of: Call(line_of(node), name, arguments, None if _az(of) else of))

    def _lambda(self, node: Node) -> Expr:
        head, body = named(node)[0], named(node)[-1]
        parameters = named(head) if head.type == "parenthesized_expression" else [head]
        return Lambda(line_of(node), tuple(map(words, parameters)), self.read(body))

    def _operation(self, node: Node) -> Expr:
        sign = "?" if node.type == "ternary_expression" else next(c.type for c in node.children if not c.is_named)
        operands = tuple(map(self.read, named(node)))
        if sign == "-" and len(operands) == 1 and isinstance(operands[0], Literal):
            return Literal(line_of(node), -int(operands[0].value or 0))
        if isinstance(first := operands[0], Lambda):  # `x => x.a == 1` comes as `(x => x.a) == 1`
            return replace(first, body=Operation(line_of(node), sign, (first.body, *operands[1:])))
        return Operation(line_of(node), sign, operands)

    def _group(self, node: Node) -> Expr:
        inner = self.read(named(node)[0])
        return replace(inner, grouped=True) if isinstance(inner, Operation) else inner

    def _array(self, node: Node) -> Items:
        items: list[Expr] = []
        before: Node | None = None
        for child in named(node):
            # `f(x)[0].y` in an array may come as `f`, `(x)`, `[0].y`; in Bicep nothing else stands so close together.
            if before is not None and before.end_byte == child.start_byte:
                items.append(self._called(items.pop(), child))
            else:
                items.append(self.read(child))
            before = child
        return Items(line_of(node), tuple(items))

    def _called(self, callee: Expr, node: Node) -> Expr:
        inner = node
        while inner.type not in ("parenthesized_expression", "array") and named(inner):
            inner = named(inner)[0]
        inside = tuple(map(self.read, named(inner)))
        if inner.type == "array" and len(inside) == 1:
            self._rebuilt[inner.id] = Index(callee.line, callee, inside[0], safe=False)
        elif inner.type == "parenthesized_expression" and isinstance(callee, Name | Member):
            of = callee.of if isinstance(callee, Member) else None
            self._rebuilt[inner.id] = Call(callee.line, callee.name, inside, of)
        else:
            raise UnreadableError(node)
        return self.read(node)

    def _object(self, node: Node) -> Properties:
        properties: list[Property] = []
        resources: list[Resource] = []
        decorators: tuple[Call, ...] = ()
        for child in named(node):
            if child.type == "decorators":
                decorators = tuple(self.call(found.named_children[0]) for found in named(child))
                continue
            head, *rest = named(child)
            if head.type == "resource_declaration":
                resources.append(self._nested(head, decorators))
            else:
                properties.append(self._property(head, rest[-1]))
            decorators = ()
        return Properties(line_of(node), tuple(properties), tuple(resources))

    def _property(self, head: Node, value: Node) -> Property:
        if head.type != "string":
            return Property(line_of(head), words(head), self.read(value))
        key = self.read(head)
        name = str(key.value) if isinstance(key, Literal) else ""
        return Property(line_of(head), name, self.read(value), None if isinstance(key, Literal) else key)

    def _loop(self, node: Node) -> Loop:
        head, over, body = named(node)
        names = [words(child) for child in named(head)] or [words(head)]
        item, index = names[0], names[1] if len(names) > 1 else None
        return Loop(line_of(node), item, index, self.read(over), self.read(body))

    def _when(self, node: Node) -> When:
        condition, body = named(node)
        return When(line_of(node), self.read(condition), self.read(body))


def named(node: Node) -> list[Node]:
    """The children that mean something."""
    return [child for child in node.named_children if child.type not in ("comment", "diagnostic_comment")]


def words(node: Node) -> str:
    """The source text."""
    return (node.text or b"").decode()


def line_of(node: Node) -> int:
    """The line, counted from 1."""
    return int(node.start_point[0]) + 1


def has(node: Node, sign: str) -> bool:
    """Whether a sign stands directly in the node."""
    return any(child.type == sign for child in node.children)


def field(node: Node, name: str) -> Node:
    """A child that the grammar promises."""
    found = node.child_by_field_name(name)
    if found is None:
        raise UnreadableError(node)
    return found


def _behind(of: Expr, build: Callable[[Expr], Expr]) -> Expr:
    match of:
        case Operation(grouped=False, operands=(*first, last)):
            return replace(of, operands=(*first, _behind(last, build)))
        case Lambda(body=body):
            return replace(of, body=_behind(body, build))
        case _:
            return build(of)


def _az(of: Expr) -> bool:
    return isinstance(of, Name) and of.name in ("az", "sys")


def _text(raw: bytes, plain: bool) -> str:
    text = raw.decode()
    return text if plain else re.sub(r"\\(u\{[0-9a-fA-F]+\}|.)", _unescaped, text)


def _unescaped(found: re.Match[str]) -> str:
    what = found[1]
    return chr(int(what[2:-1], 16)) if what.startswith("u{") else _ESCAPES.get(what, what)
