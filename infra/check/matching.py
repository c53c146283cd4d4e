"""Whether a value fits a shape: unknown and missing properties, wrong types, values outside an enumeration.

Called by typing_rules.py for what is written, and by deployed.py for what comes out with the parameters filled in.
Every finding is (line, rule, message); the caller knows the file.
"""

import re
from collections.abc import Generator, Iterable, Iterator
from typing import NamedTuple, TypeAlias

from infra.check.inference import Scope, join
from infra.check.nodes import Expr, Items, Literal, Loop, Properties, Property, When
from infra.check.problems import nearest
from infra.check.project import branches
from infra.check.shapes import ANY, Shape, Slot

Finding: TypeAlias = tuple[int, str, str]


class Matcher(NamedTuple):
    """Compares the values of one scope."""

    scope: Scope

    def match(self, value: Expr, wanted: Shape, where: str) -> Iterator[Finding]:
        """What keeps the value from being what is wanted; `where` names it in messages."""
        for branch in branches(value):
            yield from self._one(branch, wanted, where)

    def _one(self, value: Expr, wanted: Shape, where: str) -> Iterator[Finding]:
        match value:
            case _ if wanted.kind == "any":
                yield from self._choice(value, wanted, where)
            case Literal(value=None):
                if not wanted.nullable and wanted.kind != "null":
                    yield value.line, "type", f"'{where}' may not be null; give it {_a(wanted.words())}"
            case Properties() if wanted.kind == "object":
                yield from self._object(value, wanted, where)
            case Items(items=items) if wanted.kind == "array":
                for at, item in enumerate(items):
                    yield from self.match(item, _item(wanted), f"{where}[{at}]")
            case Loop(body=body) if wanted.kind == "array":
                yield from Matcher(self.scope.loop(value)).match(body, _item(wanted), f"{where}[]")
            case When(body=body):
                yield from self.match(body, wanted, where)
            case _:
                yield from compare(self.scope.infer(value), wanted, where, value.line)

    def _choice(self, value: Expr, wanted: Shape, where: str) -> Iterator[Finding]:
        tried = [list(self._one(value, each, where)) for each in wanted.choices]
        if tried and all(tried):
            yield min(tried, key=len)[0]

    def _object(self, value: Properties, wanted: Shape, where: str) -> Iterator[Finding]:
        slots = dict(wanted.slots or {})
        if wanted.discriminator:
            chosen = yield from self._variant(value, wanted, where)
            if chosen is None:
                return
            slots |= chosen.slots or {}
        elif wanted.slots is None:
            return
        for each in value.properties:
            if each.key is None:
                yield from self._property(each, slots, wanted, where)
        yield from missing(value, slots, where)

    def _variant(self, value: Properties, wanted: Shape, where: str) -> Generator[Finding, None, Shape | None]:
        found = value.find(wanted.discriminator or "")
        if found is None:
            kinds = ", ".join(sorted(wanted.variants))
            yield value.line, "missing", f"{_of(where)}needs '{wanted.discriminator}', which says its kind: {kinds}"
            return None
        if not isinstance(found.value, Literal):
            return None
        variant = wanted.variants.get(str(found.value.value))
        if variant is None:
            yield from compare(
                self.scope.infer(found.value), _words(wanted.variants), _join(where, found.name), found.line
            )
            return None
        return variant()

    def _property(self, each: Property, slots: dict[str, Slot], wanted: Shape, where: str) -> Iterator[Finding]:
        inside = _join(where, each.name)
        slot = slots.get(each.name)
        if slot is None:
            if wanted.extra:
                yield from self.match(each.value, wanted.extra(), inside)
            else:
                writable = [name for name, known in slots.items() if not known.read_only]
                hint = nearest(each.name, writable) or "; remove it or correct its place"
                yield each.line, "property", f"{_of(where)}has no property '{each.name}'{hint}"
        elif slot.read_only and not slot.required:
            yield each.line, "read-only", f"'{inside}' is read-only: Azure sets it; remove it"
        else:
            shape = slot.get()
            yield from self.match(each.value, shape if slot.required else shape.or_null(), inside)


