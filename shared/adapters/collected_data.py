"""What the data collectors of deployments kept, read back from the workspace's blob store.

Used by azureml.py. The collector writes one file an hour and instance, unless it is told otherwise, of CloudEvents,
one a line; a line may hold the rows of several requests (how-to-collect-production-data). Only so much is read as
is needed to compare two distributions: the newest rows, by ranges from the end of the newest files.
"""

import json
import logging
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from azure.core.credentials import TokenCredential
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from shared.adapters.azureml_workspace import Workspace
from shared.adapters.faults import BLOB_READER_ROLE, ML_ROLE, code_of, translated
from shared.domain.predictions import Collected, Prediction
from shared.domain.spec_evidence import Predictions
from shared.domain.tally import is_ours
from shared.reconcile.ports import Window

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

log = logging.getLogger(__name__)

DATASTORE = "workspaceblobstore"
ROOT = "modelDataCollector"
MOST_BYTES = 8 * 1024 * 1024
MOST_FILES = 2_000
MOST_ROWS = 10_000


class File(NamedTuple):
    """A blob and its size in bytes."""

    name: str
    size: int


class CollectedData:
    """The container of the workspace's own blob store. Without its `url`, the workspace is asked for it."""

    def __init__(self, workspace: Workspace, credential: TokenCredential, url: str = "") -> None:
        self._workspace, self._credential, self._url = workspace, credential, url

    def predictions(self, endpoint: str, deployment: str, wanted: Predictions, window: Window) -> Collected:
        """The newest values of the column that were collected in the window, MOST_ROWS at most."""
        folder = f"{ROOT}/{endpoint}/{deployment}/{wanted.collection}"
        with translated(f"reading what {deployment} collected", BLOB_READER_ROLE):
            files = [file for prefix in days(folder, window) for file in islice(self._files(prefix), MOST_FILES)]
            texts = self._newest(hours(files, window))
            return read(texts, wanted.column, window)

    @cached_property
    def _container(self) -> "ContainerClient":
        from azure.storage.blob import ContainerClient, ExponentialRetry

        retry = ExponentialRetry(initial_backoff=1, increment_base=2, retry_total=3)
        return ContainerClient.from_container_url(
            self._url or self._asked(),
            credential=self._credential,
            retry_policy=retry,
            connection_timeout=5,
            read_timeout=30,
        )

    def _asked(self) -> str:
        with translated(f"looking up the datastore {DATASTORE}", ML_ROLE):
            store: Any = self._workspace.client.datastores.get(DATASTORE)
        return f"{store.protocol}://{store.account_name}.blob.{store.endpoint}/{store.container_name}"

    def _files(self, prefix: str) -> Iterator[File]:
        return (File(blob.name, blob.size) for blob in self._container.list_blobs(name_starts_with=prefix))

    def _newest(self, files: Iterable[File]) -> Iterator[bytes]:
        """The ends of files, newest first, MOST_BYTES in all. What begins in the middle of a line loses that line."""
        left = MOST_BYTES
        for file in files:
            if left <= 0:
                return
            start = max(0, file.size - left)
            content = self._range(file.name, start, file.size - start)
            left -= len(content)
            yield content.partition(b"\n")[2] if start else content

    def _range(self, name: str, start: int, length: int) -> bytes:
        try:
            return (
                bytes(self._container.download_blob(name, offset=start, length=length).readall()) if length else b""
            )
        except ResourceNotFoundError:
            return b""  # a lifecycle rule took it away since it was listed
        except HttpResponseError as error:
            if code_of(error) != "InvalidRange":
                raise
            return b""


def days(folder: str, window: Window) -> Iterator[str]:
    """The prefixes under which the files of a window lie, newest first: YYYY/MM/DD, in UTC."""
    day = window.end.astimezone(UTC).date()
    while day >= window.start.astimezone(UTC).date():
        yield f"{folder}/{day:%Y/%m/%d}/"
        day -= timedelta(days=1)


def hours(files: Iterable[File], window: Window) -> list[File]:
    """Those files that may hold lines of the window, newest hour first. One that rolls by the day has no hour."""
    first, last = (f"{moment.astimezone(UTC):%Y/%m/%d/%H}" for moment in window)

    def hour(file: File) -> str:
        parts = file.name.split("/")[4:-1]
        return "/".join(parts[:4])

    fits = [file for file in files if first[: len(hour(file))] <= hour(file) <= last]
    return sorted(fits, key=hour, reverse=True)


def read(texts: Iterable[bytes], column: str, window: Window) -> Collected:
    """The column's values in lines of the window, newest first; requests of Upkeep's own are passed over."""
    values: list[Prediction] = []
    broken = 0
    for text in texts:
        for line in reversed(text.splitlines()):
            if len(values) >= MOST_ROWS:
                return Collected(values=tuple(values[:MOST_ROWS]), broken=broken)
            found, bad = _line(line, column, window)
            values += found
            broken += bad
    return Collected(values=tuple(values[:MOST_ROWS]), broken=broken)


def _line(text: bytes, column: str, window: Window) -> tuple[list[Prediction], int]:
    """Its values, and how much of it could not be used: the line, or rows of it."""
    try:
        line = json.loads(text)
        at = datetime.fromisoformat(line["time"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return [], int(bool(text.strip()))
    if not window.start <= at.replace(tzinfo=at.tzinfo or UTC) < window.end or is_ours(line.get("xrequestid")):
        return [], 0
    if line.get("datainblob") == "true":
        return [], 0  # larger than a line may be: it lies elsewhere, and a sample can do without it
    rows = line.get("data")
    if not isinstance(rows, list):
        return [], 1
    users = [row for row in rows if not (isinstance(row, dict) and any(map(is_ours, row.values())))]
    found = [row[column] for row in users if isinstance(row, dict) and _usable(row.get(column, ...))]
    return found, len(users) - len(found)


def _usable(value: object) -> bool:
    return value is None or isinstance(value, str | int | float)
