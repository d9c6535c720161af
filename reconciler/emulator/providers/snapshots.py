"""Snapshots of managed disks, full and incremental, and copies of them in other regions: Microsoft.Compute/snapshots.

The service knows no schedule and no retention: a snapshot stays until somebody deletes it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from reconciler.emulator.failures import ArmError, bad_request
from reconciler.emulator.operations import Operation
from reconciler.emulator.paging import list_response
from reconciler.emulator.providers import disk_resources
from reconciler.emulator.providers.compute_bodies import DIRECT_SKUS
from reconciler.emulator.providers.disk_resources import (
    DiskResource,
    check_access_policy,
    check_sent,
    check_tags,
    echo,
    invalid,
    missing_source,
    not_allowed,
    region_of,
    resource_at,
    set_state,
)
from reconciler.emulator.providers.disk_settings import read_settings
from reconciler.emulator.providers.snapshot_bodies import add_family, change_snapshot, new_snapshot
from reconciler.emulator.providers.snapshot_copies import (
    await_data,
    begin_transfer,
    check_complete,
    check_copy,
    complete_copy,
    fail_copies,
    forget_copy,
    is_any_running,
    pending_of_disk,
    with_progress,
)
from reconciler.emulator.providers.snapshot_families import (
    SNAPSHOTS,
    Content,
    content_of_disk,
    content_of_snapshot,
    forget_content,
    store_snapshot,
)
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

SNAPSHOT = DiskResource(SNAPSHOTS, "snapshot", write=timedelta(seconds=1), deletion=timedelta(seconds=1))
RATE_WINDOW = timedelta(minutes=5)
MOST_PENDING = 3  # per disk (SN-13)
_TAKEN = "snapshotsTaken"


def list_snapshots(world: World, request: Request) -> Response:
    """Of a group or a subscription, all regions mixed; there is no filter by disk."""
    view = partial(with_progress, world) if is_any_running(world) else None
    return list_response(world, request, SNAPSHOTS, request.path.partition("/providers/")[0], view=view)


def get_snapshot(world: World, request: Request) -> Response:
    return Response(200, with_progress(world, resource_at(world, request)))


def put_snapshot(world: World, request: Request) -> Response:
    """202 with a body that has only what was sent; a PUT of one that exists changes it and keeps its identity.

    One that could not be made is made anew.
    """
    given = check_sent(world, SNAPSHOT, request)
    existing = world.store.get(request.path)
    if existing is not None and existing["properties"]["provisioningState"] == "Deleting":
        raise not_allowed(f"Snapshot {existing['name']} is being deleted.")
    if existing is not None and not _is_unmade(world, existing):
        body = change_snapshot(existing, given)
        return disk_resources.begin_write(world, request, SNAPSHOT, body, echo(request, body))
    body = _create(world, request, given)
    return disk_resources.begin_write(world, request, SNAPSHOT, body, echo(request, body), creates=True)


def patch_snapshot(world: World, request: Request) -> Response:
    given = request.body or {}
    check_tags(given)
    body = change_snapshot(resource_at(world, request), given)
    check_access_policy(body["properties"])
    return disk_resources.begin_write(world, request, SNAPSHOT, body, body)


def delete_snapshot(world: World, request: Request) -> Response:
    """202; 204 for one that is not there. The others of an incremental family stay as they are."""
    return disk_resources.begin_deletion(world, request, SNAPSHOT)


# what takes effect later


def complete_snapshot(world: World, operation: Operation) -> None:
    """Raises the refusal that Azure gives so late: the limit of a disk, which leaves a ``Failed`` snapshot behind."""
    body = set_state(world, operation, "Succeeded")
    if body is None or not operation.arguments.get("creates"):
        return
    if body["properties"]["incremental"]:
        content = content_of_snapshot(world, body)
        members = world.store.find(SNAPSHOTS, disk=f"{content.disk}@{body['location']}")
        if len(members) > read_settings(world).incrementals_per_disk:
            message = "The snapshot count was exceeded for a disk. Please delete a snapshot before creating another."
            raise ArmError(409, "SnapshotsLimitReached", message)
    begin_transfer(world, body, operation)


def fail_snapshot(world: World, operation: Operation) -> None:
    body = set_state(world, operation, "Failed")
    if body is not None and operation.arguments.get("creates"):
        forget_content(world, body)
        forget_copy(world, body["id"])


def complete_deletion(world: World, operation: Operation) -> None:
    forget_copy(world, operation.resource)
    disk_resources.complete_deletion(world, operation)
    fail_copies(world, operation.resource)


# making one


def _is_unmade(world: World, body: Body) -> bool:
    return body["properties"]["provisioningState"] == "Failed" and not world.store.hidden(body["id"])


def _create(world: World, request: Request, given: Body) -> Body:
    """Stores a new snapshot; raises ArmError for what the service refuses at once."""
    creation = request.properties().get("creationData") or {}
    source = _source(world, request, creation, region_of(given))
    body = new_snapshot(world, request, given, source)
    content = Content(body["properties"]["uniqueId"], 0, 0)
    if source is not None:
        from_disk = source["type"] != SNAPSHOTS
        content = content_of_disk(world, source) if from_disk else content_of_snapshot(world, source)
        if from_disk and body["properties"]["incremental"]:
            _check_disk(world, source, body)
            _count(world, content.disk)
    add_family(body, content)
    store_snapshot(world, body, content)
    if creation.get("createOption") == "CopyStart" and source is not None:
        await_data(world, body, content, source["id"])
    elif source is not None and source["sku"]["name"] in DIRECT_SKUS:
        await_data(world, body, content)
    return body


def _source(world: World, request: Request, creation: Body, location: str) -> Body | None:
    """What is copied: a disk or snapshot of the same region, with CopyStart an incremental snapshot of any; None for
    an empty snapshot.
    """
    option = creation.get("createOption")
    if option == "Empty":
        return None
    identity = str(creation.get("sourceResourceId") or "")
    source = world.store.get(identity)
    if option == "CopyStart":
        if not request.properties().get("incremental"):
            raise bad_request("InvalidParameter", "Entity not of expected type")
        source = check_copy(world, request.params["subscription"], source, location)
    elif option != "Copy":
        raise ArmError(501, "NotImplemented", f"The emulator does not create snapshots with createOption '{option}'.")
    elif source is None or source["location"] != location:
        raise missing_source(identity)
    if source["properties"]["provisioningState"] not in ("Succeeded", "Updating"):
        raise not_allowed(f"Resource {source['name']} is not in the state Succeeded.")
    if source["type"] == SNAPSHOTS:
        check_complete(source)
    elif source["sku"]["name"] in DIRECT_SKUS and not request.properties().get("incremental"):
        raise invalid("incremental", f"Snapshots of a disk of type {source['sku']['name']} must be incremental.")
    return source


def _check_disk(world: World, disk: Body, body: Body) -> None:
    """What holds for incremental snapshots of a disk alone (SN-05, SN-13). Raises ArmError."""
    if disk["id"].split("/")[2].lower() != body["id"].split("/")[2].lower():
        raise bad_request("BadRequest", f"Incremental snapshots of {disk['name']} must be in its own subscription.")
    if disk["sku"]["name"] in DIRECT_SKUS and pending_of_disk(world, disk["properties"]["uniqueId"]) >= MOST_PENDING:
        raise not_allowed(f"There are {MOST_PENDING} snapshots of {disk['name']} that are not complete yet.")


def _count(world: World, disk: str) -> None:
    """Counts an incremental snapshot of a disk; raises ArmError 409 for one too many in five minutes (SN-10)."""
    now, most = world.clock.now(), read_settings(world).incrementals_per_five_minutes
    kept = [datetime.fromisoformat(text) for text in world.store.document(_TAKEN, disk) or []]
    recent = [moment for moment in kept if moment > now - RATE_WINDOW]
    if len(recent) >= most:
        message = f"More than {most} incremental snapshots of a disk cannot be created in five minutes."
        raise ArmError(409, "SnapshotOperationRateExceeded", message)
    world.store.put_document(_TAKEN, disk, [moment.isoformat() for moment in [*recent, now]])


COMPLETIONS = {
    "snapshot.ready": complete_snapshot,
    "snapshot.ready.failed": fail_snapshot,
    "snapshot.deleted": complete_deletion,
    "snapshot.deleted.failed": disk_resources.fail_write,
    "snapshot.copied": complete_copy,
}

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
