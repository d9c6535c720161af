"""Changes of a replicated machine in place: its place in the target region, its disks, its agent, its health errors."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec

from reconciler.emulator.operations import Operation
from reconciler.emulator.providers.replica_disks import make_replica, remove_disk
from reconciler.emulator.providers.replica_interfaces import change_interfaces
from reconciler.emulator.providers.replication_item_rules import check_disks, check_network
from reconciler.emulator.providers.replication_item_state import GIB, SECONDS_PER_GIB, Disk, Item, find_item, save
from reconciler.emulator.providers.replication_items import free_item
from reconciler.emulator.providers.replication_names import ITEM, below, location_of, name_of, same
from reconciler.emulator.providers.replication_refusals import refuse
from reconciler.emulator.providers.replication_scenarios import (
    ADD_DISKS,
    REMOVE_DISKS,
    REPAIR,
    RESOLVE_HEALTH,
    UPDATE_AGENT,
    UPDATE_ITEM,
)
from reconciler.emulator.providers.replication_support import check_support, reckon_churn
from reconciler.emulator.providers.replication_work import item_at, start
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.world import Completion, World

NEWEST_AGENT = "9.66.7503.1"
_PLAIN = {"recoveryAzureVMName": "machine_name", "recoveryAzureVMSize": "size"}
_OF_THE_PROVIDER = {
    "tfoAzureVMName": "test_name",
    "recoveryAvailabilityZone": "zone",
    "recoveryBootDiagStorageAccountId": "boot_account",
    "recoveryProximityPlacementGroupId": "proximity_group",
    "recoveryVirtualMachineScaleSetId": "scale_set",
    "recoveryCapacityReservationGroupId": "capacity_group",
}
_DISK_FIELDS = {
    "recoveryTargetDiskAccountType": "target_type",
    "recoveryReplicaDiskAccountType": "replica_type",
    "failoverDiskName": "failover_name",
    "tfoDiskName": "test_name",
}


def patch_item(world: World, request: Request) -> Response:
    """202. The networks and every interface have to be sent again, or they are cleared."""
    item = find_item(world, below(world, request))
    properties = request.properties()
    _check_changeable(item)
    region = location_of(world, item.target)
    for name in ("selectedRecoveryAzureNetworkId", "selectedTfoAzureNetworkId"):
        check_network(world, properties.get(name), region)
    known = {nic["nicId"].lower() for nic in item.nics}
    for nic in properties.get("vmNics") or []:
        if str(nic.get("nicId", "")).lower() not in known:
            message = f"The network interface {nic.get('nicId')} is not one of the virtual machine {item.friendly}."
            raise refuse("wire", "VMNicNotFound", message)
    return start(world, request, item, UPDATE_ITEM, "replication.itemChanged", arguments={"sent": properties})


def _check_changeable(item: Item) -> None:
    if item.phase != "protected" or item.drill is not None:
        message = f"The properties of {item.friendly} cannot be changed while it is not replicating."
        raise refuse("ASR-50", "OperationNotAllowed", message, action="Wait until the item is Protected and retry.")


def complete_change(world: World, operation: Operation) -> None:
    item, sent = find_item(world, operation.resource), operation.arguments["sent"]
    details: Mapping[str, Any] = sent.get("providerSpecificDetails") or {}
    place = item.placement
    for name, field in _PLAIN.items():
        if sent.get(name):
            setattr(place, field, sent[name])
    for name, field in _OF_THE_PROVIDER.items():
        if name in details:
            setattr(place, field, details[name] or getattr(place, field))
    if sent.get("recoveryAvailabilitySetId"):
        place.availability_set = sent["recoveryAvailabilitySetId"]
    item.group = details.get("recoveryResourceGroupId") or item.group
    place.network = str(sent.get("selectedRecoveryAzureNetworkId") or "").lower() or None
    place.test_network = str(sent.get("selectedTfoAzureNetworkId") or "").lower() or None
    change_interfaces(item, sent.get("vmNics") or [], place.network)
    _change_disks(item, details.get("managedDiskUpdateDetails") or [])
    item.underway = None
    save(world, item)


def _change_disks(item: Item, sent: list[Mapping[str, Any]]) -> None:
    for one in sent:
        for disk in item.disks:
            if same(disk.id, str(one.get("diskId") or "")):
                for name, field in _DISK_FIELDS.items():
                    setattr(disk, field, one.get(name) or getattr(disk, field))


def add_disks(world: World, request: Request) -> Response:
    """Disks that were attached since: only they are copied (composed: add_remove_disks)."""
    item = item_at(world, request)
    _check_changeable(item)
    machine = world.store.get(item.vm)
    if machine is None:
        raise refuse("ASR-58", "VirtualMachineNotFound", f"The virtual machine {item.friendly} could not be found.")
    sent = (request.properties().get("providerSpecificDetails") or {}).get("vmManagedDisks") or []
    disks = check_disks(world, machine, location_of(world, item.id), sent)
    for disk in disks:
        if any(same(disk.id, held.id) for held in item.disks):
            raise refuse("wire", "VMDiskAlreadyProtected", f"The disk {disk.name} is replicated already.")
    return start(
        world, request, item, ADD_DISKS, "replication.disksAdded", arguments={"disks": msgspec.to_builtins(disks)}
    )


def complete_adding(world: World, operation: Operation) -> None:
    """The disks are there and pending until they are copied. Raises what keeps them from being replicated."""
    item = find_item(world, operation.resource)
    added = msgspec.convert(operation.arguments["disks"], list[Disk])
    check_support(world, item, added)
    for disk in added:
        disk.pending = True
        make_replica(world, item, disk)
    item.disks, item.underway = [*item.disks, *added], None
    save(world, item)
    length = timedelta(seconds=SECONDS_PER_GIB * sum(disk.size for disk in added) / GIB)
    names = [disk.id for disk in added]
    world.operations.start(
        "seeding disks", duration=length, on_done=("replication.disksCopied", {"disks": names}), resource=item.id
    )


def complete_disk_copy(world: World, operation: Operation) -> None:
    if not world.store.has(operation.resource):
        return
    item = find_item(world, operation.resource)
    for disk in item.disks:
        disk.pending = disk.pending and disk.id not in operation.arguments["disks"]
    reckon_churn(world, item)
    save(world, item)


def remove_disks(world: World, request: Request) -> Response:
    """Their replicas go, the disks stay as they are. The OS disk cannot be left out."""
    item = item_at(world, request)
    _check_changeable(item)
    wanted = (request.properties().get("providerSpecificDetails") or {}).get("vmManagedDisksIds") or []
    for disk_id in wanted:
        held = next((disk for disk in item.disks if same(disk.id, disk_id)), None)
        if held is None or held.is_os:
            message = f"The disk {name_of(disk_id)} is not a replicated data disk of {item.friendly}."
            raise refuse("wire", "VMDiskNotFound", message)
    return start(world, request, item, REMOVE_DISKS, "replication.disksRemoved", arguments={"disks": wanted})


def complete_removal(world: World, operation: Operation) -> None:
    item = find_item(world, operation.resource)
    leaving = [disk for disk in item.disks if any(same(disk.id, one) for one in operation.arguments["disks"])]
    for disk in leaving:
        remove_disk(world, disk.replica)
    item.disks = [disk for disk in item.disks if disk not in leaving]
    item.underway = None
    reckon_churn(world, item)
    save(world, item)


def update_agent(world: World, request: Request) -> Response:
    return start(world, request, item_at(world, request), UPDATE_AGENT, "replication.agentUpdated")


def complete_agent_update(world: World, operation: Operation) -> None:
    item = find_item(world, operation.resource)
    item.agent, item.underway = NEWEST_AGENT, None
    save(world, item)


def repair(world: World, request: Request) -> Response:
    """`repairReplication`; there is never anything to repair here."""
    return start(world, request, item_at(world, request), REPAIR, "replication.itemUnchanged")


def resolve_health(world: World, request: Request) -> Response:
    """What has a cause that lasts comes back."""
    return start(world, request, item_at(world, request), RESOLVE_HEALTH, "replication.itemUnchanged")


ROUTES: tuple[Route, ...] = (
    Route("PATCH", ITEM, patch_item),
    Route("POST", ITEM + "/addDisks", add_disks),
    Route("POST", ITEM + "/removeDisks", remove_disks),
    Route("POST", ITEM + "/updateMobilityService", update_agent),
    Route("POST", ITEM + "/repairReplication", repair),
    Route("POST", ITEM + "/resolveHealthErrors", resolve_health),
)
COMPLETIONS: Mapping[str, Completion] = {
    "replication.itemChanged": complete_change,
    "replication.itemChanged.failed": free_item,
    "replication.disksAdded": complete_adding,
    "replication.disksAdded.failed": free_item,
    "replication.disksCopied": complete_disk_copy,
    "replication.disksRemoved": complete_removal,
    "replication.disksRemoved.failed": free_item,
    "replication.agentUpdated": complete_agent_update,
    "replication.agentUpdated.failed": free_item,
    "replication.itemUnchanged": free_item,
    "replication.itemUnchanged.failed": free_item,
}
