"""What a schedule of restore points cannot say: they are of whole VMs, and Azure stores them as it likes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from reconciler.kinds.document_rule import Breach, rule_of
from reconciler.model.duration import parse_duration
from reconciler.model.snapshot_schedule import SnapshotSchedule
from reconciler.plan.finding import Severity

CRASH = "CrashConsistent"
_SHORTEST = {True: timedelta(hours=1), False: timedelta(hours=3)}
"""Time between restore points, by whether they are crash-consistent."""


def _spacing(schedule: SnapshotSchedule) -> Iterator[Breach]:
    crash = schedule.restore_point_mode == CRASH
    if schedule.restore_points and parse_duration(schedule.every) < _SHORTEST[crash]:
        hours = _SHORTEST[crash] // timedelta(hours=1)
        mode = "crash-consistent" if crash else "application-consistent"
        advice = f"write {hours}h or more" + ("" if crash else f", or restorePointMode: {CRASH} and 1h or more")
        yield Breach(("every",), f"{schedule.every} apart; {mode} restore points must be {hours} h apart", advice)


def _not_of_points(schedule: SnapshotSchedule) -> Iterator[Breach]:
    if not schedule.restore_points:
        return
    impossible = {
        "copyTo": (schedule.copy_to is not None, "restore points are copied as whole collections, which is not done"),
        "sku": (schedule.sku is not None, "Azure chooses the storage of restore points"),
        "incremental": (not schedule.incremental, "restore points are always incremental"),
        "networkAccessPolicy": (schedule.network_access_policy is not None, "restore points have no export setting"),
        "diskAccess": (schedule.disk_access is not None, "restore points have no export setting"),
        "publicNetworkAccess": (schedule.public_network_access is not None, "restore points have no export setting"),
    }
    for key, (written, why) in impossible.items():
        if written:
            yield Breach((key,), why, f"leave {key} out, or write consistency: perDisk")


def _mode_without_points(schedule: SnapshotSchedule) -> Iterator[Breach]:
    if schedule.restore_point_mode is not None and not schedule.restore_points:
        message = "only restore points have a mode; snapshots of single disks are crash-consistent"
        yield Breach(("restorePointMode",), message, "write consistency: restorePoint, or leave restorePointMode out")


POINT_RULES = (
    rule_of("SN-20", Severity.ERROR, "vrp, rpm", _spacing),
    rule_of("SN-20", Severity.ERROR, "vrp, rpm", _not_of_points),
    rule_of("SN-21", Severity.ERROR, "vrp, rpm", _mode_without_points),
)
