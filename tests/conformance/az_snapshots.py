"""The Azure CLI takes snapshots and restore points, copies and exports them, and builds up again what they hold."""

from __future__ import annotations

import pytest

CLIENT = "az"
GROUP = ("--resource-group", "rg-App")
NORTH = ("--resource-group", "rg-north")


@pytest.fixture(scope="module")
def disk(az) -> dict:
    """The first data disk of app-01."""
    shown = az.read("vm", "show", *GROUP, "--name", "app-01")
    return dict(az.read("disk", "show", "--ids", shown["storageProfile"]["dataDisks"][0]["managedDisk"]["id"]))


def shown(az, name: str, where: tuple[str, ...] = GROUP) -> dict:
    return dict(az.read("snapshot", "show", *where, "--name", name))


def test_incremental_snapshots_are_one_family(az, disk):
    for name in ("first", "second"):
        az.tell("snapshot", "create", *GROUP, "--name", name, "--source", disk["id"], "--incremental", "true")
    first, second = shown(az, "first"), shown(az, "second")
    assert first["incrementalSnapshotFamilyId"] == second["incrementalSnapshotFamilyId"]
    assert first["creationData"]["sourceUniqueId"] == second["creationData"]["sourceUniqueId"] == disk["uniqueId"]
    assert first["uniqueId"] != second["uniqueId"]


def test_copy_start_to_another_region(az, emulator):
    source = shown(az, "first")
    options = ("--incremental", "true", "--copy-start", "true", "--location", "northeurope")
    az.tell("snapshot", "create", *NORTH, "--name", "copy", "--source", source["id"], *options)
    assert shown(az, "copy", NORTH)["completionPercent"] < 100
    emulator("advance", "1h")  # the data follows in the background: what `az snapshot wait` would wait for
    copy = shown(az, "copy", NORTH)
    assert (copy["location"], copy["creationData"]["createOption"]) == ("northeurope", "CopyStart")
    assert (copy["completionPercent"], copy["creationData"]["sourceUniqueId"]) == (100, source["uniqueId"])


def test_grant_and_revoke_access(az):
    where = (*GROUP, "--name", "second")
    granted = az.read("snapshot", "grant-access", *where, "--duration-in-seconds", "600")
    assert granted["accessSAS"].startswith("https://")
    assert shown(az, "second")["diskState"] == "ActiveSAS"
    assert "shared access signature" in az.refuse("snapshot", "delete", *where)
    az.tell("snapshot", "revoke-access", *where)
    assert shown(az, "second")["diskState"] == "Unattached"


def test_disk_create_from_a_snapshot(az, disk):
    made = az.read("disk", "create", *GROUP, "--name", "back", "--source", "second", "--sku", "Premium_LRS")
    assert (made["diskSizeGB"], made["sku"]["name"]) == (disk["diskSizeGB"], "Premium_LRS")
    assert made["creationData"]["sourceUniqueId"] == shown(az, "second")["uniqueId"]
    assert made["uniqueId"] != disk["uniqueId"]


def test_disk_create_from_a_snapshot_of_another_region(az):
    refused = az.refuse("disk", "create", *NORTH, "--name", "far", "--source", shown(az, "second")["id"])
    assert "NotFound" in refused


def test_vm_disk_attach_and_detach(az):
    az.tell("vm", "disk", "attach", *GROUP, "--vm-name", "app-01", "--name", "back")
    found = az.read("disk", "show", *GROUP, "--name", "back")
    assert (found["managedBy"].rpartition("/")[2].lower(), found["diskState"]) == ("app-01", "Attached")
    disks = az.read("vm", "show", *GROUP, "--name", "app-01")["storageProfile"]["dataDisks"]
    assert [one["lun"] for one in disks] == [0, 1, 2]
    az.tell("vm", "disk", "detach", *GROUP, "--vm-name", "app-01", "--name", "back")
    assert az.read("disk", "show", *GROUP, "--name", "back")["diskState"] == "Unattached"


def test_restore_point_collection_and_point(az):
    source = az.read("vm", "show", *GROUP, "--name", "app-01")["id"]
    where = (*GROUP, "--collection-name", "points")
    made = az.read("restore-point", "collection", "create", *where, "--source-id", source, "--tags", "made=by-az")
    assert (made["provisioningState"], made["tags"]) == ("Succeeded", {"made": "by-az"})
    point = az.read("restore-point", "create", *where, "--name", "p1")
    assert point["provisioningState"] == "Succeeded"
    again = az.read("restore-point", "show", *where, "--name", "p1")
    assert len(again["sourceMetadata"]["storageProfile"]["dataDisks"]) == 2
    assert [one["name"] for one in az.read("restore-point", "collection", "list", *GROUP)] == ["points"]
    assert [one["name"] for one in az.read("restore-point", "collection", "list-all")] == ["points"]


def test_restore_point_delete(az):
    where = (*GROUP, "--collection-name", "points")
    az.tell("restore-point", "delete", *where, "--name", "p1", "--yes")
    assert "NotFound" in az.refuse("restore-point", "show", *where, "--name", "p1")
    az.tell("restore-point", "collection", "delete", *where, "--yes")
    assert az.read("restore-point", "collection", "list-all") == []


def test_network_and_interface_create(az):
    made = az.read(
        *("network", "vnet", "create", *GROUP, "--name", "vnet-new", "--address-prefixes", "10.9.0.0/16"),
        *("--subnet-name", "app", "--subnet-prefixes", "10.9.1.0/24"),
    )
    assert made["newVNet"]["provisioningState"] == "Succeeded"
    nic = az.read("network", "nic", "create", *GROUP, "--name", "nic-new", "--vnet-name", "vnet-new", "--subnet", "app")
    (address,) = nic["NewNIC"]["ipConfigurations"]
    assert (address["privateIPAddress"], address["subnet"]["id"].rpartition("/")[2]) == ("10.9.1.4", "app")


def test_snapshot_delete(az):
    for where, name in ((GROUP, "first"), (GROUP, "second"), (NORTH, "copy")):
        az.tell("snapshot", "delete", *where, "--name", name)
    assert az.read("snapshot", "list") == []
