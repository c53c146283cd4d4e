"""The app's answers, as a person reads them."""

import io
from typing import Any

from rich.console import Console

from shared.operator import views

RELEASE: dict[str, Any] = {
    "number": 3,
    "phase": "canary",
    "began": "2026-01-05T03:00:00Z",
    "cause": {"kind": "schedule", "at": "2026-01-05T03:00:00Z", "text": "The schedule came due."},
    "step": 1,
}
STATUS: dict[str, Any] = {
    "model": "trips",
    "phase": "canary",
    "release": RELEASE,
    "live": {"release": 2, "version": 2, "deployment": "r0002", "since": "2026-01-02T03:04:05Z"},
    "previous": None,
    "last": {"release": 2, "phase": "live", "at": "2026-01-02T03:04:05Z", "text": "Version 2 is live."},
    "paused": None,
    "asked": None,
    "parts": {"accepted": 5, "fresh": 1},
    "findings": [{"blob": "trips/may.csv", "state": "quarantined", "why": "Row 5: 'x' is no number."}],
}
FRESH: dict[str, Any] = {
    "model": "trips",
    "phase": "collecting",
    "release": None,
    "live": None,
    "previous": None,
    "last": None,
    "paused": {"by": "ada", "at": "2026-01-02T03:04:05Z", "reason": "holidays"},
    "asked": None,
    "parts": {"accepted": 0, "fresh": 0},
    "findings": [],
}


def printed(value: Any) -> str:
    file = io.StringIO()
    Console(file=file, width=200).print(value)
    return " ".join(file.getvalue().split())


def test_a_model_in_a_canary_shows_its_step_and_what_is_live() -> None:
    text = printed(views.models([STATUS]))
    assert "trips canary 3 canary, step 2 r0002 since 2026-01-02 03:04:05 1 1 upload to look at" in text


def test_a_model_that_was_just_published_shows_that_nothing_is_live() -> None:
    assert "nothing yet 0 paused by ada: holidays" in printed(views.models([FRESH]))


def test_one_model_shows_why_its_release_began_and_what_a_person_should_look_at() -> None:
    text = printed(views.model(STATUS))
    assert "began 2026-01-05 03:00:00, because The schedule came due." in text
    assert "look at trips/may.csv, quarantined: Row 5: 'x' is no number." in text


def test_a_model_without_any_release_can_be_shown() -> None:
    assert "note paused by ada: holidays" in printed(views.model(FRESH))


def test_history_shows_each_reason_with_its_sentence() -> None:
    decision = {
        "seq": 9,
        "at": "2026-01-05T03:00:00Z",
        "before": "judging",
        "after": "rejected",
        "release": 3,
        "reasons": [{"why": "GatesFailed", "text": "mae is no better."}],
    }
    assert "2026-01-05 03:00:00 3 rejected GatesFailed mae is no better." in printed(views.history([decision]))
