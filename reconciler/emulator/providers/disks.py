"""Managed disks: Microsoft.Compute/disks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from reconciler.emulator.failures import ArmError
from reconciler.emulator.paging import list_response
from reconciler.emulator.providers import disk_resources
from reconciler.emulator.providers.compute import DISKS
from reconciler.emulator.providers.compute_bodies import DIRECT_SKUS, DiskShape, disk_body
from reconciler.emulator.providers.disk_resources import (
    READ_ONLY,
    DiskResource,
    check_access_policy,
    check_sent,
    check_tags,
    echo,
    fixed,
    in_capitals,
    invalid,
    missing_source,
    not_allowed,
    region_of,
    resource_at,
)
from reconciler.emulator.providers.disk_restore_points import source_of_restore
from reconciler.emulator.providers.resources import group_id
from reconciler.emulator.providers.snapshot_bodies import INHERITED
from reconciler.emulator.providers.snapshot_copies import check_complete, pending_of_disk
from reconciler.emulator.providers.snapshot_families import GIB, SNAPSHOTS, content_of_disk, content_of_snapshot
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

DISK = DiskResource(DISKS, "disk", write=timedelta(seconds=2), deletion=timedelta(seconds=1))
SKUS = (
    "Standard_LRS", "StandardSSD_LRS", "StandardSSD_ZRS", "Premium_LRS", "Premium_ZRS", "PremiumV2_LRS", "UltraSSD_LRS",
)  # fmt: skip
CHAIN_BREAK = 4096  # GiB: differences do not reach across a resize over this size (SN-11)
_LAID_OVER = (
    "diskSizeGB", "encryption", "networkAccessPolicy", "diskAccessId", "publicNetworkAccess", "osType",
    "hyperVGeneration", "tier", "burstingEnabled", "maxShares", "diskIOPSReadWrite", "diskMBpsReadWrite",
    "supportsHibernation", "dataAccessAuthMode",
)  # fmt: skip


def list_disks(world: World, request: Request) -> Response:
    return list_response(world, request, DISKS, request.path.partition("/providers/")[0])


def get_disk(world: World, request: Request) -> Response:
    return Response(200, resource_at(world, request))


def put_disk(world: World, request: Request) -> Response:
    """202 with a body that has only what was sent; the service fills in the rest when it is done."""
    given = check_sent(world, DISK, request)
    existing = world.store.get(request.path)
    if existing is not None and existing["properties"]["provisioningState"] != "Failed":
        return _update(world, request, existing, given)
    body, hidden = _new_disk(world, request, given)
    world.store.put(body["id"], DISKS, body, hidden=hidden)
    accepted = {**echo(request, body), "sku": {"name": body["sku"]["name"]}}
    return disk_resources.begin_write(world, request, DISK, body, accepted, creates=True)


def patch_disk(world: World, request: Request) -> Response:
    given = request.body or {}
    check_tags(given)
    return _update(world, request, resource_at(world, request), given)


def delete_disk(world: World, request: Request) -> Response:
    body = world.store.get(request.path)
    if body is not None and body.get("managedBy"):
        raise not_allowed(f"Disk {body['name']} is attached to VM {body['managedBy']}.")
    return disk_resources.begin_deletion(world, request, DISK)


# what a disk is made of: one line a createOption


def source_of_copy(world: World, creation: Body, location: str) -> Body:
    """A disk or a complete snapshot of the same region. Raises ArmError."""
    identity = str(creation.get("sourceResourceId") or "")
    source = world.store.get(identity)
    if source is None or source["location"] != location:
        raise missing_source(identity)
    if source["properties"]["provisioningState"] in ("Failed", "Deleting"):
        raise not_allowed(f"Resource {source['name']} is not in the state Succeeded.")
    check_complete(source)
    return source


def no_source(_world: World, _creation: Body, _location: str) -> None:
    return None


SOURCES: Mapping[str, Callable[[World, Body, str], Body | None]] = {
    "Empty": no_source,
    "FromImage": no_source,
    "Copy": source_of_copy,
    "Restore": source_of_restore,
}
"""What answers the source of a disk for each ``creationData.createOption``: a body whose properties have at least
``uniqueId`` and ``diskSizeGB``, and may have those of ``INHERITED``. Raises ArmError for a source that cannot be used.
"""


def _new_disk(world: World, request: Request, given: Body) -> tuple[Body, Body]:
    """A body, and what is hidden beside it: how much of the disk is used, when it is made of something."""
    properties, location = request.properties(), region_of(given)
    creation = properties.get("creationData") or {"createOption": "Empty"}
    option = str(creation.get("createOption"))
    if option not in SOURCES:
        raise ArmError(501, "NotImplemented", f"The emulator does not create disks with createOption '{option}'.")
    source = SOURCES[option](world, creation, location)
    sku = _checked_sku((given.get("sku") or {}).get("name", "Standard_LRS"), source)
    shape = DiskShape(size_gb=_size(properties, source), sku=sku)
    zones, name = given.get("zones") or [None], request.params["disk"]
    body = disk_body(
        name, shape, group_id(world, request), location, world.clock.now(), zone=zones[0], tags=given.get("tags")
    )
    made: Body = {name: properties[name] for name in _LAID_OVER if name in properties}
    made |= {"diskSizeGB": shape.size_gb, "provisioningState": "Updating", "uniqueId": world.new_guid()}
    made["creationData"] = dict(creation)
    if sku in DIRECT_SKUS:
        made["creationData"].setdefault("logicalSectorSize", 4096)
    hidden: Body = {}
    if source is not None:
        copied = source["properties"]
        made |= {name: copied[name] for name in INHERITED if name in copied}
        made["creationData"]["sourceUniqueId"] = copied["uniqueId"]
        hidden = _holding(world, source)
    body["properties"] |= in_capitals(made)  # a disk of the same name as one that was deleted is another disk
    return body, hidden


def _size(properties: Body, source: Body | None) -> int:
    given = properties.get("diskSizeGB")
    if source is None:
        return int(given or 128)
    least = int(source["properties"]["diskSizeGB"])
    if given is not None and given < least:
        message = f"The disk size {given} GB is smaller than the size {least} GB of its source {source['name']}."
        raise invalid("disk.diskSizeGB", message)
    return int(given or least)


def _checked_sku(name: str, source: Body | None) -> str:
    """Raises ArmError 400 for a sku that there is not, or that cannot hold sectors of 4096 bytes (SN-13)."""
    if name not in SKUS:
        message = f"SKU {name} is not supported for resource type Disk in this region. "
        raise invalid("sku", f"{message}Supported SKUs for this region are {','.join(SKUS)}")
    sectors = (source or {"properties": {}})["properties"].get("creationData", {}).get("logicalSectorSize")
    if sectors == 4096 and name not in DIRECT_SKUS:
        message = f"A source with a logical sector size of 4096 bytes cannot be made a disk of type {name}."
        raise invalid("sku", message)
    return name


def _holding(world: World, source: Body) -> Body:
    """What is hidden beside a disk that holds what its source holds."""
    if source["type"] == DISKS:
        return {"usedGiB": content_of_disk(world, source).used / GIB}
    return {"usedGiB": content_of_snapshot(world, source).used / GIB} if source["type"] == SNAPSHOTS else {}


def _update(world: World, request: Request, existing: Body, given: Body) -> Response:
    """Tags and sku are replaced, properties laid over; a size only grows. Raises ArmError 409."""
    if given.get("location") and region_of(given) != existing["location"]:
        raise fixed("location")
    before = existing["properties"]["diskSizeGB"]
    unchanged = ("creationData", *READ_ONLY)
    changes = {k: v for k, v in (given.get("properties") or {}).items() if k not in unchanged and v is not None}
    size = changes.get("diskSizeGB", before)
    if size < before:
        raise not_allowed(f"Disk {existing['name']} cannot be made smaller.")
    if size > before and pending_of_disk(world, existing["properties"]["uniqueId"]):
        raise not_allowed(f"Disk {existing['name']} cannot be resized before its snapshots are complete.")  # SN-13
    sku = _checked_sku((given.get("sku") or existing["sku"])["name"], existing)
    shaped = disk_body(existing["name"], DiskShape(size_gb=size, sku=sku), "", existing["location"], world.clock.now())
    existing["sku"] = shaped["sku"]
    if "tags" in given:
        existing["tags"] = given["tags"] or {}
    existing["properties"].pop("tier", None)
    sized = ("diskSizeBytes", "diskIOPSReadWrite", "diskMBpsReadWrite", "tier")
    existing["properties"] |= {name: shaped["properties"][name] for name in sized if name in shaped["properties"]}
    existing["properties"] |= in_capitals(changes)
    check_access_policy(existing["properties"])
    _remember_growth(world, existing["id"], before, size)
    return disk_resources.begin_write(world, request, DISK, existing, existing)


def _remember_growth(world: World, identity: str, before: int, size: int) -> None:
    """A larger disk holds as much as before; across 4 TiB its next incremental snapshot is a full one."""
    held = world.store.get(identity)
    if size == before or held is None:
        return
    hidden = {"usedGiB": content_of_disk(world, held).used / GIB, **world.store.hidden(identity)}
    if before <= CHAIN_BREAK < size:
        hidden["chain"] = int(hidden.get("chain", 0)) + 1
    world.store.hide(identity, hidden)


COMPLETIONS = {
    "disk.ready": disk_resources.complete_write,
    "disk.ready.failed": disk_resources.fail_write,
    "disk.deleted": disk_resources.complete_deletion,
    "disk.deleted.failed": disk_resources.fail_write,
}

_S = "/subscriptions/{subscription}"
_DISKS = "/providers/Microsoft.Compute/disks"
_DISK = _S + "/resourceGroups/{group}" + _DISKS + "/{disk}"
ROUTES: tuple[Route, ...] = (
    Route("GET", _S + _DISKS, list_disks),
    Route("GET", _S + "/resourceGroups/{group}" + _DISKS, list_disks),
    Route("GET", _DISK, get_disk),
    Route("PUT", _DISK, put_disk),
    Route("PATCH", _DISK, patch_disk),
    Route("DELETE", _DISK, delete_disk),
)
