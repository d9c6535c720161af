"""Restore points: all disks of a VM at one moment, below a restore point collection."""

from __future__ import annotations

from datetime import timedelta

from reconciler.emulator.failures import GATEWAY, ArmError, bad_request, not_found
from reconciler.emulator.operations import Operation
from reconciler.emulator.providers.compute import power_state
from reconciler.emulator.providers.compute_bodies import offset_stamp
from reconciler.emulator.providers.compute_operations import accept
from reconciler.emulator.providers.disk_restore_points import add_disk_points, instance_view
from reconciler.emulator.providers.restore_point_rules import (
    COLLECTIONS,
    DISK_POINTS,
    POINTS,
    check_collection,
    check_disks,
    check_excluded,
    check_number,
    check_pace,
    note_start,
)
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

APPLICATION, CRASH, COPY, DELETION = (timedelta(seconds=seconds) for seconds in (50, 20, 15, 10))
"""How long a point takes; recorded: about a minute. A copy is accepted at once and goes on in the background."""
_REMAINING_READS = {
    "x-ms-ratelimit-remaining-resource": "Microsoft.Compute/LowCostGetRestorePointSubscriptionMaximum;599"
}
_COPIED = ("vmId", "location", "hardwareProfile", "storageProfile", "osProfile", "diagnosticsProfile", "licenseType")
_OF_A_DISK = ("osType", "lun", "name", "diskSizeGB", "caching", "writeAcceleratorEnabled", "managedDisk")


def get_point(world: World, request: Request) -> Response:
    """With ``$expand=instanceView`` also how far the copies of its disks are."""
    body = _point(world, request)
    if request.query.get("$expand", "").lower() == "instanceview":
        body["properties"]["instanceView"] = instance_view(world, body["id"])
    return Response(200, body, _REMAINING_READS)


def put_point(world: World, request: Request) -> Response:
    """201, and an operation at whose end the disks of the VM are held. A point never changes afterwards."""
    collection = _parent(world, request)
    check_collection(collection)
    if world.store.has(request.path):
        name = request.params["point"]
        message = f"Restore point '{name}' already exists. Updating a restore point is not supported."
        raise ArmError(409, "OperationNotAllowed", message)
    if "/restorepointcollections/" in collection["properties"]["source"]["id"].lower():
        return _copy_point(world, request, collection)
    return _take_point(world, request, collection)


def delete_point(world: World, request: Request) -> Response:
    body = world.store.get(request.path)
    if body is None:
        return Response(204)
    body["properties"]["provisioningState"] = "Deleting"
    world.store.replace(body["id"], body)
    operation = world.operations.start(
        "deleteRestorePoint", duration=DELETION, on_done=("restorePoint.deleted", {}), resource=body["id"]
    )
    return Response(202, headers=accept(world, request, operation, _parent(world, request)["location"]))


# what takes effect later


def complete_point(world: World, operation: Operation) -> None:
    body = world.store.get(operation.resource)
    if body is None:
        return
    add_disk_points(world, body, operation.arguments)
    body["properties"]["provisioningState"] = "Succeeded"
    body["properties"]["consistencyMode"] = operation.arguments["mode"]
    body["properties"]["timeCreated"] = body["properties"].pop("timeCreated")  # Azure writes it last
    world.store.replace(body["id"], body)


def fail_point(world: World, operation: Operation) -> None:
    """A point that could not be made, or deleted, stays as ``Failed`` until somebody deletes it (again)."""
    body = world.store.get(operation.resource)
    if body is not None:
        body["properties"]["provisioningState"] = "Failed"
        world.store.replace(operation.resource, body)


def complete_deletion(world: World, operation: Operation) -> None:
    for identity in world.store.ids(DISK_POINTS, operation.resource):
        world.store.delete(identity)
    world.store.delete(operation.resource)


# bodies


def _take_point(world: World, request: Request, collection: Body) -> Response:
    machine = world.store.get(collection["properties"]["source"]["id"])
    if machine is None:
        raise not_found(collection["properties"]["source"]["id"])
    given = request.properties()
    crash = _asks_for_crash(given)
    excluded = {str(disk.get("id", "")).lower() for disk in given.get("excludeDisks") or []}
    check_excluded(machine, excluded)
    metadata = _source_metadata(world, machine, excluded)
    storage = machine["properties"]["storageProfile"]
    entries = [storage["osDisk"], *storage.get("dataDisks", [])]
    held = [entry for entry in entries if entry.get("managedDisk", {}).get("id", "").lower() not in excluded]
    check_disks(world, held, crash=crash)
    check_number(world, machine)
    headers = check_pace(world, machine, crash=crash)
    properties: Body = {"excludeDisks": given["excludeDisks"]} if excluded else {}
    body = _point_body(request, collection, {**properties, "sourceMetadata": metadata}, offset_stamp(world.clock.now()))
    world.store.put(body["id"], POINTS, body, machine=machine["id"])
    operation = world.operations.start(
        "takeRestorePoint",
        duration=CRASH if crash else APPLICATION,
        on_done=("restorePoint.ready", {"mode": _mode(world, machine, crash=crash)}),
        resource=body["id"],
        extra={"output": True},
    )
    note_start(world, machine, operation.guid)
    return _accepted(world, request, operation, collection, body, headers)


