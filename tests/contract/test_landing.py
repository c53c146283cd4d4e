"""What the intake may expect of the storage, whoever keeps it."""

from pathlib import Path

import pytest

from shared.errors import LostRace
from tests.contract.intake_ports import Storage, storage  # noqa: F401 - a fixture


def test_an_upload_is_seen_as_it_lies_there(storage: Storage, model: str) -> None:  # noqa: F811
    landed = storage.upload(f"{model}/a file, with ümlaut & 100%.csv", b"a,b\n")
    assert storage.landing.look(landed.name) == landed
    assert (landed.size, '"' in landed.etag) == (4, False)


def test_a_blob_that_is_not_there_is_none(storage: Storage, model: str) -> None:  # noqa: F811
    assert storage.landing.look(f"{model}/none.csv") is None


def test_every_upload_is_listed(storage: Storage, model: str) -> None:  # noqa: F811
    landed = [storage.upload(f"{model}/{name}.csv", b"x") for name in ("a", "b/c")]
    assert [found for found in storage.landing.list() if found.name.startswith(model)] == landed


@pytest.mark.parametrize("size", [0, 1, 9_000_001])
def test_an_upload_is_read_back_byte_for_byte(storage: Storage, model: str, size: int) -> None:  # noqa: F811
    content = bytes(range(251)) * (size // 251) + bytes(size % 251)
    if isinstance(block := getattr(storage.landing, "block", None), int):
        storage.landing.block = max(block, 1_000_000)  # type: ignore[attr-defined]  # the fake's
    landed = storage.upload(f"{model}/a.csv", content)
    assert b"".join(storage.landing.read(landed)) == content


def test_an_upload_that_was_overwritten_is_not_read(storage: Storage, model: str) -> None:  # noqa: F811
    old = storage.upload(f"{model}/a.csv", b"old")
    storage.upload(f"{model}/a.csv", b"new")
    with pytest.raises(LostRace):
        list(storage.landing.read(old))


def test_an_upload_that_is_gone_is_not_read(storage: Storage, model: str) -> None:  # noqa: F811
    landed = storage.upload(f"{model}/a.csv", b"old")
    storage.landing.remove(landed)
    with pytest.raises(LostRace):
        list(storage.landing.read(landed))


def test_a_part_and_its_profile_are_kept_once(storage: Storage, model: str, tmp_path: Path) -> None:  # noqa: F811
    parquet = tmp_path / "part.parquet"
    for content in (b"first", b"second"):
        parquet.write_bytes(content)
        storage.landing.put_part(model, "p", parquet, content)
    assert storage.get("accepted", f"{model}/parts/p.parquet") == b"first"
    assert storage.get("accepted", f"{model}/profiles/p.json") == b"first"


def test_an_original_is_copied_byte_for_byte_and_stays_until_it_is_removed(storage: Storage, model: str) -> None:  # noqa: F811
    landed = storage.upload(f"{model}/ä b+c%20.csv", b"\x00\xff,\r\n")
    for _ in range(2):
        storage.landing.keep_original(landed, model, "p")
    assert storage.get("accepted", f"{model}/originals/p.csv") == b"\x00\xff,\r\n"
    assert storage.landing.look(landed.name) == landed
    storage.landing.remove(landed)
    assert storage.landing.look(landed.name) is None


def test_an_upload_that_was_overwritten_is_not_copied(storage: Storage, model: str) -> None:  # noqa: F811
    old = storage.upload(f"{model}/a.csv", b"old")
    storage.upload(f"{model}/a.csv", b"new")
    with pytest.raises(LostRace):
        storage.landing.keep_original(old, model, "p")
    assert storage.get("accepted", f"{model}/originals/p.csv") is None


def test_an_upload_that_was_overwritten_is_not_removed(storage: Storage, model: str) -> None:  # noqa: F811
    old = storage.upload(f"{model}/a.csv", b"old")
    new = storage.upload(f"{model}/a.csv", b"new")
    storage.landing.remove(old)
    assert storage.landing.look(f"{model}/a.csv") == new


def test_removing_twice_is_removing(storage: Storage, model: str) -> None:  # noqa: F811
    landed = storage.upload(f"{model}/a.csv", b"x")
    storage.landing.remove(landed)
    storage.landing.remove(landed)
    assert storage.landing.look(landed.name) is None


def test_a_quarantined_file_lies_beside_its_newest_report(storage: Storage, model: str) -> None:  # noqa: F811
    landed = storage.upload(f"{model}/a.csv", b"bad")
    storage.landing.quarantine(landed, model, "f", b"{}")
    storage.landing.quarantine(landed, model, "f", b'{"a":1}')
    assert storage.get("quarantine", f"{model}/f/original.csv") == b"bad"
    assert storage.get("quarantine", f"{model}/f/report.json") == b'{"a":1}'
