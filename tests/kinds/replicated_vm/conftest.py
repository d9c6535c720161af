"""A route, VMs with their disks, and items as Site Recovery lists them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from reconciler.kinds.base import Assignment, Comparison, Expansion, Situation
from reconciler.kinds.located_vault import declared_vaults
from reconciler.kinds.replicated_vm.inventory import Speller, resource_from
from reconciler.kinds.replicated_vm.kind import ReplicatedVmKind
from reconciler.kinds.replication.item import ItemBody
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.disk import Attachment, Disk
from reconciler.model.document import Declared, Document
from reconciler.model.live import Live, Unreadable
from reconciler.model.machine import Machine
from reconciler.model.protection import Protection
from reconciler.model.replication import Replication, ReplicationPolicy, ReplicationRoute
from reconciler.model.replication_site import ReplicationSite
from reconciler.model.resource import Resource
from reconciler.model.scope import Objectives, Scope
from reconciler.model.selector import Selector
from reconciler.model.source import Source
from reconciler.model.vault import Vault
from reconciler.plan.change import FieldChange
from reconciler.plan.finding import Finding
from tests.kinds.conftest import NOW, PROD, Positions

KIND = ReplicatedVmKind()
SUBSCRIPTION = f"/subscriptions/{PROD}"
CACHE = f"{SUBSCRIPTION}/resourceGroups/rg-app/providers/Microsoft.Storage/storageAccounts/cacheweu"
NETWORK = f"{SUBSCRIPTION}/resourceGroups/rg-{{}}/providers/Microsoft.Network/virtualNetworks/vnet-{{}}"
WEU, NEU = NETWORK.format("app", "weu"), NETWORK.format("dr", "neu")
SOURCE = Source("policies/dr.yaml", 1, 1)
ROUTE: dict[str, Any] = {
    "from": "westeurope",
    "to": "northeurope",
    "vault": "rsv-dr",
    "policy": "day",
    "targetResourceGroup": "rg-dr",
    "cacheStorageAccount": CACHE,
    "networks": [{"from": WEU, "to": NEU}],
}
ZONE_ROUTE = {**ROUTE, "to": "westeurope", "availability": {"zone": "2"}, "networks": []}


def machine(name: str = "web-01", disks: int = 2, **facts: Any) -> Machine:
    """A VM of group rg-app with so many managed disks, the OS disk first."""
    group = facts.pop("resource_group", "rg-app")
    compute = f"{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.Compute"
    places = [None, *range(disks - 1)]
    return Machine(
        arm_id=ArmId(f"{compute}/virtualMachines/{name}"),
        subscription="prod",
        resource_group=group,
        name=name,
        data_disks=tuple(range(disks - 1)),
        disks=tuple(Attachment(lun, f"{compute}/disks/{name}-{'os' if lun is None else lun}") for lun in places),
        **{"location": "westeurope", "size": "Standard_D4s_v5", **facts},
    )


def disks_of(vm: Machine, *facts: dict[str, Any]) -> tuple[Disk, ...]:
    """The disks of a VM in its order, 64 GiB of Premium each where nothing else is said."""
    said = [*facts, *({} for _ in vm.disks)]
    usual: dict[str, Any] = {"unique_id": "u", "location": vm.location, "size_gib": 64, "sku": "Premium_LRS"}
    return tuple(Disk(arm_id=ArmId(one.disk), **{**usual, **extra}) for one, extra in zip(vm.disks, said, strict=False))


def item(vm: Machine, **changes: Any) -> dict[str, Any]:
    """The item of a VM as the list answers it, protected along the route. `details` are changed one level below."""
    vault = f"/Subscriptions/{PROD}/resourceGroups/rg-dr/providers/Microsoft.RecoveryServices/vaults/rsv-dr"
    container = f"{vault}/replicationFabrics/weu/replicationProtectionContainers/weu-container"
    group = f"{SUBSCRIPTION}/resourceGroups/rg-dr"
    details = {
        "instanceType": "A2A",
        "fabricObjectId": str(vm.arm_id).lower(),
        "initialPrimaryFabricLocation": "westeurope",
        "initialRecoveryFabricLocation": "northeurope",
        "primaryFabricLocation": "westeurope",
        "recoveryFabricLocation": "northeurope",
        "recoveryAzureVMName": vm.name,
        "recoveryAzureVMSize": vm.size,
        "recoveryAzureResourceGroupId": group,
        "selectedRecoveryAzureNetworkId": NEU.lower(),
        "selectedTfoAzureNetworkId": None,
        "vmProtectionState": "Protected",
        "rpoInSeconds": 300,
        "lastRpoCalculatedTime": "2026-03-02T07:59:00.1234567Z",
        "protectedManagedDisks": [
            {
                "diskId": one.disk.lower(),
                "recoveryReplicaDiskId": f"{group}/providers/Microsoft.Compute/disks/{ArmId(one.disk).name}-ASRReplica",
                "recoveryTargetDiskAccountType": "Premium_LRS",
                "primaryStagingAzureStorageAccountId": CACHE,
                "diskCapacityInBytes": 64 * 1024**3,
                "diskType": "OperatingSystem" if one.lun is None else "Data",
            }
            for one in vm.disks
        ],
        "vmNics": [
            {
                "nicId": "b1a1",
                "sourceNicArmId": f"{SUBSCRIPTION}/resourceGroups/rg-app/providers/Microsoft.Network"
                f"/networkInterfaces/{vm.name}-nic",
                "vMNetworkName": WEU,
                "recoveryVMNetworkId": NEU.lower(),
                "ipConfigs": [
                    {"name": "ipconfig1", "isPrimary": True, "subnetName": "default", "recoverySubnetName": "default"}
                ],
            }
        ],
        **changes.pop("details", {}),
    }
    properties = {
        "friendlyName": vm.name,
        "policyId": f"{vault}/replicationPolicies/day",
        "protectionState": "Protected",
        "activeLocation": "Primary",
        "testFailoverState": "None",
        "replicationHealth": "Normal",
        "healthErrors": [{"errorCode": "161011", "errorMessage": "No successful test failover"}],
        "currentScenario": {"scenarioName": "None"},
        **changes,
        "providerSpecificDetails": details,
    }
    return {"id": f"{container}/replicationProtectedItems/{vm.name}", "name": vm.name, "properties": properties}


@dataclass
class Estate:
    """What is declared, which VMs there are, what Site Recovery lists."""

    aspect: dict[str, Any] = field(default_factory=lambda: {"targetRegion": "northeurope"})
    routes: dict[str, dict[str, Any]] = field(default_factory=lambda: {"weu-neu": ROUTE})
    machines: list[Machine] = field(default_factory=list)
    unasked: list[Machine] = field(default_factory=list)
    disks: list[Disk] = field(default_factory=list)
    items: list[dict[str, Any]] = field(default_factory=list)
    unreadable: tuple[Unreadable, ...] = ()
    site: ReplicationSite = field(default_factory=ReplicationSite)

    def add(self, vm: Machine, *facts: dict[str, Any]) -> Machine:
        self.machines.append(vm)
        self.disks.extend(disks_of(vm, *facts))
        return vm

    def declared(self) -> Declared:
        vault = {"subscription": "prod", "resourceGroup": "rg-dr", "location": "northeurope"}
        documents: list[Document[Any]] = [
            Document("Vault", "rsv-dr", msgspec.convert(vault, Vault), SOURCE, Positions()),
            Document("ReplicationPolicy", "day", ReplicationPolicy(), SOURCE, Positions()),
        ]
        for name, route in self.routes.items():
            value = msgspec.convert(route, ReplicationRoute)
            documents.append(Document("ReplicationRoute", name, value, SOURCE, Positions()))
        return Declared(Document("Scope", "scope", Scope(subscriptions={"prod": PROD}), SOURCE), tuple(documents))

    def protection(self) -> Document[Protection]:
        aspect = msgspec.convert(self.aspect, Replication)
        value = Protection(select=Selector(names=("*",)), aspects={"replication": aspect})
        return Document("Protection", "web", value, SOURCE, Positions())

    def live(self) -> Live:
        declared = self.declared()
        vault = next(iter(declared_vaults(declared).values()))
        found = (resource_from(msgspec.convert(one, ItemBody), vault, Speller(declared, {})) for one in self.items)
        state = {one.address: one for one in found if one is not None}
        machines = (*self.machines, *self.unasked)
        return Live(state=state, machines=machines, disks=tuple(self.disks), unreadable=self.unreadable, site=self.site)

    def expand(self) -> tuple[dict[Address, Resource], list[Finding]]:
        document = self.protection()
        aspect = document.value.aspects["replication"]
        items = tuple(
            Assignment(vm, "replication", aspect, document, document.at("replication"), Objectives())
            for vm in self.machines
        )
        grown = list(KIND.expand(Expansion(self.declared(), items, self.live(), frozenset(), NOW)))
        resources = {one.address: one for one in grown if isinstance(one, Resource)}
        return resources, [one for one in grown if isinstance(one, Finding)]

    def compare(self, name: str = "web-01", group: str = "rg-app") -> Comparison[Any]:
        """One VM on both sides, in normal form."""
        desired, _ = self.expand()
        live = self.live()
        address = Address("replicated_vm", f"prod/{group}", name)
        wanted, found = desired.get(address), live.state.get(address)
        after = KIND.normalise(wanted.spec) if wanted else None  # type: ignore[arg-type]
        before = KIND.normalise(found.spec) if found else None  # type: ignore[arg-type]
        fields = tuple(
            FieldChange(path=one, before=getattr(before, one), after=getattr(after, one))
            for one in KIND.rules
            if after and before and one != "networks" and getattr(after, one) != getattr(before, one)
        )
        return Comparison(address, wanted, found, fields, Situation(self.declared(), desired, live, NOW))


@pytest.fixture
def estate() -> Estate:
    return Estate()


@pytest.fixture
def replicated() -> Callable[..., Estate]:
    """One VM, replicated as the policies have it; changes are laid over its item."""

    def make(aspect: dict[str, Any] | None = None, **changes: Any) -> Estate:
        found = Estate(aspect={"targetRegion": "northeurope", **(aspect or {})})
        vm = found.add(machine())
        found.items.append(item(vm, **changes))
        return found

    return make
