"""The disks that a restore point holds: Microsoft.Compute/restorePointCollections/restorePoints/diskRestorePoints.

Points of the VM's own region are whole at once, save those of Ultra and PremiumV2 disks; those, and copies from another
region, fill in the background at ``GIB_PER_SECOND``.
"""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime, timedelta
from typing import Any

from reconciler.emulator.failures import ArmError, not_found
from reconciler.emulator.paging import list_response
from reconciler.emulator.providers.compute_bodies import DIRECT_SKUS, offset_stamp
from reconciler.emulator.providers.compute_operations import accept
from reconciler.emulator.providers.restore_point_rules import COLLECTIONS, DISK_POINTS
from reconciler.emulator.providers.snapshot_bodies import INHERITED
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

GIB_PER_SECOND = 0.25
OPENING = timedelta(milliseconds=200)


def list_disk_points(world: World, request: Request) -> Response:
    scope = request.path.rpartition("/")[0]
    if not world.store.has(scope):
        raise not_found(scope)
    return list_response(world, request, DISK_POINTS, scope, view=lambda body: _with_progress(world, body))


def get_disk_point(world: World, request: Request) -> Response:
    return Response(200, _with_progress(world, _disk_point(world, request)))


def begin_access(world: World, request: Request) -> Response:
    """202; the operation hands out ``accessSAS``, which opens nothing and holds no secret. Raises ArmError."""
    body = _disk_point(world, request)
    given = request.body or {}
    if given.get("access") != "Read" or not isinstance(given.get("durationInSeconds"), int):
        message = "A disk restore point is opened with access 'Read' for durationInSeconds."
        raise ArmError(400, "InvalidParameter", message, extra={"target": "grantAccessData"})
    _check_complete(world, body)
    token = world.new_guid()
    url = f"{request.base_url}/openDisks/{token}/abcd?sv=2018-03-28&sr=b&si={token}&sig=none"
    return _begin(world, request, body, "openDiskRestorePoint", {"answer": {"accessSAS": url}})


def end_access(world: World, request: Request) -> Response:
    """202, also for what is not open."""
    return _begin(world, request, _disk_point(world, request), "closeDiskRestorePoint", {})


def source_of_restore(world: World, creation: Body, location: str) -> Body:
    """A disk restore point as what a disk is made of (``createOption: Restore``): its ``properties`` have the
    ``diskSizeGB``, ``uniqueId``, ``osType`` and ``hyperVGeneration`` of the disk that it holds.

    Raises ArmError: 404 for one that is not of this region, 409 for one that is not copied to the end.
    """
    identity = str(creation.get("sourceResourceId") or "")
    body = world.store.get(identity)
    if body is None or world.store.type_of(identity) != DISK_POINTS:
        raise ArmError(404, "NotFound", f"Resource {identity.rsplit('/', 1)[-1]} is not found.")
    hidden = world.store.hidden(identity)
    if hidden["location"] != location:
        raise ArmError(404, "NotFound", f"Resource {body['name']} is not found.")
    _check_complete(world, body)
    known = body["properties"]
    properties = {name: known[name] for name in INHERITED if name in known}
    properties |= {"diskSizeGB": hidden["diskSizeGB"], "uniqueId": known["sourceUniqueId"]}
    return {**body, "location": location, "properties": properties}


def add_disk_points(world: World, point: Body, arguments: dict[str, Any]) -> None:
    """Makes the disk restore points of a point that is ready, and names them in its body.

    ``arguments["source"]``, when there, is the point of another collection that this one is copied from.
    """
    metadata = point["properties"]["sourceMetadata"]
    storage = metadata["storageProfile"]
    collection = world.store.get(point["id"].rpartition("/restorePoints/")[0]) or {}
    location = collection.get("location", metadata["location"])
    entries = [storage["osDisk"]] if "osDisk" in storage else []
    for entry in [*entries, *storage["dataDisks"]]:
        attributes: Body = {"encryption": {"type": "EncryptionAtRestWithPlatformKey"}}
        earlier = entry.pop("diskRestorePoint", None) if arguments.get("source") else None
        if earlier:
            attributes["sourceDiskRestorePoint"] = {"id": earlier["id"]}
        attributes["id"] = _add(world, point, entry, location, earlier["id"] if earlier else None)
        entry["diskRestorePoint"] = attributes


