"""Queries of the spec's own: how their text is filled in, and what their values say. Pure.

Called by the adapter that runs them, by `upkeep validate`, and by evidence.py, which judges.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from shared.domain.analysis import Aspect, Check, Finding, combined
from shared.domain.base import Kept
from shared.domain.reasons import Fact
from shared.domain.spec_evidence import OnNoData, Query

PLACEHOLDERS = ("endpoint", "deployment", "workspace", "start", "end")
_PLACEHOLDER = re.compile(r"\{([A-Za-z_]\w*)\}")
_QUOTED_PLACEHOLDER = re.compile(r"""(["'])\{([A-Za-z_]\w*)\}\1""")
_COMMENT = re.compile(r"(?<!:)//[^\n]*")
_LONGEST = 10_000


class Value(Kept, frozen=True, kw_only=True):
    """What a query gave: a number, nothing (no row, or none with a number), or why it could not be run."""

    value: float | None = None
    problem: str = ""


class QuerySeen(Kept, frozen=True, kw_only=True):
    """One query over the stage's window, for the candidate and, where it compares, for the live deployment."""

    candidate: Value
    live: Value | None = None


def filled(kql: str, values: Mapping[str, str | datetime]) -> str:
    """The text with each placeholder, such as {deployment}, replaced by a literal of KQL.

    Nothing of a value can be taken for anything but a string or a time: strings are quoted and escaped.
    """
    return _PLACEHOLDER.sub(lambda found: literal(values[found[1]]), kql)


def literal(value: str | datetime) -> str:
    """A string or a time as KQL writes it."""
    if isinstance(value, datetime):
        return f"datetime({value.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ})"
    escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return f"'{escaped}'"


def text_problem(kql: str) -> str:
    """What can be told to be wrong with a query without running it, in one sentence; empty when nothing is."""
    bare = _COMMENT.sub("", kql)
    unknown = [name for name in _PLACEHOLDER.findall(bare) if name not in PLACEHOLDERS]
    known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
    quoted = _QUOTED_PLACEHOLDER.search(bare)
    if not bare.strip():
        return "is empty"
    if len(kql) > _LONGEST:
        return f"has {len(kql)} characters, more than {_LONGEST}"
    if bare.lstrip().startswith("."):
        return "is a control command; a query begins with a table"
    if unknown:
        return f"knows no placeholder {{{unknown[0]}}}; there are {known}"
    if quoted:
        return f"puts quotes around {{{quoted[2]}}}, which is replaced by a quoted text already: take them off"
    if not re.search(r"\bvalue\b", bare):
        return "gives no column named value; end it with `| project value = …` or `| summarize value = …`"
    return ""


def uses(kql: str, placeholder: str) -> bool:
    """Whether the placeholder stands in the query."""
    return placeholder in _PLACEHOLDER.findall(_COMMENT.sub("", kql))


def judge(queries: tuple[Query, ...], seen: Mapping[str, QuerySeen]) -> Check | None:
    """What all of the queries say; None where the spec has none. One that was not looked at is inconclusive."""
    if not queries:
        return None
    nothing = QuerySeen(candidate=Value(problem="it was not run"))
    check = combined(_one(query, seen.get(query.name, nothing)) for query in queries)
    return msgspec.structs.replace(check, aspect=Aspect.QUERIES, facts=_facts(queries, seen))


def _facts(queries: tuple[Query, ...], seen: Mapping[str, QuerySeen]) -> dict[str, Fact]:
    facts: dict[str, Fact] = {}
    for query in queries:
        if query.name in seen:
            facts[f"query_{query.name}"] = seen[query.name].candidate.value
            live = seen[query.name].live
            facts |= {f"live_query_{query.name}": live.value} if live else {}
    return facts


def _one(query: Query, seen: QuerySeen) -> Check:
    value, live = seen.candidate.value, seen.live.value if seen.live else None
    problem = seen.candidate.problem or (seen.live.problem if seen.live else "")
    if problem:
        broken = f"The query {query.name} could not be run: {problem}"
        return Check(finding=Finding.INCONCLUSIVE, text=f"{broken}.", broken=broken)
    if value is None or (seen.live is not None and live is None):
        return _no_row(query, "candidate" if value is None else "live deployment")
    complaint = _over(query, value) or ("" if live is None else _ratio(query, value, live))
    if complaint:
        return _failed(f"The query {query.name} gave {complaint}.")
    return Check(finding=Finding.PASS, text=f"{query.name} is {value:g}{'' if live is None else f', live {live:g}'}.")


def _failed(text: str) -> Check:
    """Of one number nobody knows how much it varies: it may have failed by chance."""
    return Check(finding=Finding.FAIL, text=text, noisy=True)


def _no_row(query: Query, whose: str) -> Check:
    text = f"The query {query.name} gave no number for the {whose}"
    match query.on_no_data:
        case OnNoData.FAIL:
            return _failed(f"{text}.")
        case OnNoData.IGNORE:
            return Check(finding=Finding.PASS, text=f"{text}, which is ignored.")
        case OnNoData.HOLD:
            return Check(finding=Finding.INCONCLUSIVE, text=f"{text}.")


def _over(query: Query, value: float) -> str:
    if query.max is not None and value > query.max:
        return f"{value:g}; the most is {query.max:g}"
    if query.min is not None and value < query.min:
        return f"{value:g}; the least is {query.min:g}"
    return ""


def _ratio(query: Query, value: float, live: float) -> str:
    """Held as value ≤ ratio x live, so that a live value of nought needs no division."""
    if query.max_ratio is not None and value > query.max_ratio * live:
        return f"{value:g}, and {live:g} for the live deployment; the most is {query.max_ratio:g} times that"
    if query.min_ratio is not None and value < query.min_ratio * live:
        return f"{value:g}, and {live:g} for the live deployment; the least is {query.min_ratio:g} times that"
    return ""
