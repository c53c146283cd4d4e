"""The value of an expression, with symbols looked up by whoever asks. Called by evaluate.py."""

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from infra.check import library
from infra.check.nodes import (
    Call,
    Expr,
    Function,
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
    Source,
    Text,
)
from infra.check.values import Absent, Made, Partly, Place, Runtime, Value

Locals: TypeAlias = Mapping[str, Value]
SymbolOf: TypeAlias = Callable[[str, int], Value]
_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "=~": lambda a, b: str(a).lower() == str(b).lower(),
    "!~": lambda a, b: str(a).lower() != str(b).lower(),
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}
_SUMS: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a // b,
    "%": lambda a, b: a % b,
}


class FailedError(Exception):
    """What the deployment would fail with, at a line of a file."""

    def __init__(self, source: Source, line: int, message: str):
        super().__init__(message)
        self.told = (source.path, line, message)


class Calculator:
    """Calculates the expressions of one file at one place."""

    def __init__(
        self,
        source: Source,
        place: Place,
        symbol: SymbolOf,
        function: "Callable[[str], tuple[Function, Calculator] | None]",
    ):
        self._source, self._place, self._symbol, self._function = source, place, symbol, function
        self._rules: dict[type[Expr], Callable[[Any, Locals], Value]] = {
            Literal: lambda expression, _: expression.value,
            Name: self._name,
            Text: self._text,
            Nested: lambda expression, _: self._symbol(expression.name, expression.line),
            Member: self._member,
            Index: self._index,
            Operation: self._operation,
            Items: lambda expression, local: [self.value(each, local) for each in expression.items],
            Properties: self._object,
            Loop: self._loop,
            Call: self._call,
        }

    def value(self, expression: Expr, local: Locals) -> Value:
        """The value of an expression."""
        return self._rules[type(expression)](expression, local)

    def _name(self, expression: Name, local: Locals) -> Value:
        return local[expression.name] if expression.name in local else self._symbol(expression.name, expression.line)

    def _text(self, expression: Text, local: Locals) -> Value:
        values = [part if isinstance(part, str) else self.value(part, local) for part in expression.parts]
        whole = "".join(str(each).lower() if isinstance(each, bool) else str(each) for each in values)
        return Runtime(whole) if any(isinstance(each, Runtime) for each in values) else whole

    def _member(self, expression: Member, local: Locals) -> Value:
        of = self.value(expression.of, local)
        if expression.safe and (of is None or (isinstance(of, Absent) and of.made is None)):
            return None
        if expression.safe and isinstance(of, dict) and not isinstance(of, Partly):
            return of.get(expression.name)
        return member(self._source, of, expression.name, expression.line)

    def _index(self, expression: Index, local: Locals) -> Value:
        of, at = self.value(expression.of, local), self.value(expression.at, local)
        if isinstance(of, list) and isinstance(at, int):
            if at < len(of):
                return of[at]
            if expression.safe:
                return None
            raise FailedError(
                self._source, expression.line, f"there is no item {at} among {len(of)}; correct the index"
            )
        if expression.safe and (of is None or (isinstance(of, dict) and at not in of)):
            return None
        return member(self._source, of, str(at), expression.line)

    def _operation(self, expression: Operation, local: Locals) -> Value:
        first = self.value(expression.operands[0], local)
        rest = expression.operands[1:]
        match expression.sign:
            case "?":
                return self.value(rest[0] if first else rest[1], local)
            case "??":
                return self.value(rest[0], local) if first is None else first
            case "&&":
                return bool(first) and bool(self.value(rest[0], local))
            case "||":
                return bool(first) or bool(self.value(rest[0], local))
            case "!":
                return not first
            case "-" if not rest:
                return -first
        second = self.value(rest[0], local)
        if expression.sign in _TESTS:
            return _TESTS[expression.sign](first, second)
        numbers = isinstance(first, int) and isinstance(second, int)
        return _SUMS[expression.sign](first, second) if numbers else Runtime(f"{first}{expression.sign}{second}")

    def _object(self, expression: Properties, local: Locals) -> Value:
        made: dict[str, Value] = {}
        for each in expression.properties:
            name = str(self.value(each.key, local)) if each.key else each.name
            made[name] = self.value(each.value, local)
        return made

    def _loop(self, expression: Loop, local: Locals) -> Value:
        values = self.value(expression.over, local)
        if not isinstance(values, list):
            return []
        index = expression.index
        rounds = (
            {**local, expression.item: each, **({index: at} if index else {})} for at, each in enumerate(values)
        )
        return [self.value(expression.body, each) for each in rounds]

    def _call(self, expression: Call, local: Locals) -> Value:
        name, arguments = expression.function, expression.arguments
        if expression.of is not None:
            of = self.value(expression.of, local)
            return Runtime(f"{of.id if isinstance(of, Made) else of}#{name}()")
        own = self._function(name)
        if own:
            function, home = own
            values = [self.value(each, local) for each in arguments]
            return home.value(
                function.body, dict(zip((each for each, _ in function.parameters), values, strict=True))
            )
        if name.startswith("load"):
            return self._load(expression, local)
        if name in ("resourceGroup", "subscription", "deployment", "environment", "tenant", "deployer"):
            return self._surroundings(name, [self.value(each, local) for each in arguments])
        if arguments and isinstance(arguments[-1], Lambda):
            return self._over(expression, local)
        try:
            return library.call(name, [self.value(each, local) for each in arguments])
        except (TypeError, ValueError, AttributeError, KeyError, IndexError) as error:
            raise FailedError(self._source, expression.line, f"{name} fails here: {error}; correct it") from error

    def _over(self, expression: Call, local: Locals) -> Value:
        over = self.value(expression.arguments[0], local)
        if not isinstance(over, list | dict):
            return Runtime(f"{expression.function}({over})")
        each = [self._lambda(argument, local) for argument in expression.arguments if isinstance(argument, Lambda)]
        match expression.function:
            case "map":
                return [each[0](item, at) for at, item in enumerate(over)]
            case "filter":
                return [item for at, item in enumerate(over) if each[0](item, at)]
            case "toObject":
                return {each[0](item): each[1](item) if len(each) > 1 else item for item in over}
            case "mapValues" if isinstance(over, dict):
                return {key: each[0](item) for key, item in over.items()}
            case "reduce":
                total = self.value(expression.arguments[1], local)
                for item in over:
                    total = each[0](total, item)
                return total
            case _:
                return over

    def _lambda(self, expression: Lambda, local: Locals) -> Callable[..., Value]:
        names = expression.parameters
        return lambda *values: self.value(expression.body, {**local, **dict(zip(names, values, strict=False))})

    def _load(self, expression: Call, local: Locals) -> Value:
        path = self._source.path.parent / str(self.value(expression.arguments[0], local))
        if not path.is_file():
            raise FailedError(self._source, expression.line, f"the file '{path}' is not there; correct the path")
        text = path.read_text(encoding="utf-8")
        match expression.function:
            case "loadTextContent":
                return text
            case "loadJsonContent":
                return json.loads(text)
            case _:
                return Runtime(f"{expression.function}({path.name})")

    def _surroundings(self, name: str, arguments: list[Value]) -> Value:
        place = self._place
        match name:
            case "resourceGroup":
                group = str(arguments[-1] if arguments else place.group)
                path = f"/subscriptions/{place.subscription}/resourceGroups/{group}"
                return {"id": path, "name": group, "location": place.location, "tags": Runtime(f"{path}#tags")}
            case "subscription":
                path = f"/subscriptions/{place.subscription}"
                tenant = Runtime("subscription#tenantId")
                return {
                    "id": path,
                    "subscriptionId": place.subscription,
                    "tenantId": tenant,
                    "displayName": "subscription",
                }
            case "deployment":
                return {"name": "deployment", "location": place.location, "properties": {}}
            case _:
                return Runtime(name)


def member(source: Source, of: Value, name: str, line: int) -> Value:
    """A property of a value; FailedError when it has none."""
    match of:
        case Absent(what=what, made=made):
            if made and name in ("id", "name", "type", "apiVersion"):
                return made.member(name)
            message = f"'{what}' is not deployed here, but its '{name}' is read; guard it by the same condition"
            raise FailedError(source, line, message)
        case Made() | Partly() | Runtime():
            return of.member(name)
        case dict() if name in of:
            return of[name]
        case dict():
            raise FailedError(source, line, f"there is no property '{name}' in this object; correct the name")
        case _:
            raise FailedError(source, line, f"'{name}' is read of {_kind_of(of)}; correct the expression")


def _kind_of(value: Value) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
