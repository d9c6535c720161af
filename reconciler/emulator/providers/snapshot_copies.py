"""Snapshots whose data arrives in the background: copies to another region (CopyStart), and all of Ultra and
PremiumV2 disks.

The operation of such a snapshot ends within a second; ``completionPercent`` then goes from 0.0 to 100 on the
emulator's clock, and only at 100 can a disk be made of it. The store holds when the data began to move and when it is
there; a read tells how far that is.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from reconciler.emulator.failures import ArmError, bad_request
from reconciler.emulator.index import normal
from reconciler.emulator.operations import Operation
from reconciler.emulator.providers.disk_resources import not_allowed
from reconciler.emulator.providers.disk_settings import read_settings
from reconciler.emulator.providers.snapshot_families import (
    GIB,
    Content,
    bytes_to_copy,
    content_of_snapshot,
    family_contents,
    family_id,
    forget_content,
)
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

SHORTEST = timedelta(minutes=1)
ENHANCED = 3  # times as fast, with provisionedBandwidthCopySpeed Enhanced
_COLLECTION = "snapshotCopies"


class Copy(msgspec.Struct, frozen=True):
    """``source`` is the id of the snapshot in the other region, "" where a disk's own data arrives. ``operation`` is
    what ends it; empty until the snapshot itself is made.
    """

    id: str
    source: str
    disk: str
    subscription: str
    location: str
    operation: str = ""
    started: datetime | None = None
    ends: datetime | None = None

    def percent(self, now: datetime) -> float:
        if self.started is None or self.ends is None or self.ends <= self.started:
            return 0.0
        return min(99.0, round(100 * (now - self.started) / (self.ends - self.started), 1))


def check_copy(world: World, subscription: str, source: Body | None, location: str) -> Body:
    """The source of a CopyStart. Raises ArmError for one that cannot be copied, or not now (SN-12)."""
    if source is None or not source["properties"].get("incremental"):
        raise bad_request("InvalidParameter", "Entity not of expected type")
    settings, content, running = read_settings(world), content_of_snapshot(world, source), _running(world)
    copies = [copy for copy in running if copy.source]
    if any(copy.disk == content.disk for copy in copies):
        message = f"Another snapshot of the disk of {source['name']} is being copied. Only one can be copied at a time."
        raise not_allowed(message)
    if any(held.written > content.written for held in family_contents(world, family_id(content, location)).values()):
        message = f"Snapshots of a disk must be copied in the order of their creation: {source['name']} is too old."
        raise not_allowed(message)
    beside = [copy for copy in copies if (copy.subscription, copy.location) == (subscription.lower(), location)]
    if len(beside) >= settings.copies_per_region:
        message = f"The limit of {settings.copies_per_region} copies at a time to {location} has been reached."
        raise ArmError(409, "OperationNotAllowed", message)
    return source


def await_data(world: World, body: Body, content: Content, source: str = "") -> None:
    """Makes a new snapshot one whose data arrives later. It is counted from now on."""
    subscription = body["id"].split("/")[2].lower()
    _keep(world, Copy(body["id"], source, content.disk, subscription, body["location"]))


def begin_transfer(world: World, body: Body, operation: Operation) -> None:
    """The snapshot is made: its data begins to move, if it is one of those. Percent is not in a copy's own answer."""
    copy = find_copy(world, body["id"])
    if copy is None:
        return
    size = bytes_to_copy(world, content_of_snapshot(world, body), body["location"], itself=body["id"])
    enhanced = body["properties"]["creationData"].get("provisionedBandwidthCopySpeed") == "Enhanced"
    rate = read_settings(world).copy_gib_per_hour * (ENHANCED if enhanced else 1)
    duration = max(SHORTEST, timedelta(hours=size / GIB / rate))
    if copy.source:
        world.operations.note(operation.guid, answer={**body, "properties": dict(body["properties"])})
    body["properties"]["completionPercent"] = 0.0
    world.store.replace(body["id"], body)
    background = world.operations.start(
        "copySnapshot", duration=duration, on_done=("snapshot.copied", {}), resource=body["id"]
    )
    kept = msgspec.structs.replace(copy, operation=background.guid, started=background.start, ends=background.end)
    _keep(world, kept)


def complete_copy(world: World, operation: Operation) -> None:
    copy, body = find_copy(world, operation.resource), world.store.get(operation.resource)
    if copy is None or body is None or copy.operation != operation.guid:
        return  # its source or itself was deleted
    if copy.source and not world.store.has(copy.source):
        fail_copies(world, copy.source)  # with its resource group
        return
    body["properties"]["completionPercent"] = 100.0
    world.store.replace(body["id"], body)
    forget_copy(world, body["id"])


def fail_copies(world: World, source: str) -> None:
    """The copies of a snapshot that is no more stop where they are, and say so."""
    for copy in _running(world):
        body = world.store.get(copy.id)
        if normal(copy.source or "/") != normal(source) or body is None:
            continue
        body["properties"]["completionPercent"] = copy.percent(world.clock.now())
        body["properties"]["copyCompletionError"] = {
            "errorCode": "CopySourceNotFound",
            "errorMessage": "The source snapshot was deleted while the background copy was in progress.",
        }
        forget_content(world, body)
        forget_copy(world, copy.id)


def forget_copy(world: World, identity: str) -> None:
    if find_copy(world, identity) is not None:
        world.store.delete_document(_COLLECTION, normal(identity))


def find_copy(world: World, identity: str) -> Copy | None:
    kept = world.store.document(_COLLECTION, normal(identity))
    return msgspec.convert(kept, Copy) if kept else None


def is_any_running(world: World) -> bool:
    return bool(_running(world))


def with_progress(world: World, body: Body) -> Body:
    """A snapshot as it is served now."""
    copy = find_copy(world, body["id"])
    if copy is not None and "completionPercent" in body["properties"]:
        body["properties"]["completionPercent"] = copy.percent(world.clock.now())
    return body


def check_complete(body: Body) -> None:
    """Raises ArmError 409 for a snapshot whose data has not arrived, or will not (SN-12, SN-13)."""
    percent = body["properties"].get("completionPercent", 100.0)
    if percent < 100:
        message = f"Snapshot {body['name']} cannot be used before its completionPercent is 100."
        raise not_allowed(message)


def pending_of_disk(world: World, disk: str) -> int:
    """How many snapshots of an Ultra or PremiumV2 disk still fill (SN-13)."""
    return sum(copy.disk == disk and not copy.source for copy in _running(world))


def _running(world: World) -> list[Copy]:
    """Those that went with their resource group are no more."""
    kept = msgspec.convert(world.store.documents(_COLLECTION), list[Copy])
    return [copy for copy in kept if world.store.has(copy.id)]


def _keep(world: World, copy: Copy) -> None:
    world.store.put_document(_COLLECTION, normal(copy.id), msgspec.to_builtins(copy))
