"""Whatever goes wrong while the estate is read: what was not read is unreadable, and never taken for absent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.azure.clients import Azure
from reconciler.azure.clouds import emulator_cloud
from reconciler.emulator.emulator import Pace
from reconciler.emulator.serving import running_server
from reconciler.kinds.registry import kinds
from reconciler.live.refresh import refresh
from reconciler.model.document import Declared, Document
from reconciler.model.scope import Scope
from reconciler.model.source import Source

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"
ESTATE: dict[str, Any] = {
    "estate": "unreadable",
    "clock": NOW.isoformat(),
    "subscriptions": [{"id": SUBSCRIPTION, "name": "Tests"}],
    "resourceGroups": [{"subscription": "Tests", "name": "rg-app", "location": "westeurope"}],
    "virtualMachines": [{"name": "app-01", "resourceGroup": "rg-app"}],
    "backup": {
        "policies": {"daily": {}},
        "vaults": [
            {
                "name": "rsv-app",
                "subscription": "Tests",
                "resourceGroup": "rg-app",
                "location": "westeurope",
                "policies": ["daily"],
                "items": [{"vm": "rg-app/app-01", "policy": "daily"}],
            }
        ],
    },
}
BROKEN: list[dict[str, Any]] = [
    {"status": 429, "retryAfter": 2},
    {"status": 500},
    {"status": 503},
    {"status": 403},
    {"status": 401},
    {"status": 404, "code": "ResourceNotFound"},
    {"reset": "before"},
    {"reset": "after"},
    {"body": "malformed"},
    {"body": "truncated"},
    {"page": "repeats"},
    {"page": "endless"},
    {"page": "foreign"},
]


@pytest.mark.parametrize("rule", BROKEN, ids=str)
@pytest.mark.parametrize("collection", ["vaults", "virtualMachines", "backupProtectedItems", "backupPolicies"])
async def test_what_was_not_read_is_unreadable(tmp_path: Path, collection: str, rule: dict[str, Any]) -> None:
    scope = Document("Scope", "scope", Scope(subscriptions={"tests": SUBSCRIPTION}), Source("scope.yaml", 1, 1))
    async with running_server(tmp_path, estate=ESTATE, pace=Pace(speed=0)) as served:
        world = served.emulator.world

        async def pause(seconds: float) -> None:
            world.advance(timedelta(seconds=seconds))

        cloud = emulator_cloud(served.running.endpoint, Path(served.running.ca), served.running.token)
        async with Azure(cloud, clock=world.clock.now, pause=pause) as azure:
            whole = await refresh(azure, Declared(scope, ()), kinds())
            world.faults.add({"path": f"*/{collection}", **rule})
            broken = await refresh(azure, Declared(scope, ()), kinds())
            assert broken.requests < 60
    assert whole.unreadable == ()
    assert len(broken.unreadable) == 1
    (gap,) = broken.unreadable
    assert gap.why
    missing = [resource for address, resource in whole.state.items() if address not in broken.state]
    assert all(broken.hides(resource.address, resource.location) for resource in missing)
    assert missing or len(broken.machines) < len(whole.machines)
