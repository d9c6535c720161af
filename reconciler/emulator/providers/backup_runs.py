"""Backups as time passes: schedules fire, points appear and expire, soft-deleted items go.

A backup is no request, but a fault can hit it all the same: one whose `method` is `BACKUP`, matched against the id of
the item (`{"method": "BACKUP", "path": "*;web-01", "operation": "fails", "code": "ExtensionSnapshotFailedNoNetwork"}`).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from reconciler.emulator.providers.backup_failures import DEFAULT_FAILURE, VM_NOT_FOUND
from reconciler.emulator.providers.backup_names import ITEMS
from reconciler.emulator.providers.backup_retention import Retention
from reconciler.emulator.providers.backup_schedule import DAY
from reconciler.emulator.providers.compute import power_state
from reconciler.emulator.providers.protected_item_states import (
    ENHANCED,
    VAULTED,
    Protection,
    live_points,
    remind,
    retention_of,
    save_protection,
)
from reconciler.emulator.world import World

ROUTES: tuple[()] = ()

KEEP_JOBS = 90 * DAY
ERROR_AFTER = 3 * DAY
"""An item whose last good backup is older than this, and whose last one failed, is in ProtectionError."""

COMPLETED, WITH_WARNINGS, FAILED, VM_GONE, ON_DEMAND = 0, 1, 2, 3, 4
FAULT_METHOD = "BACKUP"
POINT_AFTER = 6  # seconds from the start of a run to its recovery point


def on_tick(world: World, after: datetime, until: datetime) -> None:  # noqa: ARG001 - the cursor of each item says
    """Carries out what fell due by `until`; costs one look-up when nothing did."""
    now = int(until.timestamp())
    due = world.store.document("backup", "due")
    if due is None or due > now:
        return
    world.store.delete_document("backup", "due")
    for item_id in world.store.ids(ITEMS):
        hidden = world.store.hidden(item_id)
        moment = hidden.get("due")
        if moment is None:
            continue
        if moment > now:
            remind(world, moment)
            continue
        _pass_time(world, item_id, msgspec.convert(hidden, Protection), now)


def _pass_time(world: World, item_id: str, protection: Protection, now: int) -> None:
    if protection.purge_at is not None and protection.purge_at <= now:
        world.store.delete(item_id)
        return
    machine = world.store.get(protection.vm)
    crashed = power_state(world, protection.vm) != "running"
    retention = retention_of(world, protection.policy)
    while (scheduled := _next_ended(protection, retention, now)) is not None:
        struck = _strike(world, item_id)
        _run(world, protection, scheduled, machine, crashed=crashed, struck=struck)
        if scheduled in protection.pending:
            protection.pending.remove(scheduled)
        else:
            protection.cursor = scheduled
    forget_expired(world, protection, now)
    save_protection(world, item_id, protection)


def _next_ended(protection: Protection, retention: Retention | None, now: int) -> int | None:
    """The run, on demand or by schedule, that ends first, if it has ended by now."""
    runs = list(protection.pending)
    if retention is not None and protection.is_active:
        runs.append(retention.schedule.next_run(protection.cursor))
    first = min(runs, key=protection.end_of, default=None)
    return first if first is not None and protection.end_of(first) <= now else None


def _strike(world: World, item_id: str) -> str | None:
    """The error code of the fault that hits this backup."""
    if not any(rule.get("method") == FAULT_METHOD for rule in world.faults.rules()):
        return None
    fault = world.faults.strike(FAULT_METHOD, item_id)
    return (fault.code or DEFAULT_FAILURE) if fault and fault.method == FAULT_METHOD else None


def _run(
    world: World,
    protection: Protection,
    scheduled: int,
    machine: Mapping[str, Any] | None,
    *,
    crashed: bool,
    struck: str | None,
) -> None:
    """One backup at its end: an outcome for the jobs, and a point if it worked."""
    started = protection.start_of(scheduled)
    outcome = COMPLETED
    if machine is None:
        outcome, protection.failure = VM_GONE, VM_NOT_FOUND
    elif protection.failing_since is not None and started >= protection.failing_since:
        outcome = FAILED
    elif struck is not None:
        outcome, protection.failure = FAILED, struck
    on_demand = ON_DEMAND if str(scheduled) in protection.expires else 0
    protection.runs.append(scheduled << 3 | on_demand | outcome)
    protection.last_backup = started
    if outcome != COMPLETED or machine is None:
        protection.last_status = "Failed"
        if outcome == FAILED and started - protection.last_point >= ERROR_AFTER:
            protection.state = "ProtectionError"
        return
    protection.points.append(encode_point(world, protection, scheduled, machine, crashed=crashed))
    protection.last_status, protection.failure = "Completed", ""
    protection.last_point = started + POINT_AFTER
    if protection.state in ("IRPending", "ProtectionError"):
        protection.state = "Protected"


def encode_point(
    world: World, protection: Protection, scheduled: int, machine: Mapping[str, Any], *, crashed: bool
) -> int:
    """A Windows VM gives application-consistent points, Linux file-system ones, a stopped one crash (BP-30, BP-31)."""
    retention = retention_of(world, protection.policy)
    policy = world.store.raw(protection.policy) or b""
    crashed = crashed or b'"OnlyCrashConsistent"' in policy
    consistency = 2 if crashed else 0 if is_windows(machine) else 1
    vaulted = str(scheduled) in protection.expires or retention is None or retention.schedule.is_vaulted(scheduled)
    enhanced = ENHANCED if b'"policyType":"V2"' in policy else 0
    return scheduled << 4 | enhanced | (VAULTED if vaulted else 0) | consistency


def is_windows(machine: Mapping[str, Any]) -> bool:
    disk = (machine.get("properties", {}).get("storageProfile") or {}).get("osDisk") or {}
    return str(disk.get("osType", "")).lower() == "windows"


def forget_expired(world: World, protection: Protection, now: int) -> None:
    protection.points.sort()
    protection.points = live_points(world, protection, now)
    protection.runs = [run for run in protection.runs if (run >> 3) > now - KEEP_JOBS]
    kept = {str(point >> 4) for point in protection.points}
    recent = kept | {str(run >> 3) for run in protection.runs} | {str(start) for start in protection.pending}
    protection.expires = {start: expiry for start, expiry in protection.expires.items() if start in recent}


def make_history(retention: Retention, since: int, until: int) -> list[int]:
    """Scheduled instants in (since, until] that retention still keeps at `until`: the past of an estate's items."""
    scheduled = retention.schedule.runs(since, until)
    is_vaulted = retention.schedule.is_vaulted
    kept = [start for start in scheduled[:-1] if retention.expiry(start, vaulted=is_vaulted(start)) > until]
    return kept + scheduled[-1:]
