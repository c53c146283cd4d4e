"""One deployment's sidecar: where it listens, whose data it takes, where that goes. And its buffer.

Made by the collector, one for each generation of a deployment, so that an update writes a file of its own as a new
instance on Azure does. What is here is stored, for a gateway that comes back; the buffer is not.
"""

import random
import socket
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime

from localcloud.collector.events import Event
from localcloud.controlplane.locations import Location
from localcloud.endpoints.documents import Document, endpoint_id

MAX_WAITING_BYTES = 32 * 1024 * 1024
# Below the ports that the system hands out by itself: a gateway that comes back finds its port free.
PORTS = range(21000, 29000)


@dataclass(frozen=True)
class Sidecar:
    """`places` is container and folder of each collection that is switched on."""

    endpoint: str
    deployment: str
    generation: int
    port: int
    instance_id: str
    rolling: str
    places: Mapping[str, tuple[str, str]]

    @property
    def key(self) -> str:
        """ENDPOINT/DEPLOYMENT/GENERATION."""
        return f"{self.endpoint}/{self.deployment}/{self.generation}"

    @property
    def source(self) -> str:
        """The CloudEvents' source."""
        return f"{endpoint_id(self.endpoint)}/deployments/{self.deployment}"

    def file(self, collection: str, at: datetime) -> Location:
        """The JSON lines of the hour (or whatever rolls) in which a thing was collected."""
        container, folder = self.places[collection]
        return Location(container, f"{folder}/{at.strftime(self.rolling)}/{self.instance_id}.jsonl")

    def raw_file(self, collection: str, event: Event) -> Location:
        """The blob of content that is no line: beside the lines, under the event's id."""
        lines = self.file(collection, event.at)
        return Location(lines.container, f"{lines.path.removesuffix('.jsonl')}/{event.attributes['id']}")

    def saved(self) -> Document:
        """For the store."""
        return asdict(self)

    @classmethod
    def load(cls, document: Document) -> "Sidecar":
        """Back from the store."""
        places = {name: (place[0], place[1]) for name, place in document["places"].items()}
        return cls(**{**document, "places": places})


@dataclass
class Buffer:
    """Events that wait for the next flush, bounded; and what became of all of them."""

    waiting: list[Event] = field(default_factory=list)
    waiting_bytes: int = 0
    received: int = 0
    dropped: int = 0
    written: int = 0

    def take(self, event: Event) -> bool:
        """Keep an event; False when there is no room for it."""
        if self.waiting_bytes + len(event.content) > MAX_WAITING_BYTES:
            self.dropped += 1
            return False
        self.waiting.append(event)
        self.waiting_bytes += len(event.content)
        self.received += 1
        return True

    def leave(self, events: Iterable[Event]) -> None:
        """Forget these, which are written; others may have come meanwhile."""
        gone = {id(event): event for event in events}
        self.waiting = [event for event in self.waiting if id(event) not in gone]
        self.waiting_bytes -= sum(len(event.content) for event in gone.values())
        self.written += len(gone)

    def counts(self) -> dict[str, int]:
        """For the test bench."""
        return {
            "received": self.received,
            "written": self.written,
            "dropped": self.dropped,
            "waiting": len(self.waiting),
        }


def free_port(taken: frozenset[int]) -> int:
    """A port of loopback that nobody listens on."""
    for port in random.sample(PORTS, k=100):
        if port in taken:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise OSError(f"no free port between {PORTS.start} and {PORTS.stop}")
