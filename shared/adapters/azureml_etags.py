"""ETags of what is read and put again in one breath, although azure-ai-ml neither shows nor sends them.

Used by the workspace's transport and by azureml_endpoints.py. Azure ML does not document an ETag of endpoints. Where
a read brings one, the put carries it as If-Match, and the service refuses with 412 what was changed in between; where
a read brings none, nothing is added.
"""

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

_read: ContextVar[MutableMapping[str, str] | None] = ContextVar("etags of what was read", default=None)


@contextmanager
def unchanged_since_read() -> Iterator[None]:
    """Let every put inside carry the ETag that a read of the same resource, inside too, has brought."""
    token = _read.set({})
    try:
        yield
    finally:
        _read.reset(token)


def before_sending(request: Any) -> None:
    """Add the condition to a put of what was read."""
    etags = _read.get()
    etag = etags.get(_resource(request.url)) if etags and request.method == "PUT" else None
    if etag:
        request.headers["If-Match"] = etag


def after_answer(request: Any, response: Any) -> None:
    """Remember the ETag of a read."""
    etags = _read.get()
    if etags is None or request.method != "GET" or response.status_code != 200:
        return
    etag = response.headers.get("ETag")
    if etag:
        etags[_resource(request.url)] = etag


def _resource(url: str) -> str:
    """The resource's path: versions of the API differ between reads and puts, and case does not count."""
    return urlsplit(url).path.lower()
