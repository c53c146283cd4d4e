"""Translates the SDKs' exceptions into the families of shared/errors.py, once, keeping the cause.

Called by every adapter around its calls. What is an answer rather than trouble (a 404 that means "none", a
conflict that means "already there") is caught by the adapter itself, inside the translation.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from azure.core.exceptions import AzureError, HttpResponseError, ServiceRequestError, ServiceResponseError

from shared.errors import NeedsPerson, RetryLater

BLOB_ROLE = "Storage Blob Data Contributor"
BLOB_READER_ROLE = "Storage Blob Data Reader"
TABLE_ROLE = "Storage Table Data Contributor"
QUEUE_ROLE = "Storage Queue Data Contributor"
ML_ROLE = "AzureML Data Scientist"
REGISTRY_ROLE = "AzureML Registry User"
LOGS_ROLE = "Log Analytics Reader"

_TRANSIENT = {408, 429, *range(500, 600)}
_LONGEST_DELAY_S = 300.0
_LONGEST_MESSAGE = 600


@contextmanager
def translated(doing: str, role: str) -> Iterator[None]:
    """Raise what the SDKs raise as RetryLater or NeedsPerson; `role` is what the identity most likely lacks."""
    try:
        yield
    except AzureError as error:
        raise translate(error, doing, role) from error


def translate(error: AzureError, doing: str, role: str) -> RetryLater | NeedsPerson:
    """The trouble in Upkeep's own words."""
    status = status_of(error)
    if status in _TRANSIENT:
        return RetryLater(f"{doing}: the service answered {status}. {_first_line(error)}", _delay_s(error))
    if isinstance(error, ServiceRequestError | ServiceResponseError):
        return RetryLater(f"{doing}: the service could not be reached. {_first_line(error)}")
    if status in {401, 403}:
        return NeedsPerson(f"{doing}: refused with {status}; does the identity have the role {role}? {told(error)}")
    return NeedsPerson(f"{doing}: {told(error)}")


def status_of(error: BaseException) -> int | None:
    """HTTP status of an SDK's exception, if the service answered at all."""
    if not isinstance(error, HttpResponseError):
        return None
    # A failed token request carries its answer, too, but leaves status_code empty in some versions.
    return error.status_code or getattr(error.response, "status_code", None)


def code_of(error: BaseException) -> str:
    """The service's own error code, such as BlobNotFound; empty if it gave none."""
    code = getattr(error, "error_code", None) or getattr(getattr(error, "error", None), "code", None) or ""
    return str(getattr(code, "value", code))


def told(error: AzureError) -> str:
    """Code and message of an exception, short enough for a log line."""
    code = code_of(error)
    message = " ".join(error.message.split()) or type(error).__name__
    return (f"{code}: {message}" if code and code not in message else message)[:_LONGEST_MESSAGE]


def _first_line(error: AzureError) -> str:
    return next(iter(error.message.splitlines()), "")[:_LONGEST_MESSAGE]


def _delay_s(error: AzureError) -> float:
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    for name, per_second in (("x-ms-retry-after-ms", 1000.0), ("retry-after-ms", 1000.0), ("Retry-After", 1.0)):
        try:
            return min(float(headers.get(name, "")) / per_second, _LONGEST_DELAY_S)
        except ValueError:
            continue  # absent, or an HTTP date, which none of the services that we call sends
    return 30.0
