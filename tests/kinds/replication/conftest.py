"""An estate with two regions, the policies that replicate between them, and the kinds of the topology on their own."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.azure.clients import Azure
from reconciler.azure.operations import wait
from reconciler.desired.validate import validate
from reconciler.diff.engine import compare
from reconciler.kinds.base import Expansion, Kind, Situation
from reconciler.kinds.container_mapping.kind import ContainerMappingKind
from reconciler.kinds.fabric.kind import FabricKind
from reconciler.kinds.network_mapping.kind import NetworkMappingKind
from reconciler.kinds.protection_container.kind import ProtectionContainerKind
from reconciler.kinds.replication.route import located_routes
from reconciler.kinds.replication_policy.kind import ReplicationPolicyKind
from reconciler.kinds.vault.kind import VaultKind
from reconciler.live.refresh import refresh
from reconciler.model.address import Address
from reconciler.model.document import Declared
from reconciler.model.live import Live
from reconciler.model.resource import Resource
from reconciler.plan.finding import Finding
from reconciler.plan.graph import order
from reconciler.plan.plan import Plan
from tests.kinds.conftest import NOW, PROD

KINDS: tuple[Kind[Any], ...] = (
    NetworkMappingKind(),
    ContainerMappingKind(),
    ProtectionContainerKind(),
    FabricKind(),
    ReplicationPolicyKind(),
    VaultKind(),
)
GROUPS = f"/subscriptions/{PROD}/resourceGroups"
CACHE = f"{GROUPS}/rg-app/providers/Microsoft.Storage/storageAccounts/cacheweu"
NETWORKS = f"{GROUPS}/{{}}/providers/Microsoft.Network/virtualNetworks/{{}}"
NEAR, FAR = NETWORKS.format("rg-app", "vnet-weu"), NETWORKS.format("rg-dr", "vnet-neu")
VAULT = {"kind": "Vault", "name": "rsv-dr", "subscription": "prod", "resourceGroup": "rg-dr", "location": "northeurope"}
POLICY = {"kind": "ReplicationPolicy", "name": "day", "recoveryPointRetention": "24h", "appConsistentEvery": "4h"}
ROUTE: dict[str, Any] = {
    "kind": "ReplicationRoute",
    "name": "weu-neu",
    "from": "westeurope",
    "to": "northeurope",
    "vault": "rsv-dr",
    "policy": "day",
    "targetResourceGroup": "rg-dr",
    "cacheStorageAccount": CACHE,
    "networks": [{"from": NEAR, "to": FAR}],
}
ESTATE: dict[str, Any] = {
    "estate": "topology",
    "clock": NOW.isoformat(),
    "subscriptions": [{"id": PROD, "name": "Prod"}],
    "resourceGroups": [
        {"subscription": "Prod", "name": "rg-app", "location": "westeurope"},
        {"subscription": "Prod", "name": "rg-dr", "location": "northeurope"},
    ],
    "virtualMachines": [],
    "networks": [
        {
            "name": "vnet-weu",
            "resourceGroup": "rg-app",
            "addressPrefixes": ["10.1.0.0/16"],
            "subnets": {"apps": "10.1.0.0/24"},
        },
        {
            "name": "vnet-neu",
            "resourceGroup": "rg-dr",
            "addressPrefixes": ["10.2.0.0/16"],
            "subnets": {"apps": "10.2.0.0/24"},
        },
    ],
    "storageAccounts": [{"name": "cacheweu", "resourceGroup": "rg-app"}],
}


@pytest.fixture
def site() -> dict[str, Any]:
    """The estate: groups, networks and a cache account at both ends, and no vault."""
    return copy.deepcopy(ESTATE)


@pytest.fixture
def declared_of(tmp_path: Path) -> Callable[..., Declared]:
    """The documents, through the loader; they must be valid."""

    def declare(*documents: dict[str, Any]) -> Declared:
        scope = {"kind": "Scope", "name": "topology", "subscriptions": {"prod": PROD}}
        path = tmp_path / "policies.yaml"
        every = [{"apiVersion": "reconciler/v1", **one} for one in (scope, *documents)]
        path.write_text(yaml.safe_dump_all(every, sort_keys=False), encoding="utf-8")
        checked = validate([path], NOW.date(), KINDS)
        assert checked.declared, checked.findings
        return checked.declared

    return declare


def grow(declared: Declared, live: Live) -> tuple[dict[Address, Resource], list[Finding]]:
    """What the kinds desire where VMs take every route."""
    wanted = {route.mapping for route in located_routes(declared)}
    state: dict[Address, Resource] = {}
    findings: list[Finding] = []
    for kind in KINDS:
        for item in kind.expand(Expansion(declared, (), live, frozenset(wanted), NOW)):
            if isinstance(item, Finding):
                findings.append(item)
            else:
                assert item.address not in state
                state[item.address] = item
                wanted |= {ref.address for _, ref in item.spec.refs()}
        wanted -= state.keys()
    assert wanted == set()
    return state, findings


async def plan_for(azure: Azure, declared: Declared) -> Plan:
    live = await refresh(azure, declared, KINDS)
    state, findings = grow(declared, live)
    return compare(Situation(declared, state, live, NOW), KINDS, findings)


async def carry_out(azure: Azure, plan: Plan) -> list[str]:
    """Each step in order: sent, waited for, read back. Answers their ids."""
    by_name = {kind.name: kind for kind in KINDS}
    steps = order(plan.steps())
    for step in steps:
        operation = await by_name[step.kind].perform(azure, step)
        if operation is not None:
            await wait(azure, operation, limit=timedelta(hours=1))
        await by_name[step.kind].verify(azure, step)
    return [step.id for step in steps]
