"""The proxy that stands in HTTPS_PROXY: it lets loopback through and refuses every other host with 403.

Run by the gateway. Programs that honour the proxy variables and are not Python (so that guard/ does not
reach them) end here. What is not emulated: plain http through a proxy, which is always refused.
"""

import asyncio
import contextlib
import ipaddress
import logging

from aiohttp import web

from localcloud.cloud import Cloud

log = logging.getLogger("localcloud.egress")
HEAD_LIMIT_S = 10


class Egress:
    """A CONNECT proxy for loopback hosts."""

    def __init__(self, cloud: Cloud) -> None:
        self._port = cloud.ports.egress
        self._server: asyncio.Server | None = None

    def routes(self) -> list[web.RouteDef]:
        """None: it has a port of its own."""
        return []

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)

    async def stop(self) -> None:
        """Close the port; tunnels end with their ends."""
        if self._server:
            self._server.close()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(HEAD_LIMIT_S):
                head = await reader.readuntil(b"\r\n\r\n")
            method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
            host, _, port = target.rpartition(":")
            if method == "CONNECT" and is_loopback(host) and port.isdecimal():
                await _tunnel(reader, writer, int(port))
            else:
                log.warning("egress.refused method=%s target=%s", method, target)
                await _refuse(writer, target)
        except (TimeoutError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError) as e:
            log.info("egress.broken_call error=%r", e)
        finally:
            writer.close()


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


async def _refuse(writer: asyncio.StreamWriter, target: str) -> None:
    body = f"the local cloud reaches this machine only; refused: {target}\n".encode()
    head = f"HTTP/1.1 403 Forbidden\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()


async def _tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
    finally:
        far_writer.close()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while chunk := await source.read(65536):
        sink.write(chunk)
        await sink.drain()
    with contextlib.suppress(OSError):  # the other side has hung up already
        sink.write_eof()
