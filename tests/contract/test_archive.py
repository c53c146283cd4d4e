"""What the reconciler may expect of an Archive, whoever keeps it."""

from datetime import UTC, datetime

import msgspec

from shared.domain.card import Card
from shared.domain.manifest import Manifest, ManifestPart
from shared.reconcile.ports import Archive
from tests.fakes.examples import a_publication, a_spec

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_publication_is_read_back_by_its_hash(archive: Archive, model: str) -> None:
    publication = a_publication(msgspec.structs.replace(a_spec(), name=model))
    archive.put_publication(publication)
    assert archive.publication(model, publication.hash) == publication


def test_a_publication_may_be_put_twice(archive: Archive, model: str) -> None:
    publication = a_publication(msgspec.structs.replace(a_spec(), name=model))
    archive.put_publication(publication)
    archive.put_publication(publication)
    assert archive.publication(model, publication.hash).hash == publication.hash


def test_the_inputs_of_a_decision_are_read_back_by_the_hash_that_was_returned(archive: Archive, model: str) -> None:
    digest = archive.put_inputs(model, b'{"a": 1}')
    assert archive.inputs(model, digest) == b'{"a": 1}'


def test_equal_inputs_have_one_hash_and_different_ones_two(archive: Archive, model: str) -> None:
    assert archive.put_inputs(model, b"1") == archive.put_inputs(model, b"1") != archive.put_inputs(model, b"2")


def test_a_manifest_may_be_put_twice(archive: Archive, model: str) -> None:
    part = ManifestPart(name="a" * 32, path="parts/a.parquet", rows=1, start=NOW, end=NOW)
    manifest = Manifest(model=model, parts=(part,), train=(part.name,), held_out=())
    archive.put_manifest(manifest)
    archive.put_manifest(manifest)


def test_an_evaluation_that_is_missing_is_told_and_not_raised(archive: Archive, model: str) -> None:
    seen = archive.evaluation(model, f"{model}-0001-a1")
    assert seen.evaluation is None
    assert seen.problem


def a_card(model: str, decision: str = "It is better.") -> Card:
    return Card(
        model=model,
        version=3,
        purpose="",
        decision=decision,
        approved_by="",
        metric="mae",
        scores={"candidate": 8.0},
        intervals=(),
        facts={},
        data=(),
        limits=(),
        lineage={"upkeep_job": "j"},
    )


def test_a_card_is_read_back_by_its_version(archive: Archive, model: str) -> None:
    archive.put_card(a_card(model))
    assert archive.card(model, 3) == a_card(model)


def test_the_first_card_of_a_version_stays(archive: Archive, model: str) -> None:
    archive.put_card(a_card(model))
    archive.put_card(a_card(model, "It is worse."))
    assert archive.card(model, 3) == a_card(model)


def test_a_version_without_a_card_has_none(archive: Archive, model: str) -> None:
    assert archive.card(model, 3) is None


def test_a_model_without_files_is_told_and_not_raised(archive: Archive, model: str) -> None:
    seen = archive.artifact(model, f"{model}-0001-a1")
    assert (seen.files, seen.problem) == ((), "there are none")
