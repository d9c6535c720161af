"""Snapshots of managed disks, full and incremental, in the region of their disk: Microsoft.Compute/snapshots.

The service knows no schedule and no retention: a snapshot stays until somebody deletes it. Copies to another region
(``CopyStart``) and exports are absent.
"""

from __future__ import annotations

import hashlib
import uuid
from datetime import timedelta
from typing import Any

from reconciler.emulator.failures import ArmError, bad_request, not_found
from reconciler.emulator.operations import Operation
from reconciler.emulator.paging import list_response
from reconciler.emulator.providers.compute_bodies import offset_stamp
from reconciler.emulator.providers.compute_operations import accept
from reconciler.emulator.providers.resources import group_id
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

SNAPSHOTS = "Microsoft.Compute/snapshots"
WRITE = DELETION = timedelta(seconds=1)
INCREMENTAL_SKUS = ("Standard_LRS", "Standard_ZRS")
SKUS = (*INCREMENTAL_SKUS, "Premium_LRS")
FIXED = ("creationData", "incremental")
"""Properties that cannot be changed once the snapshot exists; nor can its location."""
_INHERITED = ("osType", "hyperVGeneration", "supportedCapabilities", "supportsHibernation", "securityProfile")


def list_snapshots(world: World, request: Request) -> Response:
    """Of a group or a subscription, all regions mixed; there is no filter by disk."""
    return list_response(world, request, SNAPSHOTS, request.path.partition("/providers/")[0])


def get_snapshot(world: World, request: Request) -> Response:
    return Response(200, _snapshot(world, request))


def put_snapshot(world: World, request: Request) -> Response:
    """202 with a body that has only what was sent; a PUT of one that exists changes it and keeps its identity."""
    given = request.body or {}
    if not given.get("location"):
        raise bad_request("LocationRequired", "The location property is required for this definition.")
    existing = world.store.get(request.path)
    body = _change(existing, given) if existing else _new_snapshot(world, request, given)
    accepted = {**body, "tags": given.get("tags") or {}}
    if given.get("sku"):
        accepted["sku"] = {"name": given["sku"]["name"]}
    accepted["properties"] = {**request.properties(), "provisioningState": "Updating"}
    return _begin(world, request, body, accepted)


def patch_snapshot(world: World, request: Request) -> Response:
    body = _change(_snapshot(world, request), request.body or {})
    return _begin(world, request, body, body)


def delete_snapshot(world: World, request: Request) -> Response:
    """202; 204 for one that is not there. The others of an incremental family stay as they are."""
    body = world.store.get(request.path)
    if body is None:
        return Response(204)
    body["properties"]["provisioningState"] = "Deleting"
    world.store.replace(body["id"], body)
    operation = world.operations.start(
        "deleteSnapshot", duration=DELETION, on_done=("snapshot.deleted", {}), resource=body["id"]
    )
    return Response(202, headers=accept(world, request, operation, body["location"], collection="DiskOperations"))


# what takes effect later


def complete_snapshot(world: World, operation: Operation) -> None:
    body = world.store.get(operation.resource)
    if body is not None:
        body["properties"]["provisioningState"] = "Succeeded"
        world.store.replace(body["id"], body)


def complete_deletion(world: World, operation: Operation) -> None:
    world.store.delete(operation.resource)


# bodies


def _snapshot(world: World, request: Request) -> Body:
    body = world.store.get(request.path)
    if body is None:
        raise not_found(request.path)
    return body


def _new_snapshot(world: World, request: Request, given: Body) -> Body:
    properties = request.properties()
    location = _location(given)
    incremental = bool(properties.get("incremental", False))
    creation = dict(properties.get("creationData") or {})
    source = _source(world, creation, location)
    if source is not None:
        creation["sourceUniqueId"] = source["properties"]["uniqueId"]
    inherited = (source or {"properties": {}})["properties"]
    size = properties.get("diskSizeGB") or inherited.get("diskSizeGB", 128)
    body: Body = {
        "name": request.params["snapshot"],
        "id": f"{group_id(world, request)}/providers/{SNAPSHOTS}/{request.params['snapshot']}",
        "type": SNAPSHOTS,
        "location": location,
        "tags": given.get("tags") or {},
        "sku": _sku((given.get("sku") or {}).get("name", "Standard_LRS"), incremental),
    }
    filled: dict[str, Any] = {name: inherited[name] for name in _INHERITED if name in inherited}
    filled |= {
        "creationData": creation,
        "diskSizeGB": size,
        "encryption": properties.get("encryption") or {"type": "EncryptionAtRestWithPlatformKey"},
        "incremental": incremental,
        "networkAccessPolicy": properties.get("networkAccessPolicy", "AllowAll"),
        "publicNetworkAccess": properties.get("publicNetworkAccess", "Enabled"),
        "timeCreated": offset_stamp(world.clock.now()),
        "diskState": "Unattached",
        "diskSizeBytes": size * 1024**3,
        "uniqueId": world.new_guid(),
    }
    if incremental and source is not None:
        filled["incrementalSnapshotFamilyId"] = _family(inherited["uniqueId"], location)
    return {**body, "properties": filled}


