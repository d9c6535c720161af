"""Virtual machines that Site Recovery makes of a recovery point, and takes away again.

A failed-over machine has attached disks, hence no image and no ``osProfile``; its name, size and place are those that
the item says (recorded: failover_commit_reprotect_failback).
"""

from __future__ import annotations

from collections.abc import Collection
from copy import deepcopy

from reconciler.emulator.providers.compute import MACHINES
from reconciler.emulator.providers.compute_bodies import offset_stamp
from reconciler.emulator.providers.compute_disks import attached, disk_id, free_disk
from reconciler.emulator.providers.network_attachments import bind_interfaces, interface_references, remove_interface
from reconciler.emulator.providers.replica_disks import make_disk
from reconciler.emulator.providers.replica_interfaces import Wiring
from reconciler.emulator.providers.replication_item_state import Item
from reconciler.emulator.providers.replication_names import location_of
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

_OF_THE_GUEST = ("osProfile", "instanceView", "networkProfile", "storageProfile")


def remember_machine(world: World, item: Item) -> Body:
    """The machine as it is, or, when it is gone, as it last was."""
    machine = world.store.get(item.vm)
    if machine is not None:
        world.store.hide(item.id, {"machine": machine})
        return machine
    kept: Body = world.store.hidden(item.id).get("machine") or {"name": item.friendly, "properties": {}}
    return kept


def make_machine(world: World, item: Item, *, test_network: str | None = None, is_test: bool = False) -> str:
    """A running machine in the target resource group. Answers its id.

    Raises ArmError where a network or an address cannot be had.
    """
    source, place = remember_machine(world, item), item.placement
    name = place.test_name if is_test else place.machine_name
    body: Body = {
        "name": name,
        "id": f"{item.group}/providers/{MACHINES}/{name}",
        "type": MACHINES,
        "location": location_of(world, item.target),
        "tags": dict(source.get("tags") or item.tags),
    }
    if place.zone:
        body["zones"] = [place.zone]
    kept = {key: value for key, value in deepcopy(source["properties"]).items() if key not in _OF_THE_GUEST}
    body["properties"] = {
        **kept,
        "hardwareProfile": {"vmSize": place.size},
        "provisioningState": "Succeeded",
        "vmId": world.new_guid(),
        **({"availabilitySet": {"id": place.availability_set}} if place.availability_set else {}),
        "storageProfile": _storage(world, item, source, body["id"], is_test=is_test),
        "networkProfile": {"networkInterfaces": Wiring(world, item, body, test_network).make_interfaces()},
        "timeCreated": offset_stamp(world.clock.now()),
    }
    if not place.availability_set:
        body["properties"].pop("availabilitySet", None)
    before = world.store.get(body["id"])
    world.store.put(body["id"], MACHINES, body, hidden={"power": "running", "replica": item.id})
    bind_interfaces(world, body, before)
    return str(body["id"])


def _storage(world: World, item: Item, source: Body, machine_id: str, *, is_test: bool) -> Body:
    """Attached disks in the places of those that they are copies of; a disk that is not replicated is not there."""
    profile = source["properties"].get("storageProfile") or {}
    held = {disk_id(entry).lower(): entry for entry in attached(source)}
    entries: list[Body] = []
    for disk in (disk for disk in item.disks if not disk.pending):
        made = make_disk(world, item, disk, disk.test_name if is_test else disk.failover_name, machine_id)
        if not is_test:
            disk.target = disk.former_target = made["id"]
        before = held.get(disk.id.lower(), {})
        entries.append(
            {
                **({"osType": item.os} if disk.is_os else {"lun": before.get("lun", len(entries) - 1)}),
                "name": made["name"],
                "createOption": "Attach",
                "caching": before.get("caching", "ReadWrite"),
                "managedDisk": {"storageAccountType": made["sku"]["name"], "id": made["id"]},
                "deleteOption": "Detach",
                "diskSizeGB": made["properties"]["diskSizeGB"],
            }
        )
    controller = {"diskControllerType": profile["diskControllerType"]} if "diskControllerType" in profile else {}
    os_disk = next((entry for entry in entries if "osType" in entry), {})
    return {"osDisk": os_disk, "dataDisks": [entry for entry in entries if "lun" in entry], **controller}


def remove_machine(world: World, machine_id: str, disks: Collection[str] | None = None) -> None:
    """Takes a machine away with its interfaces and its disks, or (ids in lower case) with these ones of them."""
    machine = world.store.get(machine_id)
    if machine is None:
        return
    for entry in attached(machine):
        free_disk(world, disk_id(entry))
        if disks is None or disk_id(entry).lower() in disks:
            world.store.delete(disk_id(entry))
    for reference in interface_references(machine):
        remove_interface(world, str(reference["id"]))
    world.store.delete(machine_id)


def shut_down(world: World, machine_id: str) -> None:
    """Deallocates a machine, if it is there."""
    if world.store.has(machine_id):
        world.store.hide(machine_id, {**world.store.hidden(machine_id), "power": "deallocated"})
