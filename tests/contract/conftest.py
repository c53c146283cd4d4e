"""The ports' two implementations: the fake in memory, and the adapter against the local cloud."""

from collections.abc import Mapping
from functools import cache
from typing import Protocol
from uuid import uuid4

import pytest

from shared.domain.publication import Publication
from shared.reconcile.ports import Archive, Nudges, StateStore
from tests.contract.platforms import Bench, azure_bench, azure_publication, fake_bench
from tests.fakes.archive import FakeArchive
from tests.fakes.clock import FakeClock
from tests.fakes.nudges import FakeNudges
from tests.fakes.state import FakeStateStore

BOTH = ["fake", pytest.param("azure", marks=pytest.mark.localcloud)]


class Received(Protocol):
    """Takes the messages out of the nudge queue that are visible now: their models and due times."""

    def __call__(self) -> list[tuple[str, float | None]]: ...


@cache
def settings_of(variables: tuple[tuple[str, str], ...]):
    from shared.settings import Settings

    return Settings.of(dict(variables))


@pytest.fixture
def model() -> str:
    """A model's name that no other test has used: the local cloud is not emptied in between."""
    return f"m{uuid4().hex[:12]}"


@pytest.fixture(params=BOTH)
def state(request: pytest.FixtureRequest) -> StateStore:
    """The state store."""
    if request.param == "fake":
        return FakeStateStore()
    from shared.adapters.credentials import credential
    from shared.adapters.table_state import TableState

    return TableState(_settings(request).table_service, credential())


@pytest.fixture(params=BOTH)
def archive(request: pytest.FixtureRequest) -> Archive:
    """The archive."""
    if request.param == "fake":
        return FakeArchive()
    from shared.adapters.blob_archive import BlobArchive
    from shared.adapters.credentials import credential

    return BlobArchive(_settings(request).blob_service, credential())


@pytest.fixture(params=BOTH)
def nudges(request: pytest.FixtureRequest) -> tuple[Nudges, Received]:
    """The nudge queue and a way to empty it."""
    if request.param == "fake":
        return _fake_nudges()
    from shared.adapters.credentials import credential
    from shared.adapters.queue_nudges import QueueNudges

    service = _settings(request).queue_service
    return QueueNudges(service, credential()), _azure_received(service)


@pytest.fixture(scope="module")
def azure_assets(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Publication:
    """What the tests of a module deploy and train, registered once."""
    return azure_publication(request.getfixturevalue("local_cloud"), tmp_path_factory.mktemp("code"))


@pytest.fixture(params=BOTH)
def bench(request: pytest.FixtureRequest, model: str) -> Bench:
    """The platform, with what is needed around it."""
    if request.param == "fake":
        return fake_bench()
    publication = request.getfixturevalue("azure_assets")
    return azure_bench(request.getfixturevalue("local_cloud"), publication, model)


def _fake_nudges() -> tuple[Nudges, Received]:
    clock = FakeClock()
    fake = FakeNudges(clock)

    def received() -> list[tuple[str, float | None]]:
        visible = [nudge for nudge in fake.queue if nudge.visible <= clock.now()]
        fake.queue = [nudge for nudge in fake.queue if nudge not in visible]
        return [(nudge.model, nudge.due.timestamp() if nudge.due else None) for nudge in visible]

    return fake, received


def _azure_received(service: str) -> Received:
    import msgspec
    from azure.storage.queue import QueueClient, TextBase64DecodePolicy

    from shared.adapters.credentials import credential
    from shared.adapters.queue_nudges import QUEUE, Nudge

    queue = QueueClient(service, QUEUE, credential=credential(), message_decode_policy=TextBase64DecodePolicy())
    queue.clear_messages()

    def received() -> list[tuple[str, float | None]]:
        messages = list(queue.receive_messages())
        for message in messages:
            queue.delete_message(message)
        found = [msgspec.json.decode(message.content, type=Nudge) for message in messages]
        return [(nudge.model, nudge.due) for nudge in found]

    return received


def _settings(request: pytest.FixtureRequest):
    variables: Mapping[str, str] = request.getfixturevalue("local_cloud")
    return settings_of(tuple(variables.items()))
