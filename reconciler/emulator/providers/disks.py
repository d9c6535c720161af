"""Managed disks: Microsoft.Compute/disks."""

from __future__ import annotations

from datetime import timedelta

from reconciler.emulator.failures import ArmError, bad_request, not_found
from reconciler.emulator.operations import Operation
from reconciler.emulator.paging import list_response
from reconciler.emulator.providers.compute import DISKS
from reconciler.emulator.providers.compute_bodies import DiskShape, disk_body
from reconciler.emulator.providers.compute_operations import accept
from reconciler.emulator.providers.resources import group_id
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

WRITE, DELETION = timedelta(seconds=2), timedelta(seconds=1)


def list_disks(world: World, request: Request) -> Response:
    return list_response(world, request, DISKS, request.path.partition("/providers/")[0])


def get_disk(world: World, request: Request) -> Response:
    return Response(200, _disk(world, request))


def put_disk(world: World, request: Request) -> Response:
    """202 with a body that has only what was sent; the service fills in the rest when it is done."""
    given = request.body or {}
    if not given.get("location"):
        raise bad_request("LocationRequired", "The location property is required for this definition.")
    existing = world.store.get(request.path)
    if existing:
        return _update(world, request, existing, given)
    body = _new_disk(world, request, given)
    accepted = {**body, "sku": {"name": body["sku"]["name"]}, "tags": given.get("tags") or {}}
    accepted["properties"] = {**request.properties(), "provisioningState": "Updating"}
    return _begin(world, request, body, accepted)


def patch_disk(world: World, request: Request) -> Response:
    return _update(world, request, _disk(world, request), request.body or {})


def delete_disk(world: World, request: Request) -> Response:
    body = world.store.get(request.path)
    if body is None:
        return Response(204)
    if body.get("managedBy"):
        message = f"Disk {body['name']} is attached to VM {body['managedBy']}."
        raise ArmError(409, "OperationNotAllowed", message)
    operation = world.operations.start(
        "deleteDisk", duration=DELETION, on_done=("disk.deleted", {}), resource=body["id"]
    )
    return Response(202, headers=accept(world, request, operation, body["location"], collection="DiskOperations"))


def complete_disk(world: World, operation: Operation) -> None:
    body = world.store.get(operation.resource)
    if body is not None:
        body["properties"]["provisioningState"] = "Succeeded"
        world.store.replace(body["id"], body)


def complete_deletion(world: World, operation: Operation) -> None:
    world.store.delete(operation.resource)


def _disk(world: World, request: Request) -> Body:
    body = world.store.get(request.path)
    if body is None:
        raise not_found(request.path)
    return body


def _new_disk(world: World, request: Request, given: Body) -> Body:
    properties = request.properties()
    creation = properties.get("creationData") or {"createOption": "Empty"}
    source = world.store.get(creation.get("sourceResourceId", ""))
    if source is None and creation.get("sourceResourceId"):
        raise ArmError(404, "NotFound", f"Resource {creation['sourceResourceId'].rsplit('/', 1)[-1]} is not found.")
    size = properties.get("diskSizeGB") or (source or {"properties": {}})["properties"].get("diskSizeGB", 128)
    shape = DiskShape(size_gb=size, sku=(given.get("sku") or {}).get("name", "Standard_LRS"))
    location = str(given["location"]).replace(" ", "").lower()
    zones = given.get("zones") or [None]
    group = group_id(world, request)
    name = request.params["disk"]
    body = disk_body(name, shape, group, location, world.clock.now(), zone=zones[0], tags=given.get("tags"))
    created = {"creationData": creation, "provisioningState": "Updating", "uniqueId": world.new_guid()}
    if source is not None:
        copied = source["properties"]
        created |= {name: copied[name] for name in ("osType", "hyperVGeneration") if name in copied}
        created["creationData"] = {**creation, "sourceUniqueId": copied["uniqueId"]}
    body["properties"] |= created  # a disk of the same name as one that was deleted is another disk
    return body


def _update(world: World, request: Request, existing: Body, given: Body) -> Response:
    if "tags" in given:
        existing["tags"] = given["tags"]
    if "sku" in given:
        sku = given["sku"]["name"]
        existing["sku"] = {"name": sku, "tier": sku.partition("_")[0].removesuffix("SSD")}
    changes = {k: v for k, v in (given.get("properties") or {}).items() if k != "creationData"}
    if changes.get("diskSizeGB", 1 << 20) < existing["properties"]["diskSizeGB"]:
        raise ArmError(409, "OperationNotAllowed", f"Disk {existing['name']} cannot be made smaller.")
    existing["properties"] |= {**changes, "provisioningState": "Updating"}
    return _begin(world, request, existing, existing)


def _begin(world: World, request: Request, body: Body, accepted: Body) -> Response:
    world.store.put(body["id"], DISKS, body)
    operation = world.operations.start(
        "writeDisk", duration=WRITE, on_done=("disk.ready", {}), resource=body["id"], extra={"output": True}
    )
    headers = accept(world, request, operation, body["location"], collection="DiskOperations")
    return Response(202, accepted, headers)


COMPLETIONS = {"disk.ready": complete_disk, "disk.deleted": complete_deletion}

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
