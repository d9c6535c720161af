"""The disks of a virtual machine: which it takes, makes and gives up when it is created or changed.

Refusals and their codes are those of Azure's page on VM errors and of users' reports; which status comes with a code is
told there only in part.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from reconciler.emulator.failures import ArmError, not_found
from reconciler.emulator.providers.compute_bodies import DISKS, DiskShape, disk_body
from reconciler.emulator.providers.disk_states import state_of
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

HIGHEST_LUN = 63


@dataclass(frozen=True, slots=True)
class DiskChange:
    """What becomes of the disks of a machine: its ``storage`` profile, the disks to store as ``taken``, and the ids of
    those that are ``leaving`` when the operation ends.
    """

    storage: Body
    taken: list[Body]
    leaving: list[str]


def attached(machine: Body | None) -> list[Body]:
    """The entries of a machine's storage profile, the OS disk first."""
    storage = (machine or {"properties": {}})["properties"].get("storageProfile") or {}
    return [*([storage["osDisk"]] if storage.get("osDisk") else []), *(storage.get("dataDisks") or [])]


def disk_id(entry: Body) -> str:
    return str((entry.get("managedDisk") or {}).get("id") or "")


def plan_disks(world: World, machine: Body, before: Body | None, power: str) -> DiskChange:
    """Checks the storage profile of a machine against what there is; nothing is changed.

    Raises ArmError for what cannot be attached.
    """
    storage: dict[str, Any] = dict(machine["properties"].get("storageProfile") or {})
    os_disk = dict(storage.get("osDisk") or {})
    data = [dict(entry) for entry in storage.get("dataDisks") or [] if not entry.get("toBeDetached")]
    if before is None:
        _check_os_disk(machine, storage, os_disk)
        os_disk.setdefault("osType", _os_type(machine))
    _check_luns(data)
    held = {key: entry for entry in attached(before) for key in (disk_id(entry).lower(), entry["name"]) if key}
    place = _Place(machine, held, power)
    settled = [place.settle(world, os_disk, "OsDisk_1", caching="ReadWrite")]
    settled += [place.settle(world, entry, f"disk{number}", caching="None") for number, entry in enumerate(data, 2)]
    storage["osDisk"], *storage["dataDisks"] = [entry for entry, _ in settled]
    kept = [disk_id(entry).lower() for entry, _ in settled]
    if doubled := sorted({identity for identity in kept if kept.count(identity) > 1}):
        raise _invalid("dataDisks", f"A disk named '{doubled[0].rsplit('/', 1)[-1]}' already exists.")
    leaving = [disk_id(entry) for entry in attached(before) if disk_id(entry).lower() not in kept]
    _check_swap(before, leaving, power)
    return DiskChange(storage, [disk for _, disk in settled if disk is not None], leaving)


def take_disks(world: World, machine: Body, change: DiskChange) -> None:
    """Makes a planned change of disks true, but for those that leave: ``free_disk`` does that at the end."""
    machine["properties"]["storageProfile"] = change.storage
    for disk in change.taken:
        world.store.put(disk["id"], DISKS, disk)


def free_disk(world: World, identity: str) -> None:
    """A disk that no machine has any more."""
    disk = world.store.get(identity)
    if disk is not None:
        disk.pop("managedBy", None)
        if disk["properties"]["diskState"] != "ActiveSAS":
            disk["properties"]["diskState"] = state_of(disk, "")
        world.store.replace(identity, disk)


@dataclass(frozen=True, slots=True)
class _Place:
    """A machine that disks come to; those it ``held`` go by id and by name."""

    machine: Body
    held: dict[str, Body]
    power: str

    def settle(self, world: World, given: Body, role: str, *, caching: str) -> tuple[Body, Body | None]:
        """The entry of one disk, as the service serves it, and the disk if it comes new to the machine."""
        identity = disk_id(given)
        known = self.held.get(identity.lower()) or (None if identity else self.held.get(str(given.get("name"))))
        if known is not None:
            return {**known, **given, "name": known["name"], "managedDisk": known["managedDisk"]}, None
        option = given.get("createOption") or ("Attach" if identity else "Empty")
        disk = self._existing(world, identity) if option == "Attach" else self._made(world, given, role)
        disk["managedBy"] = self.machine["id"]
        disk["properties"]["diskState"] = state_of(disk, self.power)
        settled = {"createOption": option, "deleteOption": "Detach", "caching": caching, **given, "name": disk["name"]}
        settled["managedDisk"] = {"storageAccountType": disk["sku"]["name"], "id": disk["id"]}
        settled["diskSizeGB"] = disk["properties"]["diskSizeGB"]
        return settled, disk

    def _existing(self, world: World, identity: str) -> Body:
        if not identity:
            raise _invalid("managedDisk.id", "Required parameter 'managedDisk.id' is missing (null).")
        disk = world.store.get(identity)
        if disk is None:
            raise not_found(identity)
        if disk["location"] != self.machine["location"]:
            raise ArmError(404, "NotFound", f"Resource {disk['name']} is not found.")
        _check_owner(world, disk, self.machine)
        if disk["properties"]["diskState"] == "ActiveSAS":
            message = f"There is an active shared access signature outstanding for disk {disk['name']}. "
            raise ArmError(409, "OperationNotAllowed", f"{message}Call EndGetAccess before attaching the disk.")
        _check_zone(disk, self.machine)
        return disk

    def _made(self, world: World, given: Body, role: str) -> Body:
        name = str(given.get("name") or f"{self.machine['name']}_{role}_{world.new_guid().replace('-', '')}")
        group = self.machine["id"].partition("/providers/")[0]
        made = f"{group}/providers/{DISKS}/{name}"
        if world.store.has(disk_id(given) or made):
            message = f"Disk {name} already exists in resource group {group.rsplit('/', 1)[-1].upper()}. "
            raise _conflict(made, f"{message}Only CreateOption.Attach is supported.")
        default = 127 if given.get("osType") == "Windows" else 30
        sku = (given.get("managedDisk") or {}).get("storageAccountType", "Premium_LRS")
        shape = DiskShape(size_gb=given.get("diskSizeGB", default), sku=sku)
        zone = (self.machine.get("zones") or [None])[0]
        body = disk_body(
            name, shape, group, self.machine["location"], world.clock.now(), os=given.get("osType"), zone=zone
        )
        body["properties"]["uniqueId"] = world.new_guid()  # not that of an earlier disk of the same name
        return body


