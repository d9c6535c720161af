"""An estate whose disks have snapshots by every sort of schedule, and among them what others left there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.stories.promise import Schedule
from tests.stories.small_estate import CLOCK, PROD

GROUP = f"/subscriptions/{PROD}/resourceGroups/rg-app/providers/Microsoft.Compute"
FAR = "northeurope"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SCHEDULES = (
    Schedule("hourly", HOUR, {"hourly": 12, "daily": 7}),
    Schedule("six-hourly", 6 * HOUR, {"count": 8, "daily": 7, "weekly": 4, "monthly": 2}),
    Schedule("aged", 12 * HOUR, {}, age=5 * DAY),
    Schedule("far", DAY, {"count": 3, "weekly": 3}, region=FAR),
    Schedule("nightly", DAY, {"daily": 14, "monthly": 3}, offset=HOUR),
)
POINTS = Schedule("whole", 12 * HOUR, {"count": 4, "daily": 5})
"""Restore points of whole VMs."""


def spell(span: timedelta) -> str:
    return f"{span // HOUR}h"


def document(schedule: Schedule) -> dict[str, Any]:
    """The SnapshotSchedule."""
    keep = {**schedule.keep, **({"age": spell(schedule.age)} if schedule.age else {})}
    said = {"kind": "SnapshotSchedule", "name": schedule.name, "every": spell(schedule.every), "keep": keep}
    if schedule.offset:
        said["offset"] = spell(schedule.offset)
    if schedule.region:
        said["copyTo"] = {"region": schedule.region, "resourceGroup": "rg-far"}
    return {**said, "consistency": "restorePoint" if schedule is POINTS else "perDisk"}


def policies() -> list[dict[str, Any]]:
    every = (*SCHEDULES, POINTS)
    asked = [
        {
            "kind": "Protection",
            "name": one.name,
            "select": {"tags": {"snapshots": one.name}},
            "snapshots": {"schedule": one.name},
        }
        for one in every
    ]
    scope = {"kind": "Scope", "name": "long", "subscriptions": {"prod": PROD}}
    return [{"apiVersion": "reconciler/v1", **one} for one in (scope, *map(document, every), *asked)]


def machines(disks: int) -> list[dict[str, Any]]:
    """VMs of two disks each, the schedules taking turns, and two VMs with restore points."""
    turns = [SCHEDULES[number % len(SCHEDULES)].name for number in range(disks // 2)]
    return [
        {
            "name": f"{schedule}-{number}",
            "resourceGroup": "rg-app",
            "os": "Linux",
            "osDisk": {"name": f"{schedule}-{number}-os", "sizeGB": 32},
            "dataDisks": [{"name": f"{schedule}-{number}-data", "sizeGB": 64, "lun": 0}],
            "tags": {"snapshots": schedule},
        }
        for number, schedule in enumerate([*turns, POINTS.name, POINTS.name])
    ]


LOOK_ALIKES: list[dict[str, Any]] = [
    {"name": "hourly-0-os-20260201T0600Z-3fa2c1"},
    {"name": "hourly-0-os-20260301T0600Z-abcdef", "tags": {"CreatedBy": "another tool", "retention": "1d"}},
    {"name": "hourly-0-os-20260228T0600Z-abcdef", "tags": {"reconciler-schedule": "hourly"}},
    {
        "name": "hourly-0-data-20260228T0700Z-abcdef",
        "disk": "rg-app/hourly-0-data",
        "tags": {"reconciler-schedule": "hourly", "reconciler-slot": "yesterday", "reconciler-disk": "hourly-0-data"},
    },
    {
        "name": "hourly-0-os-before-upgrade",
        "tags": {
            "reconciler-schedule": "hourly",
            "reconciler-slot": "2026-03-01T06:00Z",
            "reconciler-disk": "somebody's",
        },
    },
    {"name": "by-hand", "incremental": False},
    {"name": "old-data-20250301T0600Z-abcdef", "disk": "rg-app/old-data", "sizeGB": 64, "age": "300d"},
]
"""Snapshots that are not ours, whatever they are called and whatever some of their tags say."""


def estate(disks: int) -> dict[str, Any]:
    common = {"resourceGroup": "rg-app", "disk": "rg-app/hourly-0-os", "age": "36h"}
    return {
        "estate": "long",
        "clock": CLOCK,
        "subscriptions": [{"id": PROD, "name": "Production"}],
        "resourceGroups": [
            {"subscription": "Production", "name": "rg-app", "location": "westeurope"},
            {"subscription": "Production", "name": "rg-far", "location": FAR},
        ],
        "virtualMachines": machines(disks),
        "snapshots": [{**common, **one} for one in LOOK_ALIKES],
    }