def missing(value: Properties, slots: dict[str, Slot], where: str) -> Iterator[Finding]:
    """Required properties that are not there; nothing is said when a name is computed."""
    if any(each.key for each in value.properties):
        return
    names = {each.name for each in value.properties}
    for name, slot in slots.items():
        if slot.required and not slot.read_only and name not in names:
            yield value.line, "missing", f"{_of(where)}lacks the required property '{name}'; add it"


def compare(actual: Shape, wanted: Shape, where: str, line: int) -> Iterator[Finding]:
    """What keeps a value of a known shape from fitting."""
    if "any" in (actual.kind, wanted.kind) or (actual.kind == "null" and wanted.nullable):
        return
    if actual.kind != wanted.kind:
        yield line, "type", f"'{where}' must be {_a(wanted.words())}, not {_a(actual.kind)}; correct the value"
    elif actual.literals:
        yield from _literals(actual.literals, wanted, where, line)
    elif actual.kind == "array":
        yield from compare(_item(actual), _item(wanted), f"{where}[]", line)
    elif actual.kind == "object" and actual.slots is not None and wanted.slots is not None:
        yield from _slots(actual, wanted, where, line)


def _slots(actual: Shape, wanted: Shape, where: str, line: int) -> Iterator[Finding]:
    given, known = actual.slots or {}, wanted.slots or {}
    if wanted.discriminator or actual.name:
        return
    for name, slot in known.items():
        if name in given:
            shape = slot.get()
            yield from compare(
                given[name].get(), shape if slot.required else shape.or_null(), f"{where}.{name}", line
            )
        elif slot.required and not actual.extra:
            yield line, "missing", f"'{where}' lacks the required property '{name}'; add it"
    if not wanted.extra:
        for name in given:
            if name not in known:
                hint = nearest(name, known) or "; remove it"
                yield line, "property", f"'{where}' has no property '{name}'{hint}"


def _literals(values: Iterable[str | int | bool], wanted: Shape, where: str, line: int) -> Iterator[Finding]:
    for value in sorted(values, key=str):
        if wanted.literals and value not in wanted.literals:
            hint = nearest(str(value), map(str, wanted.literals))
            if not wanted.open or "did you mean" in hint:
                # Where other strings are allowed too, only one that is nearly a known one is taken for a mistake.
                told = hint or f"; it must be one of {wanted.words()}"
                yield line, "value", f"'{where}' may not be '{value}'{told}"
        elif isinstance(value, str):
            yield from _string(value, wanted, where, line)
        elif not isinstance(value, bool):
            yield from _number(value, wanted, where, line)


def _string(value: str, wanted: Shape, where: str, line: int) -> Iterator[Finding]:
    fewest, most = wanted.length
    if fewest is not None and len(value) < fewest:
        yield line, "value", f"'{where}' is '{value}', shorter than {fewest} characters; lengthen it"
    if most is not None and len(value) > most:
        yield line, "value", f"'{where}' is '{value}', longer than {most} characters; shorten it"
    if wanted.pattern and not wanted.literals and not re.search(wanted.pattern, value):
        yield line, "value", f"'{where}' is '{value}', which must match {wanted.pattern}; correct it"


def _number(value: int, wanted: Shape, where: str, line: int) -> Iterator[Finding]:
    least, most = wanted.bounds
    if least is not None and value < least:
        yield line, "value", f"'{where}' is {value} and must be at least {least}; raise it"
    if most is not None and value > most:
        yield line, "value", f"'{where}' is {value} and must be at most {most}; lower it"


def _item(shape: Shape) -> Shape:
    return shape.item() if shape.item else ANY


def _words(names: Iterable[str]) -> Shape:
    return join([Shape("string", literals=frozenset({name})) for name in names])


def _a(words: str) -> str:
    return words if words.startswith(("'", "anything")) else f"an {words}" if words[0] in "aeio" else f"a {words}"


def _of(where: str) -> str:
    return f"'{where}' "


def _join(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name
