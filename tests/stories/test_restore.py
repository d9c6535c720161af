"""Disks and VMs back from what the schedules took: as a person does it, command by command."""

from __future__ import annotations

import json
import signal
from typing import Any

import pytest

from tests.restore.conftest import PLACES, snapshot
from tests.stories.conftest import Story
from tests.stories.small_estate import CLOCK, PROD, SCOPE, machine_path
from tests.stories.test_least_privilege import given

pytestmark = pytest.mark.story
ESTATE: dict[str, Any] = {
    "estate": "restore",
    "clock": CLOCK,
    "subscriptions": [{"id": PROD, "name": "Production"}],
    "resourceGroups": [
        {"subscription": "Production", "name": "rg-app", "location": "westeurope"},
        {"subscription": "Production", "name": "rg-dr", "location": "northeurope"},
    ],
    "networks": [
        {
            "name": f"vnet-{name}",
            "resourceGroup": f"rg-{name}",
            "addressPrefixes": [f"10.{number}.0.0/16"],
            "subnets": {"app": f"10.{number}.1.0/24"},
        }
        for number, name in enumerate(("app", "dr"), 1)
    ],
    "virtualMachines": [
        {"name": "app-01", "resourceGroup": "rg-app", "os": "Linux", "dataDisks": [64, 32], "tags": {"env": "prod"}}
    ],
}
SCHEDULE: dict[str, Any] = {"kind": "SnapshotSchedule", "name": "six-hourly", "every": "6h", "keep": {"count": 4}}
PROTECTION: dict[str, Any] = {
    "kind": "Protection",
    "name": "production",
    "select": {"tags": {"env": "prod"}},
    "snapshots": {"schedule": "six-hourly"},
}
BACK = ("restore", "vm", "--from-snapshots", "app-01@latest", "--name", "back")
MADE = {"PUT back-os": 1, "PUT back-data-0": 1, "PUT back-data-1": 1, "PUT back-nic": 1, "PUT back": 1}


def begin(story: Story, estate: dict[str, Any] | None = None, **schedule: Any) -> None:
    """The first snapshots (or restore point) of app-01 are taken."""
    scope = {**SCOPE, "subscriptions": {"prod": PROD}}
    story.begin(estate or ESTATE, scope, {**SCHEDULE, **schedule}, PROTECTION)
    story.run("apply", "--auto-approve", code=0)


def made(story: Story) -> dict[str, int]:
    return {name: count for name, count in story.writes().items() if name.startswith("PUT back")}


def read(story: Story, path: str) -> Any:
    return json.loads(story.arm("GET", f"{path}?api-version=2025-04-01").text)


def first(story: Story) -> dict[str, Any]:
    """The newest of what `snapshots list` tells."""
    listed = json.loads(story.run("snapshots", "list", "app-01", "--format", "json", code=0).out)
    found: dict[str, Any] = listed["restorable"][0]
    return found


def test_a_vm_comes_back_and_the_same_command_makes_nothing_twice(story: Story) -> None:
    begin(story, consistency="perDisk")
    listed = story.run("snapshots", "list", "app-01", code=0).out
    assert "prod/rg-app/app-01" in listed
    assert listed.count("2026-03-02T06:00Z") == 3
    assert listed.count("newest, count") == 3

    done = story.run(*BACK, "--auto-approve", code=0)
    assert "virtual_machine.prod/rg-app/back will be created" in done.out
    assert "SN-15" in done.out
    assert "Apply complete: 5 done" in done.told
    assert "az vm show --show-details" in done.err
    assert made(story) == MADE
    again = story.run(*BACK, "--auto-approve", code=0)
    assert "Nothing to do: what was to be made is there already" in again.out
    assert made(story) == MADE
    disks = read(story, machine_path("back"))["properties"]["storageProfile"]["dataDisks"]
    assert [disk["lun"] for disk in disks] == [0, 1]


def test_a_disk_is_planned_reviewed_and_made_later(story: Story) -> None:
    begin(story)
    name = first(story)["name"]
    planned = story.run(
        "restore", "disk", name, "--name", "back-os", "--sku", "StandardSSD_LRS", "--out", "p.json", code=0
    )
    assert f"from: snapshot.{name}" in planned.out
    assert "reconciler apply p.json" in planned.err
    assert made(story) == {}
    assert story.run("show", "p.json", code=0).out == planned.out
    applied = story.run("apply", "p.json", code=0)
    assert "az vm disk attach" in applied.err
    assert made(story) == {"PUT back-os": 1}
    assert "Nothing to do" in story.run("apply", "p.json", code=0).out


def test_nothing_is_made_before_somebody_says_yes(story: Story) -> None:
    begin(story)
    assert "nobody can be asked here" in story.run(*BACK, code=1).err
    both = story.run(*BACK, "--out", "p.json", "--auto-approve", code=1)
    assert "leave one of them out" in both.err
    assert made(story) == {}


def test_a_vm_comes_back_in_another_region_from_its_copies(story: Story) -> None:
    begin(story, copyTo="northeurope")
    assert first(story)["copies"][0]["region"] == "northeurope"
    abroad = (*BACK, "--region", "northeurope", "--resource-group", "rg-dr", "--auto-approve")
    refused = story.run(*abroad, code=1)
    assert "name one with --subnet, as vnet-dr/app" in refused.told
    story.run(*abroad, "--subnet", "vnet-dr/app", code=0)
    assert read(story, machine_path("back", "rg-dr"))["location"] == "northeurope"


