"""The ``siteRecovery`` section of an estate: vaults with their topology, replicated machines and recovery plans.

```yaml
siteRecovery:
  - vault: rsv-dr                 # one of the section backup, or made here
    resourceGroup: rg-dr
    location: northeurope         # default: the group's
    policies: {day: {retentionHours: 24, appConsistentHours: 4}}
    routes:                       # fabrics, containers and mappings in both directions, under the portal's names
      - {from: westeurope, to: northeurope, policy: day, networks: {vnet-weu: vnet-neu}}
    machines:
      - vm: rg-app/web-01         # resource group and name
        to: northeurope
        resourceGroup: rg-dr
        cache: cacheweu           # a storage account in the machine's region
        state: Protected          # or InitialReplication, TestFailover, FailedOver, Committed
        protectedDaysAgo: 30
        drilledDaysAgo: 10        # left out: never
        failedOverDaysAgo: 0
        stalledHours: 0           # hours without a new recovery point
        group: web                # multi-VM group
        dataDisks: [0]            # LUNs; left out: all
    plans:
      - {name: rp-web, from: westeurope, to: northeurope, groups: [[web-01], [app-01]]}
```
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal

import msgspec

from reconciler.emulator.failures import ArmError
from reconciler.emulator.providers.backup_names import VAULTS
from reconciler.emulator.providers.compute import MACHINES
from reconciler.emulator.providers.compute_disks import attached, disk_id
from reconciler.emulator.providers.compute_estate import declared_group
from reconciler.emulator.providers.recovery_plan_rules import check_groups
from reconciler.emulator.providers.recovery_plans import new_plan
from reconciler.emulator.providers.replica_disks import make_replica
from reconciler.emulator.providers.replication_container_mappings import mapping_body
from reconciler.emulator.providers.replication_containers import container_body
from reconciler.emulator.providers.replication_drills import drill
from reconciler.emulator.providers.replication_fabrics import fabric_body
from reconciler.emulator.providers.replication_failovers import become_committed, become_failed_over
from reconciler.emulator.providers.replication_item_rules import check_enabling
from reconciler.emulator.providers.replication_item_state import Item, find_item, save
from reconciler.emulator.providers.replication_items import new_item
from reconciler.emulator.providers.replication_names import MAPPINGS, NETWORKS, REGIONS, capital, normal_region
from reconciler.emulator.providers.replication_networks import network_mapping_body
from reconciler.emulator.providers.replication_points import chosen_point
from reconciler.emulator.providers.replication_policies import check_ranges, policy_body
from reconciler.emulator.providers.replication_seeding import become_protected, begin_copy
from reconciler.emulator.providers.storage_accounts import ACCOUNTS
from reconciler.emulator.providers.vault_settings import DEFAULTS
from reconciler.emulator.providers.vaults import new_vault
from reconciler.emulator.router import Route
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

State = Literal["InitialReplication", "Protected", "TestFailover", "FailedOver", "Committed"]


class _Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What all lines have in common: unknown fields are errors."""


class PolicyShape(_Shape, frozen=True, rename="camel"):
    retention_hours: int = 24
    app_consistent_hours: int = 0
    multi_vm_sync: bool = True


class RouteShape(_Shape, frozen=True, rename={"source": "from"}):
    source: str
    to: str
    policy: str
    networks: dict[str, str] = {}


class ReplicatedShape(_Shape, frozen=True, rename="camel"):
    vm: str
    to: str
    resource_group: str
    cache: str
    state: State = "Protected"
    protected_days_ago: int = 30
    drilled_days_ago: int | None = None
    failed_over_days_ago: int = 0
    stalled_hours: int = 0
    group: str = ""
    data_disks: list[int] | None = None


class PlanShape(_Shape, frozen=True, rename={"source": "from"}):
    name: str
    source: str
    to: str
    groups: list[list[str]]


class VaultShape(_Shape, frozen=True, rename="camel"):
    vault: str
    resource_group: str
    location: str | None = None
    subscription: str | None = None
    policies: dict[str, PolicyShape] = {}
    routes: list[RouteShape] = []
    machines: list[ReplicatedShape] = []
    plans: list[PlanShape] = []


