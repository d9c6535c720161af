"""An emulator behind a real door, with two subscriptions, VMs and vaults."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reconciler.azure.clients import Azure
from reconciler.azure.clouds import emulator_cloud
from reconciler.emulator.emulator import Pace
from reconciler.emulator.serving import Served, running_server
from reconciler.model.document import Declared, Document
from reconciler.model.scope import Scope
from reconciler.model.source import Source

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
PROD = "11111111-1111-4111-8111-111111111111"
TEST = "22222222-2222-4222-8222-222222222222"


@pytest.fixture
def declared() -> Declared:
    scope = Scope(subscriptions={"prod": PROD, "test": TEST})
    return Declared(Document("Scope", "scope", scope, Source("policies/scope.yaml", 1, 1)))


@pytest.fixture
def estate() -> dict[str, Any]:
    """Three VMs and a vault in each of two subscriptions."""
    both = ("Prod", "Test")
    return {
        "estate": "live",
        "clock": NOW.isoformat(),
        "subscriptions": [{"id": PROD, "name": "Prod"}, {"id": TEST, "name": "Test"}],
        "resourceGroups": [{"subscription": name, "name": "rg-App", "location": "westeurope"} for name in both],
        "virtualMachines": [
            {"subscription": name, "name": f"vm-{number}", "resourceGroup": "rg-App", "os": "Linux"}
            for name in both
            for number in range(3)
        ],
        "backup": {
            "vaults": [
                {"name": "rsv-01", "subscription": name, "resourceGroup": "rg-App", "location": "westeurope"}
                for name in both
            ]
        },
    }


@pytest.fixture
def emulated(tmp_path: Path) -> Callable[..., Any]:
    """`async with emulated(estate) as (served, azure)`."""

    async def never(seconds: float) -> None:
        """Waits of retries are over at once."""

    @asynccontextmanager
    async def make(estate: dict[str, Any], **options: Any) -> AsyncIterator[tuple[Served, Azure]]:
        async with running_server(tmp_path, estate=estate, pace=Pace(speed=0, auto_advance=True)) as served:
            cloud = emulator_cloud(served.running.endpoint, Path(served.running.ca), "header.e30.signature")
            async with Azure(cloud, clock=lambda: NOW, pause=never, **options) as azure:
                yield served, azure

    return make
