"""The virtual machine that a restore makes, or whose disks it replaces."""

from copy import deepcopy
from typing import Any

from reconciler.emulator.failures import ArmError
from reconciler.emulator.providers.backup_failures import VM_NOT_FOUND
from reconciler.emulator.providers.backup_names import part
from reconciler.emulator.providers.compute import DISKS, MACHINES
from reconciler.emulator.providers.compute_bodies import offset_stamp
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
    properties["storageProfile"].pop("imageReference", None)
    properties |= {
        "vmId": world.new_guid(),
        "timeCreated": offset_stamp(world.clock.now()),
        "provisioningState": "Succeeded",
    }
    _attach(world, body, disks, keep_others=False)
    world.store.put(body["id"], MACHINES, body, hidden={"power": "running"})
    bind_interfaces(world, body, None)
    return body


def replace_disks(world: World, restore: Restore, disks: dict[int, Body]) -> Body:
    """The VM with the restored disks in place of its own, which stay behind unattached. Raises if it is gone."""
    body = world.store.get(restore.vm)
    if body is None:
        raise ArmError(400, VM_NOT_FOUND, "The virtual machine is gone.")
    storage = body["properties"]["storageProfile"]
    attached = {OS_DISK_LUN: storage["osDisk"], **{disk["lun"]: disk for disk in storage.get("dataDisks") or []}}
    for lun in disks:
        _release(world, (attached.get(lun) or {}).get("managedDisk", {}).get("id", ""))
    _attach(world, body, disks, keep_others=True)
    world.store.replace(body["id"], body)
    return body


def _release(world: World, disk_id: str) -> None:
    disk = world.store.get(disk_id)
    if disk is not None:
        disk.pop("managedBy", None)
        disk["properties"]["diskState"] = "Unattached"
        world.store.replace(disk["id"], disk)


def _attach(world: World, machine: Body, disks: dict[int, Body], *, keep_others: bool) -> None:
    for disk in disks.values():
        disk["managedBy"] = machine["id"]
        disk["properties"]["diskState"] = "Attached"
        world.store.put(disk["id"], DISKS, disk)
    storage = machine["properties"]["storageProfile"]
    held = {disk["lun"]: disk for disk in storage.get("dataDisks") or []}
    if OS_DISK_LUN in disks:
        storage["osDisk"] = _attached(storage["osDisk"], disks[OS_DISK_LUN])
    kept = {lun: disk for lun, disk in held.items() if keep_others and lun not in disks}
    fresh = {lun: _attached({"lun": lun, **held.get(lun, {})}, disk) for lun, disk in disks.items() if lun >= 0}
    storage["dataDisks"] = [entry for _, entry in sorted((kept | fresh).items())]


def _attached(before: Body, disk: Body) -> Body:
    managed = {"storageAccountType": disk["sku"]["name"], "id": disk["id"]}
    return {
        **before,
        "name": disk["name"],
        "createOption": "Attach",
        "managedDisk": managed,
        "diskSizeGB": disk["properties"]["diskSizeGB"],
    }


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
