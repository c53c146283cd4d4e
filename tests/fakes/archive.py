"""Blobs of our own, in memory."""

import hashlib

import msgspec

from shared.domain import names
from shared.domain.artifact import ArtifactSeen, FileSeen
from shared.domain.card import Card
from shared.domain.manifest import Manifest
from shared.domain.observation import EvaluationSeen
from shared.domain.publication import Publication
from tests.fakes.points import Interrupt, around, never


class FakeArchive:
    """Publications, inputs and manifests by name. A world puts the evaluations and models of its jobs in.

    `files` are the models' by job: path → what stands for the hash of the content.
    """

    def __init__(self, interrupt: Interrupt = never) -> None:
        self.interrupt = interrupt
        self.publications: dict[tuple[str, str], Publication] = {}
        self.blobs: dict[tuple[str, str], bytes] = {}
        self.manifests: dict[str, Manifest] = {}
        self.evaluations: dict[str, EvaluationSeen] = {}
        self.files: dict[str, dict[str, str]] = {}
        self.cards: dict[tuple[str, int], Card] = {}

    def put_publication(self, publication: Publication) -> None:
        with around(self.interrupt, "put_publication"):
            self.publications[publication.spec.name, publication.hash] = publication

    def publication(self, model: str, digest: str) -> Publication:
        with around(self.interrupt, "publication"):
            return self.publications[model, digest]

    def put_inputs(self, model: str, content: bytes) -> str:
        with around(self.interrupt, "put_inputs"):
            digest = hashlib.sha256(content).hexdigest()
            self.blobs[model, digest] = content
            return digest

    def inputs(self, model: str, digest: str) -> bytes:
        with around(self.interrupt, "inputs"):
            return self.blobs[model, digest]

    def put_manifest(self, manifest: Manifest) -> None:
        with around(self.interrupt, "put_manifest"):
            self.manifests[names.manifest_path(manifest.model, manifest.version)] = msgspec.json.decode(
                msgspec.json.encode(manifest), type=Manifest
            )

    def evaluation(self, model: str, job: str) -> EvaluationSeen:
        with around(self.interrupt, "evaluation"):
            return self.evaluations.get(job, EvaluationSeen(problem="it is missing"))

    def artifact(self, model: str, job: str) -> ArtifactSeen:
        with around(self.interrupt, "artifact"):
            return measured(self.files.get(job, {}))

    def put_card(self, card: Card) -> None:
        with around(self.interrupt, "put_card"):
            self.cards.setdefault((card.model, card.version), card)

    def card(self, model: str, version: int) -> Card | None:
        with around(self.interrupt, "card"):
            return self.cards.get((model, version))


def measured(files: dict[str, str]) -> ArtifactSeen:
    """Files as an adapter sees them, by path and hash."""
    seen = tuple(FileSeen(path=path, size_bytes=1, sha256=sha256) for path, sha256 in sorted(files.items()))
    return ArtifactSeen(files=seen, problem="" if seen else "there are none")
