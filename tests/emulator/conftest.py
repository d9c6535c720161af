"""A world to call without a network, and a running server for the real SDKs."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from multidict import CIMultiDict

from reconciler.emulator import providers
from reconciler.emulator.clock import Clock
from reconciler.emulator.gateway import Call, Gateway, Outcome
from reconciler.emulator.store import Store
from reconciler.emulator.world import Configuration, World

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"

Ask = Callable[..., Outcome]


@pytest.fixture
def world() -> World:
    """An empty estate with one subscription (SUBSCRIPTION) and group rg-app; the clock stands still at NOW."""
    world = World(
        store=Store(),
        clock=Clock(NOW, speed=0),
        configuration=Configuration(),
        completions=providers.completions(),
        tickers=providers.tickers(),
    )
    scope = f"/subscriptions/{SUBSCRIPTION}"
    world.store.put(scope, "Microsoft.Resources/subscriptions", {"id": scope, "subscriptionId": SUBSCRIPTION})
    group = f"{scope}/resourceGroups/rg-app"
    world.store.put(
        group, "Microsoft.Resources/resourceGroups", {"id": group, "name": "rg-app", "location": "westeurope"}
    )
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
    ) -> Outcome:
        joined = (
            target if "api-version=" in target else f"{target}{'&' if '?' in target else '?'}api-version={api_version}"
        )
        content = b"" if body is None else json.dumps(body).encode()
        sent = CIMultiDict({"content-type": "application/json", **(headers or {})})
        return gateway.answer(Call(method, joined, sent, content, "https://localhost:9443", "tests"))

    return send
