"""What a protected virtual machine was when it was deleted: the service that holds copies of it can still tell."""

from typing import Any

from reconciler.emulator.providers.backup_names import ITEMS, MACHINES
from reconciler.emulator.providers.compute_disks import attached, disk_id
from reconciler.emulator.world import World

Body = dict[str, Any]

_COLLECTION = "deleted-machines"


def remember_machine(world: World, machine: Body) -> None:
    """Keeps a protected machine with its disks; called before it is deleted. One that no vault protects is gone."""
    if not world.store.find(ITEMS, vm=machine["id"]):
        return
    disks = {entry_id.lower(): world.store.get(entry_id) for entry_id in map(disk_id, attached(machine)) if entry_id}
    kept = {"machine": machine, "disks": {key: disk for key, disk in disks.items() if disk is not None}}
    world.store.put_document(_COLLECTION, machine["id"].lower(), kept)


def remember_machines(world: World, scope: str) -> None:
    """All below a resource group that is deleted."""
    for machine in world.store.list(MACHINES, scope):
        remember_machine(world, machine)


def recall_machine(world: World, vm_id: str) -> tuple[Body, dict[str, Body]] | None:
    """A deleted machine and its disks by lower-cased id; None for one that nobody remembers."""
    kept = world.store.document(_COLLECTION, vm_id.lower())
    return (kept["machine"], kept["disks"]) if kept else None


def find_machine(world: World, vm_id: str) -> Body | None:
    """The machine as it is or, if it is gone, as it was."""
    machine = world.store.get(vm_id)
    if machine is not None:
        return machine
    recalled = recall_machine(world, vm_id)
    return recalled[0] if recalled else None
