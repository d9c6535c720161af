"""Disks and snapshots opened for reading: ``beginGetAccess`` and ``endGetAccess``.

While one is open its diskState is ``ActiveSAS``, and it cannot be deleted. The URL that is handed out points at the
emulator, opens nothing, and holds no secret. It ends by itself after the time that was asked for.
"""

from __future__ import annotations

from datetime import timedelta

from reconciler.emulator.failures import ArmError
from reconciler.emulator.operations import Operation
from reconciler.emulator.providers.compute import power_state
from reconciler.emulator.providers.compute_operations import accept
from reconciler.emulator.providers.disk_resources import invalid, not_allowed, resource_at
from reconciler.emulator.providers.disk_settings import read_settings
from reconciler.emulator.providers.disk_states import state_of
from reconciler.emulator.providers.snapshot_copies import check_complete
from reconciler.emulator.providers.snapshot_families import SNAPSHOTS
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

OPENING = timedelta(milliseconds=200)
LONGEST = 5_184_000  # seconds: 60 days
_COLLECTION = "openDisks"


def begin_access(world: World, request: Request) -> Response:
    """202; the operation hands out ``accessSAS``. Raises ArmError 409 where it may not be opened (SN-10)."""
    body, given = resource_at(world, request), request.body or {}
    if given.get("access") not in ("None", "Read", "Write"):
        raise invalid("grantAccessData.access", "The value of parameter grantAccessData.access is invalid.")
    seconds = given.get("durationInSeconds")
    if not isinstance(seconds, int) or not 0 < seconds <= LONGEST:
        message = "The value of parameter grantAccessData.durationInSeconds is invalid."
        raise invalid("grantAccessData.durationInSeconds", message)
    _check_openable(world, body)
    token = world.new_guid()
    url = f"{request.base_url}/openDisks/{token}/abcd?sv=2018-03-28&sr=b&si={token}&sig=none"
    operation = world.operations.start(
        "openDisk",
        duration=OPENING,
        on_done=("access.opened", {"seconds": seconds, "token": token}),
        resource=body["id"],
        extra={"answer": {"accessSAS": url}},
    )
    return Response(202, headers=accept(world, request, operation, body["location"], collection="DiskOperations"))


def end_access(world: World, request: Request) -> Response:
    """202, also for what is not open."""
    body = resource_at(world, request)
    operation = world.operations.start(
        "closeDisk", duration=OPENING, on_done=("access.closed", {}), resource=body["id"]
    )
    return Response(202, headers=accept(world, request, operation, body["location"], collection="DiskOperations"))


def complete_opening(world: World, operation: Operation) -> None:
    body = world.store.get(operation.resource)
    if body is None:
        raise ArmError(404, "NotFound", f"Resource {operation.resource.rpartition('/')[2]} is not found.")
    body["properties"]["diskState"] = "ActiveSAS"
    world.store.replace(body["id"], body)
    world.store.put_document(_COLLECTION, body["id"].lower(), operation.arguments["token"])
    # of no resource: nobody who reads the disk waits for this
    arguments = {"id": body["id"], "token": operation.arguments["token"]}
    seconds = timedelta(seconds=operation.arguments["seconds"])
    world.operations.start("expireAccess", duration=seconds, on_done=("access.expired", arguments))


def complete_closing(world: World, operation: Operation) -> None:
    _close(world, operation.resource)


def expire(world: World, operation: Operation) -> None:
    """Ends the access that it was started for, and no later one."""
    identity = operation.arguments["id"]
    if world.store.document(_COLLECTION, identity.lower()) == operation.arguments["token"]:
        _close(world, identity)


def _close(world: World, identity: str) -> None:
    world.store.delete_document(_COLLECTION, identity.lower())
    body = world.store.get(identity)
    if body is not None and body["properties"]["diskState"] == "ActiveSAS":
        body["properties"]["diskState"] = state_of(body, power_state(world, body.get("managedBy", "")))
        world.store.replace(identity, body)


def _check_openable(world: World, body: Body) -> None:
    properties, name = body["properties"], body["name"]
    if properties["diskState"] == "Attached":
        message = f"Access not permitted because disk {name} is currently attached to running VM {body['managedBy']}."
        raise not_allowed(message)
    if properties["networkAccessPolicy"] == "DenyAll":
        raise not_allowed(f"Access to {name} is denied by its networkAccessPolicy.")
    if properties["provisioningState"] != "Succeeded":
        raise not_allowed(f"Resource {name} is not in the state Succeeded.")
    check_complete(body)
    family, most = properties.get("incrementalSnapshotFamilyId"), read_settings(world).open_per_family
    if family and properties["diskState"] != "ActiveSAS" and len(_open_members(world, family)) >= most:
        raise not_allowed(f"At most {most} snapshots of one incremental family can be open for reading at a time.")


def _open_members(world: World, family: str) -> list[str]:
    members = world.store.find(SNAPSHOTS, family=family)
    return [identity for identity in members if world.store.document(_COLLECTION, identity.lower())]


COMPLETIONS = {"access.opened": complete_opening, "access.closed": complete_closing, "access.expired": expire}

_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute"
ROUTES: tuple[Route, ...] = tuple(
    Route("POST", f"{_GROUP}/{collection}/{action}", handle)
    for collection in ("disks/{disk}", "snapshots/{snapshot}")
    for action, handle in (("beginGetAccess", begin_access), ("endGetAccess", end_access))
)