def _source(world: World, creation: Body, location: str) -> Body | None:
    """What is copied: a disk or a snapshot of the same region; None for an empty snapshot."""
    option = creation.get("createOption")
    if option == "Empty":
        return None
    identity = str(creation.get("sourceResourceId") or "")
    source = world.store.get(identity)
    if option == "CopyStart" and (source is None or not source["properties"].get("incremental")):
        raise bad_request("InvalidParameter", "Entity not of expected type")
    if option != "Copy":
        raise ArmError(501, "NotImplemented", f"The emulator does not create snapshots with createOption '{option}'.")
    if source is None or source["location"] != location:
        raise ArmError(404, "NotFound", f"Resource {identity.rsplit('/', 1)[-1]} is not found.")
    return source


def _change(existing: Body, given: Body) -> Body:
    """Tags and sku are replaced, properties laid over those that are there. Raises ArmError 409 for what is fixed."""
    held, properties = existing["properties"], given.get("properties") or {}
    if given.get("location") and _location(given) != existing["location"]:
        raise _fixed("location")
    for name in FIXED:
        wanted = properties.get(name, held[name])
        if isinstance(wanted, dict):
            wanted = {key: value for key, value in wanted.items() if value is not None}
            same = all(str(held[name].get(key)).lower() == str(value).lower() for key, value in wanted.items())
        else:
            same = wanted == held[name]
        if not same:
            raise _fixed(name)
    changed = {name: value for name, value in properties.items() if name not in FIXED}
    body = {**existing, "properties": {**held, **changed}}
    body["properties"]["diskSizeBytes"] = body["properties"]["diskSizeGB"] * 1024**3
    if "tags" in given:
        body["tags"] = given["tags"] or {}
    if given.get("sku"):
        body["sku"] = _sku(given["sku"]["name"], held["incremental"])
    return body


def _fixed(name: str) -> ArmError:
    return ArmError(409, "PropertyChangeNotAllowed", f"Changing property '{name}' is not allowed.")


def _sku(name: str, incremental: bool) -> Body:
    if incremental and name not in INCREMENTAL_SKUS:
        message = (
            f"SKU {name} is not supported for resource type IncrementalSnapshot in this region. "
            f"Supported SKUs for this region are {','.join(INCREMENTAL_SKUS)}"
        )
        raise ArmError(400, "InvalidParameter", message, extra={"target": "sku"})
    if name not in SKUS:
        message = (
            f"SKU {name} is not supported for resource type Snapshot in this region. "
            f"Supported SKUs for this region are {','.join(SKUS)}"
        )
        raise ArmError(400, "InvalidParameter", message, extra={"target": "sku"})
    return {"name": name, "tier": name.partition("_")[0]}


def _location(given: Body) -> str:
    return str(given["location"]).replace(" ", "").lower()


def _family(source: str, location: str) -> str:
    """One family a disk and region."""
    digest = hashlib.md5(f"{source}/{location}".encode(), usedforsecurity=False).digest()
    return str(uuid.UUID(bytes=digest, version=4))


def _begin(world: World, request: Request, body: Body, accepted: Body) -> Response:
    body["properties"]["provisioningState"] = "Updating"
    world.store.put(body["id"], SNAPSHOTS, body)
    operation = world.operations.start(
        "writeSnapshot", duration=WRITE, on_done=("snapshot.ready", {}), resource=body["id"], extra={"output": True}
    )
    headers = accept(world, request, operation, body["location"], collection="DiskOperations")
    return Response(202, accepted, headers)


COMPLETIONS = {"snapshot.ready": complete_snapshot, "snapshot.deleted": complete_deletion}

_S = "/subscriptions/{subscription}"
_SNAPSHOTS = "/providers/Microsoft.Compute/snapshots"
_SNAPSHOT = _S + "/resourceGroups/{group}" + _SNAPSHOTS + "/{snapshot}"
ROUTES: tuple[Route, ...] = (
    Route("GET", _S + _SNAPSHOTS, list_snapshots),
    Route("GET", _S + "/resourceGroups/{group}" + _SNAPSHOTS, list_snapshots),
    Route("GET", _SNAPSHOT, get_snapshot),
    Route("PUT", _SNAPSHOT, put_snapshot),
    Route("PATCH", _SNAPSHOT, patch_snapshot),
    Route("DELETE", _SNAPSHOT, delete_snapshot),
)
