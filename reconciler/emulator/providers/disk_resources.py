"""What managed disks and snapshots of them have in common: names, tags, operations, deletion, ids in capitals.

Both are served by one resource provider of Azure (DiskRP): a PUT is answered 202 with what was sent, the operation
takes a second, and its resource is there as ``Updating`` or ``Deleting`` meanwhile.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from reconciler.emulator.failures import ArmError, bad_request, not_found
from reconciler.emulator.operations import Operation
from reconciler.emulator.providers.compute_operations import accept
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

MOST_TAGS, LONGEST_TAG_NAME, LONGEST_TAG_VALUE = 50, 512, 256  # SN-01
READ_ONLY = (
    "completionPercent", "copyCompletionError", "diskSizeBytes", "diskState", "incrementalSnapshotFamilyId",
    "provisioningState", "timeCreated", "uniqueId",
)  # fmt: skip
"""Properties of which the service takes no notice in a request: clients send back what they have read."""
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,78}[A-Za-z0-9_])?")
_GROUP = re.compile(r"(/resourceGroups/)([^/]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class DiskResource:
    """``noun`` names the path parameter, the completions (``noun.ready``) and the resource in messages."""

    type: str
    noun: str
    write: timedelta
    deletion: timedelta


def resource_at(world: World, request: Request) -> Body:
    """The resource that the path names, or is below; raises ArmError 404."""
    identity = "/".join(request.path.split("/")[:9])
    body = world.store.get(identity)
    if body is None:
        raise not_found(identity)
    return body


def check_sent(world: World, resource: DiskResource, request: Request) -> Body:
    """The body of a PUT. Raises ArmError 400 for a wrong new name, a missing location or tags beyond their limits."""
    given: Body = request.body or {}
    if not given.get("location"):
        raise bad_request("LocationRequired", "The location property is required for this definition.")
    if not _NAME.fullmatch(request.params[resource.noun]) and not world.store.has(request.path):
        raise invalid(f"{resource.noun}.name", f"The value of parameter {resource.noun}.name is invalid.")
    check_tags(given)
    check_access_policy(request.properties())
    return given


def check_tags(given: Body) -> None:
    """Raises ArmError 400 (SN-01)."""
    tags: dict[str, str] = given.get("tags") or {}
    if len(tags) > MOST_TAGS:
        message = f"The number of tags on a resource cannot be more than {MOST_TAGS}."
        raise bad_request("InvalidTagNameCount", message)
    for name, value in tags.items():
        if len(name) > LONGEST_TAG_NAME:
            raise bad_request("InvalidTagNameLength", f"A tag's name has at most {LONGEST_TAG_NAME} characters.")
        if len(value) > LONGEST_TAG_VALUE:
            message = f"The value of tag '{name}' has more than {LONGEST_TAG_VALUE} characters."
            raise bad_request("InvalidTagValueLength", message)


def check_access_policy(properties: Body) -> None:
    """Raises ArmError 400 for private access without the resource that it goes through."""
    if properties.get("networkAccessPolicy") == "AllowPrivate" and not properties.get("diskAccessId"):
        raise invalid("diskAccessId", "Required parameter 'diskAccessId' is missing (null).")


def invalid(target: str, message: str) -> ArmError:
    return ArmError(400, "InvalidParameter", message, extra={"target": target})


def not_allowed(message: str) -> ArmError:
    return ArmError(409, "OperationNotAllowed", message)


def fixed(name: str) -> ArmError:
    return ArmError(409, "PropertyChangeNotAllowed", f"Changing property '{name}' is not allowed.")


def missing_source(identity: str) -> ArmError:
    """Also of a source that exists in another region, as recorded."""
    return ArmError(404, "NotFound", f"Resource {identity.rsplit('/', 1)[-1]} is not found.")


def region_of(given: Body) -> str:
    return str(given["location"]).replace(" ", "").lower()


def in_capitals(properties: Body) -> Body:
    """The ids of disk accesses and encryption sets are read back with their resource group in capitals."""
    changed = dict(properties)
    if changed.get("diskAccessId"):
        changed["diskAccessId"] = _capitals(changed["diskAccessId"])
    encryption: dict[str, Any] = changed.get("encryption") or {}
    if encryption.get("diskEncryptionSetId"):
        changed["encryption"] = {**encryption, "diskEncryptionSetId": _capitals(encryption["diskEncryptionSetId"])}
    return changed


def echo(request: Request, body: Body) -> Body:
    """The body of a 202: what was sent, with names; the service fills in the rest when it is done."""
    given = request.body or {}
    accepted = {**body, "tags": given.get("tags") or {}}
    if given.get("sku"):
        accepted["sku"] = {"name": given["sku"]["name"]}
    properties = {**request.properties(), "provisioningState": "Updating"}
    if properties.get("creationData"):
        silent = ("provisionedBandwidthCopySpeed",)  # told only when the copy is there
        properties["creationData"] = {k: v for k, v in properties["creationData"].items() if k not in silent}
    return {**accepted, "properties": properties}


def begin_write(
    world: World, request: Request, resource: DiskResource, body: Body, accepted: Body, *, creates: bool = False
) -> Response:
    """Starts the operation that makes of a stored body one that is ``Succeeded`` (or ``Failed``)."""
    body["properties"]["provisioningState"] = "Updating"
    world.store.replace(body["id"], body)
    operation = world.operations.start(
        f"write{resource.noun.capitalize()}",
        duration=resource.write,
        on_done=(f"{resource.noun}.ready", {"creates": creates}),
        resource=body["id"],
        extra={"output": True},
    )
    return Response(202, accepted, accept(world, request, operation, body["location"], collection="DiskOperations"))


def begin_deletion(world: World, request: Request, resource: DiskResource) -> Response:
    """202, and ``Deleting`` until it is gone; 204 for one that is not there. Raises ArmError 409 while it is open."""
    body = world.store.get(request.path)
    if body is None:
        return Response(204)
    if body["properties"]["diskState"] == "ActiveSAS":
        raise not_allowed(
            f"There is an active shared access signature outstanding for disk {body['name']}. "
            "Call EndGetAccess before attaching or deleting the disk."
        )
    body["properties"]["provisioningState"] = "Deleting"
    world.store.replace(body["id"], body)
    operation = world.operations.start(
        f"delete{resource.noun.capitalize()}",
        duration=resource.deletion,
        on_done=(f"{resource.noun}.deleted", {}),
        resource=body["id"],
    )
    return Response(202, headers=accept(world, request, operation, body["location"], collection="DiskOperations"))


def complete_write(world: World, operation: Operation) -> None:
    set_state(world, operation, "Succeeded")


def fail_write(world: World, operation: Operation) -> None:
    """What could not be made, changed or deleted stays, as ``Failed``."""
    set_state(world, operation, "Failed")


def complete_deletion(world: World, operation: Operation) -> None:
    world.store.delete(operation.resource)


def set_state(world: World, operation: Operation, state: str) -> Body | None:
    body = world.store.get(operation.resource)
    if body is not None:
        body["properties"]["provisioningState"] = state
        world.store.replace(body["id"], body)
    return body


def _capitals(identity: str) -> str:
    return _GROUP.sub(lambda found: found[1] + found[2].upper(), identity)


ROUTES: tuple[Route, ...] = ()
