"""What is wrong with the parts of a spec's `rollout` that say what a release is judged by. Called by sense.py; reads
the files that they name, and passes over those that are not there: sense.py tells that.
"""

import json
from collections.abc import Iterator
from pathlib import Path as FilePath

from shared.adapters import answers
from shared.domain.spec import Rollout
from shared.domain.spec_evidence import Answer
from shared.operator.places import Mistake, Path

ANSWER: Path = ("rollout", "answer")


def files(rollout: Rollout) -> dict[Path, str]:
    """Every file that they name, by the place where it is named."""
    named: dict[Path, str] = {}
    if rollout.answer is not None and rollout.answer.schema is not None:
        named[*ANSWER, "schema"] = rollout.answer.schema
    return named


def mistakes(rollout: Rollout, folder: FilePath) -> Iterator[Mistake]:
    """Everything in them that cannot be meant."""
    if rollout.answer is not None:
        yield from _answer(rollout.answer, rollout.sample_request, folder)


def _answer(answer: Answer, sample_request: str, folder: FilePath) -> Iterator[Mistake]:
    if answer.min is not None and answer.max is not None and answer.min > answer.max:
        yield Mistake((*ANSWER, "min"), f"{answer.min:g} is more than max, {answer.max:g}")
    request = _json(folder / sample_request)
    if request is not None and not isinstance(answers.at(request, answer.rows), list):
        where = f'no list at "{answer.rows}"' if answer.rows else "no list as its whole"
        yield Mistake((*ANSWER, "rows"), f"{sample_request} has {where}: name the keys that lead to its rows")
    if answer.schema is not None and (schema := _text(folder / answer.schema)) is not None:
        try:
            problem = answers.schema_problem(schema)
        except ValueError as error:
            problem = f"is not JSON: {error}"
        if problem:
            yield Mistake((*ANSWER, "schema"), f"{answer.schema}: {problem}")


def _json(path: FilePath) -> object:
    """The file's content; None when it cannot be read, which publish tells."""
    try:
        return json.loads(_text(path) or "null")
    except ValueError:
        return None


def _text(path: FilePath) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
