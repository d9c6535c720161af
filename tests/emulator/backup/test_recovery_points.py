"""Recovery points as the clock moves, and backups on demand."""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest

from reconciler.emulator.providers.backup_names import ITEMS
from reconciler.emulator.providers.protected_item_states import live_points, read_protection
from reconciler.emulator.world import World

REQUEST = {"properties": {"objectType": "IaasVMBackupRequest", "recoveryPointExpiryTimeInUTC": "2026-03-20T00:00:00Z"}}


def points(caller: Any, vm: str, filter_: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = caller.get(caller.item_path(vm) + "/recoveryPoints", filter_)["value"]
    return found


@pytest.mark.parametrize(
    ("vm", "kind"), [("web-01", "FileSystemConsistent"), ("WIN-01", "AppConsistent"), ("off-01", "CrashConsistent")]
)
def test_consistency_follows_the_machine(caller: Any, vm: str, kind: str) -> None:
    """BP-30, BP-31."""
    caller.finish(caller.configure(vm))
    caller.wait(days=1)
    (point,) = points(caller, vm)
    assert point["properties"]["recoveryPointType"] == kind
    assert point["properties"]["osType"] == ("Linux" if vm == "web-01" else "Windows")


def test_one_point_a_day_pruned_by_retention(caller: Any) -> None:
    caller.finish(caller.configure("web-01", "daily-9d"))
    for days in range(1, 13):
        caller.wait(days=1)
        assert len(points(caller, "web-01")) == min(days, 9)
    times = [point["properties"]["recoveryPointTime"] for point in points(caller, "web-01")]
    assert times == sorted(times, reverse=True)


def test_advancing_in_one_step_or_many_gives_the_same_points(build: Any, backup_estate: dict[str, Any]) -> None:
    """Two worlds with one estate: pruning on the way loses nothing that pruning at the end keeps."""
    document = deepcopy(backup_estate)
    items = [{"vm": "rg-App/web-01", "policy": "hourly"}, {"vm": "rg-App/WIN-01", "policy": "daily-9d"}]
    document["backup"]["vaults"][1]["items"] = items
    in_one_step, in_many = build(document), build(document)
    in_one_step.advance(timedelta(days=10))
    for _ in range(100):
        in_many.advance(timedelta(hours=2, minutes=24))

    def points_of(world: World) -> list[list[int]]:
        now = int(world.clock.now().timestamp())
        found = [read_protection(world, item_id) for item_id in world.store.ids(ITEMS)]
        return [live_points(world, protection, now) for protection in found]

    assert points_of(in_one_step) == points_of(in_many)
    assert all(points_of(in_many))


def test_hourly_points_reach_the_vault_once_a_day(caller: Any) -> None:
    """BP-10: at 12:00, 16:00 and 20:00 of the first day, the last of them hardened; snapshots go after three days."""
    caller.finish(caller.configure("web-01", "hourly"))
    caller.wait(days=1)
    tiers = [
        [tier["type"] for tier in point["properties"]["recoveryPointTierDetails"]] for point in points(caller, "web-01")
    ]
    assert tiers == [["InstantRP", "HardenedRP"], ["InstantRP"], ["InstantRP"]]
    caller.wait(days=9)
    found = points(caller, "web-01")
    old = [point for point in found if point["properties"]["recoveryPointTime"] < "2026-03-09T00"]
    assert old
    for point in old:
        details = {tier["type"]: tier["status"] for tier in point["properties"]["recoveryPointTierDetails"]}
        assert details == {"InstantRP": "Deleted", "HardenedRP": "Valid"}
    assert {point["properties"]["createdWithPolicyType"] for point in found} == {"V2"}


def test_disks_are_listed_only_for_one_point(caller: Any) -> None:
    disks = {"diskExclusionProperties": {"diskLunList": [0], "isInclusionList": True}}
    caller.finish(caller.configure("web-01", extendedProperties=disks))
    caller.wait(days=1)
    (point,) = points(caller, "web-01")
    counts = {"numberOfDisksIncludedInBackup": 2, "numberOfDisksAttachedToVm": 3}
    assert point["properties"]["recoveryPointDiskConfiguration"] == counts
    shown = caller.get(f"{caller.item_path('web-01')}/recoveryPoints/{point['name']}")
    configuration = shown["properties"]["recoveryPointDiskConfiguration"]
    assert [disk["lun"] for disk in configuration["includedDiskList"]] == [-1, 0]
    assert [disk["lun"] for disk in configuration["excludedDiskList"]] == [1]
    assert caller.send("GET", f"{caller.item_path('web-01')}/recoveryPoints/1").status == 404
    assert caller.send("GET", f"{caller.item_path('web-01')}/recoveryPoints/x").status == 404


def test_points_are_filtered_by_date(caller: Any) -> None:
    filter_ = "startDate eq '2026-02-20 12:00:00 AM' and endDate eq '2026-02-22 11:59:59 PM'"
    assert len(points(caller, "kept-01", filter_)) == 3
    assert (
        caller.send("GET", caller.item_path("kept-01") + "/recoveryPoints?$filter=startDate%20eq%20'x'").status == 400
    )


def test_backup_now(caller: Any) -> None:
    """The operation ends within seconds; the job runs on; the point expires when the request said."""
    path = caller.item_path("kept-01")
    done = caller.do("POST", f"{path}/backup", REQUEST)
    job = caller.get(f"rsv-app/backupJobs/{done['properties']['jobId']}")["properties"]
    assert (job["operation"], job["status"]) == ("Backup", "InProgress")
    assert [task["status"] for task in job["extendedInfo"]["tasksList"]] == ["InProgress", "NotStarted"]
    assert job["extendedInfo"]["tasksList"][0]["endTime"] == "0001-01-01T00:00:00"
    assert job["extendedInfo"]["propertyBag"]["Recovery Point Expiry Time in UTC"] == "3/20/2026 12:00:00 AM"
    assert "endTime" not in job
    assert len(points(caller, "kept-01")) == 30
    caller.wait(hours=1)
    job = caller.get(f"rsv-app/backupJobs/{done['properties']['jobId']}")["properties"]
    assert (job["status"], job["actionsInfo"]) == ("Completed", ["Cancellable"])
    assert len(points(caller, "kept-01")) == 31
    assert caller.item("kept-01")["lastRecoveryPoint"] == "2026-03-02T08:00:06Z"
    caller.wait(days=20)
    assert "2026-03-02T08:00:06Z" not in [
        point["properties"]["recoveryPointTime"] for point in points(caller, "kept-01")
    ]


def test_backup_now_is_refused(caller: Any) -> None:
    """BP-54, and what is not protected."""
    path = caller.item_path("kept-01")
    for _ in range(9):
        caller.do("POST", f"{path}/backup", REQUEST)
        busy = caller.send("POST", f"{path}/backup", REQUEST)
        assert busy.code == "UserErrorBackupOperationInProgress"
        caller.wait(hours=1)
    assert caller.send("POST", f"{path}/backup", REQUEST).rule == "BP-54"
    assert caller.send("POST", caller.item_path("stopped-01") + "/backup", REQUEST).code == "UserErrorProtectionStopped"
    assert caller.send("POST", caller.item_path("web-01") + "/backup", REQUEST).status == 404
    caller.wait(days=1)
    assert caller.send("POST", f"{path}/backup", REQUEST).status == 202


def test_the_latest_point_never_expires(caller: Any) -> None:
    """BP-19: a VM whose backups fail keeps its last one."""
    caller.wait(days=400)
    assert len(points(caller, "failing-01")) == 1


def test_a_fault_hits_backups_until_it_is_cleared(caller: Any) -> None:
    code = "ExtensionSnapshotFailedNoNetwork"
    caller.world.faults.add({"method": "BACKUP", "path": "*;kept-01", "operation": "fails", "code": code})
    caller.finish(caller.configure("web-01"))
    caller.wait(days=4)
    item = caller.item("kept-01")
    assert (item["protectionState"], item["lastBackupStatus"]) == ("ProtectionError", "Failed")
    assert item["healthDetails"][0]["title"] == code
    assert caller.item("web-01")["lastBackupStatus"] == "Completed"
    caller.world.faults.clear()
    caller.wait(days=1)
    item = caller.item("kept-01")
    assert (item["protectionState"], item["healthStatus"]) == ("Protected", "Passed")
