"""An estate of four VMs in West Europe with a route to North Europe, and plans for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from reconciler.desired.roster import Roster
from reconciler.kinds.base import Assignment, Expansion
from reconciler.kinds.recovery_plan.rules import selectors_of
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.document import Declared, Document
from reconciler.model.live import Live, Unreadable
from reconciler.model.machine import Machine
from reconciler.model.protection import Protection
from reconciler.model.recovery_plan import RecoveryPlan
from reconciler.model.replicated import ReplicationFacts
from reconciler.model.replication import Replication, ReplicationRoute
from reconciler.model.resource import Resource, Spec
from reconciler.model.scope import Objectives, Scope
from reconciler.model.selector import Selector
from reconciler.model.source import Source
from reconciler.model.vault import Vault
from tests.kinds.conftest import NOW, PROD, Positions

VAULT = ArmId(f"/subscriptions/{PROD}/resourceGroups/rg-dr/providers/Microsoft.RecoveryServices/vaults/rsv-dr")
CONTAINER = VAULT.child("replicationFabrics", "weu", "replicationProtectionContainers", "weu")
ADDRESS = Address("recovery_plan", "prod/rg-dr/rsv-dr", "rp-shop")
RUNBOOK = (
    f"/subscriptions/{PROD}/resourceGroups/rg-dr/providers/Microsoft.Automation/automationAccounts/aa/runbooks/Set-Dns"
)


def machine(name: str, tier: str, **fields: Any) -> Machine:
    arm_id = f"/subscriptions/{PROD}/resourceGroups/rg-app/providers/Microsoft.Compute/virtualMachines/{name}"
    return Machine(ArmId(arm_id), "prod", "rg-app", name, "westeurope", tags={"tier": tier}, **fields)


WEB_1, WEB_2 = machine("web-01", "web"), machine("web-02", "web")
APP, SQL = machine("app-01", "app"), machine("sql-01", "sql")
MACHINES = (WEB_1, WEB_2, APP, SQL)
GROUPS = [
    {"name": "data", "members": {"tags": {"tier": "sql"}}},
    {"name": "front", "members": {"tags": {"tier": ["app", "web"]}}},
]


class Nothing(Spec, frozen=True, kw_only=True):
    """Of a replicated VM, plans look at what is observed only."""


def facts(of: Machine, **fields: Any) -> ReplicationFacts:
    usual: dict[str, Any] = {
        "vault_id": VAULT,
        "primary_region": "westeurope",
        "recovery_region": "northeurope",
        "initial_primary_region": "westeurope",
        "protection_state": "Protected",
    }
    return ReplicationFacts(
        item_id=CONTAINER.child("replicationProtectedItems", of.name),
        machine_id=of.arm_id,
        name=of.name,
        policy_name="day",
        **{**usual, **fields},
    )


def replicated(of: Machine, **fields: Any) -> Resource:
    return Resource(Address("replicated_vm", of.scope, of.name), Nothing(), observed=facts(of, **fields))


def document(kind: str, name: str, value: Any) -> Document[Any]:
    return Document(kind, name, value, Source("policies/dr.yaml", 1, 1), Positions())


@dataclass
class World:
    """What an expansion is made from; tests change it."""

    groups: list[dict[str, Any]] = field(default_factory=lambda: [*GROUPS])
    plan: dict[str, Any] = field(default_factory=dict)
    route: dict[str, Any] = field(default_factory=dict)
    machines: Sequence[Machine] = MACHINES
    aspect: Replication = field(default_factory=lambda: Replication(target_region="North Europe"))
    unassigned: Sequence[Machine] = ()
    live: Sequence[Resource] = ()
    unreadable: tuple[Unreadable, ...] = ()
    runbooks: dict[ArmId, bool] = field(default_factory=dict)

    def declared(self) -> Declared:
        scope = Scope(subscriptions={"prod": PROD})
        vault = Vault(subscription="prod", resource_group="rg-dr", location="northeurope")
        route = {
            "from": "westeurope",
            "to": "northeurope",
            "vault": "rsv-dr",
            "policy": "day",
            "targetResourceGroup": "rg-dr",
            "cacheStorageAccount": f"/subscriptions/{PROD}/resourceGroups/rg-dr/providers/Microsoft.Storage/"
            "storageAccounts/cacheweu",
            **self.route,
        }
        plan = {"route": "weu-neu", "groups": self.groups, **self.plan}
        return Declared(
            document("Scope", "scope", scope),
            (
                document("Vault", "rsv-dr", vault),
                document("ReplicationRoute", "weu-neu", msgspec.convert(route, ReplicationRoute)),
                document("RecoveryPlan", "rp-shop", msgspec.convert(plan, RecoveryPlan)),
            ),
        )

    def expansion(self) -> Expansion:
        declared = self.declared()
        plan = declared.of("RecoveryPlan", RecoveryPlan)["rp-shop"]
        roster = Roster(self.machines)
        selected = {
            ("RecoveryPlan", "rp-shop", path): tuple(roster.machines[at] for at in sorted(roster.select(selector)))
            for path, selector in selectors_of(plan.value)
        }
        live = Live(
            {one.address: one for one in self.live},
            tuple(self.machines),
            unreadable=self.unreadable,
            runbooks=self.runbooks,
        )
        return Expansion(declared, tuple(self._assignments()), live, frozenset(), NOW, selected)

    def _assignments(self) -> list[Assignment]:
        protection = document("Protection", "all", Protection(select=Selector(), aspects={"replication": self.aspect}))
        given = [one for one in self.machines if one not in self.unassigned]
        return [
            Assignment(one, "replication", self.aspect, protection, protection.source, Objectives()) for one in given
        ]


@pytest.fixture
def world() -> Callable[..., World]:
    return World
