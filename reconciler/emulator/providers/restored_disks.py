"""The managed disks that a restore leaves in its target resource group."""

import re
from datetime import datetime
from typing import Any

from reconciler.emulator.providers.backup_names import part
from reconciler.emulator.providers.compute_bodies import DISKS, DiskShape, disk_body
from reconciler.emulator.providers.protected_item_rules import OS_DISK_LUN
from reconciler.emulator.providers.restore_requests import Restore, RestoreSource
from reconciler.emulator.world import World

Body = dict[str, Any]


def make_disks(world: World, restore: Restore, source: RestoreSource, group: str, started: datetime) -> dict[int, Body]:
    """By LUN. Unattached, with the size, kind and tags of the disks that were backed up."""
    stem = alphanumeric(part(restore.target_vm or restore.vm, "virtualMachines"))
    stamp = f"{started:%Y%m%d-%H%M%S}"
    made: dict[int, Body] = {}
    for number, lun in enumerate(sorted(restore.luns), -1):
        name = f"{stem}-osdisk-{stamp}" if lun == OS_DISK_LUN else f"{stem}-datadisk-{number:03d}-{stamp}"
        made[lun] = _make_disk(world, restore, source.disks[lun], group, name)
    return made


def alphanumeric(name: str) -> str:
    """How the service writes a VM's name into names of its own: `app-01` as `app01`."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _make_disk(world: World, restore: Restore, origin: Body, group: str, name: str) -> Body:
    properties = origin["properties"]
    zones = restore.zones or ([] if restore.secondary else origin.get("zones") or [])
    body = disk_body(
        name,
        DiskShape(size_gb=properties["diskSizeGB"], sku=origin["sku"]["name"]),
        group,
        restore.region,
        world.clock.now(),
        os=properties.get("osType"),
        zone=next((zone for zone in zones if zone != "NoZone"), None),
        tags=origin.get("tags") or {},
    )
    body["properties"] |= {"creationData": {"createOption": "Restore"}, "uniqueId": world.new_guid()}
    if "hyperVGeneration" in properties:
        body["properties"]["hyperVGeneration"] = properties["hyperVGeneration"]
    body["properties"]["encryption"] = properties["encryption"]
    if restore.encryption_set:
        key = {"type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSetId": restore.encryption_set}
        body["properties"]["encryption"] = key
    body["properties"] |= _network_access(restore, properties)
    world.store.put(body["id"], DISKS, body)
    return body


def _network_access(restore: Restore, origin: Body) -> Body:
    option = restore.disk_access.get("targetDiskNetworkAccessOption")
    if option == "SameAsOnSourceDisks":
        names = ("networkAccessPolicy", "publicNetworkAccess", "diskAccessId")
        return {name: origin[name] for name in names if name in origin}
    if option == "EnablePrivateAccessForAllDisks":
        access = restore.disk_access.get("targetDiskAccessId", "")
        return {"networkAccessPolicy": "AllowPrivate", "publicNetworkAccess": "Disabled", "diskAccessId": access}
    return {"networkAccessPolicy": "AllowAll", "publicNetworkAccess": "Enabled"}