def _check_os_disk(machine: Body, storage: Body, os_disk: Body) -> None:
    """An OS disk that is there already brings its system along: no image, no profile for a first start."""
    if os_disk.get("createOption") != "Attach":
        return
    if storage.get("imageReference"):
        message = "Cannot attach an existing OS disk if the VM is created from a platform or user image."
        raise _invalid("osDisk", message)
    if machine["properties"].get("osProfile"):
        raise _invalid("osProfile", "Parameter 'osProfile' is not allowed.")
    if not os_disk.get("osType"):
        raise _invalid("osDisk.osType", "Required parameter 'osDisk.osType' is missing (null).")


def _os_type(machine: Body) -> str:
    return "Windows" if "windowsConfiguration" in (machine["properties"].get("osProfile") or {}) else "Linux"


def _check_luns(entries: Iterable[Body]) -> None:
    used: dict[int, str] = {}
    for entry in entries:
        lun = entry.get("lun")
        if not isinstance(lun, int):
            raise _invalid("dataDisk.lun", "Required parameter 'dataDisk.lun' is missing (null).")
        if not 0 <= lun <= HIGHEST_LUN:
            message = (
                f"The value '{lun}' of parameter 'dataDisk.lun' is out of range. Value '{lun}' must be between '0' and "
                f"'{HIGHEST_LUN}' inclusive."
            )
            raise _invalid("dataDisk.lun", message)
        if lun in used:
            raise _invalid("dataDisk.lun", f"A disk named '{used[lun]}' already uses the same LUN: {lun}.")
        used[lun] = str(entry.get("name") or disk_id(entry).rsplit("/", 1)[-1])


def _check_owner(world: World, disk: Body, machine: Body) -> None:
    owner = str(disk.get("managedBy") or "")
    if not owner:
        return
    holder = world.store.get(owner)
    if holder is not None and all(disk_id(entry).lower() != disk["id"].lower() for entry in attached(holder)):
        message = (
            f"Cannot attach data disk '{disk['name']}' to VM '{machine['name']}' because the disk is currently being "
            "detached. Please wait until the disk is completely detached and then try again."
        )
        raise ArmError(409, "AttachDiskWhileBeingDetached", message)
    raise _conflict(disk["id"], f"Disk '{disk['id']}' cannot be attached as the disk is already owned by VM '{owner}'.")


def _check_zone(disk: Body, machine: Body) -> None:
    """Zone-redundant disks fit everywhere, others only their own zone, and regional ones only regional machines."""
    theirs, ours = ((body.get("zones") or [""])[0] for body in (disk, machine))
    if theirs == ours or disk["sku"]["name"].endswith("_ZRS"):
        return
    refusal = f"Disk {disk['id']} cannot be attached to the VM because it is not in "
    why = f"the same zone as the VM. VM zone: '{ours}'. Disk zone: '{theirs}'." if theirs else f"zone '{ours}'."
    raise ArmError(400, "BadRequest", refusal + why)


def _check_swap(before: Body | None, leaving: list[str], power: str) -> None:
    """The OS disk is exchanged while the machine is off."""
    old = disk_id(attached(before)[0]) if attached(before) else ""
    if power == "running" and before is not None and old in leaving:
        message = (
            f"Operation 'Swap OS disk' is not allowed on VM '{before['name']}' since the VM is running. "
            "Please power off explicitly in case you shut down the VM from inside the guest operating system."
        )
        raise ArmError(409, "OperationNotAllowed", message)


def _invalid(target: str, message: str) -> ArmError:
    return ArmError(400, "InvalidParameter", message, extra={"target": target})


def _conflict(target: str, message: str) -> ArmError:
    return ArmError(409, "ConflictingUserInput", message, extra={"target": target})
