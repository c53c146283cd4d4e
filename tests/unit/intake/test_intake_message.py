"""Event Grid's messages, in all the shapes in which they come."""

import json
from pathlib import Path

import pytest

from shared.errors import BadInput
from shared.intake.message import Upload, parse, render
from tests.fakes.clock import FakeClock

PAYLOADS = Path(__file__).resolve().parents[2] / "payloads"
ETAG = "0x8DC0E9A1B2C3D4E"


def payload(name: str) -> str:
    return (PAYLOADS / f"{name}.json").read_text()


@pytest.mark.parametrize(
    ("name", "blob"),
    [
        ("blob-created-put-blob", "flights/january.csv"),
        ("blob-created-put-block-list", "flights/2026/one file, two words.csv"),
        ("blob-created-flush-with-close", "flights/january.csv"),
        ("blob-created-cloud-event", "flights/january.csv"),
    ],
)
def test_a_complete_blob_is_an_upload(name: str, blob: str) -> None:
    assert parse(payload(name)) == Upload(blob, ETAG)


@pytest.mark.parametrize("name", ["blob-created-create-file", "run-completed", "model-registered"])
def test_anything_else_is_no_upload(name: str) -> None:
    assert parse(payload(name)) is None


def test_a_blob_of_another_container_is_no_upload() -> None:
    assert parse(payload("blob-created-put-blob").replace("containers/landing/", "containers/accepted/")) is None


@pytest.mark.parametrize("change", [str.upper, str.lower])
def test_keys_are_taken_in_any_case(change) -> None:
    event = json.loads(payload("blob-created-put-blob"))
    event["data"] = {change(key): value for key, value in event["data"].items()}
    assert parse(json.dumps({change(key): value for key, value in event.items()})) == Upload(
        "flights/january.csv", ETAG
    )


@pytest.mark.parametrize("missing", ["eTag"])
@pytest.mark.parametrize("value", [None, "", 7])
def test_an_event_without_an_etag_is_refused(missing: str, value: object) -> None:
    event = json.loads(payload("blob-created-put-blob"))
    event["data"][missing] = value
    with pytest.raises(BadInput):
        parse(json.dumps(event))


def test_the_sweeps_own_messages_are_read_like_event_grids() -> None:
    upload = Upload("flights/ä b%20.csv", "0x1")
    assert parse(render(upload, 7, FakeClock().now())) == upload
