"""The HTTP session under the pipeline. One TLS context for all requests: a context each would end keep-alive."""

from __future__ import annotations

import ssl
from pathlib import Path

import aiohttp

_CONNECTIONS = 32


def open_session(ca_file: Path | None, *, trust_env: bool) -> aiohttp.ClientSession:
    """A session that trusts `ca_file` alone, or the machine's authorities where it is None.

    `trust_env` lets HTTPS_PROXY and NO_PROXY count. Bodies stay compressed: the pipeline's transport unpacks them.
    """
    context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=context, limit=_CONNECTIONS),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=trust_env,
        auto_decompress=False,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=30, sock_read=300),
    )
