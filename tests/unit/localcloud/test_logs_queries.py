"""Tables and KQL: what is written is found again, within the lag, the timespan and the resource."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from localcloud.loganalytics.columns import TRAFFIC_COLUMNS, TRAFFIC_TABLE, declared
from localcloud.loganalytics.kql import QueryError, run_query
from localcloud.loganalytics.tables import Tables

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
ENDPOINT = "/subscriptions/s/onlineendpoints/flights"


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[Tables]:
    made = Tables(tmp_path / "logs.duckdb")
    yield made
    made.close()


def write(tables: Tables, *, age: timedelta = timedelta(0), count: int = 1, **columns: Any) -> None:
    row = {"TimeGenerated": NOW - age, "EndpointName": "flights", "ResponseCode": 200, "_ResourceId": ENDPOINT}
    tables.append(TRAFFIC_TABLE, [{**row, **columns}] * count, NOW)


def ask(tables: Tables, query: str, timespan: str | None = None, resource: str | None = None) -> Any:
    return run_query(tables, query, timespan, NOW, resource)["tables"][0]


def count(tables: Tables, timespan: str | None = None, resource: str | None = None) -> int:
    return int(ask(tables, f"{TRAFFIC_TABLE} | count", timespan, resource)["rows"][0][0])


def inner_error(tables: Tables, query: str) -> dict[str, Any]:
    with pytest.raises(QueryError) as caught:
        ask(tables, query)
    error = caught.value.body["error"]
    assert error["code"] == "BadArgumentError"
    return dict(error["innererror"])


def test_an_empty_table_has_its_columns_and_no_rows(tables: Tables) -> None:
    answer = ask(tables, f"{TRAFFIC_TABLE} | take 10")
    assert {column["name"]: column["type"] for column in answer["columns"]} == TRAFFIC_COLUMNS
    assert answer["rows"] == []


def test_a_canarys_error_rate_and_latency_are_summed_up_by_deployment(tables: Tables) -> None:
    write(tables, DeploymentName="r0001", TotalDurationMs=10, count=9)
    write(tables, DeploymentName="r0001", TotalDurationMs=90, ResponseCode=424, ModelStatusCode=500)
    write(tables, DeploymentName="r0002", TotalDurationMs=20)
    answer = ask(
        tables,
        f"{TRAFFIC_TABLE} | where EndpointName =~ 'FLIGHTS'"
        " | summarize n = count(), bad = countif(ResponseCode >= 400), p95 = percentile(TotalDurationMs, 95)"
        " by DeploymentName | order by DeploymentName asc",
    )
    assert answer["rows"] == [["r0001", 10, 1, 90], ["r0002", 1, 0, 20]]


def test_a_row_is_unseen_until_the_ingestion_lag_is_over(tables: Tables) -> None:
    tables.append(TRAFFIC_TABLE, [{"TimeGenerated": NOW}], NOW + timedelta(seconds=1))
    assert count(tables) == 0
    later = run_query(tables, f"{TRAFFIC_TABLE} | count", None, NOW + timedelta(seconds=1))
    assert later["tables"][0]["rows"] == [[1]]


def test_the_timespan_limits_what_a_query_sees(tables: Tables) -> None:
    write(tables, age=timedelta(minutes=5))
    write(tables, age=timedelta(hours=5))
    assert [count(tables, "PT1H"), count(tables, "P1D"), count(tables)] == [1, 2, 2]


def test_a_query_of_a_resource_sees_its_rows_and_those_below_it(tables: Tables) -> None:
    write(tables)
    write(tables, _ResourceId=f"{ENDPOINT}/deployments/r0001")
    write(tables, _ResourceId=f"{ENDPOINT}-other")
    assert count(tables, resource=ENDPOINT.upper()) == 2


def test_rows_survive_a_restart(tmp_path: Path) -> None:
    before = Tables(tmp_path / "logs.duckdb")
    write(before)
    before.append("Perf_CL", [{"TimeGenerated": NOW, "Mae": 1.5}], NOW)
    before.close()
    after = Tables(tmp_path / "logs.duckdb")
    assert count(after) == 1
    assert ask(after, "Perf_CL | project Mae")["rows"] == [[1.5]]
    after.close()


def test_a_custom_table_widens_its_columns_as_rows_come(tables: Tables) -> None:
    for value in (1, 1.5, "n/a"):
        tables.append("Perf_CL", [{"TimeGenerated": NOW, "Mae": value}], NOW)
        tables.flush()
    assert ask(tables, "Perf_CL | project Mae")["rows"] == [["1.0"], ["1.5"], ["n/a"]]


def test_a_declared_table_is_empty_instead_of_unknown(tables: Tables) -> None:
    tables.declare("Perf_CL", declared([{"name": "Mae", "type": "real"}]))
    assert ask(tables, "Perf_CL | summarize n = count(), worst = max(Mae)")["rows"] == [[0, None]]


def test_a_value_that_does_not_fit_its_column_is_null_and_its_row_stays(tables: Tables) -> None:
    write(tables, ResponseCode="not a number")
    assert ask(tables, f"{TRAFFIC_TABLE} | project ResponseCode")["rows"] == [[None]]


def test_tables_are_joined_by_what_queries_see_of_them(tables: Tables) -> None:
    write(tables, DeploymentName="r0001")
    tables.append("Perf_CL", [{"TimeGenerated": NOW, "DeploymentName": "r0001", "Mae": 2.0}], NOW)
    answer = ask(tables, f"{TRAFFIC_TABLE} | join kind=inner Perf_CL on DeploymentName | project Mae")
    assert answer["rows"] == [[2.0]]


def test_values_come_in_the_query_apis_own_form(tables: Tables) -> None:
    answer = ask(
        tables,
        "print i = 1, r = 1.5, b = true, t = datetime(2026-05-04), s = 'x', d = dynamic([1,2]),"
        " w = 1d + 1h + 500ms, q = real(nan), n = int(null)",
    )
    kinds = [column["type"] for column in answer["columns"]]
    assert kinds == ["long", "real", "bool", "datetime", "string", "dynamic", "timespan", "real", "int"]
    assert answer["rows"] == [
        [1, 1.5, True, "2026-05-04T00:00:00.000000Z", "x", "[1,2]", "1.01:00:00.5000000", "NaN", None]
    ]


def test_an_unknown_table_is_a_semantic_error_that_names_it(tables: Tables) -> None:
    error = inner_error(tables, "Nope | take 1")
    assert error["code"] == "SemanticError"
    assert "'Nope'" in error["innererror"]["message"]


def test_an_unknown_column_is_a_semantic_error_that_names_it(tables: Tables) -> None:
    assert "'Foo'" in inner_error(tables, f"{TRAFFIC_TABLE} | where Foo == 1")["innererror"]["message"]


def test_what_does_not_parse_is_a_syntax_error(tables: Tables) -> None:
    assert inner_error(tables, f"{TRAFFIC_TABLE} | wherex")["code"] == "SyntaxError"


def test_what_the_engine_lacks_is_said_to_be_not_emulated(tables: Tables) -> None:
    query = f"{TRAFFIC_TABLE} | make-series n = count() on TimeGenerated step 1m"
    assert inner_error(tables, query)["code"] == "NotEmulated"


@pytest.mark.parametrize("command", [".show tables", ".set X <| print 1", ".drop table X"])
def test_control_commands_are_no_queries(tables: Tables, command: str) -> None:
    assert inner_error(tables, command)["code"] == "SyntaxError"


def test_a_query_cannot_read_the_machines_files(tables: Tables, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    with pytest.raises(QueryError):
        ask(tables, f"externaldata(a: string) ['{secret}']")
    with pytest.raises(QueryError):
        ask(tables, f"['{secret}'] | take 1")


def test_clearing_forgets_rows_and_custom_tables(tables: Tables) -> None:
    write(tables)
    tables.append("Perf_CL", [{"TimeGenerated": NOW}], NOW)
    tables.flush()
    tables.clear()
    assert count(tables) == 0
    assert inner_error(tables, "Perf_CL")["code"] == "SemanticError"


def test_requests_are_told_apart_by_who_sent_them_and_those_of_nobody_stay(tables: Tables) -> None:
    write(tables, UserAgent="curl/8")
    write(tables, UserAgent=None)
    write(tables, UserAgent="upkeep-probe")
    answer = ask(tables, f"{TRAFFIC_TABLE} | where UserAgent !startswith 'upkeep-probe' | count")
    assert answer["rows"] == [[2]]
