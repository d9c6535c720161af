"""A CONNECT proxy that leads Azure's public addresses to the emulator, so that clients need no setting of their own.

A client with ``HTTPS_PROXY`` set asks for ``CONNECT management.azure.com:443`` and then speaks TLS with whoever is
behind it: here the emulator, whose certificate has that name too. Every other host is refused: nothing that a client
sends while it uses this proxy leaves the machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from collections import Counter

HOSTS = frozenset({"management.azure.com", "login.microsoftonline.com"})
"""What az, Cloud Custodian, Terraform and the SDKs ask for in the public cloud, as far as the emulator serves it."""
PORT = 443
LARGEST_HEAD = 16 * 1024  # bytes of a CONNECT request
PATIENCE = 10.0  # seconds for that request to arrive
_CHUNK = 64 * 1024
_REASONS = {400: "Bad Request", 403: "Forbidden", 405: "Method Not Allowed", 502: "Bad Gateway"}


class Proxy:
    """Listens on loopback, and pipes the tunnels to the allowed hosts to ``port`` of an emulator on loopback."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._server: asyncio.Server | None = None
        self._tunnels: set[asyncio.Task[None]] = set()
        self.refused: Counter[str] = Counter()

    async def start(self, port: int = 0, host: str = "127.0.0.1") -> int:
        """Listens and answers the port. Raises ValueError for an address that is not loopback."""
        if not ipaddress.ip_address(host).is_loopback:
            raise ValueError(f"the proxy listens on loopback only, not on {host}")
        self._server = await asyncio.start_server(self._accept, host, port, limit=LARGEST_HEAD, backlog=512)
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Stops listening and cuts the tunnels that are open."""
        if self._server is not None:
            self._server.close()
        for tunnel in self._tunnels:
            tunnel.cancel()
        await asyncio.gather(*self._tunnels, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tunnels.add(task)
        try:
            status = await self._answer(reader, writer)
            if status is not None:
                await _refuse(writer, status)
        except (OSError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            self._tunnels.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int | None:
        """Serves a tunnel until it ends; or answers the status that the request is refused with."""
        try:
            async with asyncio.timeout(PATIENCE):
                head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
            return 400
        method, _, rest = head.partition(b" ")
        if method != b"CONNECT":
            return 405
        target = rest.partition(b" ")[0].decode("latin-1").lower()
        host, _, port = target.rpartition(":")
        if host not in HOSTS or port != str(PORT):
            self.refused[target[:200]] += 1
            return 403
        try:
            inner, outer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            return 502
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            await asyncio.gather(_pipe(reader, outer), _pipe(inner, writer))
        finally:
            outer.close()
        return None


async def _refuse(writer: asyncio.StreamWriter, status: int) -> None:
    said = b"The emulator's proxy leads to Azure Resource Manager and its sign-in only.\n"
    head = f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: text/plain\r\nContent-Length: {len(said)}\r\n"
    writer.write(head.encode() + b"Connection: close\r\n\r\n" + said)
    await writer.drain()


async def _pipe(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Passes bytes on until the source ends, then ends the target: the other way may still have something to say."""
    with contextlib.suppress(ConnectionError):
        while chunk := await source.read(_CHUNK):
            target.write(chunk)
            await target.drain()
    with contextlib.suppress(OSError):
        target.write_eof()
