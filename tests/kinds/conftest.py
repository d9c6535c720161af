"""What the tests of kinds begin with: documents, a situation, an emulator behind a real door."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from reconciler.azure.clients import Azure
from reconciler.azure.clouds import emulator_cloud
from reconciler.emulator.emulator import Pace
from reconciler.emulator.serving import Served, running_server
from reconciler.kinds.base import Comparison, Expansion, Kind, Situation
from reconciler.model.document import Declared, Document
from reconciler.model.live import Live
from reconciler.model.resource import Resource
from reconciler.model.scope import Scope
from reconciler.model.source import Source
from reconciler.model.vault import Vault
from reconciler.plan.change import FieldChange

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
PROD = "11111111-1111-4111-8111-111111111111"
TEST = "22222222-2222-4222-8222-222222222222"


class Positions(dict[Any, Source]):
    """Every path stands on a line of its own: enough to see that a finding points at the right one."""

    def get(self, path: Any, default: Any = None) -> Any:
        return Source("policies/vaults.yaml", 1 + sum(map(len, map(str, path))), len(path))


@pytest.fixture
def vault_document() -> Callable[..., Document[Vault]]:
    """`vault_document("rsv", redundancy=...)`: keys as in YAML."""

    def make(name: str = "rsv-weu-01", **fields: Any) -> Document[Vault]:
        written = {"subscription": "prod", "resourceGroup": "rg-backup", "location": "westeurope", **fields}
        value = msgspec.convert(written, Vault)
        return Document("Vault", name, value, Source("policies/vaults.yaml", 1, 1), Positions())

    return make


@pytest.fixture
def declare() -> Callable[..., Declared]:
    """The documents of a directory whose Scope knows `prod` and `test`."""

    def make(*documents: Document[Any]) -> Declared:
        scope = Scope(subscriptions={"prod": PROD, "test": TEST})
        return Declared(Document("Scope", "scope", scope, Source("policies/scope.yaml", 1, 1)), documents)

    return make


@pytest.fixture
def compare() -> Callable[..., Comparison[Any]]:
    """One resource on both sides, both in normal form, in a situation."""

    def make(kind: Kind[Any], declared: Declared, live: Live | None = None) -> Comparison[Any]:
        seen = live or Live(state={}, resource_groups=frozenset({"prod/rg-backup"}))
        expansion = Expansion(declared, (), seen, frozenset(), NOW)
        desired = next(item for item in kind.expand(expansion) if isinstance(item, Resource))
        found = seen.state.get(desired.address)
        wanted = kind.normalise(desired.spec)
        there = kind.normalise(found.spec) if found else None
        fields = tuple(
            FieldChange(path=name, before=getattr(there, name), after=getattr(wanted, name))
            for name in wanted.__struct_fields__
            if there is not None and getattr(there, name) != getattr(wanted, name)
        )
        situation = Situation(declared, {desired.address: desired}, seen, NOW)
        return Comparison(desired.address, desired, found, fields, situation)

    return make


Estate = dict[str, Any]


@pytest.fixture
def estate() -> Estate:
    """Two subscriptions with an empty group for vaults in the first."""
    return {
        "estate": "kinds",
        "clock": NOW.isoformat(),
        "subscriptions": [{"id": PROD, "name": "Prod"}, {"id": TEST, "name": "Test"}],
        "resourceGroups": [{"subscription": "Prod", "name": "rg-backup", "location": "westeurope"}],
        "virtualMachines": [],
    }


@asynccontextmanager
async def behind_a_door(folder: Path, estate: Estate, **options: Any) -> AsyncIterator[tuple[Served, Azure]]:
    """A running emulator whose time jumps to the end of what is polled, and the real door to it."""
    async with running_server(folder, estate=estate, pace=Pace(speed=0, auto_advance=True)) as served:
        cloud = emulator_cloud(served.running.endpoint, Path(served.running.ca), "header.e30.signature")
        async with Azure(cloud, clock=lambda: NOW, **options) as azure:
            yield served, azure


@pytest.fixture
def emulated(tmp_path: Path) -> Callable[..., Any]:
    """`async with emulated(estate) as (served, azure)`."""

    def make(estate: Estate, **options: Any) -> Any:
        return behind_a_door(tmp_path, estate, **options)

    return make
