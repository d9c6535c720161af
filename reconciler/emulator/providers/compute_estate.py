"""The ``virtualMachines`` and ``disks`` sections of an estate."""

from __future__ import annotations

from typing import Any

import msgspec

from reconciler.emulator.providers.compute import DISKS, MACHINES
from reconciler.emulator.providers.compute_bodies import DiskShape, MachineShape, Place, disk_body, machine_and_disks
from reconciler.emulator.providers.disk_states import state_of
from reconciler.emulator.providers.resources import GROUPS, subscription_scope
from reconciler.emulator.router import Route
from reconciler.emulator.store import Body
from reconciler.emulator.world import World


class LooseDiskShape(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A line of an estate's ``disks``: one that no machine uses."""

    name: str
    resource_group: str
    size_gb: int = msgspec.field(name="sizeGB", default=128)
    sku: str = "Standard_LRS"
    subscription: str | None = None
    tags: dict[str, str] | None = None


def seed_machines(world: World, section: Any) -> None:
    """Machines with their disks; raises ValueError for a line that is wrong."""
    for shape in msgspec.convert(section, list[MachineShape]):
        group = declared_group(world, shape.name, shape.resource_group, shape.subscription)
        body, disks = machine_and_disks(shape, Place(group["id"], group["location"], world.clock.now()))
        world.store.put(body["id"], MACHINES, body, hidden={"power": shape.power})
        for disk in disks:
            disk["properties"]["diskState"] = state_of(disk, shape.power)
            world.store.put(disk["id"], DISKS, disk)


def seed_disks(world: World, section: Any) -> None:
    """Disks without a machine; raises ValueError for a line that is wrong."""
    for shape in msgspec.convert(section, list[LooseDiskShape]):
        group = declared_group(world, shape.name, shape.resource_group, shape.subscription)
        size = DiskShape(size_gb=shape.size_gb, sku=shape.sku)
        body = disk_body(shape.name, size, group["id"], group["location"], world.clock.now(), tags=shape.tags)
        world.store.put(body["id"], DISKS, body)


def declared_group(world: World, name: str, resource_group: str, subscription: str | None) -> Body:
    """The resource group of what is called ``name``. Raises ValueError where there is none, or which is not said."""
    if subscription:
        found = [f"{subscription_scope(world, subscription)}/resourceGroups/{resource_group}"]
    else:
        found = world.store.find(GROUPS, name=resource_group)
    if len(found) > 1:
        raise ValueError(f"{name}: the resource group {resource_group} is in two subscriptions: name one")
    body = world.store.get(found[0]) if found else None
    if body is None:
        raise ValueError(f"{name}: there is no resource group {resource_group} in this estate")
    return body


ROUTES: tuple[Route, ...] = ()
SEEDS = {"virtualMachines": seed_machines, "disks": seed_disks}
