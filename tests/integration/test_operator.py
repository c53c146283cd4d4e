"""The command line's upload, through the real SDK, against real storage."""

from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import pytest
from azure.storage.blob import BlobServiceClient

from shared.adapters.credentials import credential
from shared.errors import BadInput, NeedsPerson
from shared.operator import landing

pytestmark = pytest.mark.localcloud


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / f"{uuid4().hex}.csv"
    path.write_text("a,b\n1,2\n")
    return path


def drop(service: str, *paths: Path) -> list[str]:
    dropped: list[str] = []
    landing.drop(service, credential(), "nobody", list(paths), lambda _, where: dropped.append(where))
    return dropped


@pytest.fixture
def service(local_cloud: Mapping[str, str]) -> str:
    return local_cloud["UPKEEP_STORAGE__blobServiceUri"]


def test_a_dropped_file_lies_in_its_models_folder_byte_for_byte(service: str, file: Path) -> None:
    assert drop(service, file) == [f"landing/nobody/{file.name}"]
    with BlobServiceClient(service, credential=credential()) as client:
        content = client.get_blob_client("landing", f"nobody/{file.name}").download_blob().readall()
    assert content == file.read_bytes()


def test_a_name_that_is_there_already_is_refused_and_kept_as_it_was(service: str, file: Path) -> None:
    drop(service, file)
    before = file.read_bytes()
    file.write_text("c,d\n3,4\n")
    with pytest.raises(BadInput, match="is there already and is not overwritten"):
        drop(service, file)
    with BlobServiceClient(service, credential=credential()) as client:
        assert client.get_blob_client("landing", f"nobody/{file.name}").download_blob().readall() == before


def test_an_account_without_a_landing_container_is_one_sentence(
    service: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landing, "LANDING", "nowhere")
    with pytest.raises(NeedsPerson, match="has no container nowhere"):
        drop(service, file)
