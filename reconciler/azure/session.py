"""The HTTP session under the pipeline. One TLS context for all requests: a context each would end keep-alive."""

from __future__ import annotations

import ssl
from pathlib import Path

import aiohttp

_CONNECTIONS = 32
READS = frozenset({"GET", "HEAD"})


def open_session(ca_file: Path | None, *, trust_env: bool) -> aiohttp.ClientSession:
    """A session that trusts `ca_file` alone, or the machine's authorities where it is None.

    `trust_env` lets HTTPS_PROXY and NO_PROXY count. Bodies stay compressed: the pipeline's transport unpacks them.
    """
    context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=context, limit=_CONNECTIONS),
        middlewares=(send_once,),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=trust_env,
        auto_decompress=False,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=30, sock_read=300),
    )


async def send_once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """aiohttp itself repeats a PUT or DELETE whose connection was dropped, although it may have taken effect. The
    error that it would repeat after becomes one that it passes on, but for a connection that never came about."""
    try:
        return await send(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        if request.method in READS:
            raise
        raise aiohttp.ClientConnectionError(str(error) or type(error).__name__) from error
