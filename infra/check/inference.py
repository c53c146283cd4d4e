"""What an expression gives, as a shape, as far as it can be told without deploying.

Used by matching.py. It guesses nothing: whatever is unclear has the shape "any", which fits everywhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from infra.check.functions import FUNCTIONS
from infra.check.nodes import (
    Call,
    Declaration,
    Expr,
    Function,
    Import,
    Index,
    Items,
    Lambda,
    Literal,
    Loop,
    Member,
    Module,
    Name,
    Nested,
    Operation,
    Parameter,
    Properties,
    Resource,
    Source,
    Text,
    Variable,
    When,
)
from infra.check.project import Project
from infra.check.shapes import ANY, ARRAY, BOOL, INT, OBJECT, STRING, Shape, Slot, array_of, literal
from infra.check.types import Types

TRUTHS = frozenset(("==", "!=", "=~", "!~", "<", ">", "<=", ">=", "&&", "||", "!"))
_PLACES = {
    "resourceGroup": "id name type location managedBy tags properties",
    "subscription": "id subscriptionId tenantId displayName",
    "tenant": "tenantId country countryCode displayName",
    "deployer": "objectId tenantId userPrincipalName",
}


def of_slots(**shapes: Shape) -> Shape:
    """A closed object."""
    return Shape("object", slots={name: Slot(lambda shape=shape: shape) for name, shape in shapes.items()})  # type: ignore[misc]  # binds the loop's value


@dataclass
class Scope:
    """One file with the names that loops and lambdas have added."""

    project: Project
    source: Source
    types: Types
    local: Mapping[str, Shape] = field(default_factory=dict)
    _open: set[str] = field(default_factory=set)

    def within(self, **names: Shape) -> "Scope":
        """The same with more local names."""
        return replace(self, local={**self.local, **names})

    def loop(self, loop: Loop) -> "Scope":
        """The scope of a loop's body."""
        names = {loop.item: item_of(self.infer(loop.over))}
        return self.within(**names, **({loop.index: INT} if loop.index else {}))

    def infer(self, expression: Expr) -> Shape:
        """The shape of an expression."""
        match expression:
            case Literal(value=value):
                return literal(value)
            case Text():
                return STRING
            case Name(name=name):
                return self._name(name)
            case Member(of=of, name=name):
                return member_of(self.infer(of), name)
            case Nested(name=name):
                return self._nested(name)
            case Index(of=of, at=at):
                key = at.value if isinstance(at, Literal) else None
                return member_of(self.infer(of), key) if isinstance(key, str) else item_of(self.infer(of))
            case Call():
                return self._call(expression)
            case Operation():
                return self._operation(expression)
            case Items(items=items):
                return array_of(join([self.infer(item) for item in items])) if items else ARRAY
            case Properties():
                return self._object(expression)
            case Loop(body=body):
                return array_of(self.loop(expression).infer(body))
            case _:
                return ANY

    def _name(self, name: str) -> Shape:
        if name in self.local:
            return self.local[name]
        found = self.source.symbols.get(name)
        if found is None or name in self._open:
            return self._nested(name) if found is None else ANY
        self._open.add(name)
        try:
            return self._declared(found)
        finally:
            self._open.discard(name)

    def _declared(self, found: Declaration) -> Shape:
        match found:
            case Parameter(shape=shape):
                return self.project.resolve(self.source, shape)
            case Variable(value=value):
                return self.infer(value)
            case Resource():
                return self._many(self.body(found), found.body)
            case Module():
                return self._many(self._module(found), found.body)
            case Import() if brought := self.project.imported(self.source, found):
                return Scope(self.project, brought[0], self.types).infer(Name(found.line, brought[1].name))
            case _:
                return ANY

    def _nested(self, name: str) -> Shape:
        found = next((each for each, outer in self.source.resources if outer and each.name == name), None)
        return self._many(self.body(found), found.body) if found else ANY

    def _many(self, shape: Shape, body: Expr) -> Shape:
        return array_of(shape) if isinstance(body, Loop) else shape

    def kind(self, resource: Resource) -> str:
        """`Microsoft.X/y/z@VERSION` of a resource, completed by those that it is declared in."""
        by_name = {each.name: (each, outer) for each, outer in self.source.resources}
        outer = by_name[resource.name][1] if resource.outer else None
        if outer is None:
            return resource.type
        above, version = self.kind(outer).split("@")
        name, _, own = resource.type.partition("@")
        return f"{above}/{name}@{own or version}"

    def body(self, resource: Resource) -> Shape:
        """The shape of a resource; any object when it is not known."""
        found = self.types.resource(self.kind(resource))
        return found.body if found else OBJECT

    def _module(self, module: Module) -> Shape:
        target = self.project.module(self.source, module)
        if target is None or target.errors:
            return OBJECT
        outputs = {name: self.project.resolve(target, each.shape) for name, each in target.outputs.items()}
        return of_slots(name=STRING, outputs=of_slots(**outputs))

    def _call(self, call: Call) -> Shape:
        if call.of is not None:
            return ANY
        own = self.source.symbols.get(call.function)
        if isinstance(own, Function):
            return self.project.resolve(self.source, own.returns)
        if call.function in _PLACES:
            names = _PLACES[call.function].split()
            return of_slots(**{name: ANY if name in ("tags", "properties") else STRING for name in names})
        match call.function, call.arguments:
            case "first" | "last", (of, *_):
                return item_of(self.infer(of))
            case "map", (over, Lambda(parameters=(item, *_), body=body)):
                return array_of(self.within(**{item: item_of(self.infer(over))}).infer(body))
            case "filter" | "sort" | "skip" | "take", (over, *_):
                return self.infer(over)
            case "coalesce" | "min" | "max", arguments:
                return join([self.infer(each) for each in arguments])
            case _:
                signature = FUNCTIONS.get(call.function)
                return signature.gives if signature else ANY

    def _operation(self, operation: Operation) -> Shape:
        if operation.sign in TRUTHS:
            return BOOL
        if operation.sign == "?":
            return join([self.infer(each) for each in operation.operands[1:]])
        if operation.sign == "??":
            first, second = (self.infer(each) for each in operation.operands)
            return join([replace(first, nullable=False), second])
        return INT

    def _object(self, value: Properties) -> Shape:
        if any(each.key for each in value.properties):
            return Shape("object", extra=lambda: ANY)
        return of_slots(**{each.name: self.infer(each.value) for each in value.properties})


