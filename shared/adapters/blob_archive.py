"""The Archive over Blob Storage: publications, decisions' inputs, manifests, and the evaluations that jobs leave.

Called through the port. What it writes lies under its content's hash, so that a second write is the first one
again, and what was read once may be kept for the life of the process. azure.storage.blob is imported by the first
method that is called: most runs of a function need no blob.
"""

import hashlib
from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import msgspec
from azure.core.credentials import TokenCredential
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError

from shared.adapters.artifacts import CHUNK_BYTES, Hashed, measure
from shared.adapters.faults import BLOB_ROLE, code_of, translated
from shared.domain import names
from shared.domain.artifact import ArtifactSeen
from shared.domain.base import canonical
from shared.domain.card import Card, markdown
from shared.domain.evaluation import Evaluation
from shared.domain.manifest import Manifest
from shared.domain.observation import EvaluationSeen
from shared.domain.publication import Publication
from shared.errors import NeedsPerson

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient

MOST_EVALUATION_BYTES = 1024 * 1024
_KEPT_PUBLICATIONS = 64
_NO_CHAMPION_PATH = f"{names.NO_CHAMPION}/README.txt"
_NO_CHAMPION_TEXT = b"There is no model in production yet: a job whose champion_version is 0 gets this folder.\n"


class BlobArchive:
    """Three containers of one storage account. Safe to share between threads."""

    def __init__(self, service: str, credential: TokenCredential) -> None:
        self._service, self._credential = service, credential
        self._publication = lru_cache(_KEPT_PUBLICATIONS)(self._read_publication)

    @cached_property
    def _blobs(self) -> "BlobServiceClient":
        from azure.storage.blob import BlobServiceClient, ExponentialRetry

        # The SDK's own first wait is 15 seconds, longer than a pass may take.
        retry = ExponentialRetry(initial_backoff=1, increment_base=2, retry_total=3)
        return BlobServiceClient(
            self._service,
            credential=self._credential,
            retry_policy=retry,
            connection_timeout=5,
            read_timeout=30,
            max_single_get_size=CHUNK_BYTES,
            max_chunk_get_size=CHUNK_BYTES,
        )

    def put_publication(self, publication: Publication) -> None:
        """Keep a publication under its hash."""
        self._put(names.STATE, _publication_path(publication.spec.name, publication.hash), canonical(publication))

    def publication(self, model: str, digest: str) -> Publication:
        """Read one back, or take it from memory."""
        return self._publication(model, digest)

    def put_inputs(self, model: str, content: bytes) -> str:
        """Keep a decision's inputs; the hash is the first 32 hex digits of their SHA-256."""
        digest = hashlib.sha256(content).hexdigest()[:32]
        self._put(names.STATE, f"decisions/{model}/{digest}.json", content)
        return digest

    def inputs(self, model: str, digest: str) -> bytes:
        """Read them back."""
        return self._get(names.STATE, f"decisions/{model}/{digest}.json")

    def put_manifest(self, manifest: Manifest) -> None:
        """Keep a manifest where jobs read it."""
        self._put(names.ACCEPTED, names.manifest_path(manifest.model, manifest.version), canonical(manifest))

    def evaluation(self, model: str, job: str) -> EvaluationSeen:
        """Read a job's evaluation.json. The job's code wrote it: it may be absent, huge or nonsense."""
        path = f"{names.output_path(model, job, 'evaluation')}/evaluation.json"
        with translated(f"reading {path}", BLOB_ROLE):
            try:
                blob = self._blobs.get_blob_client(names.RUNS, path)
                content = blob.download_blob(offset=0, length=MOST_EVALUATION_BYTES + 1).readall()
            except ResourceNotFoundError as error:
                if code_of(error) == "ContainerNotFound":
                    raise
                return EvaluationSeen(problem=f"the job left no {path}")
            except HttpResponseError as error:
                if code_of(error) != "InvalidRange":
                    raise
                content = b""  # the service has no first byte of an empty blob to give
        return read_evaluation(content)

    def artifact(self, model: str, job: str) -> ArtifactSeen:
        """Hash the files of a job's model. What was hashed is noted, by ETag: only what is new is read again."""
        folder, notes = names.output_path(model, job, "model"), f"artifacts/{model}/{job}.json"
        with translated(f"hashing {folder}", BLOB_ROLE):
            known = self._notes(notes)
            seen, found = measure(self._blobs.get_container_client(names.RUNS), folder, known)
            if found != known:
                self._blobs.get_blob_client(names.STATE, notes).upload_blob(canonical(found), overwrite=True)
            return seen

    def put_card(self, card: Card) -> None:
        """Keep a model card beside its Markdown; under this name lies the first one of the version."""
        path = names.card_path(card.model, card.version)
        readable, kind = path.removesuffix("json") + "md", "text/markdown; charset=utf-8"
        self._put(names.RUNS, readable, markdown(card).encode(), kind)
        self._put(names.RUNS, path, canonical(card))

    def card(self, model: str, version: int) -> Card | None:
        """Read a version's card back; None if there is none."""
        path = names.card_path(model, version)
        with translated(f"reading {path}", BLOB_ROLE):
            try:
                content = self._blobs.get_blob_client(names.RUNS, path).download_blob().readall()
            except ResourceNotFoundError:
                return None
        return msgspec.json.decode(content, type=Card)

    def has_no_champion(self) -> bool:
        """Whether the folder lies there that a job without a champion is given."""
        with translated("looking for the no-champion folder", BLOB_ROLE):
            return bool(self._blobs.get_blob_client(names.RUNS, _NO_CHAMPION_PATH).exists())

    def put_no_champion(self) -> None:
        """Make that folder: a job's input cannot be left out, and an empty folder is none in blob storage."""
        self._put(names.RUNS, _NO_CHAMPION_PATH, _NO_CHAMPION_TEXT)

    def _notes(self, path: str) -> Mapping[str, Hashed]:
        try:
            content = self._blobs.get_blob_client(names.STATE, path).download_blob().readall()
        except ResourceNotFoundError:
            return {}
        return msgspec.json.decode(content, type=dict[str, Hashed])

    def _read_publication(self, model: str, digest: str) -> Publication:
        return msgspec.json.decode(self._get(names.STATE, _publication_path(model, digest)), type=Publication)

    def _put(self, container: str, path: str, content: bytes, content_type: str = "application/json") -> None:
        from azure.storage.blob import ContentSettings

        with translated(f"writing {container}/{path}", BLOB_ROLE):
            blob = self._blobs.get_blob_client(container, path)
            try:
                settings = ContentSettings(content_type=content_type)
                blob.upload_blob(content, overwrite=False, content_settings=settings)
            except ResourceExistsError:
                return  # under this name lies this content

    def _get(self, container: str, path: str) -> bytes:
        with translated(f"reading {container}/{path}", BLOB_ROLE):
            try:
                return self._blobs.get_blob_client(container, path).download_blob().readall()
            except ResourceNotFoundError as error:
                raise NeedsPerson(f"There is no blob {path} in the container {container}.") from error


def read_evaluation(content: bytes) -> EvaluationSeen:
    """What a job's evaluation says, or in one sentence why it cannot be read."""
    if len(content) > MOST_EVALUATION_BYTES:
        return EvaluationSeen(problem=f"evaluation.json is larger than {MOST_EVALUATION_BYTES} bytes")
    try:
        return EvaluationSeen(evaluation=msgspec.json.decode(content, type=Evaluation))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return EvaluationSeen(problem=f"evaluation.json is not what it should be: {error}")


def _publication_path(model: str, digest: str) -> str:
    return f"publications/{model}/{digest}.json"
