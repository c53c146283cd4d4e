"""Compares plain values with a msgspec type and tells every difference, not just the first. Called by reading.py.

msgspec stops at the first mistake, and speaks of types; a person who wrote five mistakes wants five sentences.
What is found here is a superset of what msgspec would refuse: `reading` still converts with msgspec afterwards.
"""

import datetime as dt
import difflib
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum

from msgspec import inspect

from shared.operator.places import Mistake, Path


def mistakes(value: object, kind: inspect.Type, at: Path = (), hint: str = "") -> Iterator[Mistake]:
    """What keeps the value from being of that type. `hint` says in words what is wanted."""
    match kind:
        case inspect.Metadata():
            schema = kind.extra_json_schema or {}
            yield from mistakes(value, kind.type, at, str(schema.get("description", "")))
        case inspect.UnionType():
            yield from _union(value, kind, at, hint)
        case inspect.StructType():
            yield from _struct(value, kind, at)
        case inspect.DictType():
            yield from _dict(value, kind, at)
        case inspect.VarTupleType() | inspect.ListType():
            yield from _list(value, kind, at)
        case inspect.EnumType():
            yield from _choice(value, [str(member.value) for member in _members(kind.cls)], at)
        case inspect.LiteralType():
            yield from _choice(value, list(kind.values), at)
        case inspect.StrType():
            yield from _text(value, kind, at, hint)
        case inspect.IntType() | inspect.FloatType():
            yield from _number(value, kind, at)
        case inspect.BoolType():
            if not isinstance(value, bool):
                yield Mistake(at, f"must be true or false, not {said(value)}")


def _members(cls: type[Enum]) -> list[Enum]:
    return list(cls)


def _union(value: object, kind: inspect.UnionType, at: Path, hint: str) -> Iterator[Mistake]:
    if value is None and kind.includes_none:
        return
    for member in kind.types:
        if not isinstance(member, inspect.NoneType):
            yield from mistakes(value, member, at, hint)


def _struct(value: object, kind: inspect.StructType, at: Path) -> Iterator[Mistake]:
    fields = {field.encode_name: field for field in kind.fields}
    if not isinstance(value, dict):
        keys = ", ".join(name for name, field in fields.items() if field.required) or ", ".join(fields)
        yield Mistake(at, f"must be a mapping with keys such as {keys}, not {said(value)}")
        return
    for key in value:
        if key not in fields:
            yield Mistake((*at, key), f"is not a key that there is here{nearest(key, fields)}")
    for name, field in fields.items():
        if name in value:
            yield from mistakes(value[name], field.type, (*at, name))
        elif field.required:
            yield Mistake((*at, name), "is missing")


def _dict(value: object, kind: inspect.DictType, at: Path) -> Iterator[Mistake]:
    if not isinstance(value, dict):
        yield Mistake(at, f"must be a mapping of names to values, not {said(value)}")
        return
    for key, item in value.items():
        yield from mistakes(item, kind.value_type, (*at, key))


def _list(value: object, kind: inspect.VarTupleType | inspect.ListType, at: Path) -> Iterator[Mistake]:
    if not isinstance(value, list):
        yield Mistake(at, f"must be a list, not {said(value)}")
        return
    for index, item in enumerate(value):
        yield from mistakes(item, kind.item_type, (*at, index))


def _choice(value: object, choices: Sequence[str | int | None], at: Path) -> Iterator[Mistake]:
    if value not in choices or isinstance(value, bool):
        words = [str(choice) for choice in choices]
        wanted = " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
        yield Mistake(at, f"must be {wanted}, not {said(value)}{nearest(str(value), words)}")


def _text(value: object, kind: inspect.StrType, at: Path, hint: str) -> Iterator[Mistake]:
    if not isinstance(value, str):
        yield Mistake(at, f"must be text, not {said(value)}; put quotes around it if text is meant")
        return
    if kind.pattern and not re.search(kind.pattern, value):
        yield Mistake(at, f"{said(value)} will not do: {hint or f'it must match {kind.pattern}'}")
    if kind.min_length is not None and len(value) < kind.min_length:
        yield Mistake(at, f"has {len(value)} characters, fewer than {kind.min_length}")
    if kind.max_length is not None and len(value) > kind.max_length:
        yield Mistake(at, f"has {len(value)} characters, more than {kind.max_length}")


def _number(value: object, kind: inspect.IntType | inspect.FloatType, at: Path) -> Iterator[Mistake]:
    whole = isinstance(kind, inspect.IntType)
    wanted = "a whole number" if whole else "a number"
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
        yield Mistake(at, f"must be {wanted}, not {said(value)}")
        return
    assert isinstance(value, (int, float))
    if not math.isfinite(value):
        yield Mistake(at, f"must be a finite number, not {said(value)}")
    elif kind.ge is not None and value < kind.ge:
        yield Mistake(at, f"{value:g} is less than {kind.ge:g}, the least that is allowed")
    elif kind.le is not None and value > kind.le:
        yield Mistake(at, f"{value:g} is more than {kind.le:g}, the most that is allowed")


def said(value: object) -> str:
    """A value as it is named in a sentence."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"the truth value {str(value).lower()}"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, (dt.date, dt.datetime)):
        return f"the date {value}"
    if isinstance(value, (int, float)):
        return f"the number {value}"
    text = str(value)
    return f'"{text if len(text) <= 40 else text[:37] + "..."}"'


def nearest(word: str, known: Iterable[str]) -> str:
    """A suggestion for a misspelt word, ready to be put behind a sentence; empty when nothing is near."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {found[0]}?" if found else ""