def _copy_point(world: World, request: Request, collection: Body) -> Response:
    """The copy of a point of the source collection; its disks arrive in the background."""
    wanted = str((request.properties().get("sourceRestorePoint") or {}).get("id") or "")
    if not wanted:
        message = "Required parameter 'restorePoint.sourceRestorePoint.id' is missing (null)."
        raise bad_request("InvalidParameter", message)
    source = world.store.get(wanted)
    origin = collection["properties"]["source"]["id"]
    if source is None or not source["id"].lower().startswith(f"{origin.lower()}/"):
        raise not_found(wanted)
    if source["properties"]["provisioningState"] != "Succeeded":
        message = f"Restore point '{source['name']}' cannot be copied before it has been created."
        raise ArmError(409, "OperationNotAllowed", message)
    metadata = {**source["properties"]["sourceMetadata"]}
    properties = {"sourceRestorePoint": {"id": source["id"]}, "sourceMetadata": metadata}
    body = _point_body(request, collection, properties, offset_stamp(world.clock.now()))
    world.store.put(body["id"], POINTS, body)
    operation = world.operations.start(
        "copyRestorePoint",
        duration=COPY,
        on_done=("restorePoint.ready", {"mode": source["properties"]["consistencyMode"], "source": source["id"]}),
        resource=body["id"],
        extra={"output": True},
    )
    return _accepted(world, request, operation, collection, body, {})


def _accepted(
    world: World, request: Request, operation: Operation, collection: Body, body: Body, headers: dict[str, str]
) -> Response:
    told = {
        **accept(world, request, operation, collection["location"]),
        **headers,
        "azure-asyncnotification": "Enabled",
    }
    told.pop("Location")  # a PUT ends at the resource itself
    return Response(201, body, told)


def _point_body(request: Request, collection: Body, properties: Body, created: str) -> Body:
    name = request.params["point"]
    identity = f"{collection['id']}/restorePoints/{name}"
    return {
        "name": name,
        "id": identity,
        "properties": {**properties, "provisioningState": "Creating", "timeCreated": created},
    }


def _source_metadata(world: World, machine: Body, excluded: set[str]) -> Body:
    """What of the VM a point keeps, for somebody who makes a new one of it."""
    properties = machine["properties"]
    everything = {**properties, "location": machine["location"]}
    metadata: Body = {name: everything[name] for name in _COPIED if name in everything}
    storage = properties["storageProfile"]
    disks = [_disk(entry) for entry in storage.get("dataDisks", []) if not _is_in(entry, excluded)]
    metadata["storageProfile"] = {"dataDisks": disks}
    if not _is_in(storage["osDisk"], excluded):
        metadata["storageProfile"] = {"osDisk": _disk(storage["osDisk"]), "dataDisks": disks}
    if "diskControllerType" in storage:
        metadata["storageProfile"]["diskControllerType"] = storage["diskControllerType"]
    if "securityProfile" in properties:
        metadata["securityProfile"] = properties["securityProfile"]
    os_disk = world.store.get(storage["osDisk"].get("managedDisk", {}).get("id", "")) or {"properties": {}}
    return {**metadata, "hyperVGeneration": os_disk["properties"].get("hyperVGeneration", "V2")}


def _disk(entry: Body) -> Body:
    return {name: entry[name] for name in _OF_A_DISK if name in entry}


def _is_in(entry: Body, excluded: set[str]) -> bool:
    return str(entry.get("managedDisk", {}).get("id", "")).lower() in excluded


def _asks_for_crash(given: Body) -> bool:
    """Raises ArmError 400 for any other wish: the rest follows from the VM."""
    wanted = given.get("consistencyMode")
    if wanted is not None and str(wanted).lower() != "crashconsistent":
        message = f"The value '{wanted}' of parameter 'consistencyMode' is not allowed. Allowed: 'CrashConsistent'."
        raise ArmError(400, "InvalidParameter", message, extra={"target": "consistencyMode"})
    return wanted is not None


def _mode(world: World, machine: Body, *, crash: bool) -> str:
    if crash or power_state(world, machine["id"]) != "running":
        return "CrashConsistent"
    windows = machine["properties"]["storageProfile"]["osDisk"].get("osType") == "Windows"
    return "ApplicationConsistent" if windows else "FileSystemConsistent"


def _point(world: World, request: Request) -> Body:
    body = world.store.get(request.path)
    if body is None:
        raise not_found(request.path)
    return body


def _parent(world: World, request: Request) -> Body:
    """The collection. Raises ArmError 404, as ARM itself refuses what is nested below nothing."""
    identity = "/".join(request.path.split("/")[:9])
    body = world.store.get(identity)
    if body is None:
        name = request.params["collection"]
        message = f"Can not perform requested operation on nested resource. Parent resource '{name}' not found."
        raise ArmError(404, "ParentResourceNotFound", message, headers=GATEWAY)
    return body


COMPLETIONS = {
    "restorePoint.ready": complete_point,
    "restorePoint.ready.failed": fail_point,
    "restorePoint.deleted": complete_deletion,
    "restorePoint.deleted.failed": fail_point,
}

_COLLECTION = "/subscriptions/{subscription}/resourceGroups/{group}/providers/" + COLLECTIONS + "/{collection}"
_POINT = _COLLECTION + "/restorePoints/{point}"
ROUTES: tuple[Route, ...] = (
    Route("GET", _POINT, get_point),
    Route("PUT", _POINT, put_point),
    Route("DELETE", _POINT, delete_point),
)
