"""Managed disks that Site Recovery makes in the target region: replicas, and the disks of drills and failovers."""

from __future__ import annotations

from reconciler.emulator.providers.compute import DISKS
from reconciler.emulator.providers.compute_bodies import DiskShape, disk_body
from reconciler.emulator.providers.replication_item_state import GIB, Disk, Item
from reconciler.emulator.providers.replication_names import guid_of, location_of
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

REPLICA_TAG = "ASR-ReplicaDisk"


def make_replica(world: World, item: Item, disk: Disk) -> None:
    """The disk that the changes are written to; one that is there is taken over."""
    if not world.store.has(disk.replica):
        body = _disk(world, item, disk, disk.replica, disk.replica_type)
        body["tags"] = {REPLICA_TAG: guid_of("replica", item.id, disk.name)}
        world.store.put(body["id"], DISKS, body)


def make_disk(world: World, item: Item, disk: Disk, name: str, owner: str) -> Body:
    """A disk made of a recovery point, attached to a machine."""
    body = _disk(world, item, disk, f"{disk.group}/providers/{DISKS}/{name}", disk.target_type)
    body["managedBy"] = owner
    body["properties"] |= {"diskState": "Attached", "uniqueId": world.new_guid()}
    body["tags"] = dict((world.store.get(disk.id) or {}).get("tags") or {})
    world.store.put(body["id"], DISKS, body)
    return body


def _disk(world: World, item: Item, disk: Disk, identity: str, kind: str) -> Body:
    group, _, name = identity.partition(f"/providers/{DISKS}/")
    shape = DiskShape(size_gb=max(1, disk.size // GIB), sku=kind)
    os = item.os if disk.is_os else None
    zone = item.placement.zone
    body = disk_body(name, shape, group, location_of(world, item.target), world.clock.now(), os=os, zone=zone)
    source = (world.store.get(disk.id) or {}).get("properties", {})
    if disk.is_os and "hyperVGeneration" in source:
        body["properties"]["hyperVGeneration"] = source["hyperVGeneration"]
    body["properties"]["creationData"] = {"createOption": "Empty"}
    return body


def remove_disk(world: World, disk_id: str) -> None:
    """Removes a disk, if no machine has it."""
    body = world.store.get(disk_id)
    if body is not None and not body.get("managedBy"):
        world.store.delete(disk_id)
