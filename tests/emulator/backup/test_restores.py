"""What restores leave behind: disks, a new VM, or other disks on the VM that was there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.emulator import estate, providers
from reconciler.emulator.clock import Clock
from reconciler.emulator.store import Store
from reconciler.emulator.world import World

GROUP = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/rg-App"
TARGET = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/rg-target"
MACHINE = "/providers/Microsoft.Compute/virtualMachines/"


def read(restorer: Any, path: str) -> Any:
    return restorer.caller.send("GET", path, version="2024-03-02")


def test_disks_appear_in_the_target_group_when_the_job_ends(restorer: Any) -> None:
    job = restorer.start("web-01")
    assert restorer.disks() == {}
    assert restorer.job(job)["status"] == "InProgress"
    restorer.caller.wait(hours=1)
    assert restorer.job(job)["status"] == "Completed"
    made = restorer.disks()
    stamps = {name.rpartition("disk-")[2][-15:] for name in made}
    (stamp,) = stamps
    assert sorted(made) == [f"web01-datadisk-000-{stamp}", f"web01-datadisk-001-{stamp}", f"web01-osdisk-{stamp}"]
    assert stamp.startswith("20260302-08")
    sizes = [made[name]["properties"]["diskSizeGB"] for name in sorted(made)]
    assert sizes == [64, 128, 64]
    for disk in made.values():
        assert "managedBy" not in disk
        assert (disk["properties"]["diskState"], disk["zones"]) == ("Unattached", ["1"])
        assert disk["properties"]["creationData"] == {"createOption": "Restore"}
        assert read(restorer, disk["id"]).body == disk
    assert made[f"web01-osdisk-{stamp}"]["properties"]["osType"] == "Linux"


def test_restored_disks_are_other_disks(restorer: Any) -> None:
    restorer.restore("web-01")
    ids = [disk["properties"]["uniqueId"] for disk in restorer.disks("").values()]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("vm", "luns", "sizes"),
    [
        ("web-01", None, [64, 64, 128]),
        ("web-01", [], [64]),
        ("web-01", [1], [64, 128]),
        ("part-01", None, [32, 127]),
        ("part-01", [], [127]),
    ],
    ids=["all", "the OS disk", "one more", "all that were backed up", "of these the OS disk"],
)
def test_luns_choose_disks(restorer: Any, vm: str, luns: list[int] | None, sizes: list[int]) -> None:
    job = restorer.restore(vm, restoreDiskLunList=luns)
    assert sorted(disk["properties"]["diskSizeGB"] for disk in restorer.disks().values()) == sizes
    assert ("Restored disk(s)" in job["extendedInfo"]["propertyBag"]) == (luns is not None)


def test_without_a_target_group_nothing_of_arm_appears(restorer: Any) -> None:
    before = restorer.world.store.size()
    job = restorer.restore("web-01", targetResourceGroupId=None)
    bag = job["extendedInfo"]["propertyBag"]
    assert "Target resource group" not in bag
    assert bag["Template Blob Uri"].startswith("https://ststaging.blob.core.windows.net/web01-")
    assert restorer.disks() == {}
    assert restorer.world.store.size() == before + 1  # the job


def test_a_new_machine_runs_with_its_disks_and_an_interface(restorer: Any) -> None:
    restorer.restore("web-01", **restorer.new_machine())
    machine = read(restorer, f"{TARGET}{MACHINE}new-01").body
    origin = read(restorer, f"{GROUP}{MACHINE}web-01").body
    properties = machine["properties"]
    assert (machine["location"], machine["tags"], machine["zones"]) == ("westeurope", {"env": "prod"}, ["1"])
    assert properties["vmId"] != origin["properties"]["vmId"]
    assert properties["hardwareProfile"] == origin["properties"]["hardwareProfile"]
    assert "osProfile" not in properties
    attached = [properties["storageProfile"]["osDisk"], *properties["storageProfile"]["dataDisks"]]
    assert [disk["createOption"] for disk in attached] == ["Attach"] * 3
    assert [disk["lun"] for disk in attached[1:]] == [0, 1]
    for entry in attached:
        disk = read(restorer, entry["managedDisk"]["id"]).body
        assert disk["name"].startswith("new01-")
        assert (disk["managedBy"], disk["properties"]["diskState"]) == (machine["id"], "Attached")
    view = read(restorer, f"{machine['id']}/instanceView").body
    assert "PowerState/running" in [status["code"] for status in view["statuses"]]
    (reference,) = properties["networkProfile"]["networkInterfaces"]
    interface = restorer.caller.send("GET", reference["id"], version="2024-05-01").body
    assert interface["name"].startswith("new-01-nic-")
    assert interface["properties"]["virtualMachine"] == {"id": machine["id"]}
    (address,) = interface["properties"]["ipConfigurations"]
    assert address["properties"]["subnet"]["id"].endswith("/vnet-weu/subnets/default")
    assert address["properties"]["privateIPAddress"] == "10.1.0.4"


def test_a_subnet_that_goes_away_fails_the_job(restorer: Any) -> None:
    job = restorer.start("web-01", **restorer.new_machine())
    restorer.world.store.delete(restorer.new_machine()["subnetId"])
    restorer.caller.wait(hours=1)
    assert restorer.job(job)["status"] == "Failed"
    assert read(restorer, f"{TARGET}{MACHINE}new-01").status == 404


def test_replaced_disks_stay_behind_unattached(restorer: Any) -> None:
    before = read(restorer, f"{GROUP}{MACHINE}off-01").body["properties"]
    job = restorer.restore("off-01", recoveryType="OriginalLocation", targetResourceGroupId=None)
    after = read(restorer, f"{GROUP}{MACHINE}off-01").body["properties"]
    assert job["extendedInfo"]["propertyBag"]["Target resource group"] == "rg-App"
    assert after["vmId"] == before["vmId"]
    assert after["storageProfile"]["imageReference"] == before["storageProfile"]["imageReference"]
    profiles = [[p["storageProfile"]["osDisk"], *p["storageProfile"]["dataDisks"]] for p in (before, after)]
    for old, new in zip(*profiles, strict=True):
        assert old["managedDisk"]["id"] != new["managedDisk"]["id"]
        released = read(restorer, old["managedDisk"]["id"]).body
        assert (released.get("managedBy"), released["properties"]["diskState"]) == (None, "Unattached")
        held = read(restorer, new["managedDisk"]["id"]).body
        assert (held["managedBy"], held["properties"]["diskState"]) == (f"{GROUP}{MACHINE}off-01", "Reserved")
        assert held["properties"]["diskSizeGB"] == released["properties"]["diskSizeGB"]


def test_a_machine_that_was_started_again_keeps_its_disks(restorer: Any) -> None:
    path = f"{GROUP}{MACHINE}off-01"
    before = read(restorer, path).body["properties"]["storageProfile"]
    job = restorer.start("off-01", recoveryType="OriginalLocation", targetResourceGroupId=None)
    restorer.caller.do("POST", f"{path}/start", version="2024-03-02")
    restorer.caller.wait(hours=1)
    assert restorer.job(job)["status"] == "Failed"
    assert read(restorer, path).body["properties"]["storageProfile"] == before


def test_a_disk_that_was_not_backed_up_stays_where_it_is(restorer: Any) -> None:
    path = f"{GROUP}{MACHINE}part-01"
    restorer.caller.do("POST", f"{path}/deallocate", version="2024-03-02")
    before = {d["lun"]: d["name"] for d in read(restorer, path).body["properties"]["storageProfile"]["dataDisks"]}
    restorer.restore("part-01", recoveryType="OriginalLocation")
    after = {d["lun"]: d["name"] for d in read(restorer, path).body["properties"]["storageProfile"]["dataDisks"]}
    assert after[0] == before[0]
    assert after[1] != before[1]


def test_a_machine_that_is_gone_can_be_restored(restorer: Any) -> None:
    """The reason why there are backups."""
    restorer.restore("gone-01", **restorer.new_machine())
    machine = read(restorer, f"{TARGET}{MACHINE}new-01").body
    assert machine["properties"]["storageProfile"]["osDisk"]["name"].startswith("new01-osdisk-")
    assert read(restorer, f"{GROUP}{MACHINE}gone-01").status == 404


def test_a_machine_that_was_deleted_comes_back_as_it_was(restorer: Any) -> None:
    path = f"{GROUP}{MACHINE}web-01"
    before, point = read(restorer, path).body, restorer.points("web-01")[0]
    restorer.caller.do("DELETE", path, version="2024-03-02")
    for disk in list(restorer.disks(GROUP).values()):
        if disk["name"].startswith("web-01"):
            restorer.caller.send("DELETE", disk["id"], version="2024-03-02")
    restorer.caller.wait(minutes=5)
    assert not [name for name in restorer.disks(GROUP) if name.startswith("web-01")]
    assert restorer.points("web-01")[0] == point
    place = {"targetResourceGroupId": GROUP, "targetVirtualMachineId": path}
    assert restorer.restore("web-01", **restorer.new_machine(**place))["status"] == "Completed"
    after = read(restorer, path).body
    assert (after["tags"], after["zones"]) == (before["tags"], before["zones"])
    assert after["properties"]["hardwareProfile"] == before["properties"]["hardwareProfile"]
    assert [disk["diskSizeGB"] for disk in after["properties"]["storageProfile"]["dataDisks"]] == [64, 128]


def test_a_machine_that_went_with_its_group_comes_back_as_it_was(restorer: Any) -> None:
    caller = restorer.caller
    doomed = TARGET.replace("rg-target", "rg-doomed")
    caller.send("DELETE", doomed, version="2024-03-01")
    caller.wait(minutes=5)
    assert caller.send("GET", doomed, version="2024-03-01").status == 404
    points = f"{caller.item_path('doomed-01', group='rg-doomed')}/recoveryPoints"
    point = caller.get(points)["value"][0]
    assert point["properties"]["virtualMachineSize"] == "Standard_E4s_v5"
    source = f"{doomed}{MACHINE}doomed-01"
    wish = {"recoveryPointId": point["name"], **restorer.request("doomed-01", sourceResourceId=source)}
    job = caller.do("POST", f"{points}/{point['name']}/restore", {"properties": wish})["properties"]["jobId"]
    caller.wait(hours=1)
    assert restorer.job(job)["status"] == "Completed"
    assert sorted(disk["properties"]["diskSizeGB"] for disk in restorer.disks().values()) == [32, 127]


def test_a_restore_outlives_the_server(restorer: Any, tmp_path: Any, restore_estate: dict[str, Any]) -> None:
    def open_world() -> World:
        clock = Clock(estate.origin(restore_estate), speed=0)
        return World(store=Store(tmp_path / "state"), clock=clock, completions=providers.completions())

    first = open_world()
    estate.load(first, restore_estate)
    begun = replace(restorer, caller=type(restorer.caller)(first))
    job = begun.start("web-01", **begun.new_machine())
    first.store.close()
    again = replace(restorer, caller=type(restorer.caller)(open_world()))
    assert again.job(job)["status"] == "InProgress"
    again.caller.wait(hours=3)
    assert again.job(job)["status"] == "Completed"
    assert len(again.disks()) == 3


@pytest.mark.parametrize(
    ("option", "policy"),
    [("SameAsOnSourceDisks", "AllowPrivate"), ("EnablePrivateAccessForAllDisks", "AllowPrivate"),
     ("EnablePublicAccessForAllDisks", "AllowAll")],
)  # fmt: skip
def test_private_disks_say_who_may_reach_them(restorer: Any, option: str, policy: str) -> None:
    _make_private(restorer)
    settings = {"targetDiskNetworkAccessOption": option, "targetDiskAccessId": f"{TARGET}/access"}
    restorer.restore("web-01", targetDiskNetworkAccessSettings=settings)
    made = [disk["properties"]["networkAccessPolicy"] for disk in restorer.disks().values()]
    assert sorted(made) == sorted([policy] + ["AllowAll" if option == "SameAsOnSourceDisks" else policy] * 2)


def _make_private(restorer: Any) -> None:
    machine = restorer.world.store.get(f"{GROUP}{MACHINE}web-01")
    disk = restorer.world.store.get(machine["properties"]["storageProfile"]["osDisk"]["managedDisk"]["id"])
    disk["properties"]["networkAccessPolicy"] = "AllowPrivate"
    restorer.world.store.replace(disk["id"], disk)


def test_a_point_tells_of_private_disks(restorer: Any) -> None:
    told = [restorer.points("web-01")[0]["properties"]["isPrivateAccessEnabledOnAnyDisk"]]
    _make_private(restorer)
    told.append(restorer.points("web-01")[0]["properties"]["isPrivateAccessEnabledOnAnyDisk"])
    assert told == [False, True]
