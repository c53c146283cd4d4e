"""The intake's ports for the contract suite: a fake and an adapter each, with an uploader's view of the storage."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

import pytest

from shared.intake.ports import Landed, Landing, Ledger
from tests.contract.conftest import BOTH, _settings
from tests.fakes.intake import FakeLanding, FakeLedger

__all__ = ["Storage", "ledger", "storage"]


class Storage(NamedTuple):
    """The port, a way to upload past it, and a way to read what lies in accepted or quarantine."""

    landing: Landing
    upload: Callable[[str, bytes], Landed]
    get: Callable[[str, str], bytes | None]


@pytest.fixture(params=BOTH)
def storage(request: pytest.FixtureRequest) -> Storage:
    """The landing container and those that files leave it for."""
    if request.param == "fake":
        fake = FakeLanding()
        kept = {"accepted": fake.accepted, "quarantine": fake.quarantined}
        return Storage(
            fake,
            lambda name, content: fake.upload(name, content, datetime(2026, 1, 1, tzinfo=UTC)),
            lambda container, name: kept[container].get(name),
        )
    return _azure_storage(_settings(request).blob_service)


def _azure_storage(service: str) -> Storage:
    from azure.core.exceptions import ResourceNotFoundError
    from azure.storage.blob import BlobServiceClient

    from shared.adapters.credentials import credential
    from shared.adapters.landing import BlobLanding

    blobs = BlobServiceClient(service, credential=credential())
    landing = BlobLanding(service, credential())

    def upload(name: str, content: bytes) -> Landed:
        blobs.get_blob_client("landing", name).upload_blob(content, overwrite=True)
        landed = landing.look(name)
        assert landed is not None
        return landed

    def get(container: str, name: str) -> bytes | None:
        try:
            return blobs.get_blob_client(container, name).download_blob().readall()
        except ResourceNotFoundError:
            return None

    return Storage(landing, upload, get)


@pytest.fixture(params=BOTH)
def ledger(request: pytest.FixtureRequest) -> Ledger:
    """The ledger."""
    if request.param == "fake":
        return FakeLedger()
    from shared.adapters.credentials import credential
    from shared.adapters.ledger import TableLedger

    return TableLedger(_settings(request).table_service, credential())
