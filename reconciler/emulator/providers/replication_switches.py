"""Reprotection: the item moves to the other fabric, with its directions swapped (recorded: the switch and its job).

Its name, lifecycle id, multi-VM group and first locations stay; its id does not. The machine that was failed over from
is deleted with its interfaces and its replicated disks, which become replicas; after a failback it is only shut down.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from reconciler.emulator.operations import Operation
from reconciler.emulator.providers.backup_names import part
from reconciler.emulator.providers.network_attachments import interface_references
from reconciler.emulator.providers.replica_machines import remove_machine, shut_down
from reconciler.emulator.providers.replication_container_mappings import find_pair
from reconciler.emulator.providers.replication_containers import find_container
from reconciler.emulator.providers.replication_failovers import become_committed
from reconciler.emulator.providers.replication_item_rules import check_disks, check_placement
from reconciler.emulator.providers.replication_item_state import Disk, Item, find_item, save
from reconciler.emulator.providers.replication_items import free_item
from reconciler.emulator.providers.replication_names import (
    CONTAINER,
    PLANS,
    below,
    capital,
    location_of,
    name_of,
    parent_of,
    same,
    vault_of,
)
from reconciler.emulator.providers.replication_networks import mapped_network
from reconciler.emulator.providers.replication_refusals import fail, refuse
from reconciler.emulator.providers.replication_scenarios import COMMIT_TASK, SWITCH
from reconciler.emulator.providers.replication_seeding import begin_copy
from reconciler.emulator.providers.replication_work import check_allowed, start
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.store import Body
from reconciler.emulator.world import Completion, World


class Switch(msgspec.Struct, frozen=True):
    """A checked reprotection: the new target container, policy, resource group and zone, and the disks to send back."""

    target: str
    policy: str
    group: str
    disks: list[Disk]
    zone: str | None = None
    availability_set: str | None = None


def switch_protection(world: World, request: Request) -> Response:
    """POST on the container that the item is in; the Location speaks of the container as well."""
    container = find_container(world, below(world, request).rpartition("/")[0])
    properties = request.properties()
    name = str(properties.get("replicationProtectedItemName") or "")
    item = find_item(world, f"{container['id']}/replicationProtectedItems/{name}")
    check_allowed(item, "ReverseReplicate", "Reprotect")
    switch = check_switch(world, item, properties.get("providerSpecificDetails") or {})
    new_id = f"{item.target}/replicationProtectedItems/{item.name}"
    return start(
        world,
        request,
        item,
        SWITCH,
        "replication.switched",
        arguments={"switch": msgspec.to_builtins(switch)},
        details={"instanceType": "SwitchProtectionJobDetails", "newReplicationProtectedItemId": new_id},
        resource=container["id"],
        skips=(COMMIT_TASK,) if item.phase == "committed" else (),
    )


def check_switch(world: World, item: Item, sent: Mapping[str, Any]) -> Switch:
    """Raises the refusal of the first rule that a reprotection breaks. The network cannot be chosen (ASR-56)."""
    machine = world.store.get(item.failover.machine if item.failover else "")
    if machine is None:
        message = f"The failed over virtual machine of {item.friendly} could not be found."
        raise refuse("ASR-54", "VirtualMachineNotFound", message, action="Disable the replication of the item.")
    target = find_container(world, str(sent.get("recoveryContainerId") or parent_of(item.id)))
    pair = find_pair(world, item.target, target["id"])
    wanted = str(sent.get("policyId") or (pair or {}).get("policy", ""))
    if pair is None or not same(pair["policy"], wanted):
        message = f"The container {name_of(item.target)} is not mapped to {target['name']} with this policy."
        action = "Create the container mapping in the reverse direction and retry."
        raise refuse("ASR-54", "ProtectionContainerNotPaired", message, action=action)
    group = str(sent.get("recoveryResourceGroupId") or "/".join(item.vm.split("/")[:5]))
    check_placement(world, machine, item.target, target["id"], {**sent, "recoveryResourceGroupId": group})
    disks = check_disks(world, machine, location_of(world, item.target), sent.get("vmManagedDisks") or [])
    zone, availability_set = sent.get("recoveryAvailabilityZone"), sent.get("recoveryAvailabilitySetId")
    return Switch(capital(target["id"]), capital(pair["policy"]), group, disks, zone, availability_set)


def complete_switch(world: World, operation: Operation) -> None:
    switch = msgspec.convert(operation.arguments["switch"], Switch)
    reprotect(world, find_item(world, operation.resource), switch)


def reprotect(world: World, item: Item, switch: Switch) -> Item:
    """Moves an item to the other side and begins to send changes back. Raises where the old machine is gone."""
    old = world.store.get(item.vm)
    if item.failover is None or old is None:
        cause = f"The virtual machine {item.friendly} in the original region was deleted."
        action = "Disable the replication, and enable it again in the other direction."
        raise fail("ASR-54", "150161", "Reprotect of the virtual machine failed.", cause=cause, action=action)
    if item.phase == "failedOver":
        become_committed(world, item)
    moved = _moved(world, item, switch, old)
    world.store.delete(item.id)
    if item.switches % 2:
        shut_down(world, item.vm)
    else:
        remove_machine(world, item.vm, {disk.id.lower() for disk in item.disks})
    save(world, moved)
    _follow(world, item.id, moved.id)
    begin_copy(world, moved)
    return moved


def _moved(world: World, item: Item, switch: Switch, old: Body) -> Item:
    """The item as it begins on the other side."""
    assert item.failover is not None
    network, subnet = _network_of(world, old)
    source_fabric, target_fabric = (
        container.partition("/replicationProtectionContainers/")[0] for container in (item.target, switch.target)
    )
    mapped = mapped_network(world, source_fabric, item.placement.network or "", target_fabric)
    for disk in switch.disks:
        disk.replica = f"{disk.group}/providers/Microsoft.Compute/disks/{disk.name.lower()}-ASRReplica"
        disk.former_target = ""
    placement = msgspec.structs.replace(
        item.placement,
        machine_name=part(item.vm, "virtualMachines"),
        test_name=f"{part(item.vm, 'virtualMachines')}-test",
        network=mapped or network,
        subnet=subnet,
        test_network=None,
        zone=switch.zone,
        availability_set=switch.availability_set,
        proximity_group=None,
        scale_set=None,
        capacity_group=None,
    )
    return msgspec.structs.replace(
        item,
        id=f"{item.target}/replicationProtectedItems/{item.name}",
        vm=item.failover.machine,
        policy=switch.policy,
        target=switch.target,
        group=switch.group,
        disks=switch.disks,
        placement=placement,
        nics=[],
        failover=None,
        underway=None,
        points_from=None,
        last_drill=None,
        stalled=None,
        switches=item.switches + 1,
    )


def _network_of(world: World, machine: Body) -> tuple[str | None, str | None]:
    """The network and the name of the subnet that a machine's first interface is in; ids in lower case."""
    for reference in interface_references(machine):
        interface = world.store.get(str(reference["id"]))
        if interface is not None:
            subnet = str(interface["properties"]["ipConfigurations"][0]["properties"]["subnet"]["id"])
            return subnet.partition("/subnets/")[0].lower(), name_of(subnet)
    return None, None


def _follow(world: World, old_id: str, new_id: str) -> None:
    """Recovery plans go on to hold an item that moved."""
    for plan in world.store.list(PLANS, vault_of(old_id)):
        members = [member for group in plan["groups"] for member in group["replicationProtectedItems"]]
        held = [member for member in members if same(member["id"], old_id)]
        for member in held:
            member["id"] = new_id
        if held:
            world.store.replace(plan["id"], plan)


ROUTES: tuple[Route, ...] = (Route("POST", CONTAINER + "/switchprotection", switch_protection),)
COMPLETIONS: Mapping[str, Completion] = {
    "replication.switched": complete_switch,
    "replication.switched.failed": free_item,
}
