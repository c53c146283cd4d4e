"""Uploads files into a model's folder of the landing container, as any uploader would. Called by cli.py.

Never overwrites: an upload under a name that is there already is refused, so that two people cannot mix their files.
"""

from collections.abc import Callable
from pathlib import Path

from azure.core.credentials import TokenCredential
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
    ServiceRequestError,
)
from azure.storage.blob import BlobServiceClient, ContainerClient

from shared.domain.names import LANDING
from shared.errors import BadInput, NeedsPerson, RetryLater

CONNECT_TIMEOUT_S = 10
READ_TIMEOUT_S = 60


def readable(paths: list[Path]) -> None:
    """Refuse, all at once, what cannot be uploaded."""
    problems = [problem for path in paths if (problem := _problem(path))]
    names = [path.name for path in paths]
    problems += [f"{name}: is named twice" for name in sorted({n for n in names if names.count(n) > 1})]
    if problems:
        raise BadInput(*problems)


def _problem(path: Path) -> str:
    if not path.exists():
        return f"{path}: there is no such file"
    if not path.is_file():
        return f"{path}: is not a file"
    return f"{path}: is empty" if path.stat().st_size == 0 else ""


def drop(
    service_url: str, credential: TokenCredential, model: str, paths: list[Path], done: Callable[[Path, str], None]
) -> None:
    """Upload each file to landing/MODEL/NAME; `done` is told after each one."""
    readable(paths)
    with BlobServiceClient(
        service_url,
        credential=credential,
        connection_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
        retry_total=3,
    ) as service:
        container = service.get_container_client(LANDING)
        for path in paths:
            name = f"{model}/{path.name}"
            _upload(container, name, path)
            done(path, f"{LANDING}/{name}")


def _upload(container: ContainerClient, name: str, path: Path) -> None:
    try:
        with path.open("rb") as file:
            container.upload_blob(name, file, length=path.stat().st_size, overwrite=False)
    except ResourceExistsError as error:
        raise BadInput(
            f"{path.name}: landing/{name} is there already and is not overwritten; wait until it is taken in, or"
            " give the file another name"
        ) from error
    except ResourceNotFoundError as error:
        raise NeedsPerson(
            f"the storage account has no container {LANDING}: has the infrastructure been set up?"
        ) from error
    except (AzureError, OSError) as error:
        raise _translated(error, path) from error


def _translated(error: AzureError | OSError, path: Path) -> Exception:
    if isinstance(error, ClientAuthenticationError):
        return NeedsPerson("the storage account refuses you: sign in with `az login`")
    if isinstance(error, ServiceRequestError):
        return RetryLater("the storage account does not answer: check UPKEEP_STORAGE__blobServiceUri and the network")
    if isinstance(error, HttpResponseError) and error.status_code == 403:
        return NeedsPerson("the storage account refuses you: you need Storage Blob Data Contributor on it")
    if isinstance(error, OSError):
        return BadInput(f"{path}: cannot be read: {error.strerror}")
    return RetryLater(f"{path.name}: was not uploaded: {error}")
