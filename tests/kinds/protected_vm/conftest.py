"""A small estate in Azure's own shapes: items as the list answers them, two policies, vaults of ours and of others."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from reconciler.kinds.backup_policy.kind import BackupPolicyKind
from reconciler.kinds.backup_policy.spec import spec_of
from reconciler.kinds.base import Assignment, Expansion, Situation
from reconciler.kinds.located_vault import LocatedVault, declared_vaults
from reconciler.kinds.protected_vm.document import Backup
from reconciler.kinds.protected_vm.inventory import Speller, one_per_machine, resource_from
from reconciler.kinds.protected_vm.kind import ProtectedVmKind
from reconciler.kinds.protected_vm.wire import ItemBody
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.document import Declared, Document
from reconciler.model.live import Live
from reconciler.model.machine import Machine
from reconciler.model.observed import VaultFacts
from reconciler.model.protection import Protection
from reconciler.model.resource import Ref, Resource, Spec
from reconciler.model.scope import Objectives, Scope
from reconciler.model.selector import Selector
from reconciler.model.source import Source
from reconciler.model.vault import Vault
from tests.kinds.conftest import NOW, PROD, TEST
from tests.kinds.protected_vm.bodies import item_body, vault_id

POLICIES: dict[str, dict[str, Any]] = {
    "daily": {
        "tier": "Standard",
        "schedule": {"frequency": "Daily", "time": "22:00"},
        "retention": {"daily": {"days": 30}},
    },
    "short": {
        "tier": "Standard",
        "schedule": {"frequency": "Daily", "time": "22:00"},
        "retention": {"daily": {"days": 14}},
    },
    "enhanced": {
        "tier": "Enhanced",
        "schedule": {"frequency": "Hourly", "windowStart": "08:00", "intervalHours": 4, "durationHours": 12},
        "retention": {"daily": {"days": 30}},
    },
}


@dataclass
class Estate:
    """What is declared and what is live; `situation()` resolves the one against the other."""

    vaults: dict[str, dict[str, Any]] = field(
        default_factory=lambda: {"rsv-weu-01": {}, "rsv-neu-01": {"location": "northeurope"}}
    )
    machines: list[Machine] = field(default_factory=list)
    wishes: list[tuple[Machine, dict[str, Any]]] = field(default_factory=list)
    items: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    limits: dict[str, Any] = field(default_factory=dict)

    def declared(self) -> Declared:
        scope = msgspec.convert({"subscriptions": {"prod": PROD, "test": TEST}, "limits": self.limits}, Scope)
        source = Source("policies/vaults.yaml", 1, 1)
        vaults = [
            Document(
                "Vault",
                name,
                msgspec.convert(
                    {"subscription": "prod", "resourceGroup": "rg-backup", "location": "westeurope", **body}, Vault
                ),
                source,
            )
            for name, body in self.vaults.items()
        ]
        policies = [
            Document("BackupPolicy", name, _policy(body), Source("policies/backup.yaml", line, 1))
            for line, (name, body) in enumerate(POLICIES.items(), 1)
        ]
        return Declared(Document("Scope", "scope", scope, Source("policies/scope.yaml", 1, 1)), (*vaults, *policies))

    def live(self) -> Live:
        declared = self.declared()
        speller, ours = Speller(declared), declared_vaults(declared)
        found: list[Resource] = []
        for vault, body in self.items:
            place = ours.get(ArmId(vault_id(vault))) or LocatedVault(
                vault, "prod/rg-theirs", "westeurope", ArmId(vault_id(vault, "rg-theirs")), declared=False
            )
            item = msgspec.json.decode(json.dumps(item_body(str(place.arm_id), **body)), type=ItemBody)
            resource = resource_from(item, place, speller)
            assert resource is not None
            found.append(resource)
        state = {one.address: one for one in one_per_machine(found, dict.fromkeys(ours, True))}
        for vault in ours.values():
            for name, body in POLICIES.items():
                spec = spec_of(_policy(body), "UTC", Ref.of(vault.address))
                assert spec is not None
                address = Address("backup_policy", vault.scope, name)
                state[address] = Resource(address, spec, observed=spec.terms, location=vault.location)
            known = VaultFacts(location=vault.location, **self.facts.get(vault.name, {}))
            state[vault.settings] = Resource(vault.settings, Spec(), observed=known, location=vault.location)
        return Live(state=state, machines=tuple(self.machines))

    def expansion(self, live: Live | None = None) -> Expansion:
        assignments = tuple(
            Assignment(
                machine=machine,
                aspect="backup",
                value=msgspec.convert(body, Backup),
                protection=_protection(),
                source=Source("policies/web.yaml", 5, 1),
                objectives=Objectives(),
            )
            for machine, body in self.wishes
        )
        return Expansion(self.declared(), assignments, live or self.live(), frozenset(), NOW)

    def situation(self, live: Live | None = None) -> Situation:
        """Both sides; `live` in place of what the bodies say."""
        expansion = self.expansion(live)
        found = [item for item in ProtectedVmKind().expand(expansion) if isinstance(item, Resource)]
        wanted = frozenset(ref.address for item in found for _, ref in item.spec.refs())
        expansion = Expansion(expansion.declared, expansion.assignments, expansion.live, wanted, NOW)
        found += [item for item in BackupPolicyKind().expand(expansion) if isinstance(item, Resource)]
        return Situation(expansion.declared, {item.address: item for item in found}, expansion.live, NOW)


def _policy(body: Mapping[str, Any]) -> Any:
    from reconciler.kinds.backup_policy.document import BackupPolicy

    return msgspec.convert(body, BackupPolicy)


def _protection() -> Document[Protection]:
    value = Protection(select=Selector(names=("*",)), aspects={})
    return Document("Protection", "web", value, Source("policies/web.yaml", 2, 1))


@pytest.fixture
def machine() -> Callable[..., Machine]:
    """`machine("web-01")`: a VM of rg-web in West Europe with data disks 0 and 1."""

    def make(name: str = "web-01", **facts: Any) -> Machine:
        subscription = {"prod": PROD, "test": TEST}[facts.get("subscription", "prod")]
        group = facts.get("resource_group", "rg-web")
        arm_id = (
            f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{name}"
        )
        values = {"subscription": "prod", "location": "westeurope", "data_disks": (0, 1), **facts}
        return Machine(
            arm_id=ArmId(arm_id),
            resource_group=group,
            name=name,
            **{k: v for k, v in values.items() if k != "resource_group"},
        )

    return make


@pytest.fixture
def estate() -> Estate:
    return Estate()
