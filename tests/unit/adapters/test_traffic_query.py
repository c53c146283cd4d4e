"""The traffic query asks for one endpoint of one workspace over one window, whatever they are called."""

from datetime import UTC, datetime, timedelta, timezone

from shared.adapters.traffic_log import query_text

START = datetime(2026, 3, 1, 12, 0, 0, 500, tzinfo=UTC)
END = START + timedelta(minutes=5)


def test_the_window_is_half_open_and_in_utc() -> None:
    query = query_text("w", "e", START.astimezone(timezone(timedelta(hours=2))), END)
    window = (
        "TimeGenerated >= datetime(2026-03-01T12:00:00.000500Z)"
        " and TimeGenerated < datetime(2026-03-01T12:05:00.000500Z)"
    )
    assert window in query


def test_the_endpoint_and_its_workspace_are_named() -> None:
    assert "EndpointName == 'taxi' and AzureMLWorkspaceName == 'mlw'" in query_text("mlw", "taxi", START, END)


def test_a_name_cannot_break_out_of_its_quotes() -> None:
    query = query_text("w", "x' | union Secrets //\\\n", START, END)
    assert r"EndpointName == 'x\' | union Secrets //\\\n' and" in query


def test_requests_that_upkeep_sends_itself_are_left_out() -> None:
    query = query_text("w", "e", START, END)
    assert "UserAgent !startswith 'upkeep-probe'" in query
    assert "XMSClientRequestId !startswith 'upkeep-probe'" in query
