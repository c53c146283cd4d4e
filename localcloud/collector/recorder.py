"""What the sidecars took and did not write yet, and how it becomes JSON lines in blobs.

Used by service.py, which has the ports and the clock of it. Nothing here listens or waits, so that tests need
neither sockets nor time.
"""

import asyncio
import json
import logging
from collections import defaultdict
from collections.abc import Mapping
from typing import Protocol

from azure.core.exceptions import AzureError

from localcloud.collector.events import Event, RefusedError, batches, inline, pointer, read_event
from localcloud.collector.sidecar import Buffer, Sidecar
from localcloud.controlplane.locations import Location

_LOG = logging.getLogger("localcloud.collector")


class Writer(Protocol):
    """The storage account, as far as the collector needs it; appends.py has it. Its calls block."""

    def append(self, location: Location, lines: list[bytes]) -> None:
        """Add lines, each without its newline, to a blob."""
        ...

    def write(self, location: Location, content: bytes) -> str:
        """Write one blob; its URL."""
        ...


class Recorder:
    """The buffers of all sidecars. `batch` is how many events may share a line."""

    def __init__(self, writer: Writer, batch: int) -> None:
        self._writer = writer
        self._batch = batch
        self._sidecars: dict[str, Sidecar] = {}
        self._buffers: dict[str, Buffer] = {}
        self._flushing = asyncio.Lock()

    @property
    def sidecars(self) -> Mapping[str, Sidecar]:
        """Those that take data now, by their keys."""
        return self._sidecars

    def add(self, sidecar: Sidecar) -> None:
        """Take data for it from now on."""
        self._sidecars[sidecar.key] = sidecar
        self._buffers[sidecar.key] = Buffer()

    async def remove(self, key: str) -> None:
        """Write what it has and take no more; what cannot be written now is lost with it."""
        await self.flush()
        self._sidecars.pop(key, None)
        buffer = self._buffers.pop(key, None)
        if buffer is not None and buffer.waiting:
            _LOG.error("collector.lost deployment=%s events=%d", key, len(buffer.waiting))

    def accept(self, key: str, headers: Mapping[str, str], content: bytes) -> tuple[int, str]:
        """Take one post for a sidecar: status and text of the answer."""
        try:
            event = read_event(headers, content)
        except RefusedError as error:
            return 400, str(error)
        if event.collection not in self._sidecars[key].places:
            return 404, f"The deployment does not collect {event.collection!r}."
        return (200, "accepted") if self._buffers[key].take(event) else (429, "The sidecar's memory is full.")

    async def flush(self) -> None:
        """Write everything that waits. What the storage account refuses waits for the next time."""
        async with self._flushing:
            for key, sidecar in list(self._sidecars.items()):
                await self._flush(sidecar, self._buffers[key])

    def counts(self) -> dict[str, dict[str, int]]:
        """What became of the events, by ENDPOINT/DEPLOYMENT/GENERATION."""
        return {key: buffer.counts() for key, buffer in self._buffers.items()}

    async def _flush(self, sidecar: Sidecar, buffer: Buffer) -> None:
        by_file: dict[Location, list[Event]] = defaultdict(list)
        for event in buffer.waiting:
            by_file[sidecar.file(event.collection, event.at)].append(event)
        for location, events in by_file.items():
            try:
                await asyncio.to_thread(self._write, sidecar, location, events)
            except AzureError as error:
                _LOG.warning("collector.not_written path=%s events=%d error=%r", location.path, len(events), error)
            else:
                buffer.leave(events)

    def _write(self, sidecar: Sidecar, location: Location, events: list[Event]) -> None:
        lines = []
        for group in batches(events, self._batch):
            if group[0].rows is None:
                url = self._writer.write(sidecar.raw_file(group[0].collection, group[0]), group[0].content)
                lines.append(_encoded(pointer(group[0], sidecar.source, url)))
            else:
                lines.append(_encoded(inline(group, sidecar.source)))
        self._writer.append(location, lines)


def _encoded(line: Mapping[str, object]) -> bytes:
    return json.dumps(line, separators=(",", ":")).encode()
