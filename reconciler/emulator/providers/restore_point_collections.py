"""Restore point collections: Microsoft.Compute/restorePointCollections.

A collection lives in the region of its VM. One whose source is another collection may live anywhere and takes copies.
"""

from __future__ import annotations

from datetime import timedelta

from reconciler.emulator.failures import ArmError, bad_request, not_found
from reconciler.emulator.operations import Operation
from reconciler.emulator.paging import list_response
from reconciler.emulator.providers.compute import MACHINES
from reconciler.emulator.providers.compute_operations import accept
from reconciler.emulator.providers.resources import group_id
from reconciler.emulator.providers.restore_point_rules import (
    COLLECTIONS,
    DISK_POINTS,
    LARGEST_NUMBER_PER_REGION,
    POINTS,
)
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

DELETION = timedelta(seconds=20)
_REMAINING = (
    "Microsoft.Compute/PutRestorePointCollectionResource;14,"
    "Microsoft.Compute/PutRestorePointCollectionSubscriptionMaximum;149"
)


def list_collections(world: World, request: Request) -> Response:
    """Of a group or a subscription, without the points."""
    return list_response(world, request, COLLECTIONS, request.path.partition("/providers/")[0])


def get_collection(world: World, request: Request) -> Response:
    body = _collection(world, request)
    if request.query.get("$expand", "").lower() == "restorepoints":
        body["properties"]["restorePoints"] = world.store.list(POINTS, body["id"])
    return Response(200, body)


def put_collection(world: World, request: Request) -> Response:
    """201 for a new one, 200 for one whose tags are replaced: nothing else of it can change."""
    given = request.body or {}
    if not given.get("location"):
        raise bad_request("LocationRequired", "The location property is required for this definition.")
    existing = world.store.get(request.path)
    if existing is not None:
        return _change(world, existing, given)
    body = _new_collection(world, request, given)
    world.store.put(body["id"], COLLECTIONS, body, location=body["location"])
    return Response(201, body, {"x-ms-ratelimit-remaining-resource": _REMAINING})


def patch_collection(world: World, request: Request) -> Response:
    return _change(world, _collection(world, request), request.body or {})


def delete_collection(world: World, request: Request) -> Response:
    """202; when it ends all points of the collection are gone with it."""
    body = world.store.get(request.path)
    if body is None:
        return Response(204)
    body["properties"]["provisioningState"] = "Deleting"
    world.store.replace(body["id"], body)
    operation = world.operations.start(
        "deleteRestorePointCollection",
        duration=DELETION,
        on_done=("restorePointCollection.deleted", {}),
        resource=body["id"],
    )
    return Response(202, headers=accept(world, request, operation, body["location"]))


def complete_deletion(world: World, operation: Operation) -> None:
    for type_ in (DISK_POINTS, POINTS):
        for identity in world.store.ids(type_, operation.resource):
            world.store.delete(identity)
    world.store.delete(operation.resource)


def fail_deletion(world: World, operation: Operation) -> None:
    """One that could not be deleted stays, with its points, as ``Failed``."""
    body = world.store.get(operation.resource)
    if body is not None:
        body["properties"]["provisioningState"] = "Failed"
        world.store.replace(operation.resource, body)


def _collection(world: World, request: Request) -> Body:
    body = world.store.get(request.path)
    if body is None:
        raise not_found(request.path)
    return body


def _new_collection(world: World, request: Request, given: Body) -> Body:
    location = _location(given)
    source = _source(world, request, location)
    held = world.store.find(COLLECTIONS, location=location)
    mine = f"/subscriptions/{request.params['subscription']}/".lower()
    if sum(identity.lower().startswith(mine) for identity in held) >= LARGEST_NUMBER_PER_REGION:
        message = (
            f"The number of restore point collections of a subscription in region '{location}' cannot exceed "
            f"{LARGEST_NUMBER_PER_REGION}."
        )
        raise ArmError(409, "OperationNotAllowed", message)
    name = request.params["collection"]
    body: Body = {
        "name": name,
        "id": f"{group_id(world, request)}/providers/{COLLECTIONS}/{name}",
        "type": COLLECTIONS,
        "location": location,
    }
    if given.get("tags"):
        body["tags"] = given["tags"]
    properties: Body = {
        "source": {"location": source["location"], "id": source["id"]},
        "restorePointCollectionId": world.new_guid(),
        "provisioningState": "Succeeded",
    }
    if "instantAccess" in request.properties():
        properties["instantAccess"] = request.properties()["instantAccess"]
    return {**body, "properties": properties}


def _source(world: World, request: Request, location: str) -> Body:
    """The VM of this region, or the collection of any. Raises ArmError for what is neither."""
    identity = str((request.properties().get("source") or {}).get("id") or "")
    if not identity:
        message = "Required parameter 'restorePointCollection.source.id' is missing (null)."
        raise bad_request("InvalidParameter", message)
    source = world.store.get(identity)
    if "/restorepointcollections/" in identity.lower():
        if source is None:
            raise not_found(identity)
        return source
    if source is None or source["type"] != MACHINES or source["location"] != location:
        name = identity.rsplit("/", 1)[-1]
        message = f"Source Virtual Machine '{name}' specified in the request does not exist in this Azure location."
        raise ArmError(404, "NotFound", message)
    return source


def _change(world: World, existing: Body, given: Body) -> Response:
    wanted = ((given.get("properties") or {}).get("source") or {}).get("id")
    if wanted and wanted.lower() != existing["properties"]["source"]["id"].lower():
        message = "Changing property 'restorePointCollection.source' is not allowed."
        raise ArmError(409, "PropertyChangeNotAllowed", message)
    if given.get("location") and _location(given) != existing["location"]:
        raise ArmError(409, "PropertyChangeNotAllowed", "Changing property 'location' is not allowed.")
    if "tags" in given:
        existing["tags"] = given["tags"] or {}
    world.store.replace(existing["id"], existing)
    return Response(200, existing)


def _location(given: Body) -> str:
    return str(given["location"]).replace(" ", "").lower()


COMPLETIONS = {
    "restorePointCollection.deleted": complete_deletion,
    "restorePointCollection.deleted.failed": fail_deletion,
}

_S = "/subscriptions/{subscription}"
_COLLECTIONS = "/providers/Microsoft.Compute/restorePointCollections"
_COLLECTION = _S + "/resourceGroups/{group}" + _COLLECTIONS + "/{collection}"
ROUTES: tuple[Route, ...] = (
    Route("GET", _S + _COLLECTIONS, list_collections),
    Route("GET", _S + "/resourceGroups/{group}" + _COLLECTIONS, list_collections),
    Route("GET", _COLLECTION, get_collection),
    Route("PUT", _COLLECTION, put_collection),
    Route("PATCH", _COLLECTION, patch_collection),
    Route("DELETE", _COLLECTION, delete_collection),
)
