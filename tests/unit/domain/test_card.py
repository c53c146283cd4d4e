"""The model card: what it tells, and that nothing it is given can break it."""

import msgspec
import pytest

from shared.domain.analysis import Finding
from shared.domain.card import Card, card_of, markdown
from shared.domain.gatecheck import SliceFinding, SliceResult, SliceTable
from shared.domain.lifecycle import Phase
from shared.domain.lineage import INPUTS, MOST_CHARS, NUMBERS, compact, inputs, numbers, outcome, properties
from shared.domain.manifest import seal
from shared.domain.reasons import Fact
from shared.domain.record import Cause, CauseKind, Judged, Record, Release
from tests.fakes.clock import FakeClock
from tests.fakes.examples import a_part, a_publication, a_spec

NOW = FakeClock().now()
FACTS: dict[str, Fact] = {
    "metric": "mae",
    "rows": 5_000,
    "candidate": 8.0,
    "champion": 10.0,
    "baseline": 20.0,
    "difference_low": -2.1,
    "difference_high": -1.9,
    "slice_origin_JFK": 7.5,
}
SPEC = msgspec.structs.replace(a_spec(), description="Minutes | in the air\n# of flights")


SLICES = SliceTable(
    slices=(
        SliceResult(
            name="kind=a|b",
            loss="mae",
            rows=500,
            candidate=11.0,
            champion=10.0,
            difference=1.0,
            low=-0.5,
            high=2.5,
            finding=SliceFinding.MEASURED_WORSE,
        ),
        SliceResult(
            name="kind=c",
            loss="mae",
            rows=30,
            candidate=8.0,
            champion=10.0,
            difference=-2.0,
            low=None,
            high=None,
            finding=SliceFinding.UNJUDGED,
        ),
    ),
    left_out=7,
    confidence_pct=95,
)


def a_release(**changes: object) -> Release:
    release = Release(
        number=3,
        phase=Phase.REGISTERING,
        since=NOW,
        began=NOW,
        cause=Cause(kind=CauseKind.DATA, at=NOW, text="2 fresh parts are waiting."),
        publication="p",
        manifest=seal(SPEC.name, SPEC.data, (a_part(1), a_part(2))),
        artifact="f" * 64,
        folder="d" * 64,
        judged=Judged(text="mae goes from 10 to 8.", facts=FACTS),
        approved_by="ada",
    )
    return msgspec.structs.replace(release, **changes)  # type: ignore[arg-type]


def a_card(**changes: object) -> Card:
    release = a_release(**changes)
    return card_of(a_publication(SPEC), Record(model=SPEC.name, release=release), release)


def test_scores_intervals_and_the_other_numbers_are_told_apart() -> None:
    card = a_card()
    assert card.scores == {"candidate": 8.0, "champion": 10.0, "baseline": 20.0}
    assert [(each.name, each.low, each.high) for each in card.intervals] == [("difference", -2.1, -1.9)]
    assert card.facts == {"rows": 5_000, "slice_origin_JFK": 7.5}


def test_it_says_which_data_the_model_was_trained_on_and_held_against() -> None:
    assert "Trained on: 1000 rows of 2025-01-01 to 2025-01-31." in a_card().data
    assert "Held out: 1000 rows of 2025-02-01 to 2025-03-03." in a_card().data


def test_it_shows_each_slice_with_its_numbers_and_how_many_more_there_were() -> None:
    card = a_card(judged=Judged(text="So it was.", facts=FACTS, slices=SLICES))
    told = markdown(card).splitlines()
    assert "| kind=a\\|b | 500 | mae | 11 | 10 | +1 | -0.5 … +2.5 | measured worse, not proven |" in told
    assert "| kind=c | 30 | mae | 8 | 10 | -2 | none | not judged |" in told
    assert "7 more slices are not listed." in told
    assert msgspec.json.decode(msgspec.json.encode(card), type=Card).slices == SLICES


def test_without_slices_it_has_no_section_of_them() -> None:
    assert "## Slices" not in markdown(a_card())


def test_it_says_who_approved() -> None:
    assert "Approved by: ada." in markdown(a_card())
    assert "Approved by: nobody was asked." in markdown(a_card(approved_by=""))


def test_text_from_elsewhere_stays_in_its_line() -> None:
    told = markdown(a_card())
    assert "Minutes \\| in the air # of flights" in told
    assert [line for line in told.splitlines() if line.startswith("# ")] == [f"# {SPEC.name}, version 3"]


def test_a_release_of_before_verdicts_were_kept_has_a_card_too() -> None:
    assert "The verdict was not kept." in markdown(a_card(judged=None))


def test_a_card_survives_being_stored() -> None:
    assert msgspec.json.decode(msgspec.json.encode(a_card()), type=Card) == a_card()


def test_the_lineage_names_data_code_environment_job_publication_artifact_and_verdict() -> None:
    found = properties(a_publication(SPEC), Record(model=SPEC.name), a_release())
    assert set(found) >= {
        *("upkeep_job", "upkeep_data_version", "upkeep_code_id", "upkeep_code_hash", "upkeep_environment_id"),
        *("upkeep_publication", "upkeep_artifact_sha256", "upkeep_folder_sha256", "upkeep_verdict", "upkeep_cause"),
        *("upkeep_verdict_numbers", "upkeep_approved_by", "upkeep_card"),
    }


@pytest.mark.parametrize("found", [*Finding, None])
def test_the_outcome_of_the_verdict_is_shared_in_a_word(found: Finding | None) -> None:
    release = a_release(judged=Judged(text="So it was.", facts=FACTS, outcome=found))
    assert outcome(properties(a_publication(SPEC), Record(model=SPEC.name), release)) is found


def test_numbers_that_are_too_many_for_a_property_are_left_out_from_the_end() -> None:
    facts: dict[str, Fact] = {f"slice_{number}": 1 / 3 for number in range(500)}
    text = compact(facts)
    assert len(text) <= MOST_CHARS
    assert list(numbers({NUMBERS: text}) or {})[:2] == ["slice_0", "slice_1"]


def test_numbers_and_inputs_that_somebody_else_wrote_badly_are_none() -> None:
    assert numbers({NUMBERS: "{mae"}) is None
    assert numbers({}) is None
    assert inputs({INPUTS: '{"minutes": 3}'}) == {}


def test_what_rules_of_approval_ask_about_is_never_left_out() -> None:
    facts: dict[str, Fact] = {f"slice_{number}": 1 / 3 for number in range(500)}
    facts |= {"improvement_pct": 1.0, "slices_measured_worse": "x" * 5_000}
    found = numbers({NUMBERS: compact(facts)}) or {}
    assert (found["improvement_pct"], found["slices_measured_worse"]) == (1.0, "x" * 200)


def test_the_inputs_of_a_version_are_told_whole_or_not_at_all() -> None:
    few, many = {"hour": "number"}, {f"column_{number}": "number" for number in range(500)}
    told = [properties(a_publication(SPEC), Record(model=SPEC.name), a_release(inputs=each)) for each in (few, many)]
    assert [inputs(marks) for marks in told] == [few, {}]
    assert INPUTS not in told[1]
