"""What is wrong with the parts of a spec's `rollout` that say what a release is judged by. Called by sense.py; reads
the files that they name, and passes over those that are not there: sense.py tells that.
"""

import json
import math
from collections.abc import Iterator
from pathlib import Path as FilePath

from shared.adapters import answers
from shared.domain import queries as queries_of
from shared.domain.predictions import stability_by_chance
from shared.domain.spec import Rollout
from shared.domain.spec_evidence import Answer, LoadTest, Predictions, Query
from shared.operator.places import Mistake, Path

ANSWER: Path = ("rollout", "answer")
QUERIES: Path = ("rollout", "analysis", "queries")
PREDICTIONS: Path = ("rollout", "analysis", "predictions")
MOST_QUERIES = 5
LOAD_TEST: Path = ("rollout", "load_test")
LEAST_REQUESTS = 20


def files(rollout: Rollout) -> dict[Path, str]:
    """Every file that they name, by the place where it is named."""
    named: dict[Path, str] = {}
    if rollout.answer is not None and rollout.answer.schema is not None:
        named[*ANSWER, "schema"] = rollout.answer.schema
    for index, query in enumerate(rollout.analysis.queries):
        if query.file is not None:
            named[*QUERIES, index, "file"] = query.file
    return named


def mistakes(rollout: Rollout, folder: FilePath) -> Iterator[Mistake]:
    """Everything in them that cannot be meant."""
    if rollout.answer is not None:
        yield from _answer(rollout.answer, rollout.sample_request, folder)
    if rollout.load_test is not None:
        yield from _load_test(rollout.load_test)
    yield from _queries(rollout.analysis.queries, folder)
    if rollout.analysis.predictions is not None:
        yield from _predictions(rollout.analysis.predictions)


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


def _load_test(plan: LoadTest) -> Iterator[Mistake]:
    if (plan.requests_per_s is None) == (plan.concurrency is None):
        yield Mistake(LOAD_TEST, "needs either requests_per_s, a pace, or concurrency, requests at once")
    if plan.requests_per_s is not None and plan.requests_per_s * plan.duration_s < LEAST_REQUESTS:
        count = plan.requests_per_s * plan.duration_s
        yield Mistake(LOAD_TEST, f"sends {count:g} requests in all; fewer than {LEAST_REQUESTS} say little")


def _queries(queries: tuple[Query, ...], folder: FilePath) -> Iterator[Mistake]:
    if len(queries) > MOST_QUERIES:
        yield Mistake(QUERIES, f"has {len(queries)} queries, more than {MOST_QUERIES}, which every look would run")
    names = [query.name for query in queries]
    for index, query in enumerate(queries):
        at: Path = (*QUERIES, index)
        if query.name in names[:index]:
            yield Mistake((*at, "name"), f'"{query.name}" stands twice')
        yield from _thresholds(query, at)
        if (query.kql is None) == (query.file is None):
            yield Mistake(at, "needs either kql, the query itself, or file, where it stands")
            continue
        text = query.kql if query.file is None else _text(folder / query.file)
        if text is not None:
            yield from _kql(query, text, (*at, "kql" if query.file is None else "file"))


def _thresholds(query: Query, at: Path) -> Iterator[Mistake]:
    limits = (query.min, query.max, query.min_ratio, query.max_ratio)
    if all(limit is None for limit in limits):
        yield Mistake(at, "has no limit: give it a min or max, or a min_ratio or max_ratio to the live deployment")
    for low, high in (("min", "max"), ("min_ratio", "max_ratio")):
        least, most = getattr(query, low), getattr(query, high)
        if least is not None and most is not None and least > most:
            yield Mistake((*at, low), f"{least:g} is more than {high}, {most:g}")


def _kql(query: Query, text: str, at: Path) -> Iterator[Mistake]:
    subject = query.file or "it"
    if problem := queries_of.text_problem(text):
        yield Mistake(at, f"{subject} {problem}")
    elif query.compares and not queries_of.uses(text, "deployment"):
        yield Mistake(at, f"{subject} does not use {{deployment}}: it would compare a value with itself")


def _predictions(limits: Predictions) -> Iterator[Mistake]:
    if limits.max_psi is None and limits.max_ks is None:
        yield Mistake(PREDICTIONS, "has no limit: give it a max_psi or a max_ks, or leave it out")
    if limits.max_psi is not None and stability_by_chance(limits.min_rows) > limits.max_psi / 2:
        enough = math.ceil(2 * stability_by_chance(1) / limits.max_psi) if limits.max_psi else "any number of"
        yield Mistake(
            (*PREDICTIONS, "min_rows"),
            f"of {limits.min_rows} rows that do not differ at all the index is about"
            f" {stability_by_chance(limits.min_rows):.2f}, too near to max_psi, {limits.max_psi:g}:"
            f" take {enough} rows, or max_ks",
        )


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
