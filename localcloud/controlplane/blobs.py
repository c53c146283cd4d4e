"""The gateway's own access to the storage account, and a cache of what it downloaded.

All functions block: call them in a thread. A file is kept once under its blob's path and ETag and linked
from there, so that a second job does not download the same data again.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import (
    BlobClient,
    BlobSasPermissions,
    BlobServiceClient,
    ContainerSasPermissions,
    generate_blob_sas,
    generate_container_sas,
)

from localcloud.cloud import ACCOUNT, Cloud
from localcloud.controlplane.locations import Location

# The key that Azurite documents for its development account: no secret.
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_SAS_HOURS = 24
_PARALLEL = 4


class MissingError(LookupError):
    """Nothing lies at the place that was asked for."""


class Blobs:
    """Reads and writes the storage account with the account's key. Make one per use or share it."""

    def __init__(self, cloud: Cloud) -> None:
        self._cache = cloud.folder / "cache" / "blobs"
        self._url = cloud.blob_url
        self._service = BlobServiceClient(
            cloud.blob_url, credential=ACCOUNT_KEY, connection_verify=str(cloud.ca_file), max_block_size=8 << 20
        )

    def fetch(self, location: Location, target: Path, *, link: bool) -> None:
        """Bring the file or folder to `target`; MissingError if there is neither.

        With `link` its files are shared with the cache and must not be changed; without, they are copies.
        """
        pairs = list(self._files(location))
        if not pairs:
            raise MissingError(f"There is nothing at {location.container}/{location.path}.")
        with ThreadPoolExecutor(_PARALLEL) as pool:
            for done in [pool.submit(self._fetch_one, location, *pair, target, link) for pair in pairs]:
                done.result()

    def upload_folder(self, source: Path, location: Location) -> int:
        """Write all files below `source` to the location; how many they were."""
        files = [path for path in sorted(source.rglob("*")) if path.is_file()]
        with ThreadPoolExecutor(_PARALLEL) as pool:
            for done in [pool.submit(self._upload_one, source, path, location) for path in files]:
                done.result()
        return len(files)

    def upload(self, location: Location, content: bytes | Path) -> None:
        """Write one blob over whatever is there."""
        blob = self._blob(location.container, location.path)
        if isinstance(content, bytes):
            blob.upload_blob(content, overwrite=True)
            return
        with content.open("rb") as stream:
            blob.upload_blob(stream, overwrite=True)

    def read(self, location: Location) -> bytes:
        """The content of one blob; MissingError if it is not there."""
        try:
            return self._blob(location.container, location.path).download_blob().readall()
        except ResourceNotFoundError as error:
            raise MissingError(f"There is no blob {location.container}/{location.path}.") from error

    def names(self, location: Location) -> list[str]:
        """Paths of the blobs below the location, relative to it."""
        return list(self.sizes(location))

    def sizes(self, location: Location) -> dict[str, int]:
        """Bytes of each blob below the location, by its path relative to it."""
        prefix = f"{location.path.rstrip('/')}/"
        blobs = self._service.get_container_client(location.container).list_blobs(name_starts_with=prefix)
        return {str(blob.name)[len(prefix) :]: int(blob.size) for blob in blobs}

    def copy(self, source: Location, target: Location) -> int:
        """Copy the file or the folder's files to the target folder; how many they were."""
        pairs = list(self._files(source))
        for name, _ in pairs:
            relative = name[len(source.path.rstrip("/")) :].lstrip("/") or source.last_name
            content = self._blob(source.container, name).download_blob().readall()
            self.upload(Location(target.container, f"{target.path.rstrip('/')}/{relative}"), content)
        return len(pairs)

    def make_container(self, container: str) -> str:
        """Make the container if it is not there; its URL."""
        client = self._service.get_container_client(container)
        with suppress(ResourceExistsError):  # made by an earlier call with the same name
            client.create_container()
        return f"{self._url}/{container}"

    def container_sas(self, container: str) -> str:
        """A signature for reading, writing and listing the container."""
        allowed = ContainerSasPermissions(read=True, write=True, list=True, add=True, create=True)
        return generate_container_sas(
            ACCOUNT, container, account_key=ACCOUNT_KEY, permission=allowed, expiry=_expiry()
        )

    def readable_url(self, location: Location) -> str:
        """URL of a blob with a signature for reading it."""
        signature = generate_blob_sas(
            ACCOUNT,
            location.container,
            location.path,
            account_key=ACCOUNT_KEY,
            permission=BlobSasPermissions(read=True),
            expiry=_expiry(),
        )
        return f"{self._url}/{location.container}/{location.path}?{signature}"

    def _blob(self, container: str, name: str) -> BlobClient:
        return self._service.get_blob_client(container, name)

    def _files(self, location: Location) -> Iterator[tuple[str, str]]:
        container = self._service.get_container_client(location.container)
        if location.path and not location.path.endswith("/"):
            try:
                properties = container.get_blob_client(location.path).get_blob_properties()
            except ResourceNotFoundError:
                pass  # then it is a folder, or nothing
            else:
                yield location.path, str(properties.etag)
                return
        prefix = f"{location.path.rstrip('/')}/" if location.path else ""
        try:
            for blob in container.list_blobs(name_starts_with=prefix):
                yield str(blob.name), str(blob.etag)
        except ResourceNotFoundError:
            return

    def _fetch_one(self, location: Location, name: str, etag: str, target: Path, link: bool) -> None:
        kept = self._keep(location.container, name, etag)
        relative = name[len(location.path) :].lstrip("/") if name != location.path else ""
        place = (target / relative) if relative else target
        if not place.resolve().is_relative_to(target.resolve()):
            raise MissingError(f"The blob name {name!r} leads out of its folder.")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        if link:
            _link(kept, place)
        else:
            shutil.copyfile(kept, place)

    def _keep(self, container: str, name: str, etag: str) -> Path:
        digest = hashlib.sha256(f"{container}\0{name}\0{etag.strip(chr(34))}".encode()).hexdigest()
        kept = self._cache / digest[:2] / digest
        if kept.exists():
            return kept
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=kept.parent, delete=False) as part:
            self._blob(container, name).download_blob(max_concurrency=2).readinto(part)
        Path(part.name).chmod(0o444)
        Path(part.name).replace(kept)
        return kept

    def _upload_one(self, source: Path, path: Path, location: Location) -> None:
        name = f"{location.path.rstrip('/')}/{path.relative_to(source).as_posix()}".lstrip("/")
        self.upload(Location(location.container, name), path)


def _link(kept: Path, place: Path) -> None:
    try:
        os.link(kept, place)
    except OSError:  # another file system, or no links there
        shutil.copyfile(kept, place)


def _expiry() -> datetime:
    return datetime.now(UTC) + timedelta(hours=_SAS_HOURS)
