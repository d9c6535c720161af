"""What a snapshot and its schedule say, for people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from reconciler.kinds.base import Assignment
from reconciler.kinds.phrases import Phrase
from reconciler.kinds.snapshot.spec import SnapshotSpec
from reconciler.kinds.snapshot.tags import SCHEDULE, SLOT
from reconciler.kinds.snapshot.timetable import Timetable
from reconciler.model.arm_id import ArmId
from reconciler.model.explanation import Setting
from reconciler.model.keeping import say
from reconciler.model.snapshot_schedule import CopyTo, SnapshotDisks, SnapshotSchedule

_DAY, _WEEK = timedelta(days=1), timedelta(weeks=1)
_TOLD = 6
"""Times of day that are listed one by one."""


def snapshot_phrases(spec: SnapshotSpec) -> Iterator[Phrase]:
    """What can be changed of it."""
    if spec.network_access_policy:
        yield Phrase("network_access_policy", "networkAccessPolicy", spec.network_access_policy)
    if spec.disk_access:
        yield Phrase("disk_access", "diskAccess", ArmId(spec.disk_access).name)
    if spec.public_network_access:
        yield Phrase("public_network_access", "publicNetworkAccess", spec.public_network_access)


def snapshot_summary(spec: SnapshotSpec) -> str:
    """`for slot 2026-11-22T06:00Z of schedule hourly: incremental, Standard_ZRS, westeurope`."""
    form = "copy" if spec.source else "incremental" if spec.incremental else "full"
    slot, schedule = spec.tags.get(SLOT, ""), spec.tags.get(SCHEDULE, "")
    return f"for slot {slot} of schedule {schedule}: {form}, {spec.sku}, {spec.location}"


def schedule_settings(assignment: Assignment, timetable: Timetable) -> Iterator[Setting]:
    """Every value of the schedule with its line; None for the defaults of the program."""
    schedule, document = timetable.schedule, timetable.document
    address = f"SnapshotSchedule {timetable.name}"
    yield Setting(address, "schedule", timetable.name, assignment.source)
    points = schedule.restore_points
    values = {
        "every": _every(timetable),
        "offset": schedule.offset,
        "keep": say(schedule.keep),
        "incremental": None if points else str(schedule.incremental).lower(),
        "sku": None if points else schedule.sku or timetable.sku(assignment.machine.location),
        "disks": _disks(schedule),
        "consistency": schedule.consistency or "perDisk",
        "copyTags": str(schedule.copy_tags).lower(),
        "tags": ", ".join(f"{name}={value}" for name, value in (schedule.tags or {}).items()),
        "resourceGroup": schedule.resource_group or assignment.machine.resource_group,
        "skipIfRecoveryPointWithin": schedule.skip_if_recovery_point_within,
        "copyTo": _copies(timetable.copy),
        "networkAccessPolicy": schedule.network_access_policy,
        "diskAccess": schedule.disk_access,
        "publicNetworkAccess": schedule.public_network_access,
        "restorePointMode": schedule.restore_point_mode or ("ApplicationConsistent" if points else None),
    }
    for name, value in values.items():
        if value:
            yield Setting(address, name, value, document.positions.get((name,)))


def _every(timetable: Timetable) -> str:
    """`6h: slots at 00:00, 06:00, 12:00, 18:00 UTC`; the day counts from the anchor of all slots."""
    cadence, every, slot = timetable.cadence, timetable.schedule.every, timetable.slot
    if cadence.every % _DAY == timedelta():
        day = f"on {slot:%A}s " if cadence.every == _WEEK else ""
        return f"{every}: slots {day}at {slot:%H:%M} UTC"
    if _DAY % cadence.every:
        return f"{every}: slots wander round the clock"
    first = slot.replace(hour=0, minute=0) + cadence.offset % cadence.every
    times = [f"{first + index * cadence.every:%H:%M}" for index in range(_DAY // cadence.every)]
    told = times if len(times) <= _TOLD else [times[0], times[1], "…", times[-1]]
    return f"{every}: slots at {', '.join(told)} UTC"


def _copies(copy: CopyTo | None) -> str | None:
    if copy is None:
        return None
    return f"{copy.region}, resource group {copy.resource_group}" if copy.resource_group else copy.region


def _disks(schedule: SnapshotSchedule) -> str:
    disks = schedule.disks
    if not isinstance(disks, SnapshotDisks):
        return {"all": "all", "osOnly": "the OS disk only"}[disks]
    luns = disks.only if disks.only is not None else disks.except_ or ()
    numbers = ", ".join(map(str, sorted(luns)))
    return f"the OS disk and data disks {numbers}" if disks.only is not None else f"all but data disks {numbers}"
