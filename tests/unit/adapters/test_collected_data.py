"""What the data collector wrote is read back within the window, and what cannot be used is counted."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.adapters import collected_data
from shared.adapters.collected_data import CollectedData, File, days, hours, read
from shared.domain.spec_evidence import Predictions
from shared.reconcile.ports import Window

START = datetime(2026, 5, 4, 22, 30, tzinfo=UTC)
WINDOW = Window(START, START + timedelta(hours=3))
FOLDER = "modelDataCollector/flights/r0002/model_outputs"


def line(*predictions: Any, minutes: float = 1, **more: Any) -> bytes:
    at = f"{START + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"
    rows = [{"request_id": "a", "row": row, "prediction": value} for row, value in enumerate(predictions)]
    return json.dumps({"specversion": "1.0", "time": at, "data": rows, **more}).encode()


def values(*lines: bytes) -> tuple[Any, ...]:
    return read([b"\n".join(lines) + b"\n"], "prediction", WINDOW).values


def test_a_line_may_hold_the_rows_of_several_requests() -> None:
    assert sorted(values(line(1.5, 2.5), line("late", None)), key=str) == [1.5, 2.5, None, "late"]


def test_lines_outside_of_the_window_are_passed_over() -> None:
    assert values(line(1, minutes=-1), line(2, minutes=0), line(3, minutes=180)) == (2,)


@pytest.mark.parametrize(
    "broken", [b"{", b"[]", b'"text"', b"null", line(1)[:-3], line(1, time="soon"), b"[" * 99_999]
)
def test_a_broken_line_is_counted_and_costs_no_other(broken: bytes) -> None:
    found = read([line(1) + b"\n" + broken + b"\n" + line(2)], "prediction", WINDOW)
    assert (sorted(found.values), found.broken) == ([1, 2], 1)


def test_rows_without_the_column_are_counted() -> None:
    found = read([line(1, 2, data=[{"other": 1}, {"prediction": 3}, 7, {"prediction": [1]}])], "prediction", WINDOW)
    assert (found.values, found.broken) == ((3,), 3)


def test_a_line_that_points_elsewhere_is_no_mistake() -> None:
    found = read([line(data="https://a/b.raw", datainblob="true")], "prediction", WINDOW)
    assert (found.values, found.broken) == ((), 0)


def test_requests_of_upkeeps_own_are_not_users() -> None:
    ours = [{"request_id": "upkeep-probe-1", "prediction": 1}, {"request_id": "b", "prediction": 2}]
    assert values(line(9, xrequestid="upkeep-probe-7"), line(data=ours)) == (2,)


def test_the_newest_rows_are_taken_when_there_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collected_data, "MOST_ROWS", 3)
    assert values(*(line(number) for number in range(9))) == (8, 7, 6)


def test_a_window_over_midnight_looks_into_both_days() -> None:
    assert list(days("f", WINDOW)) == ["f/2026/05/05/", "f/2026/05/04/"]


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("2026/05/04/21/i.jsonl", False),
        ("2026/05/04/22/i.jsonl", True),
        ("2026/05/05/01/i.jsonl", True),
        ("2026/05/05/02/i.jsonl", False),
        ("2026/05/04/i.jsonl", True),
        ("2026/05/04/22/31/i.jsonl", True),
    ],
)
def test_files_of_other_hours_are_not_read(name: str, fits: bool) -> None:
    file = File(f"{FOLDER}/{name}", 1)
    assert (hours([file], WINDOW) == [file]) is fits


class Blobs:
    """Blobs in memory, as much of a container's client as is used; it keeps count of the bytes that were read."""

    def __init__(self, **blobs: bytes) -> None:
        self.blobs, self.read_bytes = blobs, 0

    def list_blobs(self, name_starts_with: str) -> Any:
        names = [name for name in self.blobs if name.startswith(name_starts_with)]
        return [File(name, len(self.blobs[name])) for name in names]

    def download_blob(self, name: str, offset: int, length: int) -> Any:
        self.content = self.blobs[name][offset : offset + length]
        self.read_bytes += len(self.content)
        return self

    def readall(self) -> bytes:
        return self.content


def collected(blobs: Blobs) -> CollectedData:
    made = CollectedData(None, None)  # type: ignore[arg-type]  # neither is asked
    made.__dict__["_container"] = blobs
    return made


def test_no_more_is_read_than_is_allowed_and_of_that_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [line(number, minutes=number) for number in range(20)]
    monkeypatch.setattr(collected_data, "MOST_BYTES", 3 * len(lines[0]))
    blobs = Blobs(**{f"{FOLDER}/2026/05/04/22/i.jsonl": b"\n".join(lines) + b"\n"})
    found = collected(blobs).predictions("flights", "r0002", Predictions(), WINDOW)
    assert (found.values, found.broken) == ((19, 18), 0)
    assert blobs.read_bytes <= 3 * len(lines[0])


def test_a_deployment_that_collected_nothing_has_no_values() -> None:
    assert collected(Blobs()).predictions("flights", "r0002", Predictions(), WINDOW).values == ()
