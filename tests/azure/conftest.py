"""A scripted HTTPS server: it says what Azure was seen to say, and the real pipeline listens."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trustme
from aiohttp import web

from reconciler.azure.clients import Azure
from reconciler.azure.clouds import Cloud, emulator_cloud

TOKEN = "script-token-0123456789"
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Say:
    """One answer. `body` is sent as JSON, bytes as they are; `drop` closes the connection instead."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False


@dataclass
class Script:
    """`on[path]` are the answers to come, in order; the last one repeats. `seen` is what was asked."""

    endpoint: str
    ca: Path
    on: dict[str, list[Say]] = field(default_factory=dict)
    seen: list[web.BaseRequest] = field(default_factory=list)

    @property
    def cloud(self) -> Cloud:
        return emulator_cloud(self.endpoint, self.ca, TOKEN)

    @property
    def asked(self) -> list[str]:
        return [f"{request.method} {request.raw_path}" for request in self.seen]

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.seen.append(request)
        answers = self.on.get(request.path, [Say(404, {"error": {"code": "ResourceNotFound", "message": "no"}})])
        say = answers.pop(0) if len(answers) > 1 else answers[0]
        if say.drop:
            assert request.transport is not None
            request.transport.close()
        content = say.body if isinstance(say.body, bytes) else b""
        if say.body is not None and not content:
            content = msgspec.json.encode(say.body)
        headers = {"Content-Type": "application/json; charset=utf-8", **say.headers}
        return web.Response(status=say.status, body=content, headers=headers)


@pytest.fixture
def say() -> type[Say]:
    return Say


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
async def script(tmp_path: Path, authority: trustme.CA) -> AsyncIterator[Script]:
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(tls)
    written = Script("", ca)
    runner = web.ServerRunner(web.Server(written.answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    written.endpoint = f"https://localhost:{runner.addresses[0][1]}"
    yield written
    await runner.cleanup()


@dataclass
class Waits:
    """What the door waited for, instead of waiting."""

    seconds: list[float] = field(default_factory=list)
    told: list[tuple[float, str]] = field(default_factory=list)

    async def pause(self, seconds: float) -> None:
        self.seconds.append(seconds)

    def tell(self, seconds: float, why: str) -> None:
        self.told.append((seconds, why))


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def door(script: Script, waits: Waits) -> Callable[..., Azure]:
    """A door to the script that waits without waiting."""

    def make(**options: Any) -> Azure:
        return Azure(script.cloud, clock=lambda: NOW, pause=waits.pause, on_wait=waits.tell, **options)

    return make
