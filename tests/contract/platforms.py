"""A Platform with what a test needs around it: a model, a publication, an endpoint, and a way to let time pass."""

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import msgspec

from shared.domain import names
from shared.domain.actions import CreateDeployment, RegisterModel, ShareModel, SubmitJob
from shared.domain.manifest import Manifest, ManifestPart
from shared.domain.publication import Publication
from shared.reconcile.ports import Archive, Platform
from tests.fakes.archive import FakeArchive
from tests.fakes.clock import FakeClock
from tests.fakes.examples import a_publication, a_spec
from tests.fakes.platform import FakePlatform

DEADLINE_S = 90.0
CONDA = {
    "name": "scoring",
    "dependencies": ["python=3.11", "pip", {"pip": ["azureml-inference-server-http==1.5.1", "setuptools<81"]}],
}
SCORE = "def init():\n    pass\n\n\ndef run(raw):\n    return {'y': 1}\n"
TRAIN = "import time\n\ntime.sleep(60)\n"


@dataclass
class Bench:
    """A platform under test. `passes` moves the world on and is called until a condition holds.

    `put_blob` (container, path) makes a blob that a job or a deployment will want to read.
    """

    platform: Platform
    archive: Archive
    publication: Publication
    passes: Callable[[], None]
    put_blob: Callable[[str, str], None]
    registry: str = "upkeep-local"

    @property
    def model(self) -> str:
        return self.publication.spec.name

    @property
    def endpoint(self) -> str:
        return self.publication.serving.endpoint

    def order(self, release: int = 1) -> SubmitJob:
        """The order for the job of a release; its manifest lies in the archive."""
        at = datetime(2025, 1, release, tzinfo=UTC)
        part = ManifestPart(name=f"{release:032x}", path="parts/p.parquet", rows=1, start=at, end=at)
        manifest = Manifest(model=self.model, parts=(part,), train=(part.name,), held_out=())
        self.archive.put_manifest(manifest)
        self.put_blob(names.ACCEPTED, f"{self.model}/{part.path}")
        self.put_blob(names.RUNS, f"{names.NO_CHAMPION}/README.txt")
        return SubmitJob(
            job=f"{self.model}-{release:04d}-a1",
            release=release,
            publication=self.publication.hash,
            manifest=manifest,
            champion=None,
            timeout_s=600,
        )

    def register(self, version: int, job: str) -> None:
        self.put_blob(names.RUNS, f"{names.output_path(self.model, job, 'model')}/model.txt")
        marks = {"upkeep_folder_sha256": "f" * 64}
        order = RegisterModel(version=version, job=job, tags={"upkeep": "managed"}, properties=marks, description="d")
        self.platform.register_model(self.model, order)

    def share(self, version: int) -> None:
        """Share a version, by as many orders as it takes."""

        def borne() -> bool:
            seen = self.platform.shared(self.registry, self.model, version)
            if not seen.marks:
                self.platform.share_model(self.model, ShareModel(version=version, registry=self.registry))
            return bool(seen.marks)

        self.until(borne)

    def deploy(self, deployment: str, version: int, registry: str = "") -> None:
        order = CreateDeployment(
            deployment=deployment, version=version, publication=self.publication.hash, registry=registry
        )
        self.platform.create_deployment(self.model, order, self.publication)

    def until(self, condition: Callable[[], bool]) -> None:
        """Let time pass until the condition holds."""
        deadline_s = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline_s, "it did not come about in time"
            self.passes()


def fake_bench() -> Bench:
    """The fake, in virtual time."""
    clock, archive = FakeClock(), FakeArchive()

    def put_blob(_container: str, path: str) -> None:
        _, job, *rest = path.split("/")
        if rest[:1] == ["model"]:
            archive.files.setdefault(job, {})["/".join(rest[1:])] = hashlib.sha256(b"x").hexdigest()

    return Bench(FakePlatform(clock, archive), archive, a_publication(), lambda: clock.move(5), put_blob)


def azure_publication(variables: Mapping[str, str], folder: Path) -> Publication:
    """A publication whose code, environment and endpoint are there; its model is named by each test."""
    from azure.ai.ml.entities import ManagedOnlineEndpoint

    from shared.adapters.azureml_assets import Assets
    from shared.adapters.azureml_files import EnvironmentFile
    from shared.operator.publish_code import CodeFolder

    assets = Assets(_workspace(variables))
    name, image = f"contract-{uuid4().hex[:8]}", "mcr.microsoft.com/azureml/minimal-ubuntu22.04-py311-cpu-inference"
    assets.register_environment(name, "1", EnvironmentFile(image=image, conda=msgspec.json.encode(CONDA).decode()))
    for file, text in (("score.py", SCORE), ("train.py", TRAIN)):
        (folder / file).write_text(text)
    code = CodeFolder(name, folder)
    code.copy_to(folder / "copy")
    assets.register_code(name, "1", folder / "copy")
    assets.create_endpoint(ManagedOnlineEndpoint(name=name, auth_mode="key", tags={"team": "flights"}))
    ids = {"code_id": assets.id_of("codes", name, "1"), "environment_id": assets.id_of("environments", name, "1")}
    example = a_publication()
    return msgspec.structs.replace(
        example,
        training=msgspec.structs.replace(example.training, **ids),
        serving=msgspec.structs.replace(example.serving, endpoint=name, **ids),
    )


def azure_bench(variables: Mapping[str, str], publication: Publication, model: str) -> Bench:
    """The adapter, on the local cloud and in real time."""
    from shared.adapters.azureml import AzureMl
    from shared.adapters.blob_archive import BlobArchive
    from shared.adapters.credentials import credential
    from shared.settings import Settings

    settings = Settings.of(variables)
    platform = AzureMl(settings.subscription_id, settings.resource_group, settings.workspace, credential())
    # A compute of its own: the jobs of one are run one after the other.
    training = msgspec.structs.replace(publication.training, compute=model)
    spec = msgspec.structs.replace(a_spec(), name=model)
    named = msgspec.structs.replace(publication, spec=spec, training=training)
    archive = BlobArchive(settings.blob_service, credential())
    return Bench(platform, archive, named, lambda: time.sleep(0.1), _putter(settings.blob_service))


def _putter(service: str) -> Callable[[str, str], None]:
    from azure.storage.blob import BlobServiceClient

    from shared.adapters.credentials import credential

    blobs = BlobServiceClient(service, credential=credential())

    def put(container: str, path: str) -> None:
        blobs.get_blob_client(container, path).upload_blob(b"x", overwrite=True)

    return put


def _workspace(variables: Mapping[str, str]):
    from shared.adapters.azureml_workspace import Workspace
    from shared.adapters.credentials import credential
    from shared.settings import Settings

    settings = Settings.of(variables)
    return Workspace(settings.subscription_id, settings.resource_group, settings.workspace, credential())
