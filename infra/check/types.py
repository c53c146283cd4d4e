"""The published types of Azure's resources as shapes, read from a folder when they are asked for.

The folder holds a slice of Azure/bicep-types-az: NAMESPACE/API-VERSION/*.json, or GROUP/NAMESPACE/API-VERSION/*.json
as in that repository's `generated`; each file is a flat list of types that refer to one another by index (`#/12`).
The project contains none of it; --types or UPKEEP_BICEP_TYPES names it. Called by inference.py and matching.py;
without a folder `known` is False and nothing is checked against it.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from infra.check.shapes import ANY, BOOL, Shape, Slot, literal

REQUIRED, READ_ONLY, WRITE_ONLY, SETTLED = 1, 2, 4, 8
SCOPES = {"tenant": 1, "managementGroup": 2, "subscription": 4, "resourceGroup": 8, "extension": 16}


@dataclass(frozen=True)
class ResourceType:
    """One type in one API version; `scopes` are the bits of SCOPES at which it can be made."""

    name: str
    body: Shape
    scopes: int


class Types:
    """The types of a folder, or none when there is no folder."""

    def __init__(self, folder: Path | None):
        if folder is not None and not folder.is_dir():
            raise NotADirectoryError(f"{folder} is no folder: name the one that holds the published types")
        self._folder = folder

    @property
    def known(self) -> bool:
        """Whether there is anything to check against."""
        return self._folder is not None

    def resource(self, kind: str) -> ResourceType | None:
        """The type of `Microsoft.X/y@VERSION`, in any case; None when the folder has no such."""
        name, _, version = kind.partition("@")
        return self._all(name.split("/")[0], version).get(name.lower())

    def versions(self, name: str) -> list[str]:
        """The API versions in which the folder has a type, oldest first."""
        namespace = name.split("/", maxsplit=1)[0]
        return [each for each in self._versions(namespace) if name.lower() in self._all(namespace, each)]

    def names(self, namespace: str, version: str) -> list[str]:
        """The types of a namespace in one version, or in its newest when it has not that one."""
        found = self._all(namespace, version)
        if not found and (versions := self._versions(namespace)):
            found = self._all(namespace, versions[-1])
        return [each.name for each in found.values()]

    def namespaces(self) -> list[str]:
        """The resource providers of the folder, in lower case."""
        return sorted({each.name for each in self._namespaces("*") if "." in each.name})

    def _namespaces(self, name: str) -> list[Path]:
        """Folders of a namespace: in the published repository several groups can have one."""
        found = [*self._folder.glob(name), *self._folder.glob(f"*/{name}")] if self._folder else []
        return [each for each in found if each.is_dir()]

    def _versions(self, namespace: str) -> list[str]:
        folders = self._namespaces(namespace.lower())
        return sorted({each.name for folder in folders for each in folder.iterdir() if each.is_dir()})

    def _all(self, namespace: str, version: str) -> Mapping[str, ResourceType]:
        if not version:
            return {}
        found: dict[str, ResourceType] = {}
        for folder in self._namespaces(namespace.lower()):
            found.update(_load(folder / version))
        return found


@cache
def _load(folder: Path) -> Mapping[str, ResourceType]:
    found: dict[str, ResourceType] = {}
    for path in sorted(folder.glob("*.json")):
        book = _Book(json.loads(path.read_text(encoding="utf-8")))
        found.update({each.name.lower(): each for each in book.resources()})
    return found


class _Book:
    """One file of types."""

    def __init__(self, entries: list[dict[str, Any]]):
        self._entries = entries
        self._made: dict[int, Shape] = {}

    def resources(self) -> list[ResourceType]:
        return [
            ResourceType(each["name"].partition("@")[0], self._shape(each["body"]), each.get("writableScopes", 31))
            for each in self._entries
            if each["$type"] == "ResourceType"
        ]

    def _later(self, reference: Mapping[str, str]) -> Callable[[], Shape]:
        return lambda: self._shape(reference)

    def _shape(self, reference: Mapping[str, str]) -> Shape:
        index = int(reference["$ref"].removeprefix("#/"))
        if index not in self._made:
            self._made[index] = self._make(self._entries[index])
        return self._made[index]

    def _make(self, entry: dict[str, Any]) -> Shape:
        limits = (entry.get("minLength"), entry.get("maxLength"))
        match entry["$type"]:
            case "StringType":
                return Shape("string", length=limits, pattern=entry.get("pattern"))
            case "StringLiteralType":
                return literal(entry["value"])
            case "IntegerType":
                return Shape("int", bounds=(entry.get("minValue"), entry.get("maxValue")))
            case "BooleanType":
                return BOOL
            case "ArrayType":
                return Shape("array", item=self._later(entry["itemType"]), length=limits)
            case "UnionType":
                return self._union([self._shape(each) for each in entry["elements"]])
            case "ObjectType":
                extra = entry.get("additionalProperties")
                return Shape(
                    "object",
                    slots=self._slots(entry["properties"]),
                    extra=self._later(extra) if extra else None,
                    name=entry["name"],
                )
            case "DiscriminatedObjectType":
                return Shape(
                    "object",
                    slots=self._slots(entry["baseProperties"]),
                    discriminator=entry["discriminator"],
                    variants={name: self._later(each) for name, each in entry["elements"].items()},
                    name=entry["name"],
                )
            case _:
                return ANY

    def _slots(self, properties: Mapping[str, Any]) -> dict[str, Slot]:
        return {name: self._slot(each) for name, each in properties.items()}

    def _slot(self, entry: Mapping[str, Any]) -> Slot:
        flags = entry["flags"]
        return Slot(
            self._later(entry["type"]),
            required=bool(flags & REQUIRED),
            read_only=bool(flags & READ_ONLY),
            write_only=bool(flags & WRITE_ONLY),
            settled=bool(flags & SETTLED),
        )

    @staticmethod
    def _union(shapes: list[Shape]) -> Shape:
        plain = [shape for shape in shapes if not shape.literals]
        kinds = {shape.kind for shape in shapes}
        if len(kinds) > 1 or "object" in kinds or "array" in kinds:
            return Shape("any", choices=tuple(shapes))
        words = frozenset[str | int | bool]().union(*(shape.literals or () for shape in shapes))
        return Shape(kinds.pop(), literals=words or None, open=bool(plain))
