"""The functions of Bicep on values. Called by evaluate.py, which looks after lambdas and places.

`uniqueString` and `guid` give stable values that are not Azure's own, but of the same form. A function that is not
here gives a Runtime: nothing is known of its result.
"""

import base64
import hashlib
import json
import uuid
from collections.abc import Callable
from typing import Any, cast

from infra.check.values import Runtime, Value

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


def call(name: str, arguments: list[Value]) -> Value:
    """The result, or a Runtime."""
    function = _FUNCTIONS.get(name)
    if function is None:
        return Runtime(f"{name}({', '.join(map(_shown, arguments))})")
    if name not in _ANYTHING and any(isinstance(each, Runtime) for each in arguments):
        return Runtime(f"{name}({', '.join(map(_shown, arguments))})")
    return function(*arguments)


def _shown(value: Value) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _unique(*values: Value) -> str:
    digest = hashlib.sha256("\n".join(map(_shown, values)).encode()).digest()
    return "".join(_ALPHABET[byte % 32] for byte in digest[:13])


def _guid(*values: Value) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, "\n".join(map(_shown, values))))


def _union(*values: Value) -> Value:
    if isinstance(values[0], dict):
        merged: dict[str, Any] = {}
        for each in values:
            merged = _merged(merged, each)
        return merged
    found: list[Value] = []
    for each in values:
        found += [item for item in each if item not in found]
    return found


def _merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    both = dict(one)
    for name, value in other.items():
        deep = isinstance(value, dict) and isinstance(both.get(name), dict)
        both[name] = _merged(both[name], value) if deep else value
    return both


def _contains(where: Value, what: Value) -> bool:
    if isinstance(where, dict):
        return str(what).lower() in {name.lower() for name in where}
    return what in where


def _format(pattern: str, *values: Value) -> str:
    for at, value in enumerate(values):
        pattern = pattern.replace(f"{{{at}}}", str(value))
    return pattern


def _flatten(lists: list[list[Value]]) -> list[Value]:
    return [item for each in lists for item in each]


def _items(value: dict[str, Value]) -> list[Value]:
    return [{"key": key, "value": value[key]} for key in sorted(value)]


def _string(value: Value) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _resource_id(*parts: str) -> str:
    at = next(index for index, part in enumerate(parts) if "/" in part)
    namespace, *kinds = parts[at].split("/")
    pairs = "/".join(f"{kind}/{name}" for kind, name in zip(kinds, parts[at + 1 :], strict=False))
    return f"/providers/{namespace}/{pairs}"


def _try_get(value: Value, *path: Value) -> Value:
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int):
            value = value[step] if step < len(value) else None
        else:
            return None
    return value


def _split(text: str, by: str | list[str]) -> list[str]:
    for each in by[1:] if isinstance(by, list) else ():
        text = text.replace(each, by[0])
    return text.split(by[0] if isinstance(by, list) else by)


_ANYTHING = frozenset(("uniqueString", "guid", "union", "contains", "empty", "array", "any", "coalesce"))
_FUNCTIONS: dict[str, Callable[..., Value]] = {
    "any": lambda value: value,
    "array": lambda value: value if isinstance(value, list) else [value],
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "bool": lambda value: str(value).lower() in ("true", "1"),
    "coalesce": lambda *values: next((each for each in values if each is not None), None),
    "concat": lambda *values: _flatten(list(values)) if isinstance(values[0], list) else "".join(values),
    "contains": _contains,
    "empty": lambda value: not isinstance(value, Runtime) and not value,
    "endsWith": lambda text, end: text.lower().endswith(end.lower()),
    "first": lambda value: value[0] if value else None,
    "flatten": _flatten,
    "format": _format,
    "guid": _guid,
    "indexOf": lambda value, what: value.find(what) if isinstance(value, str) else value.index(what),
    "int": int,
    "items": _items,
    "join": lambda values, by: by.join(map(str, values)),
    "json": json.loads,
    "last": lambda value: value[-1] if value else None,
    "length": len,
    "max": lambda *values: max(values[0] if isinstance(values[0], list) else values),
    "min": lambda *values: min(values[0] if isinstance(values[0], list) else values),
    "objectKeys": sorted,
    "padLeft": lambda value, width, fill=" ": str(value).rjust(width, fill),
    "range": lambda start, count: list(range(start, start + count)),
    "replace": lambda text, old, new: text.replace(old, new),
    "resourceId": _resource_id,
    "skip": lambda value, count: value[count:],
    "split": _split,
    "startsWith": lambda text, start: text.lower().startswith(start.lower()),
    "string": _string,
    "subscriptionResourceId": _resource_id,
    "substring": lambda text, start, count=None: text[start : None if count is None else start + count],
    "take": lambda value, count: value[:count],
    "tenantResourceId": _resource_id,
    "toLower": lambda text: text.lower(),
    "toUpper": lambda text: text.upper(),
    "trim": lambda text: text.strip(),
    "tryGet": _try_get,
    "union": _union,
    "uniqueString": _unique,
    "uri": lambda base, rest: cast("str", base).rstrip("/") + "/" + rest.lstrip("/"),
}
