"""All Bicep files of a folder, read once, and what they say of one another: modules and imports.

Made by __main__.py and by tests; every part of the check takes it.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from infra.check.nodes import (
    Alias,
    Declaration,
    Expr,
    Import,
    Module,
    Operation,
    Source,
)
from infra.check.problems import Problem
from infra.check.shapes import ANY, Shape, Slot
from infra.check.syntax import read_file

MAIN = "main.bicep"


class Project:
    """The files under `folder`, by path."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.sources = {path: read_file(path) for path in sorted(folder.rglob("*.bicep"))}

    @cached_property
    def main(self) -> Source | None:
        """The file that is deployed."""
        return self.sources.get(self.folder / MAIN)

    def syntax_problems(self) -> Iterator[Problem]:
        """Errors of syntax; the rest of the check leaves such files out."""
        for source in self.sources.values():
            for line, message in source.errors:
                yield Problem(source.path, line, "syntax", f"{message}; mend it (docs: Bicep file structure)")

    def sound(self) -> Iterator[Source]:
        """The files without syntax errors."""
        return (source for source in self.sources.values() if not source.errors)

    def target(self, source: Source, path: str) -> Source | None:
        """The file that a module or an import names; None when it is no file of this folder."""
        return self.sources.get(_normal(source.path.parent / path))

    def module(self, source: Source, module: Module) -> Source | None:
        """The file of a module."""
        return self.target(source, module.path)

    def used_paths(self) -> set[Path]:
        """Files that some module or import names."""
        named = [
            self.target(source, found.path)
            for source in self.sources.values()
            for found in source.declarations
            if isinstance(found, Module | Import)
        ]
        return {found.path for found in named if found}

    def imported(self, source: Source, imported: Import) -> tuple[Source, Declaration] | None:
        """What an import by name brings, and from where."""
        target = self.target(source, imported.path)
        if target is None:
            return None
        found = target.symbols.get(imported.original or "")
        return (target, found) if found else None

    def resolve(self, source: Source, shape: Shape) -> Shape:
        """The shape behind an alias; anything when the alias is unknown (symbols.py tells that)."""
        if shape.kind != "alias":
            return self._deep(source, shape)
        found = self.alias(source, shape.alias or "")
        if found is None:
            return ANY
        home, alias = found
        inner = self.resolve(home, alias.shape)
        return inner.or_null() if shape.nullable else inner

    def alias(self, source: Source, name: str) -> tuple[Source, Alias] | None:
        """The declaration of a type by the name that a file uses for it, and its file."""
        first, _, rest = name.partition(".")
        found = source.symbols.get(first)
        if isinstance(found, Alias):
            return source, found
        target = self.target(source, found.path) if isinstance(found, Import) else None
        return self.alias(target, rest or found.original or "") if target and isinstance(found, Import) else None

    def _deep(self, source: Source, shape: Shape) -> Shape:
        item, extra = shape.item, shape.extra
        slots = {
            name: Slot(lambda slot=slot: self.resolve(source, slot.get()), slot.required)  # type: ignore[misc]  # binds the loop's value
            for name, slot in (shape.slots or {}).items()
        }
        return replace(
            shape,
            item=(lambda: self.resolve(source, item())) if item else None,
            slots=slots if shape.slots is not None else None,
            extra=(lambda: self.resolve(source, extra())) if extra else None,
        )


def is_secure(declaration: Declaration) -> bool:
    """Whether the value must not be seen."""
    return declaration.decorator("secure") is not None


def branches(expression: Expr) -> Iterator[Expr]:
    """The values that an expression can take by its own ternaries and `??`."""
    if isinstance(expression, Operation) and expression.sign == "?":
        for side in expression.operands[1:]:
            yield from branches(side)
    elif isinstance(expression, Operation) and expression.sign == "??":
        for side in expression.operands:
            yield from branches(side)
    else:
        yield expression


def _normal(path: Path) -> Path:
    parts: list[str] = []
    for part in path.parts:
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return Path(*parts)
