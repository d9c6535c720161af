"""The virtual machine that a restore makes, or whose disks it replaces."""

from copy import deepcopy
from typing import Any

from reconciler.emulator.failures import ArmError
from reconciler.emulator.providers.backup_failures import VM_NOT_FOUND
from reconciler.emulator.providers.backup_names import part
from reconciler.emulator.providers.compute import MACHINES, power_state
from reconciler.emulator.providers.compute_bodies import offset_stamp
from reconciler.emulator.providers.compute_disks import free_disk, plan_disks, take_disks
from reconciler.emulator.providers.network_attachments import INTERFACES, bind_interfaces
from reconciler.emulator.providers.network_interfaces import save_interface
from reconciler.emulator.providers.protected_item_rules import OS_DISK_LUN
from reconciler.emulator.providers.restore_requests import Restore, RestoreSource
from reconciler.emulator.world import World

Body = dict[str, Any]

_OF_THE_GUEST = ("osProfile", "vmId", "timeCreated", "provisioningState", "instanceView")
"""What a VM that is built around restored disks does not take over from the one that was backed up."""


def make_machine(world: World, restore: Restore, source: RestoreSource, disks: dict[int, Body]) -> Body:
    """A running VM in the target group with one interface in the subnet. No `osProfile`: its disks are attached."""
    name, group = part(restore.target_vm, "virtualMachines"), restore.target_group
    origin = deepcopy(source.machine)
    properties = {key: value for key, value in origin["properties"].items() if key not in _OF_THE_GUEST}
    body: Body = {
        "name": name,
        "id": f"{group}/providers/{MACHINES}/{name}",
        "type": MACHINES,
        "location": restore.region,
        "tags": origin.get("tags") or {},
        "properties": properties,
    }
    zones = restore.zones or ([] if restore.secondary else origin.get("zones") or [])
    if zones and zones != ["NoZone"]:
        body["zones"] = zones
    interface = _make_interface(world, restore, name)
    properties["networkProfile"] = {"networkInterfaces": [{"id": interface, "properties": {"primary": True}}]}
    properties |= {
        "vmId": world.new_guid(),
        "timeCreated": offset_stamp(world.clock.now()),
        "provisioningState": "Succeeded",
        "storageProfile": _storage(origin, disks, keep_others=False),
    }
    take_disks(world, body, plan_disks(world, body, None, "running"))
    world.store.put(body["id"], MACHINES, body, hidden={"power": "running"})
    bind_interfaces(world, body, None)
    return body


def replace_disks(world: World, restore: Restore, disks: dict[int, Body]) -> Body:
    """The VM with the restored disks in place of its own, which stay behind unattached.

    Raises ArmError if it is gone, or runs again.
    """
    before = world.store.get(restore.vm)
    if before is None:
        raise ArmError(400, VM_NOT_FOUND, "The virtual machine is gone.")
    body = deepcopy(before)
    body["properties"]["storageProfile"] = _storage(before, disks, keep_others=True)
    change = plan_disks(world, body, before, power_state(world, restore.vm))
    take_disks(world, body, change)
    world.store.replace(body["id"], body)
    for identity in change.leaving:
        free_disk(world, identity)
    return body


def _storage(origin: Body, disks: dict[int, Body], *, keep_others: bool) -> Body:
    """The storage profile of a VM with restored disks by LUN, to be settled when they are attached."""
    storage: Body = dict(origin["properties"]["storageProfile"])
    if not keep_others:
        storage.pop("imageReference", None)  # a VM around disks that are there is made of no image
    held = {disk["lun"]: disk for disk in storage.get("dataDisks") or []}
    if OS_DISK_LUN in disks:
        storage["osDisk"] = _attach(storage["osDisk"], disks[OS_DISK_LUN])
    kept = {lun: disk for lun, disk in held.items() if keep_others and lun not in disks}
    fresh = {lun: _attach({"lun": lun, **held.get(lun, {})}, disk) for lun, disk in disks.items() if lun >= 0}
    return {**storage, "dataDisks": [entry for _, entry in sorted((kept | fresh).items())]}


def _attach(before: Body, disk: Body) -> Body:
    entry = {key: value for key, value in before.items() if key not in ("name", "diskSizeGB")}
    return {**entry, "createOption": "Attach", "managedDisk": {"id": disk["id"]}}


def _make_interface(world: World, restore: Restore, machine: str) -> str:
    """The network interface, with an address of the subnet. Answers its id; raises if the subnet is gone."""
    name = f"{machine}-nic-{world.new_guid().replace('-', '')}"
    configuration = {"name": f"{machine}-ipconfig", "properties": {"subnet": {"id": restore.subnet}}}
    properties = {
        "ipConfigurations": [configuration],
        "provisioningState": "Succeeded",
        "resourceGuid": world.new_guid(),
    }
    body: Body = {
        "name": name,
        "id": f"{restore.target_group}/providers/{INTERFACES}/{name}",
        "etag": f'W/"{world.new_guid()}"',
        "type": INTERFACES,
        "location": restore.region,
        "properties": properties,
    }
    save_interface(world, body, None)
    return str(body["id"])
