"""The message classes that azure-functions-runtime is given in place of Microsoft's protobuf ones.

worker.py hands this module to the library as its `protos`: the library looks the names up here and neither
side knows of gRPC. So the names and the shapes are those of FunctionRpc.proto, not ours, and only what the
library touches is here.
"""

from types import SimpleNamespace
from typing import Any


class Message:
    """A message with the fields that it was made with."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)

    def __getattr__(self, name: str) -> Any:
        """A field that was not set is None, as an empty protobuf field is falsy."""
        if name.startswith("__"):
            raise AttributeError(name)
        return None


class TypedData:
    """One value and the kind that it is of: string, bytes, json, http, int, double."""

    def __init__(self, **data: Any) -> None:
        self.__dict__.update(data)
        self.kind: str | None = next(iter(data), None)

    def WhichOneof(self, _group: str) -> str | None:  # noqa: N802 - protobuf's name
        """The kind."""
        return self.kind

    @property
    def value(self) -> Any:
        """The value, whatever its kind."""
        return None if self.kind is None else self.__dict__[self.kind]


class ParameterBinding:
    """The value of one argument."""

    def __init__(self, name: str, data: TypedData | None) -> None:
        self.name = name
        self.data = data

    def WhichOneof(self, _group: str) -> str:  # noqa: N802 - protobuf's name
        """How the value travels: never by shared memory here."""
        return "data"


class BindingInfo(Message):
    """A binding's type and direction."""

    out, inout = 1, 2
    undefined, string, binary, stream = 0, 1, 2, 3


class StatusResult(Message):
    """How a request to the worker went."""

    Failure, Success, Cancelled = 0, 1, 2


class RpcHttpCookie(Message):
    """A cookie of a response. The values of SameSite are those of the header."""

    SameSite = SimpleNamespace(**{"None": None, "Lax": "Lax", "Strict": "Strict", "ExplicitNone": "None"})


class WorkerInitResponse(Message):
    """The answer to the request that indexes the app."""


class WorkerMetadata(Message):
    """The worker's name and version."""


class FunctionMetadataResponse(Message):
    """The functions that were found."""


class FunctionLoadResponse(Message):
    """The answer to the request that loads one function."""


class FunctionEnvironmentReloadResponse(Message):
    """The answer to a reload of the environment, which this host never asks for."""


class RpcFunctionMetadata(Message):
    """One function that was found."""


class RpcRetryOptions(Message):
    """A function's retry policy."""


class RpcException(Message):
    """An exception as text."""


class RpcHttp(Message):
    """An HTTP request or response."""


class InvocationResponse(Message):
    """How one run of a function went, with its results."""


class NullableString(Message):
    """A value of a cookie's attribute."""


class NullableBool(Message):
    """A value of a cookie's attribute."""


class NullableDouble(Message):
    """A value of a cookie's attribute."""


class NullableTimestamp(Message):
    """A value of a cookie's attribute."""


class Timestamp(Message):
    """Seconds since 1970."""
