"""Queries of the spec's own: nothing gets into their text, and no silence and no error is a pass."""

from datetime import UTC, datetime

import pytest

from shared.domain.analysis import Check, Finding
from shared.domain.queries import QuerySeen, Value, filled, judge, text_problem
from shared.domain.spec_evidence import OnNoData, Query

AT = datetime(2026, 5, 4, 12, tzinfo=UTC)
ERROR = Query(name="mean_error", kql="T | summarize value = avg(E)", max=12)


def judged(query: Query, value: Value, live: Value | None = None) -> Check:
    check = judge((query,), {query.name: QuerySeen(candidate=value, live=live)})
    assert check is not None
    return check


def test_placeholders_become_literals() -> None:
    kql = "T | where D == {deployment} and at between ({start} .. {end})"
    assert filled(kql, {"deployment": "r0001", "start": AT, "end": AT}) == (
        "T | where D == 'r0001' and at between (datetime(2026-05-04T12:00:00.000000Z)"
        " .. datetime(2026-05-04T12:00:00.000000Z))"
    )


@pytest.mark.parametrize("name", ["a' | take 1 //", "a\\' or 1==1", "a\n| take 1", "{end}"])
def test_no_name_can_become_a_part_of_the_query(name: str) -> None:
    text = filled("T | where D == {deployment}", {"deployment": name, "end": AT})
    body = text.removeprefix("T | where D == '").removesuffix("'")
    assert "'" not in body.replace("\\\\", "").replace("\\'", "")
    assert "\n" not in body


def test_braces_that_are_no_placeholder_stay() -> None:
    kql = 'let f = (x: real) { x * 2 };\nprint value = f(1), d = dynamic({"a": 1})'
    assert filled(kql, {}) == kql
    assert text_problem(kql) == ""


@pytest.mark.parametrize(
    ("kql", "problem"),
    [
        (" // nothing\n", "is empty"),
        (".drop table T", "is a control command; a query begins with a table"),
        (
            "T | where D == {deploymnt} | project value = 1",
            "knows no placeholder {deploymnt}; there are {endpoint}, {deployment}, {workspace}, {start}, {end}",
        ),
        (
            "T | where D == '{deployment}' | project value = 1",
            "puts quotes around {deployment}, which is replaced by a quoted text already: take them off",
        ),
        (
            "T | summarize avg(E) // the value",
            "gives no column named value; end it with `| project value = …` or `| summarize value = …`",
        ),
    ],
)
def test_what_can_be_told_without_running_it_is_told(kql: str, problem: str) -> None:
    assert text_problem(kql) == problem


def test_a_value_within_its_bounds_passes_and_one_beyond_fails() -> None:
    assert judged(ERROR, Value(value=12.0)).finding is Finding.PASS
    failed = judged(ERROR, Value(value=12.5))
    assert (failed.finding, failed.text) == (Finding.FAIL, "The query mean_error gave 12.5; the most is 12.")


@pytest.mark.parametrize(
    ("policy", "finding"),
    [(OnNoData.HOLD, Finding.INCONCLUSIVE), (OnNoData.IGNORE, Finding.PASS), (OnNoData.FAIL, Finding.FAIL)],
)
def test_no_row_means_what_the_spec_says(policy: OnNoData, finding: Finding) -> None:
    query = Query(name="q", kql="T", max=1, on_no_data=policy)
    assert judged(query, Value()).finding is finding


@pytest.mark.parametrize("policy", list(OnNoData))
def test_a_query_that_cannot_be_run_is_never_a_pass_whatever_no_row_means(policy: OnNoData) -> None:
    check = judged(Query(name="q", kql="T", max=1, on_no_data=policy), Value(problem="SemanticError: no T"))
    assert (check.finding, check.broken) == (
        Finding.INCONCLUSIVE,
        "The query q could not be run: SemanticError: no T",
    )


@pytest.mark.parametrize(("value", "noisy"), [(Value(value=12.5), True), (Value(problem="it is broken"), False)])
def test_a_value_over_its_bound_may_be_chance(value: Value, noisy: bool) -> None:
    assert judged(ERROR, value).noisy is noisy


def test_a_query_that_nobody_ran_is_inconclusive() -> None:
    check = judge((ERROR,), {})
    assert check is not None
    assert check.finding is Finding.INCONCLUSIVE


RATIO = Query(name="q", kql="T", max_ratio=1.2, min_ratio=0.5)


@pytest.mark.parametrize(
    ("value", "live", "finding"),
    [
        (1.2, 1.0, Finding.PASS),
        (1.3, 1.0, Finding.FAIL),
        (0.4, 1.0, Finding.FAIL),
        (0.0, 0.0, Finding.PASS),
        (0.1, 0.0, Finding.FAIL),
    ],
)
def test_a_ratio_compares_with_the_live_deployment(value: float, live: float, finding: Finding) -> None:
    assert judged(RATIO, Value(value=value), Value(value=live)).finding is finding


def test_without_the_live_ones_value_a_ratio_is_inconclusive() -> None:
    assert judged(RATIO, Value(value=1.0), Value()).finding is Finding.INCONCLUSIVE


def test_one_query_that_fails_fails_and_all_numbers_are_kept() -> None:
    other = Query(name="other", kql="T", max=1)
    seen = {
        "mean_error": QuerySeen(candidate=Value(value=1.0)),
        "other": QuerySeen(candidate=Value(value=2.0), live=Value(value=3.0)),
    }
    check = judge((ERROR, other), seen)
    assert check is not None
    assert check.finding is Finding.FAIL
    assert check.facts == {"query_mean_error": 1.0, "query_other": 2.0, "live_query_other": 3.0}


def test_a_spec_without_queries_has_nothing_to_say() -> None:
    assert judge((), {}) is None
