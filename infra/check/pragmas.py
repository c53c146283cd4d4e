"""`#disable-next-line RULE` as Bicep's own linter reads it, with a reason asked for. Called by __main__.py.

A finding that is meant to be stays visible that way: the comment above the pragma says why. A pragma that hides
nothing is a problem too, so that none outlives its cause.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from infra.check.nodes import Source
from infra.check.problems import Problem
from infra.check.project import Project

START = "#disable-next-line"


@dataclass(frozen=True)
class _Pragma:
    line: int
    rules: tuple[str, ...]
    explained: bool


def apply(project: Project, found: Iterable[Problem]) -> Iterator[Problem]:
    """The problems that no pragma hides, and those of the pragmas themselves."""
    pragmas = {path: _pragmas(source) for path, source in project.sources.items()}
    used: set[tuple[object, int]] = set()
    for problem in found:
        hidden = [each for each in pragmas.get(problem.path, ()) if _hides(each, problem)]
        used |= {(problem.path, each.line) for each in hidden}
        if not hidden:
            yield problem
    for path, each_of_file in pragmas.items():
        for each in each_of_file:
            if not each.explained:
                yield Problem(path, each.line, "pragma", "nothing says why this is hidden; write a comment above it")
            if (path, each.line) not in used:
                yield Problem(
                    path, each.line, "pragma", f"there is no {' or '.join(each.rules)} to hide; remove the pragma"
                )


def hides(project: Project, problem: Problem) -> bool:
    """Whether some pragma hides the problem."""
    source = project.sources.get(problem.path)
    return source is not None and any(_hides(each, problem) for each in _pragmas(source))


def _hides(pragma: _Pragma, problem: Problem) -> bool:
    return problem.line == pragma.line + 1 and problem.rule in pragma.rules


def _pragmas(source: Source) -> list[_Pragma]:
    comments = {line for line, text in source.comments if text.startswith("//")}
    return [
        _Pragma(line, tuple(text.removeprefix(START).split()), line - 1 in comments)
        for line, text in source.comments
        if text.startswith(START)
    ]
