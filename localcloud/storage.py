"""The gateway's own small client of Azurite: provision, empty, look at a blob, enqueue a message.

Called by gateway.py, eventgrid.py and admin.py. It speaks REST, because importing three storage SDKs would
double the time that the gateway takes to start.
"""

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from urllib.parse import quote
from xml.etree import ElementTree

import aiohttp

from localcloud.cloud import ACCOUNT, Cloud
from localcloud.environment import secret
from localcloud.identity import STORAGE, token

CONTAINERS = ("landing", "accepted", "quarantine", "upkeep", "runs", "azureml-blobstore")
QUEUES = ("uploads", "azureml-events", "nudge")
TABLES = ("upkeep", "uploads")
API_VERSION = "2023-11-03"
CREATED, EXISTS, GONE = {201, 204}, {409}, {404}


class StorageError(Exception):
    """Azurite answered with a status that was not expected."""


class Storage:
    """Azurite, as seen with the local cloud's own identity."""

    def __init__(self, cloud: Cloud) -> None:
        ports = cloud.ports
        self._roots = {
            "blob": cloud.blob_url,
            "queue": f"https://127.0.0.1:{ports.queue}/{ACCOUNT}",
            "table": f"https://127.0.0.1:{ports.table}/{ACCOUNT}",
        }
        self._ca_file = cloud.ca_file
        self._key = secret(cloud.folder, "identity-header")
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Make the connection pool; needs the running loop."""
        tls = ssl.create_default_context(cafile=str(self._ca_file))
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=tls), timeout=aiohttp.ClientTimeout(total=30)
        )

    async def close(self) -> None:
        """Give the connections up."""
        if self._session:
            await self._session.close()

    async def wait(self, deadline_s: float) -> None:
        """Return when all three services take connections; TimeoutError after the deadline."""
        async with asyncio.timeout(deadline_s):
            for root in self._roots.values():
                while not await _listens(int(root.rsplit(":", 1)[1].split("/")[0])):
                    await asyncio.sleep(0.05)

    async def provision(self) -> None:
        """Create what Bicep creates on Azure; what is there already stays as it is."""
        expected = CREATED | EXISTS
        await asyncio.gather(
            *(self._call("PUT", "blob", f"{name}?restype=container", expected) for name in CONTAINERS),
            *(self._call("PUT", "queue", name, expected) for name in QUEUES),
            *(
                self._call("POST", "table", "Tables", expected, headers=_TABLE, body=json.dumps({"TableName": name}))
                for name in TABLES
            ),
        )

    async def empty(self) -> None:
        """Take out every blob, message and entity, and every container, queue and table that we did not make."""
        await asyncio.gather(self._empty_blobs(), self._empty_queues(), self._empty_tables())
        await self.provision()

    async def blob_properties(self, container: str, path: str) -> Mapping[str, str] | None:
        """Headers of a blob, or None when it is gone."""
        async with self._request("HEAD", "blob", f"{container}/{quote(path)}") as answer:
            if answer.status in GONE:
                return None
            await _expect(answer, {200})
            return answer.headers.copy()

    async def enqueue(self, queue: str, message: bytes) -> None:
        """Put one message, base64-encoded as the Functions host expects, that never expires."""
        text = base64.b64encode(message).decode()
        body = f"<QueueMessage><MessageText>{text}</MessageText></QueueMessage>"
        await self._call(
            "POST",
            "queue",
            f"{queue}/messages?messagettl=-1",
            CREATED,
            headers={"Content-Type": "application/xml"},
            body=body,
        )

    async def _empty_blobs(self) -> None:
        for name in _names(await self._call("GET", "blob", "?comp=list", {200}), "Container"):
            await self._call("DELETE", "blob", f"{name}?restype=container", {202} | GONE)

    async def _empty_queues(self) -> None:
        for name in _names(await self._call("GET", "queue", "?comp=list", {200}), "Queue"):
            # Deleting a queue under a polling host would make it back off; ours are only cleared.
            target = f"{name}/messages" if name in QUEUES else name
            await self._call("DELETE", "queue", target, CREATED | GONE)

    async def _empty_tables(self) -> None:
        for name in TABLES:
            await self._call("DELETE", "table", f"Tables('{name}')", CREATED | GONE, headers=_TABLE)

    async def _call(
        self,
        method: str,
        service: str,
        path: str,
        expected: Iterable[int],
        *,
        headers: Mapping[str, str] | None = None,
        body: str | None = None,
    ) -> bytes:
        async with self._request(method, service, path, headers, body) as answer:
            await _expect(answer, expected)
            return await answer.read()

    @asynccontextmanager
    async def _request(
        self,
        method: str,
        service: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: str | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        assert self._session, "open() comes first"
        access_token, _ = token(STORAGE, self._key)
        own = {"Authorization": f"Bearer {access_token}", "x-ms-version": API_VERSION}
        url = f"{self._roots[service]}{'' if path.startswith('?') else '/'}{path}"
        async with self._session.request(method, url, headers={**own, **(headers or {})}, data=body) as answer:
            yield answer


_TABLE = {"Accept": "application/json;odata=nometadata", "Content-Type": "application/json"}


async def _expect(answer: aiohttp.ClientResponse, expected: Iterable[int]) -> None:
    if answer.status not in expected:
        text = (await answer.text())[:500]
        raise StorageError(f"{answer.method} {answer.url.path} was answered {answer.status}: {text}")


def _names(listing: bytes, element: str) -> list[str]:
    # A byte order mark stands before Azurite's XML, as it does before Azure's.
    root = ElementTree.fromstring(listing.decode("utf-8-sig"))  # noqa: S314 - our own Azurite's answer
    return [name.text for item in root.iter(element) if (name := item.find("Name")) is not None and name.text]


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