def join(shapes: list[Shape]) -> Shape:
    """What all of these are."""
    if not shapes:
        return ANY
    present = [shape for shape in shapes if shape.kind != "null"]
    nullable = len(present) < len(shapes) or any(shape.nullable for shape in present)
    kinds = {shape.kind for shape in present}
    if len(kinds) != 1:
        return ANY
    if len(present) == 1:
        return replace(present[0], nullable=nullable)
    kind = kinds.pop()
    if kind == "array":
        items = [shape.item() if shape.item else ANY for shape in present]
        joined = join(items)
        return Shape("array", item=lambda: joined, nullable=nullable)
    literals = [shape.literals for shape in present if not shape.open]
    words = frozenset[str | int | bool]().union(*(each or () for each in literals)) if all(literals) else None
    return Shape(kind, literals=words or None, nullable=nullable)


def member_of(of: Shape, name: str) -> Shape:
    """A property of an object."""
    slots = of.slots or {}
    if name in slots:
        return slots[name].get()
    return of.extra() if of.extra else ANY


def item_of(of: Shape) -> Shape:
    """An item of an array."""
    return of.item() if of.kind == "array" and of.item else ANY


def has_member(of: Shape, name: str) -> bool:
    """Whether an object may have the property; True whenever that is not clear."""
    if of.kind in ("string", "int", "bool", "array"):
        return False
    closed = of.kind == "object" and of.slots is not None and of.extra is None and of.discriminator is None
    return not closed or name in (of.slots or {})


def locals_of(expression: Expr, scope: Scope) -> Scope:
    """The scope inside an expression."""
    match expression:
        case Loop():
            return scope.loop(expression)
        case Lambda(parameters=parameters):
            return scope.within(**dict.fromkeys(parameters, ANY))
        case When() | _:
            return scope
