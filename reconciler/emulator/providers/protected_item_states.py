"""What the service knows of a protected VM, and how an item with that state is served (backup.md §2, §3)."""

from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from typing import Any

import msgspec

from reconciler.emulator.providers.backup_failures import GREEN, describe_failure
from reconciler.emulator.providers.backup_names import ITEMS, draw, part, vm_name
from reconciler.emulator.providers.backup_retention import Retention, read_retention
from reconciler.emulator.providers.backup_schedule import DAY
from reconciler.emulator.providers.backup_times import NEVER_BACKED_UP, from_epoch, time_span, wire_time
from reconciler.emulator.world import World

Body = dict[str, Any]

ACTIVE = ("IRPending", "Protected", "ProtectionError", "ProtectionPaused")
START_WITHIN = 1200  # a scheduled job starts at most this many seconds after its time (BP-10 allows two hours)
RUN_LENGTHS = (900, 2700)
"""Seconds that a backup runs: the recorded ones took 10 to 41 minutes."""

LAST_DAY = timedelta(days=1)
VAULTED, ENHANCED = 4, 8
CONSISTENCY = ("AppConsistent", "FileSystemConsistent", "CrashConsistent")


class Protection(msgspec.Struct, omit_defaults=True):
    """The hidden state of one item: read, changed, saved. Instants are epoch seconds.

    A point is its scheduled instant times 16 plus flags (consistency, VAULTED, ENHANCED); a run its instant times 8
    plus its outcome and 4 for one on demand. So a year of backups is a few kilobytes, and no resource of its own.
    """

    vm: str
    vault: str
    state: str
    location: str
    policy: str = ""
    last_policy: str = ""
    cursor: int = 0  # the schedule has been carried out up to here
    due: int | None = None  # when something happens next
    points: list[int] = []
    expires: dict[str, int] = {}  # points on demand, by scheduled instant
    runs: list[int] = []
    pending: list[int] = []  # backups on demand that still run, by start
    failing_since: int | None = None
    failure: str = ""
    last_status: str = ""
    last_backup: int = 0
    last_point: int = 0
    deleted_at: int | None = None
    purge_at: int | None = None
    soft_delete_days: int = 0
    disks: dict[str, Any] | None = None
    container: str = "Registered"
    security: str = ""

    @property
    def seed(self) -> str:
        return f"{self.vault}|{self.vm}"

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE and self.deleted_at is None

    def start_of(self, scheduled: int) -> int:
        """When a run starts: soon after its time; one on demand at its instant."""
        if str(scheduled) in self.expires:
            return scheduled
        return scheduled + draw(self.seed, scheduled) % START_WITHIN

    def end_of(self, scheduled: int) -> int:
        low, high = RUN_LENGTHS
        return self.start_of(scheduled) + low + draw(self.seed, "length", scheduled) % (high - low)

    def restart(self, now: int) -> None:
        """Counts the schedule from now on: after it was configured, resumed or changed."""
        self.cursor = max(self.cursor, now)


def retention_of(world: World, policy_id: str) -> Retention | None:
    """The policy as arithmetic; None if there is none."""
    raw = world.store.raw(policy_id) if policy_id else None
    return _parse_policy(raw) if raw else None


@lru_cache(maxsize=512)
def _parse_policy(raw: bytes) -> Retention:
    return read_retention(msgspec.json.decode(raw)["properties"])


def read_protection(world: World, item_id: str) -> Protection:
    return msgspec.convert(world.store.hidden(item_id), Protection)


def save_protection(world: World, item_id: str, protection: Protection) -> None:
    """Stores the item as it is served, with what is known of it, found by VM and policy; asks for its next moment."""
    protection.due = next_moment(world, protection)
    index = {"vm": protection.vm} | ({"policy": protection.policy} if protection.policy else {})
    if protection.deleted_at is not None:
        index["deleted"] = "yes"
    body = show_item(world, item_id, protection)
    world.store.put(item_id, ITEMS, body, hidden=msgspec.to_builtins(protection), **index)
    if protection.due is not None:
        remind(world, protection.due)


def next_moment(world: World, protection: Protection) -> int | None:
    moments = [protection.end_of(start) for start in protection.pending]
    if protection.purge_at is not None:
        moments.append(protection.purge_at)
    elif protection.is_active and (retention := retention_of(world, protection.policy)):
        moments.append(protection.end_of(retention.schedule.next_run(protection.cursor)))
    return min(moments, default=None)


def remind(world: World, due: int) -> None:
    """Keeps the earliest moment at which any item is due."""
    kept = world.store.document("backup", "due")
    if kept is None or due < kept:
        world.store.put_document("backup", "due", due)