def seed(world: World, section: Any) -> None:
    """Raises ValueError for a line that is wrong, or that the service would refuse."""
    for shape in msgspec.convert(section, list[VaultShape]):
        try:
            _Builder(world, shape).build()
        except ArmError as refusal:
            raise ValueError(f"{shape.vault}: {refusal.message}") from refusal


class _Builder:
    """Fills one vault."""

    def __init__(self, world: World, shape: VaultShape) -> None:
        self._world, self._shape = world, shape
        self._group = declared_group(world, shape.vault, shape.resource_group, shape.subscription)
        self._vault = self._find_or_make()

    def _find_or_make(self) -> str:
        vault = f"{self._group['id']}/providers/{VAULTS}/{self._shape.vault}"
        if not self._world.store.has(vault):
            sent = {"location": self._shape.location or self._group["location"]}
            new_vault(self._world, vault, sent, dict(DEFAULTS))
        return capital(vault)

    def build(self) -> None:
        store = self._world.store
        for name, policy in self._shape.policies.items():
            body = policy_body(self._policy(name), _settings(policy))
            check_ranges(body["properties"]["providerSpecificDetails"])
            store.put(body["id"], body["type"], body)
        for route in self._shape.routes:
            self._build_pair(route.source, route.to, route.policy)
            self._build_pair(route.to, route.source, route.policy)
            for primary, recovery in route.networks.items():
                self._map_network(route.source, primary, route.to, recovery)
                self._map_network(route.to, recovery, route.source, primary)
        for machine in self._shape.machines:
            self._replicate(machine)
        for plan in self._shape.plans:
            self._build_plan(plan)

    def _policy(self, name: str) -> str:
        return f"{self._vault}/replicationPolicies/{name}"

    def _fabric(self, region: str) -> str:
        location = normal_region(region)
        if location not in REGIONS:
            raise ValueError(f"{self._shape.vault}: '{region}' is not a region of Site Recovery")
        return f"{self._vault}/replicationFabrics/asr-a2a-default-{location}"

    def _container(self, region: str) -> str:
        fabric = self._fabric(region)
        return f"{fabric}/replicationProtectionContainers/{fabric.rpartition('/')[2]}-container"

    def _build_pair(self, source: str, target: str, policy: str) -> None:
        store = self._world.store
        if not store.has(self._policy(policy)):
            raise ValueError(f"{self._shape.vault}: a route names the policy {policy}, which the vault does not have")
        for region in (source, target):
            fabric = fabric_body(self._fabric(region), normal_region(region))
            container = container_body(self._container(region))
            store.put(fabric["id"], fabric["type"], fabric)
            store.put(container["id"], container["type"], container)
        name = f"{normal_region(source)}-{normal_region(target)}-{policy}"
        mapping_id = f"{self._container(source)}/replicationProtectionContainerMappings/{name}"
        mapping = mapping_body(mapping_id, self._policy(policy), self._container(target), {})
        store.put(mapping["id"], mapping["type"], mapping)

    def _map_network(self, source: str, primary: str, target: str, recovery: str) -> None:
        ids = [self._one(NETWORKS, name) for name in (primary, recovery)]
        name = f"{primary}-{recovery}"
        mapping_id = f"{self._fabric(source)}/replicationNetworks/azureNetwork/replicationNetworkMappings/{name}"
        mapping = network_mapping_body(mapping_id, ids[0], ids[1], self._fabric(target))
        self._world.store.put(mapping["id"], mapping["type"], mapping)

    def _one(self, type_: str, name: str) -> str:
        """The id of the one resource of a type and name. Raises ValueError."""
        found = [one for one in self._world.store.ids(type_) if one.rpartition("/")[2].lower() == name.lower()]
        if len(found) != 1:
            raise ValueError(f"{self._shape.vault}: needs exactly one {type_} {name}, and there are {len(found)}")
        return found[0]

    def _replicate(self, shape: ReplicatedShape) -> None:
        world, machine = self._world, self._machine(shape.vm)
        container = self._container(machine["location"])
        item_id = f"{container}/replicationProtectedItems/{machine['name']}"
        if world.store.has(item_id):  # a machine of that name in another resource group
            item_id = f"{container}/replicationProtectedItems/{shape.vm.replace('/', '-')}"
        sent = self._sent(shape, machine)
        mapping = self._mapping_to(container, shape.to)
        item = new_item(world, item_id, check_enabling(world, item_id, mapping["policy"], sent), sent)
        save(world, item)
        if shape.state == "InitialReplication":
            begin_copy(world, item)
            return
        for disk in item.disks:
            make_replica(world, item, disk)
        become_protected(world, item)
        self._age(item, shape)
        self._bring_into_state(item, shape)

    def _machine(self, vm: str) -> Body:
        group, _, name = vm.partition("/")
        for one in self._world.store.ids(MACHINES):
            parts = one.split("/")
            if (parts[4].lower(), parts[-1].lower()) == (group.lower(), name.lower()):
                return self._world.store.get(one) or {}
        raise ValueError(f"{self._shape.vault}: there is no virtual machine {vm} in this estate")

    def _sent(self, shape: ReplicatedShape, machine: Body) -> Body:
        group = declared_group(self._world, shape.vm, shape.resource_group, self._shape.subscription)["id"]
        luns = shape.data_disks
        entries = [one for one in attached(machine) if "osType" in one or luns is None or one["lun"] in luns]
        disks = [
            {
                "diskId": disk_id(one),
                "primaryStagingAzureStorageAccountId": self._one(ACCOUNTS, shape.cache),
                "recoveryResourceGroupId": group,
            }
            for one in entries
        ]
        return {
            "instanceType": "A2A",
            "fabricObjectId": machine["id"],
            "recoveryContainerId": self._container(shape.to),
            "recoveryResourceGroupId": group,
            "multiVmGroupName": shape.group,
            "vmManagedDisks": disks,
        }

    def _mapping_to(self, container: str, region: str) -> Body:
        for body in self._world.store.list(MAPPINGS, container):
            if body["target"].lower() == self._container(region).lower():
                return body
        raise ValueError(f"{self._shape.vault}: no route leads from {container.rpartition('/')[2]} to {region}")

    def _age(self, item: Item, shape: ReplicatedShape) -> None:
        now = self._world.clock.now()
        item.since = now - timedelta(days=shape.protected_days_ago)
        item.points_from = item.since - timedelta(minutes=4)
        if shape.drilled_days_ago is not None:
            item.last_drill = now - timedelta(days=shape.drilled_days_ago)
        if shape.stalled_hours:
            item.stalled = now - timedelta(hours=shape.stalled_hours)
        save(self._world, item)

    def _bring_into_state(self, item: Item, shape: ReplicatedShape) -> None:
        world = self._world
        if shape.state == "TestFailover":
            drill(world, item, None, chosen_point(world, item, None))
        elif shape.state in ("FailedOver", "Committed"):
            become_failed_over(world, item, chosen_point(world, item, None), shuts_down=True)
            self._fail_over_before(find_item(world, item.id), shape.failed_over_days_ago)
            if shape.state == "Committed":
                become_committed(world, find_item(world, item.id))

    def _fail_over_before(self, item: Item, days: int) -> None:
        item.since = self._world.clock.now() - timedelta(days=days)
        if item.failover is not None:
            item.failover = msgspec.structs.replace(item.failover, made=item.since)
        save(self._world, item)

    def _build_plan(self, shape: PlanShape) -> None:
        plan_id = f"{self._vault}/replicationRecoveryPlans/{shape.name}"
        plan = new_plan(plan_id, self._fabric(shape.source), self._fabric(shape.to))
        items = f"{self._container(shape.source)}/replicationProtectedItems"
        groups: list[Mapping[str, Any]] = [
            {"groupType": "Boot", "replicationProtectedItems": [{"id": f"{items}/{name}"} for name in names]}
            for names in shape.groups
        ]
        plan["groups"] = check_groups(self._world, plan, groups)
        self._world.store.put(plan["id"], plan["type"], plan)


def _settings(shape: PolicyShape) -> Body:
    return {
        "recoveryPointHistory": shape.retention_hours * 60,
        "appConsistentFrequencyInMinutes": shape.app_consistent_hours * 60,
        "multiVmSyncStatus": "Enabled" if shape.multi_vm_sync else "Disabled",
    }


SECTION = "siteRecovery"
ROUTES: tuple[Route, ...] = ()
