"""The diskState of a disk that a machine has: ``Attached`` while this is allocated, ``Reserved`` while it is not."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.emulator.failures import ArmError
from reconciler.emulator.store import Body
from reconciler.emulator.world import World


def state_of(disk: Body, power: str) -> str:
    """``power`` is that of the machine which the disk is attached to, if it is."""
    if not disk.get("managedBy"):
        return "Unattached"
    return "Reserved" if power == "deallocated" else "Attached"


def follow_power(world: World, machine: Body, power: str) -> None:
    """Called when the power of a machine has changed. A disk that is open for reading stays so."""
    for disk in _disks(world, machine):
        if disk["properties"]["diskState"] != "ActiveSAS":
            disk["properties"]["diskState"] = state_of(disk, power)
            world.store.replace(disk["id"], disk)


def check_closed(world: World, machine: Body) -> None:
    """Raises ArmError 409 for a machine that is to start while one of its disks is open for reading."""
    for disk in _disks(world, machine):
        if disk["properties"]["diskState"] == "ActiveSAS":
            message = f"There is an active shared access signature outstanding for disk {disk['name']}. "
            raise ArmError(409, "OperationNotAllowed", f"{message}Call EndGetAccess before starting the VM.")


def _disks(world: World, machine: Body) -> Iterator[Body]:
    storage = machine["properties"].get("storageProfile", {})
    for attached in [storage.get("osDisk", {}), *storage.get("dataDisks", [])]:
        disk = world.store.get(attached.get("managedDisk", {}).get("id", ""))
        if disk is not None:
            yield disk
