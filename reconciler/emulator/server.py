"""The HTTPS server: from sockets to calls and back. All handlers run in one thread, one after the other."""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
import ssl
import time

import msgspec
from aiohttp import web

from reconciler.emulator.admin import Admin
from reconciler.emulator.bearer import claims_of
from reconciler.emulator.emulator import Emulator
from reconciler.emulator.gateway import Call, Outcome
from reconciler.emulator.request_log import LoggedRequest
from reconciler.emulator.router import Response

LARGEST_BODY = 256 * 1024 * 1024  # an imported estate of 100,000 VMs
ADMIN = "/_emulator/"
HOSTS = frozenset({"localhost", "127.0.0.1", "management.azure.com", "login.microsoftonline.com"})


class Server:
    """Serves one emulator on loopback. ``token`` opens the admin API."""

    def __init__(self, emulator: Emulator, tls: ssl.SSLContext, token: str) -> None:
        self._emulator = emulator
        self._tls = tls
        self.instance = secrets.token_hex(8)
        self._admin = Admin(emulator, token, self.instance)
        self._runner: web.ServerRunner | None = None

    async def start(self, port: int = 0, host: str = "127.0.0.1") -> int:
        """Listens and answers the port. Raises ValueError for an address that is not loopback."""
        if not ipaddress.ip_address(host).is_loopback:
            raise ValueError(f"the emulator listens on loopback only, not on {host}")
        self._runner = web.ServerRunner(web.Server(self._serve), access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port, ssl_context=self._tls, backlog=512)
        await site.start()
        bound: int = self._runner.addresses[0][1]
        return bound

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        refusal = _refuse_host(request)
        if refusal is not None:
            return refusal
        content = await _read(request)
        if request.raw_path.startswith(ADMIN):
            return _render(self._admin.answer(request.method, request.raw_path, dict(request.headers), content))
        return await self._serve_arm(request, content)

    async def _serve_arm(self, request: web.BaseRequest, content: bytes) -> web.StreamResponse:
        started = time.perf_counter()
        authorization = request.headers.get("Authorization", "")
        call = Call(
            method=request.method,
            target=request.raw_path,
            headers=request.headers,
            content=content,
            base_url=f"https://{request.host}",
            principal=principal_of(authorization),
            claims=claims_of(authorization),
        )
        outcome = self._emulator.gateway.answer(call)
        self._log(call, outcome, time.perf_counter() - started)
        if outcome.delay:
            await asyncio.sleep(outcome.delay)
        if outcome.reset and request.transport is not None:
            request.transport.abort()
        rendered = _render(outcome.response)
        return await _send_half(request, rendered) if outcome.truncated else rendered

    def _log(self, call: Call, outcome: Outcome, seconds: float) -> None:
        clock = self._emulator.world.clock
        path, _, query = call.target.partition("?")
        self._emulator.log.add(
            LoggedRequest(
                time=clock.now().isoformat(),
                wall=clock.wall().isoformat(),
                method=call.method,
                path=path,
                template=outcome.template,
                status=0 if outcome.reset else outcome.response.status,
                milliseconds=round(seconds * 1000, 3),
                query=query if len(query) < 400 else query[:400],
                operations=outcome.operations,
                client_request_id=call.headers.get("x-ms-client-request-id", ""),
            )
        )


def principal_of(authorization: str) -> str:
    """Who calls: the application id of a JWT, ``unknown`` for another bearer token, "" without one."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        return ""
    return claims_of(authorization).get("appid", "unknown")


def _refuse_host(request: web.BaseRequest) -> web.Response | None:
    """A page in somebody's browser must not reach the emulator through a name that it made point here."""
    name = request.host.rsplit(":", 1)[0].lower()
    if name in HOSTS:
        return None
    return web.json_response({"error": {"code": "UnknownHost", "message": "This host is not served here."}}, status=421)


async def _read(request: web.BaseRequest) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.content.iter_any():
        size += len(chunk)
        if size > LARGEST_BODY:
            raise web.HTTPRequestEntityTooLarge(LARGEST_BODY, size)
        chunks.append(chunk)
    return b"".join(chunks)


async def _send_half(request: web.BaseRequest, whole: web.Response) -> web.StreamResponse:
    """Promises all of the body, sends half of it and cuts the connection."""
    content = whole.body if isinstance(whole.body, bytes) else b""
    cut = web.StreamResponse(status=whole.status, headers=whole.headers)
    cut.content_length = len(content)
    await cut.prepare(request)
    await cut.write(content[: len(content) // 2])
    if request.transport is not None:
        request.transport.close()
    return cut


def _render(response: Response) -> web.Response:
    headers = dict(response.headers)
    if response.body is None:
        return web.Response(status=response.status, headers=headers)
    body = response.body if isinstance(response.body, bytes) else msgspec.json.encode(response.body)
    headers.setdefault("Content-Type", "application/json; charset=utf-8")
    return web.Response(status=response.status, body=body, headers=headers)