def test_a_vm_comes_back_from_a_restore_point(story: Story) -> None:
    begin(story, consistency="restorePoint")
    found = first(story)
    assert (found["kind"], found["consistency"]) == ("restore_point", "FileSystemConsistent"), "of Linux"
    done = story.run(*BACK, "--auto-approve", code=0)
    assert "SN-15" not in done.out
    assert "from: restore_point.prod/rg-app/" in done.out
    assert made(story) == MADE
    story.run("restore", "disk", found["name"], "--disk", "1", "--name", "look", "--auto-approve", code=0)
    assert story.writes()["PUT look"] == 1


def test_killed_while_the_disks_are_made(story: Story) -> None:
    """What Azure had accepted is waited for by the same command, not sent again."""
    begin(story)
    story.stand_still()
    restore = story.start(*BACK, "--auto-approve")
    story.until(lambda: story.writes()["PUT back-os"] == 1)
    restore.kill()
    assert restore.process.returncode == -signal.SIGKILL
    story.go_on()
    assert "(resumed)" in story.run(*BACK, "--auto-approve", code=0).out
    assert made(story) == MADE
    assert "Nothing to do" in story.run(*BACK, "--auto-approve", code=0).out


def test_killed_while_the_vm_is_made(story: Story) -> None:
    begin(story)
    restore = story.start(*BACK, "--auto-approve")
    story.until(lambda: story.writes()["PUT back"] == 1)
    restore.kill()
    story.run(*BACK, "--auto-approve", code=0)
    assert made(story) == MADE
    assert "Nothing to do" in story.run(*BACK, "--auto-approve", code=0).out


def test_the_role_to_restore_restores_and_no_more(story: Story) -> None:
    """It cannot take snapshots."""
    vm = {**ESTATE["virtualMachines"][0], "osDisk": {"sizeGB": 30, "name": PLACES["os"]}}
    vm["dataDisks"] = [{"sizeGB": 32, "lun": lun, "name": PLACES[str(lun)]} for lun in (0, 1)]
    taken = [snapshot(place, machine=machine_path("app-01")) for place in PLACES]
    estate = given("restore", {**ESTATE, "virtualMachines": [vm], "snapshots": taken})
    story.begin(estate, {**SCOPE, "subscriptions": {"prod": PROD}}, SCHEDULE, PROTECTION)
    story.run(*BACK, "--auto-approve", code=0)
    assert made(story) == MADE
    assert 403 not in {entry["status"] for entry in story.azure.requests()}
    story.run("emulator", "advance", "6h", code=0)
    assert "Microsoft.Compute/snapshots/write" in story.run("apply", "--auto-approve", code=1).told


def test_a_vm_that_is_gone_is_listed_and_restored(story: Story) -> None:
    begin(story)
    story.arm("DELETE", machine_path("app-01") + "?api-version=2025-04-01")
    story.until(lambda: "the VM is gone" in story.run("snapshots", "list", "app-01", code=0).out)
    refused = story.run(*BACK, "--auto-approve", code=1)
    assert "name one with --size" in refused.told
    assert "its subnet cannot be taken" in refused.told
    story.run(*BACK, "--size", "Standard_D2s_v5", "--subnet", "vnet-app/app", "--auto-approve", code=0)
    assert made(story) == MADE


def test_a_name_that_is_taken_makes_nothing_at_all(story: Story) -> None:
    begin(story)
    taken = (*BACK[:-1], "app-01", "--auto-approve")
    said = story.run(*taken, code=1)
    assert "a VM of this name is there already" in said.out
    assert "nothing is made" in said.told
    assert [name for name in story.writes() if name.startswith("PUT app-01-data")] == []


@pytest.mark.parametrize("name", ["back-os", "back-nic", "back"])
def test_an_answer_that_never_came_makes_nothing_twice(story: Story, name: str) -> None:
    begin(story)
    story.azure.add_fault({"method": "PUT", "path": f"*/{name}", "reset": "after", "count": 1})
    story.run(*BACK, "--auto-approve", code=0)
    assert story.repeated() == {}
    assert "Nothing to do" in story.run(*BACK, "--auto-approve", code=0).out


def test_a_vm_that_could_not_be_made_is_said_and_its_disks_are_there_for_the_next_try(story: Story) -> None:
    begin(story)
    refusal = {"status": 409, "code": "SkuNotAvailable", "message": "The requested size is not available."}
    story.azure.add_fault({"method": "PUT", "path": "*/virtualMachines/back", "count": 1, **refusal})
    failed = story.run(*BACK, "--auto-approve", code=4)
    assert "SkuNotAvailable" in failed.told
    again = story.run(*BACK, "--size", "Standard_D8s_v5", "--auto-approve", code=0)
    assert "Plan: 1 to create; 4 unchanged." in again.out
    assert read(story, machine_path("back"))["properties"]["hardwareProfile"]["vmSize"] == "Standard_D8s_v5"


def test_a_vm_that_ended_as_failed_is_no_free_name(story: Story) -> None:
    begin(story)
    story.azure.add_fault({"method": "PUT", "path": "*/virtualMachines/back", "operation": "fails", "count": 1})
    story.run(*BACK, "--auto-approve", code=4)
    again = story.run(*BACK, "--auto-approve", code=1)
    assert "it is there already, and its creation failed" in again.out
    assert "az resource delete --ids" in again.out
