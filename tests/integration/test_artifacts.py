"""Hashing a model's files in real blob storage: in pieces, only while they hold still, and only what is new."""

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from shared.adapters.artifacts import CHUNK_BYTES, measure
from shared.domain import names
from shared.errors import RetryLater
from shared.settings import Settings

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

pytestmark = [pytest.mark.localcloud, pytest.mark.timeout(300)]


@pytest.fixture
def container(local_cloud: Mapping[str, str]) -> "ContainerClient":
    from azure.storage.blob import BlobServiceClient

    from shared.adapters.credentials import credential

    sizes = {"max_single_get_size": CHUNK_BYTES, "max_chunk_get_size": CHUNK_BYTES}
    service = BlobServiceClient(Settings.of(local_cloud).blob_service, credential=credential(), **sizes)
    return service.get_container_client(names.RUNS)


@pytest.fixture
def folder(container: "ContainerClient") -> str:
    """A model of three files; one is larger than what is read at once, one is empty."""
    root = f"m{uuid4().hex[:12]}/model"
    for path, content in {"large.bin": b"x" * (2 * CHUNK_BYTES + 7), "deep/empty": b"", "a.json": b"{}"}.items():
        container.upload_blob(f"{root}/{path}", content)
    container.upload_blob(f"{root}-else/b", b"of another folder")
    return root


def reads(container: "ContainerClient", monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The blobs that are read from now on."""
    found, download = list[str](), container.download_blob

    def noted(blob: str, **options: Any) -> Any:
        found.append(blob.rpartition("/")[2])
        return download(blob, **options)

    monkeypatch.setattr(container, "download_blob", noted)
    return found


def test_every_file_of_the_folder_is_hashed_and_none_beside_it(container: "ContainerClient", folder: str) -> None:
    seen, _ = measure(container, folder, {})
    assert seen.complete
    assert {file.path: file.sha256 for file in seen.files} == {
        "large.bin": hashlib.sha256(b"x" * (2 * CHUNK_BYTES + 7)).hexdigest(),
        "deep/empty": hashlib.sha256(b"").hexdigest(),
        "a.json": hashlib.sha256(b"{}").hexdigest(),
    }


def test_a_model_of_one_file_is_hashed_under_its_name(container: "ContainerClient", folder: str) -> None:
    seen, _ = measure(container, f"{folder}/a.json", {})
    assert [file.path for file in seen.files] == ["a.json"]


def test_what_was_hashed_is_not_read_again(
    container: "ContainerClient", folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, known = measure(container, folder, {})
    read = reads(container, monkeypatch)
    assert measure(container, folder, known) == (first, known)
    assert read == []


def test_what_was_written_again_is_read_again(
    container: "ContainerClient", folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, known = measure(container, folder, {})
    container.upload_blob(f"{folder}/a.json", b"[]", overwrite=True)
    read = reads(container, monkeypatch)
    second, _ = measure(container, folder, known)
    assert read == ["a.json"]
    assert second.sha256 != first.sha256


def test_a_look_whose_time_is_up_is_taken_up_by_the_next(container: "ContainerClient", folder: str) -> None:
    cut, known = measure(container, folder, {}, look_s=0)
    assert not cut.complete
    assert measure(container, folder, known)[0].complete


def test_a_file_that_is_written_while_it_is_read_is_looked_at_later(
    container: "ContainerClient", folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    download = container.download_blob

    def overtaken(blob: str, **options: Any) -> Any:
        container.upload_blob(blob, b"late", overwrite=True)
        return download(blob, **options)

    monkeypatch.setattr(container, "download_blob", overtaken)
    with pytest.raises(RetryLater, match="was changed while it was read"):
        measure(container, folder, {})
