"""Refuses every connection and name look-up that leaves this machine. Imported by Python itself at start.

The local cloud puts this folder on the PYTHONPATH of everything that it starts, so that neither a wrong
setting nor a library's own habit can reach public Azure. It is an audit hook, which nothing can take off
again, not even code that goes past the `socket` module to `_socket`. It must import next to nothing: it runs
in every job and scoring server. Servers may listen on any address; only what goes out is refused.
"""

import socket
import sys
from typing import Any

_OUTGOING = {"socket.connect", "socket.sendto", "socket.sendmsg"}
_LOOKUPS = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}
_INET = (socket.AF_INET, socket.AF_INET6)
_HERE = {"", "localhost", "0.0.0.0", "::", "::1", socket.gethostname().lower()}  # noqa: S104 - compared, not bound


class OutsideLoopbackError(OSError):
    """Something tried to leave the machine."""


def _is_here(host: object) -> bool:
    if host is None:
        return True
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    name = name.lower().rstrip(".").partition("%")[0]
    if name in _HERE or name.endswith(".localhost"):
        return True
    return _is_ipv4_loopback(name.removeprefix("::ffff:"))


def _is_ipv4_loopback(name: str) -> bool:
    parts = name.split(".")
    return len(parts) == 4 and parts[0] == "127" and all(p.isdecimal() and int(p) < 256 for p in parts)


def _refuse(host: object) -> None:
    raise OutsideLoopbackError(
        f"the local cloud's guard refused to reach {host!r}: processes that it starts talk to this machine only"
    )


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if event[:7] != "socket.":
        return
    if event in _LOOKUPS:
        if not _is_here(args[0]):
            _refuse(args[0])
    elif event in _OUTGOING:
        sock, address = args[0], args[1]
        # A connected socket's sendmsg names no address; other families (Unix sockets) stay on the machine.
        if address is not None and sock.family in _INET and not _is_here(address[0]):
            _refuse(address[0])


_resolve = socket.getaddrinfo


def _getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
    # RFC 6761 has every name under .localhost mean loopback; not every resolver knows.
    if isinstance(host, str) and host.lower().endswith(".localhost"):
        host = "127.0.0.1"
    return _resolve(host, *args, **kwargs)


socket.getaddrinfo = _getaddrinfo
sys.addaudithook(_hook)
