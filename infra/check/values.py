"""What the evaluation of Bicep gives: plain Python values, and three that stand for what only Azure knows.

Made by evaluate.py; read by deployed.py and by the tests that hold app and infrastructure together.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

Value: TypeAlias = Any
"""str, int, bool, None, list, dict, Runtime, Made or Absent."""


class Runtime(str):
    """A value known only while deploying, as a text that says whose it is: `{ID}#properties.principalId`."""

    __slots__ = ()

    def member(self, name: str) -> "Runtime":
        """A property of it."""
        return Runtime(f"{self}.{name}" if "#" in self else f"{self}#{name}")


@dataclass(frozen=True)
class Made:
    """One resource that a deployment makes, or looks up when `existing`."""

    type: str
    api_version: str
    name: str
    id: str
    body: Mapping[str, Value]
    path: Path
    line: int
    symbol: str
    existing: bool = False
    frame: tuple[str, ...] = ()
    """The modules that it lies in, from the outermost, by their symbols."""

    @property
    def properties(self) -> Mapping[str, Value]:
        """The body's `properties`; empty when it has none."""
        return self.body.get("properties") or {}

    def member(self, name: str) -> Value:
        """A property as Bicep reads it: what is written, or a Runtime."""
        known = {"id": self.id, "name": self.name, "type": self.type, "apiVersion": self.api_version}
        if name in known:
            return known[name]
        written = self.body.get(name)
        if isinstance(written, dict):
            return Partly(written, Runtime(self.id).member(name))
        return written if written is not None else Runtime(self.id).member(name)


class Partly(dict[str, Value]):
    """An object of a resource: what is written of it, and at run time more."""

    def __init__(self, written: Mapping[str, Value], rest: Runtime):
        super().__init__(written)
        self.rest = rest

    def member(self, name: str) -> Value:
        """A property: what is written, or a Runtime."""
        found = self.get(name)
        if isinstance(found, dict):
            return Partly(found, self.rest.member(name))
        return found if name in self else self.rest.member(name)


@dataclass(frozen=True)
class Absent:
    """A resource or module whose condition is false here; a resource still has its id."""

    what: str
    made: Made | None


@dataclass
class Deployment:
    """Everything that one set of parameters makes."""

    resources: list[Made] = field(default_factory=list)
    outputs: dict[str, Value] = field(default_factory=dict)
    failures: list[tuple[Path, int, str]] = field(default_factory=list)
    needs: dict[tuple[str, ...], dict[str, set[str]]] = field(default_factory=dict)
    """For each frame, which symbols each symbol names: the order in which things are made."""

    def of_type(self, kind: str) -> list[Made]:
        """The resources of a type that are made, not only looked up."""
        return [each for each in self.resources if each.type.lower() == kind.lower() and not each.existing]

    def inside(self, outer: Made, kind: str) -> Iterator[Made]:
        """Those of a type that are children or extensions of a resource."""
        return (each for each in self.of_type(kind) if each.id.lower().startswith(f"{outer.id.lower()}/"))


@dataclass(frozen=True)
class Place:
    """Where a file is deployed: a subscription, or a resource group in it."""

    subscription: str = "00000000-0000-0000-0000-000000000001"
    group: str | None = None
    location: str = "westeurope"

    @property
    def id(self) -> str:
        """The resource id of the scope."""
        top = f"/subscriptions/{self.subscription}"
        return f"{top}/resourceGroups/{self.group}" if self.group else top
