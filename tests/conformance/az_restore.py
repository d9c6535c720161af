"""The Azure CLI restores: disks, a new VM, other disks for a VM, files, and in the secondary region."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import Command

HERE = Path(__file__).parent
CLIENT = "az"
VAULT = ("--resource-group", "rg-backup", "--vault-name", "rsv-az")
TYPE = ("--backup-management-type", "AzureIaasVM")
STAGING = ("--storage-account", "ststaging")


@pytest.fixture(scope="module", autouse=True)
def to_restore(emulator) -> None:
    """A vault with recovery points, in place of the estate of the other stories."""
    emulator("reset", "--estate", str(HERE / "restores.yaml"))


def item(vm: str) -> tuple[str, ...]:
    return (*VAULT, "--container-name", vm, "--item-name", vm)


def newest(az, vm: str) -> str:
    return str(az.read("backup", "recoverypoint", "list", *item(vm), *TYPE, "--workload-type", "VM")[0]["name"])


def restore(az, vm: str, *more: str) -> str:
    """Starts a restore of the newest point, waits for its job and answers the job's name."""
    job = az.read("backup", "restore", "restore-disks", *item(vm), "--rp-name", newest(az, vm), *STAGING, *more)
    az.tell("backup", "job", "wait", *VAULT, "--name", job["name"])
    return str(job["name"])


def bag(az, job: str) -> dict[str, str]:
    """What a job that has completed says of it."""
    properties = az.read("backup", "job", "show", *VAULT, "--name", job)["properties"]
    assert (properties["operation"], properties["status"]) == ("Restore", "Completed")
    return dict(properties["extendedInfo"]["propertyBag"])


def disks(az) -> list[int]:
    return sorted(one["diskSizeGB"] for one in az.read("disk", "list", "--resource-group", "rg-restored"))


def test_restore_disks_as_managed_disks(az):
    told = bag(az, restore(az, "app-01", "--target-resource-group", "rg-restored"))
    assert told["Job Type"] == "Recover disks"
    assert told["Template Blob Uri"].startswith("https://ststaging.blob.core.windows.net/")
    assert disks(az) == [64, 64, 128]


def test_restore_disks_only_the_os_disk(az):
    told = bag(az, restore(az, "app-01", "--target-resource-group", "rg-restored", "--restore-only-osdisk", "true"))
    assert len(told["Restored disk(s)"].split("; ")) == 1
    assert len(told["Backed-up disk(s)"].split("; ")) == 3


def test_restore_disks_of_a_list(az):
    told = bag(az, restore(az, "app-01", "--target-resource-group", "rg-restored", "--diskslist", "1"))
    assert len(told["Restored disk(s)"].split("; ")) == 2


def test_restore_disks_as_unmanaged_disks(az):
    before = disks(az)
    bag(az, restore(az, "app-01", "--restore-as-unmanaged-disks", "true"))
    assert disks(az) == before


def test_restore_to_a_new_machine(az):
    place = ["--target-vnet-name", "vnet-app", "--target-vnet-resource-group", "rg-restored"]
    place += ["--target-subnet-name", "default", "--target-resource-group", "rg-restored"]
    told = bag(az, restore(az, "app-01", "--target-vm-name", "new-01", *place))
    assert told["Target VNet Name"] == "Group rg-restored vnet-app"
    shown = az.read("vm", "show", "--resource-group", "rg-restored", "--name", "new-01", "--show-details")
    assert (shown["powerState"], shown["privateIps"]) == ("VM running", "10.1.0.4")
    assert [disk["lun"] for disk in shown["storageProfile"]["dataDisks"]] == [0, 1]


def test_replacing_the_disks_of_a_machine_that_runs_is_refused(az):
    point = newest(az, "app-01")
    wish = ["--rp-name", point, *STAGING, "--restore-mode", "OriginalLocation"]
    assert "UserErrorVmNotShutDown" in az.refuse("backup", "restore", "restore-disks", *item("app-01"), *wish)


def test_replacing_the_disks_of_a_machine(az):
    def os_disk() -> str:
        shown = az.read("vm", "show", "--resource-group", "rg-App", "--name", "app-03")
        return str(shown["storageProfile"]["osDisk"]["name"])

    before = os_disk()
    assert bag(az, restore(az, "app-03", "--restore-mode", "OriginalLocation"))["Target VM Name"] == "app-03"
    assert os_disk() != before


def test_cancel_a_restore(az):
    point = newest(az, "app-01")
    job = az.read("backup", "restore", "restore-disks", *item("app-01"), "--rp-name", point, *STAGING)["name"]
    az.tell("backup", "job", "stop", *VAULT, "--name", job)
    assert az.read("backup", "job", "show", *VAULT, "--name", job)["properties"]["status"] == "Cancelled"


def test_restore_files_mount_and_unmount(az):
    """The client writes the script into its folder, without the password that it tells."""
    wish = [*item("app-03"), "--rp-name", newest(az, "app-03")]
    said = az.run("backup", "restore", "files", "mount-rp", *wish)
    assert said.code == 0, said.told()
    password = said.err.strip().rpartition(" ")[2].rstrip(".")
    (script,) = az.folder.glob("app-03_wes_*.py")
    text = script.read_text(encoding="utf-8")
    script.unlink()
    assert len(password) == 15
    assert password not in script.name + text
    assert "UserInput012345" in text
    az.tell("backup", "restore", "files", "unmount-rp", *wish)
    points = az.read("backup", "recoverypoint", "list", *item("app-03"), *TYPE, "--workload-type", "VM")
    assert not any(point["properties"]["isInstantIlrSessionActive"] for point in points)


def test_restore_disks_in_the_secondary_region(az, subscription):
    """With az's own SDK: its `--use-secondary-region` ends with a TypeError before it asks for anything."""
    address = str(az.read("cloud", "show", "--query", "endpoints.resourceManager"))
    token = str(az.read("account", "get-access-token", "--query", "accessToken"))
    python = Command("python", az.environment, az.folder)
    told = python.read(str(HERE / "secondary_region.py"), address, token, subscription, "northeurope")
    assert told == [["HardenedRP"], "Succeeded", ["CrossRegionRestore", "Completed"], ["Completed"]]
    north = az.read("disk", "list", "--resource-group", "rg-restored", "--query", "[?location=='northeurope']")
    assert len(north) == 3
