"""The files of parameters: which values they give, and whether main.bicep takes them.

main.parameters.json is azd's (its `${NAME=default}` comes from azd's environment); those under environments/ are for
`az deployment`. Called by __main__.py and deployed.py.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.check.inference import Scope
from infra.check.matching import Matcher
from infra.check.nodes import Expr, Items, Literal, Name, Properties, Property, Source
from infra.check.problems import Problem, nearest
from infra.check.project import Project
from infra.check.types import Types
from infra.check.values import Runtime, Value

_AZD = re.compile(r"\$\{(?P<name>\w+)(=(?P<default>[^}]*))?\}")


@dataclass(frozen=True)
class ParameterFile:
    """One file and the root that it is for."""

    path: Path
    root: Source
    values: Mapping[str, Value]

    def line_of(self, name: str) -> int:
        """The line where a parameter stands."""
        lines = self.path.read_text(encoding="utf-8").splitlines()
        return next((at for at, line in enumerate(lines, 1) if f'"{name}"' in line), 1)


def roots(project: Project) -> list[Source]:
    """The files that are deployed: those directly in the folder."""
    return [source for source in project.sound() if source.path.parent == project.folder]


def files(project: Project) -> tuple[list[ParameterFile], list[Problem]]:
    """All files of parameters, and those that cannot be read."""
    found: list[ParameterFile] = []
    problems: list[Problem] = []
    for root in roots(project):
        beside = root.path.with_suffix(".parameters.json")
        staged = (project.folder / "environments").glob("*.json") if root is project.main else ()
        for path in (*([beside] if beside.is_file() else []), *sorted(staged)):
            try:
                found.append(ParameterFile(path, root, _read(path)))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                message = (
                    f"this is no file of deployment parameters ({error}); give it the form of main.parameters.json"
                )
                problems.append(Problem(path, 1, "parameters", message))
    return found, problems


def check(project: Project, types: Types) -> Iterator[Problem]:
    """Names exist, required ones are given, types agree."""
    found, problems = files(project)
    yield from problems
    for file in found:
        known = file.root.parameters
        for name in file.values:
            if name not in known:
                hint = nearest(name, known) or "; remove it"
                message = f"{file.root.path.name} has no parameter '{name}'{hint}"
                yield Problem(file.path, file.line_of(name), "parameters", message)
        for parameter in known.values():
            if parameter.required and parameter.name not in file.values:
                message = f"the parameter '{parameter.name}' of {file.root.path.name} is not given; add it"
                yield Problem(file.path, 1, "parameters", message)
        yield from _typed(project, types, file)


def _typed(project: Project, types: Types, file: ParameterFile) -> Iterator[Problem]:
    matcher = Matcher(Scope(project, file.root, types))
    for name, value in file.values.items():
        if parameter := file.root.parameters.get(name):
            line = file.line_of(name)
            wanted = project.resolve(file.root, parameter.shape)
            for _, rule, message in matcher.match(as_written(value, line), wanted, name):
                yield Problem(file.path, line, rule, message)


def as_written(value: Value, line: int) -> Expr:
    """A value as the expression that would give it; what is known only while deploying fits everywhere."""
    match value:
        case Runtime():
            return Name(line, "")
        case dict():
            return Properties(
                line, tuple(Property(line, name, as_written(each, line)) for name, each in value.items())
            )
        case list():
            return Items(line, tuple(as_written(each, line) for each in value))
        case str() | bool() | int() | None:
            return Literal(line, value)
        case _:
            return Name(line, "")


def _read(path: Path) -> dict[str, Value]:
    given = json.loads(path.read_text(encoding="utf-8"))["parameters"]
    return {
        name: _azd(each["value"]) if "value" in each else Runtime(f"reference:{name}") for name, each in given.items()
    }


def _azd(value: Value) -> Value:
    if not isinstance(value, str):
        return value
    found = _AZD.fullmatch(value)
    if found and found["default"] is not None:
        return _scalar(found["default"])
    return Runtime(value) if _AZD.search(value) else value


def _scalar(text: str) -> Value:
    """azd reads `${X=0}` as a number and `${X=true}` as true when the parameter is one."""
    if text in ("true", "false"):
        return text == "true"
    return int(text) if re.fullmatch(r"-?\d+", text) else text
