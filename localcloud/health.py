"""Whether the processes of the local cloud answer, by asking them over the network.

Called by the supervisor, with nothing but the standard library, so that `up` begins at once.
"""

import json
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from localcloud.cloud import Ports

PROBE_S = 2.0
Check = Callable[[], bool]


def listening(port: int) -> bool:
    """Whether something takes connections at a loopback port."""
    with socket.socket() as probe:
        probe.settimeout(PROBE_S)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free(port: int) -> bool:
    """Whether a server could listen at a loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def call(folder: Path, method: str, url: str, timeout_s: float = PROBE_S, body: object = None) -> int:
    """Status of one call that goes past any proxy and trusts the local authority; 0 when nobody answers."""
    tls = ssl.create_default_context(cafile=str(folder / "ca" / "ca.pem"))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=tls))
    data = None if body is None else json.dumps(body).encode()
    try:
        with opener.open(urllib.request.Request(url, data, method=method), timeout=timeout_s) as answer:  # noqa: S310 - ours
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, urllib.error.URLError):
        return 0


def checks(folder: Path, ports: Ports) -> dict[str, Check]:
    """For each process the question whether it is healthy."""
    return {
        "azurite": lambda: all(listening(port) for port in (ports.blob, ports.queue, ports.table)),
        "gateway": lambda: call(folder, "GET", f"https://localhost:{ports.gateway}/health") == 200,
        "host": lambda: call(folder, "GET", f"http://127.0.0.1:{ports.functions}/admin/host/ping") == 200,
    }
