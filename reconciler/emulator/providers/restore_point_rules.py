"""What Azure refuses to take a restore point of, and how often it takes one (rules SN-20 and SN-21)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from reconciler.emulator.failures import SERVICE, ArmError, bad_request
from reconciler.emulator.providers.compute_bodies import offset_stamp
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

COLLECTIONS = "Microsoft.Compute/restorePointCollections"
POINTS = f"{COLLECTIONS}/restorePoints"
DISK_POINTS = f"{POINTS}/diskRestorePoints"
LARGEST_NUMBER = 500
"""Restore points of one VM, in all of its collections together."""
LARGEST_NUMBER_PER_REGION = 10_000
"""Collections of one subscription in one region."""
WINDOW, PER_WINDOW = timedelta(hours=1), 3
"""As the recorded counter of application-consistent points begins; another page of Azure says one in three hours."""
_PUTS, _SUBSCRIPTION_PUTS = 5, 149
_TAKEN = "restorePointsTaken"
_SLOW_SKUS = ("UltraSSD_LRS", "PremiumV2_LRS")


class Taken(msgspec.Struct, frozen=True):
    """When points of one VM were begun within the last window, and the operation of the newest."""

    starts: tuple[datetime, ...] = ()
    operation: str = ""


def check_collection(collection: Body) -> None:
    """Raises ArmError 409 for a collection that is being deleted."""
    if collection["properties"]["provisioningState"] == "Deleting":
        message = (
            "Operation 'PutRestorePoint' is not allowed as Restore point collection "
            f"'{collection['name']}' is marked for deletion."
        )
        raise ArmError(409, "OperationNotAllowed", message)


def check_number(world: World, machine: Body) -> None:
    """Raises ArmError 409 for the 501st point of a VM."""
    if len(world.store.find(POINTS, machine=machine["id"])) >= LARGEST_NUMBER:
        message = (
            "The number of restore points across restore point collections and resource groups for a VM cannot exceed "
            f"{LARGEST_NUMBER}. To create a new restore point, please delete existing restore points."
        )
        raise ArmError(409, "OperationNotAllowed", message)


def check_disks(world: World, entries: Iterable[Body], *, crash: bool) -> None:
    """Raises ArmError 409 for a disk that a point of this sort cannot hold, naming all such disks (SN-21)."""
    wrong = [f"{entry['name']} ({why})" for entry in entries if (why := _obstacle(world, entry, crash=crash))]
    if wrong:
        mode = "crash" if crash else "application"
        message = (
            f"The {mode}-consistent restore point cannot hold these disks: {', '.join(wrong)}. "
            "Exclude them with excludeDisks and try again."
        )
        raise ArmError(409, "OperationNotAllowed", message)


def _obstacle(world: World, entry: Body, *, crash: bool) -> str:
    disk = world.store.get(entry.get("managedDisk", {}).get("id", "")) or {}
    if (entry.get("diffDiskSettings") or {}).get("option") == "Local":
        return "ephemeral OS disk"
    if disk.get("properties", {}).get("maxShares", 1) > 1:
        return "shared disk"
    if crash and disk.get("sku", {}).get("name") in _SLOW_SKUS:
        return str(disk["sku"]["name"])
    return "write accelerator" if crash and entry.get("writeAcceleratorEnabled") else ""


def check_pace(world: World, machine: Body, *, crash: bool) -> dict[str, str]:
    """What is left for the VM, as headers. Raises ArmError: 409 while a point is taken, 429 for too many an hour."""
    taken = _taken(world, machine)
    running = world.operations.get(taken.operation) if taken.operation else None
    if running is not None and not running.done:
        message = (
            f"Operation 'PutRestorePoint' is not allowed on VM '{machine['name']}' since another operation is in "
            "progress."
        )
        raise ArmError(409, "OperationNotAllowed", message)
    recent = len(taken.starts)
    counter = f"Create{'Crash' if crash else 'Application'}ConsistentRestorePoint"
    if recent >= PER_WINDOW:
        raise _too_many(counter, taken.starts[0], recent, world.clock.now())
    left = {
        "PutRestorePointResource": _PUTS - recent,
        "PutRestorePointSubscriptionMaximum": _SUBSCRIPTION_PUTS,
        counter: PER_WINDOW - recent - 1,
    }
    counters = ",".join(f"Microsoft.Compute/{name};{number}" for name, number in left.items())
    return {"x-ms-ratelimit-remaining-resource": counters}


def note_start(world: World, machine: Body, operation: str) -> None:
    """Remembers that a point of the VM was begun now."""
    taken = Taken((*_taken(world, machine).starts, world.clock.now()), operation)
    world.store.put_document(_TAKEN, machine["id"].lower(), msgspec.to_builtins(taken))


def check_excluded(machine: Body, excluded: set[str]) -> None:
    """Raises ArmError 400 for a disk that is not one of the VM's."""
    storage = machine["properties"]["storageProfile"]
    entries = [storage["osDisk"], *storage.get("dataDisks", [])]
    held = {entry.get("managedDisk", {}).get("id", "").lower() for entry in entries}
    if strange := sorted(excluded - held):
        message = f"The disks {', '.join(strange)} in 'excludeDisks' are not attached to VM '{machine['name']}'."
        raise bad_request("InvalidParameter", message)


def _taken(world: World, machine: Body) -> Taken:
    kept = world.store.document(_TAKEN, machine["id"].lower())
    taken = msgspec.convert(kept, Taken) if kept else Taken()
    begin = world.clock.now() - WINDOW
    return msgspec.structs.replace(taken, starts=tuple(start for start in taken.starts if start > begin))


def _too_many(counter: str, first: datetime, measured: int, now: datetime) -> ArmError:
    """Compute's own throttling, which names the counter and its window."""
    seconds = max(1, math.ceil((first + WINDOW - now).total_seconds()))
    window = {
        "operationGroup": counter,
        "startTime": offset_stamp(first),
        "endTime": offset_stamp(first + WINDOW),
        "allowedRequestCount": PER_WINDOW,
        "measuredRequestCount": measured + 1,
    }
    detail = {"code": "TooManyRequests", "target": counter, "message": msgspec.json.encode(window).decode()}
    headers = {
        "Retry-After": str(seconds),
        "x-ms-ratelimit-remaining-resource": f"Microsoft.Compute/{counter};0",
        **SERVICE,
    }
    message = "The server rejected the request because too many requests have been received for this subscription."
    return ArmError(429, "OperationNotAllowed", message, details=[detail], headers=headers)
