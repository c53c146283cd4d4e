"""Expands azure-pipelines.yml as Azure Pipelines does before a run, as far as these files need it.

Templates are put in, `${{ if }}` decided, `${{ parameters.X }}` replaced. What it does not know raises, so that a
file that needs more of it is not passed over. Conditions of a running stage or job are left alone.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from tests.pipelines.files import Node, read

_KEY = re.compile(r"\$\{\{ (if|elseif|else)(?: (.*))? \}\}")
_VALUE = re.compile(r"\$\{\{ parameters\.(\w+) \}\}")
_CALL = re.compile(r"(and|eq|ne)\((.*)\)")
_VARIABLE = re.compile(r"variables\['([\w.]+)'\]")


class NotUnderstood(Exception):  # noqa: N818 - reads as what happened
    """A file uses more of the template language than is known here, or uses it wrongly."""


def stages(variables: Mapping[str, str], **given: Any) -> list[Node]:
    """The stages of a run with these variables and parameters."""
    path, node = "azure-pipelines.yml", read("azure-pipelines.yml")
    return _Expansion(path, variables, _parameters(path, node, given)).items(node["stages"])


def jobs(stage: Node) -> list[Node]:
    """The jobs of an expanded stage."""
    found: list[Node] = stage["jobs"]
    return found


def steps(job: Node) -> list[Node]:
    """The steps of an expanded job of either kind."""
    found: list[Node] = job["strategy"]["runOnce"]["deploy"]["steps"] if "deployment" in job else job["steps"]
    return found


def script(step: Node) -> str:
    """What a step runs in a shell; nothing for a task that runs none."""
    return str(step.get("script") or step.get("bash") or step.get("inputs", {}).get("inlineScript") or "")


def _parameters(path: str, node: Node, given: Mapping[str, Any]) -> dict[str, Any]:
    declared = {one["name"]: one.get("default") for one in node.get("parameters", [])}
    if unknown := given.keys() - declared.keys():
        raise NotUnderstood(f"{path} has no parameter {unknown}")
    found = {**declared, **given}
    if missing := [name for name, value in found.items() if value is None]:
        raise NotUnderstood(f"{path} is not given {missing}")
    return found


class _Expansion:
    def __init__(self, path: str, variables: Mapping[str, str], parameters: Mapping[str, Any]) -> None:
        self._path, self._variables, self._parameters = path, variables, parameters

    def items(self, nodes: list[Any]) -> list[Any]:
        return [made for node in self._chosen(nodes) for made in self._item(node)]

    def _chosen(self, nodes: list[Any]) -> Iterator[Any]:
        taken = False
        for node in nodes:
            word, condition, inner = _condition(node)
            if not word:
                yield node
                continue
            holds = word == "else" or self._holds(condition)
            before, taken = taken and word != "if", (taken and word != "if") or holds
            if holds and not before:
                yield from self._chosen(inner)

    def _item(self, node: Any) -> list[Any]:
        if not (isinstance(node, dict) and "template" in node):
            return [self._value(node)]
        path = str(PurePosixPath(self._path).parent / node["template"])
        found = read(path)
        given = {name: self._value(value) for name, value in node.get("parameters", {}).items()}
        inner = _Expansion(path, self._variables, _parameters(path, found, given))
        return inner.items(next(found[kind] for kind in ("stages", "jobs", "steps") if kind in found))

    def _value(self, node: Any) -> Any:
        if isinstance(node, dict):
            return {key: self._value(value) for key, value in node.items()}
        if isinstance(node, list):
            return self.items(node)
        if whole := _VALUE.fullmatch(node):
            return self._parameters[whole[1]]  # an object stays one
        made = _VALUE.sub(lambda match: str(self._parameters[match[1]]), node)
        if "${{" in made:
            raise NotUnderstood(f"{self._path}: {node}")
        return made

    def _holds(self, expression: str) -> bool:
        call = _CALL.fullmatch(expression)
        if call is None:
            return self._operand(expression).lower() == "true"
        operands = re.split(r",\s*(?![^(]*\))", call[2])
        if call[1] == "and":
            return all(self._holds(operand) for operand in operands)
        first, second = (self._operand(operand).lower() for operand in operands)
        return (first == second) is (call[1] == "eq")

    def _operand(self, text: str) -> str:
        if variable := _VARIABLE.fullmatch(text):
            return self._variables.get(variable[1], "")
        if text.startswith("parameters."):
            return str(self._parameters[text.removeprefix("parameters.")])
        if text.startswith("'"):
            return text.strip("'")
        raise NotUnderstood(f"{self._path}: {text}")


def _condition(node: Any) -> tuple[str, str, list[Any]]:
    if isinstance(node, dict) and len(node) == 1:
        key, inner = next(iter(node.items()))
        if match := _KEY.fullmatch(key):
            return match[1], match[2] or "", inner
    return "", "", []