def live_points(world: World, protection: Protection, now: int) -> list[int]:
    """Points that have not expired, oldest first. The latest never does; a stopped item keeps all (BP-19, BP-70)."""
    points = protection.points
    keeps_all = protection.state == "ProtectionStopped"
    retention = None if keeps_all else retention_of(world, protection.policy or protection.last_policy)
    if retention is None or not points:
        return list(points)
    return [point for point in points[:-1] if expiry_of(protection, retention, point) > now] + points[-1:]


def expiry_of(protection: Protection, retention: Retention, point: int) -> int:
    scheduled = point >> 4
    chosen = protection.expires.get(str(scheduled))
    return chosen if chosen is not None else retention.expiry(scheduled, vaulted=bool(point & VAULTED))


def show_item(world: World, item_id: str, protection: Protection) -> Body:
    """The stored form; `refresh_item` adds what changes with every GET."""
    vm_id, vault_id = protection.vm, protection.vault
    policy_type = "V2" if _is_enhanced(world, protection.policy or protection.last_policy) else "V1"
    properties: Body = {
        "friendlyName": part(vm_id, "virtualMachines"),
        "virtualMachineId": vm_id,
        **_show_health(protection),
        "protectedItemDataId": str(draw("data", protection.seed) * 1021 + 70000000000),
    }
    if protection.disks is not None:
        properties["extendedProperties"] = {"diskExclusionProperties": protection.disks}
    elif protection.points and b'"osType":"Linux"' in (world.store.raw(vm_id) or b""):
        properties["extendedProperties"] = {"linuxVmApplicationName": ""}
    properties |= {
        "policyType": policy_type,
        "protectedItemType": "Microsoft.Compute/virtualMachines",
        "backupManagementType": "AzureIaasVM",
        "workloadType": "VM",
        "containerName": vm_name(vm_id),
        "sourceResourceId": vm_id,
        "policyId": protection.policy,
        "policyName": protection.policy.rpartition("/")[2],
    }
    if protection.last_point:
        properties["lastRecoveryPoint"] = wire_time(from_epoch(protection.last_point))
    properties |= {
        "vaultId": f"https://management.azure.com{vault_id}",
        **_show_deletion(protection),
        "isArchiveEnabled": False,
        "softDeleteRetentionPeriod": protection.soft_delete_days if protection.deleted_at else 0,
        "sourceLocation": protection.location,
        "sourceSideScanInfo": {"sourceSideScanStatus": "NotConfigured", "sourceSideScanSummary": "Unknown"},
    }
    return {"id": item_id, "name": item_id.rpartition("/")[2], "type": ITEMS, "properties": properties}


def _is_enhanced(world: World, policy_id: str) -> bool:
    raw = world.store.raw(policy_id) if policy_id else None
    return raw is not None and b'"policyType":"V2"' in raw


def _show_health(protection: Protection) -> Body:
    """`healthDetails` is absent until the first backup; its sentinels stand for one that never was."""
    failed = protection.last_status == "Failed" and protection.is_active
    status: Body = {
        "protectionStatus": "Unhealthy" if failed else "Healthy",
        "protectionState": "ProtectionStopped" if protection.deleted_at else protection.state,
        "healthStatus": "ActionRequired" if failed else "Passed",
    }
    if protection.last_status:
        detail = describe_failure(protection.failure) if failed else GREEN
        status["healthDetails"] = [detail]
    status["lastBackupStatus"] = protection.last_status
    last = protection.last_backup
    status["lastBackupTime"] = wire_time(from_epoch(last)) if last else NEVER_BACKED_UP
    return status


def _show_deletion(protection: Protection) -> Body:
    if protection.deleted_at is None:
        return {}
    return {
        "deferredDeleteTimeInUTC": wire_time(from_epoch(protection.deleted_at)),
        "isScheduledForDeferredDelete": True,
        "deferredDeleteTimeRemaining": time_span(timedelta(days=protection.soft_delete_days)),
    }


def refresh_item(world: World, body: Mapping[str, Any]) -> Body:
    """A stored item as served now: the time that a soft-deleted one has left moves with every GET."""
    properties = dict(body["properties"])
    if properties.get("isScheduledForDeferredDelete"):
        purge_at = world.store.hidden(body["id"])["purge_at"]
        left = max(timedelta(0), from_epoch(purge_at) - world.clock.now())
        properties["deferredDeleteTimeRemaining"] = time_span(left)
        if left < LAST_DAY:
            properties["isDeferredDeleteScheduleUpcoming"] = True
    return {**body, "properties": properties}


def soft_delete_until(deleted_at: int, days: int) -> int:
    return deleted_at + days * DAY
