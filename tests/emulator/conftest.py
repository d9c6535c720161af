"""A world to call without a network, and a running server for the real SDKs."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from multidict import CIMultiDict

from reconciler.emulator import providers
from reconciler.emulator.clock import Clock
from reconciler.emulator.emulator import Pace
from reconciler.emulator.gateway import Call, Gateway, Outcome
from reconciler.emulator.serving import Served, running_server
from reconciler.emulator.store import Store
from reconciler.emulator.world import Configuration, World
from tests.emulator.recorded.witness import Witness, watching

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app"
ESTATE: dict[str, Any] = {
    "estate": "tests",
    "clock": NOW.isoformat(),
    "subscriptions": [{"id": SUBSCRIPTION, "name": "Tests"}],
    "resourceGroups": [{"subscription": "Tests", "name": "rg-app", "location": "westeurope"}],
    "virtualMachines": [
        {"name": "app-01", "resourceGroup": "rg-app", "os": "Linux", "tags": {"env": "test"}, "dataDisks": [64, 128]},
        {"name": "APP-02", "resourceGroup": "rg-app", "os": "Windows", "upperCase": True, "power": "deallocated"},
    ],
}

Ask = Callable[..., Outcome]
Serve = Callable[..., Served]


@pytest.fixture(autouse=True)
def witness() -> Iterator[Witness]:
    """Whatever a test asks an emulator: the answer must fit its description in tests/emulator/shapes."""
    with watching() as watched:
        yield watched
    assert not watched.differences, "\n".join(sorted(watched.differences))


@pytest.fixture
def wall() -> Callable[[], float]:
    """Real time; a test that counts on it replaces this."""
    return time.time


@pytest.fixture
def world(wall: Callable[[], float]) -> World:
    """An empty estate with one subscription (SUBSCRIPTION) and group rg-app; the clock stands still at NOW."""
    world = World(
        store=Store(),
        clock=Clock(NOW, speed=0, wall=wall),
        configuration=Configuration(),
        completions=providers.completions(),
        tickers=providers.tickers(),
    )
    seeds = dict(providers.seeds())
    for section in ("subscriptions", "resourceGroups"):
        seeds[section](world, ESTATE[section])
    return world


@pytest.fixture
def ask(world: World) -> Ask:
    """``ask("GET", "/subscriptions/...", body, api_version=...)`` answers an Outcome without a network."""
    gateway = Gateway(world, providers.router())

    def send(
        method: str,
        target: str,
        body: Any = None,
        *,
        api_version: str = "2026-04-01",
        headers: dict[str, str] | None = None,
        principal: str = "tests",
    ) -> Outcome:
        target = target.replace(" ", "%20")
        joined = target
        if "api-version=" not in target and api_version:
            joined = f"{target}{'&' if '?' in target else '?'}api-version={api_version}"
        content = b"" if body is None else json.dumps(body).encode()
        sent = CIMultiDict({"content-type": "application/json", **(headers or {})})
        return gateway.answer(Call(method, joined, sent, content, "https://localhost:9443", principal))

    return send


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder of certificates for all servers of a run."""
    return tmp_path_factory.mktemp("emulator")


@pytest.fixture
def serve(certificates: Path) -> Iterator[Serve]:
    """``serve(estate=..., pace=..., configuration=...)`` starts a server in a thread; it ends with the test."""
    with ExitStack() as stack:

        def start(**options: Any) -> Served:
            options.setdefault("estate", ESTATE)
            options.setdefault("pace", Pace(speed=0, auto_advance=True))
            return stack.enter_context(_in_thread(certificates, options))

        yield start


@pytest.fixture
def server(serve: Serve) -> Served:
    """A server with ESTATE: ``server.running.endpoint``, ``server.running.ca``, ``server.emulator.world``."""
    return serve()


class StaticCredential:
    """Any bearer token is let in; SDK clients only want something that has one."""

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return AccessToken("header.e30.signature", 4_000_000_000)


class StaticAsyncCredential:
    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return AccessToken("header.e30.signature", 4_000_000_000)

    async def close(self) -> None:
        """Nothing is held."""


@pytest.fixture
def credential() -> StaticCredential:
    return StaticCredential()


@pytest.fixture
def async_credential() -> StaticAsyncCredential:
    return StaticAsyncCredential()


@contextmanager
def _in_thread(folder: Path, options: dict[str, Any]) -> Iterator[Served]:
    ready = threading.Event()
    served: list[Served | BaseException] = []
    loop = asyncio.new_event_loop()
    done = asyncio.Event()

    async def run() -> None:
        try:
            async with running_server(folder, **options) as server:
                served.append(server)
                ready.set()
                await done.wait()
        except BaseException as error:
            served.append(error)
            ready.set()
            raise

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), daemon=True)
    thread.start()
    ready.wait()
    if isinstance(served[0], BaseException):
        raise served[0]
    try:
        yield served[0]
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join()
        loop.close()
