"""The table of a release's life: what it says, and that the docs say the same."""

from pathlib import Path

import pytest

from shared.domain.changes import Draft
from shared.domain.lifecycle import ENDS, TRANSITIONS, Phase, Signal
from shared.domain.record import Cause, CauseKind, Record, Release
from tests.fakes.clock import FakeClock

DOCUMENT = Path(__file__).parents[3] / "docs" / "reference" / "life-of-a-release.md"
NOW = FakeClock().now()


def in_phase(phase: Phase) -> Draft:
    cause = Cause(kind=CauseKind.DATA, at=NOW, text="")
    release = Release(number=1, phase=phase, since=NOW, began=NOW, cause=cause, publication="p")
    return Draft(record=Record(model="flights", release=release))


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase is not Phase.COLLECTING])
@pytest.mark.parametrize("signal", list(Signal))
def test_a_signal_leads_where_the_table_says_and_an_illegal_one_changes_nothing(phase: Phase, signal: Signal) -> None:
    before = in_phase(phase)
    after = before.signal(signal, NOW)
    if (phase, signal) in TRANSITIONS:
        assert after.release.phase is TRANSITIONS[phase, signal]
    else:
        assert after is before


@pytest.mark.parametrize("phase", sorted(ENDS))
def test_nothing_leads_out_of_an_end(phase: Phase) -> None:
    assert not [signal for begin, signal in TRANSITIONS if begin is phase]


def test_every_phase_but_the_ends_leads_on() -> None:
    assert {begin for begin, _ in TRANSITIONS} == set(Phase) - ENDS


def test_live_is_reached_only_through_gates_here_or_elsewhere_or_a_version_that_served_before() -> None:
    """Without the edges of a passed verdict (asked about or not), a take and a restore no path is left."""
    edges = {
        (begin, end)
        for (begin, signal), end in TRANSITIONS.items()
        if signal not in (Signal.GATES_PASSED, Signal.APPROVAL_NEEDED, Signal.RESTORE_BEGUN, Signal.TAKE_BEGUN)
    }
    reached = {Phase.COLLECTING}
    while more := {end for begin, end in edges if begin in reached} - reached:
        reached |= more
    assert Phase.LIVE not in reached


def table() -> str:
    rows = [f"| {begin} | {signal} | {end} |" for (begin, signal), end in TRANSITIONS.items()]
    return "\n".join(["| in phase | signal | goes to |", "|---|---|---|", *rows])


def test_the_reference_prints_the_table_as_it_is() -> None:
    assert table() in DOCUMENT.read_text()