def instance_view(world: World, point: str) -> Body:
    """How far the disks of a point are, one by one and together."""
    percents = {i: _percent(world, world.store.hidden(i)) for i in world.store.ids(DISK_POINTS, point)}
    disks = [
        {"id": identity, "replicationStatus": {"status": _status(percent), "completionPercent": int(percent)}}
        for identity, percent in percents.items()
    ]
    return {"diskRestorePoints": disks, "statuses": [_status(min(percents.values(), default=0.0))]}


def _status(percent: float) -> Body:
    done = percent >= 100
    code = "ReplicationState/succeeded" if done else "ReplicationState/inprogress"
    return {"code": code, "level": "Info", "displayStatus": "Succeeded" if done else "InProgress"}


def _add(world: World, point: Body, entry: Body, location: str, earlier: str | None) -> str:
    name = f"{entry['name']}_{world.new_guid()}"
    identity = f"{point['id']}/diskRestorePoints/{name}"
    disk = world.store.get(earlier or entry["managedDisk"]["id"]) or {"properties": {}}
    known = disk["properties"]
    unique = known.get("sourceUniqueId" if earlier else "uniqueId", "")
    now = world.clock.now()
    properties: Body = {
        "timeCreated": offset_stamp(now),
        "sourceResourceId": earlier or entry["managedDisk"]["id"],
        "sourceUniqueId": unique,
        "familyId": _family(unique, location),
        **{name: known[name] for name in INHERITED if name in known},
        "encryption": known.get("encryption", {"type": "EncryptionAtRestWithPlatformKey"}),
        "networkAccessPolicy": known.get("networkAccessPolicy", "AllowAll"),
        "publicNetworkAccess": known.get("publicNetworkAccess", "Enabled"),
    }
    hidden: Body = {"location": location, "diskSizeGB": entry.get("diskSizeGB") or known.get("diskSizeGB", 128)}
    source = world.store.hidden(earlier)["location"] if earlier else location
    if source != location:
        properties["sourceResourceLocation"] = source
    if source != location or disk.get("sku", {}).get("name") in DIRECT_SKUS:
        hidden |= {"begun": now.isoformat(), "seconds": hidden["diskSizeGB"] / GIB_PER_SECOND}
    body = {"name": name, "id": identity, "type": DISK_POINTS, "properties": properties}
    world.store.put(identity, DISK_POINTS, body, hidden=hidden)
    return identity


def _with_progress(world: World, body: Body) -> Body:
    """Completion is told of what is copied in the background."""
    hidden = world.store.hidden(body["id"])
    if "begun" not in hidden:
        return body
    percent = _percent(world, hidden)
    told: Body = {"completionPercent": percent}
    if "sourceResourceLocation" in body["properties"]:
        told["replicationState"] = "Succeeded" if percent >= 100 else "InProgress"
    return {**body, "properties": {**body["properties"], **told}}


def _percent(world: World, hidden: Body) -> float:
    if "begun" not in hidden:
        return 100.0
    passed = world.clock.now() - datetime.fromisoformat(hidden["begun"])
    return min(100.0, round(100 * (passed / timedelta(seconds=hidden["seconds"])), 1))


def _check_complete(world: World, body: Body) -> None:
    if _percent(world, world.store.hidden(body["id"])) < 100:
        message = f"Disk restore point {body['name']} cannot be used before its background copy is complete."
        raise ArmError(409, "OperationNotAllowed", message)


def _begin(world: World, request: Request, body: Body, kind: str, extra: Body) -> Response:
    operation = world.operations.start(kind, duration=OPENING, resource=body["id"], extra=extra)
    location = world.store.hidden(body["id"])["location"]
    return Response(202, headers=accept(world, request, operation, location, collection="DiskOperations"))


def _disk_point(world: World, request: Request) -> Body:
    identity = "/".join(request.path.split("/")[:13])
    body = world.store.get(identity)
    if body is None:
        raise not_found(identity)
    return body


def _family(unique: str, location: str) -> str:
    """One family a disk and region."""
    digest = hashlib.md5(f"{unique}/{location}".encode(), usedforsecurity=False).digest()
    return str(uuid.UUID(bytes=digest, version=4))


_POINT = (
    "/subscriptions/{subscription}/resourceGroups/{group}/providers/" + COLLECTIONS + "/{collection}"
    "/restorePoints/{point}"
)
_DISK_POINT = _POINT + "/diskRestorePoints/{diskPoint}"
ROUTES: tuple[Route, ...] = (
    Route("GET", _POINT + "/diskRestorePoints", list_disk_points),
    Route("GET", _DISK_POINT, get_disk_point),
    Route("POST", _DISK_POINT + "/beginGetAccess", begin_access),
    Route("POST", _DISK_POINT + "/endGetAccess", end_access),
)
