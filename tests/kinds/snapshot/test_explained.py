"""What `explain` tells of a schedule: every value that it has, and none that means nothing for it."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.kinds.base import Assignment
from reconciler.kinds.snapshot.phrases import schedule_settings
from reconciler.kinds.snapshot.timetable import timetable_of
from reconciler.model.document import Document
from reconciler.model.protection import Protection
from reconciler.model.scope import Objectives
from reconciler.model.selector import Selector
from reconciler.model.slots import ANCHOR
from reconciler.model.snapshot_schedule import Snapshots
from tests.kinds.snapshot.estates import AT, machine, schedule

ONE_BY_ONE = {"incremental": "true", "sku": "Standard_ZRS", "consistency": "perDisk"}
TOGETHER = {"consistency": "restorePoint", "restorePointMode": "ApplicationConsistent"}


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, {**ONE_BY_ONE, "every": "6h: slots at 00:00, 06:00, 12:00, 18:00 UTC"}),
        ({"every": "7d", "offset": "2h"}, {**ONE_BY_ONE, "every": "7d: slots on Mondays at 02:00 UTC", "offset": "2h"}),
        ({"every": "5h"}, {**ONE_BY_ONE, "every": "5h: slots wander round the clock"}),
        ({"copyTo": "North Europe"}, {**ONE_BY_ONE, "copyTo": "northeurope"}),
        (
            {"copyTo": {"region": "northeurope", "resourceGroup": "rg-dr"}},
            {**ONE_BY_ONE, "copyTo": "northeurope, resource group rg-dr"},
        ),
        ({"consistency": "restorePoint"}, TOGETHER),
        (
            {"consistency": "restorePoint", "restorePointMode": "CrashConsistent"},
            {**TOGETHER, "restorePointMode": "CrashConsistent"},
        ),
    ],
)
def test_what_is_told_of_a_schedule(fields: dict[str, Any], told: dict[str, str]) -> None:
    document = schedule(**fields)
    protection = Document("Protection", "all", Protection(select=Selector(names=("*",)), aspects={}), AT)
    assignment = Assignment(machine(), "snapshots", Snapshots(schedule=document.name), protection, AT, Objectives())
    values = {item.path: item.value for item in schedule_settings(assignment, timetable_of(document, ANCHOR))}
    common = {
        "schedule": "six-hourly", "keep": "the newest 2", "disks": "all", "copyTags": "true", "resourceGroup": "rg-app",
    }  # fmt: skip
    every = {"every": "6h: slots at 00:00, 06:00, 12:00, 18:00 UTC"}
    assert values == {**common, **every, **told}
