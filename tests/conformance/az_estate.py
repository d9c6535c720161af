"""The Azure CLI reads and changes machines, disks, groups, tags, and makes and deletes snapshots."""

from __future__ import annotations

CLIENT = "az"


def test_account(az, subscription):
    shown = az.read("account", "show")
    assert (shown["id"], shown["name"], shown["state"]) == (subscription, "Conformance", "Enabled")
    assert [one["id"] for one in az.read("account", "list", "--refresh")] == [subscription]


def test_group_list(az):
    groups = az.read("group", "list")
    assert {one["name"]: one["location"] for one in groups} == {
        "rg-App": "westeurope",
        "rg-backup": "westeurope",
        "rg-north": "northeurope",
    }
    assert az.read("group", "show", "--name", "RG-APP")["tags"] == {"owner": "platform"}


def test_group_create_and_delete(az):
    made = az.read("group", "create", "--name", "rg-new", "--location", "westeurope", "--tags", "a=b")
    assert (made["properties"]["provisioningState"], made["tags"]) == ("Succeeded", {"a": "b"})
    az.tell("group", "delete", "--name", "rg-new", "--yes")
    assert az.read("group", "exists", "--name", "rg-new") is False


def test_vm_list(az):
    machines = az.read("vm", "list")
    assert sorted(one["name"] for one in machines) == ["APP-02", "app-01", "app-03", "north-01"]
    assert {one["location"] for one in az.read("vm", "list", "--resource-group", "rg-north")} == {"northeurope"}


def test_vm_show(az):
    shown = az.read("vm", "show", "--resource-group", "rg-app", "--name", "APP-01")
    assert (shown["name"], shown["tags"]) == ("app-01", {"env": "prod"})
    assert [disk["diskSizeGB"] for disk in shown["storageProfile"]["dataDisks"]] == [64, 128]


def test_vm_start_and_deallocate_and_instance_view(az):
    where = ("--resource-group", "rg-App", "--name", "app-03")
    assert power(az, *where) == "PowerState/deallocated"
    az.tell("vm", "start", *where)
    assert power(az, *where) == "PowerState/running"
    az.tell("vm", "deallocate", *where)
    assert power(az, *where) == "PowerState/deallocated"


def power(az, *where: str) -> str:
    statuses = az.read("vm", "get-instance-view", *where)["instanceView"]["statuses"]
    return next(str(one["code"]) for one in statuses if one["code"].startswith("PowerState/"))


def test_disk_list(az):
    disks = az.read("disk", "list", "--resource-group", "rg-App")
    assert len(disks) == 5
    for disk in disks:  # a disk of a VM that is deallocated stays its own, and is free to be read
        machine = disk["managedBy"].rpartition("/")[2]
        off = power(az, "--resource-group", "rg-App", "--name", machine) == "PowerState/deallocated"
        assert disk["diskState"] == ("Reserved" if off else "Attached"), disk["name"]
    assert {disk["diskState"] for disk in disks} == {"Attached", "Reserved"}


def test_disk_create_and_delete(az):
    made = az.read("disk", "create", "--resource-group", "rg-App", "--name", "spare", "--size-gb", "32")
    assert (made["provisioningState"], made["diskSizeGB"], made["location"]) == ("Succeeded", 32, "westeurope")
    az.tell("disk", "delete", "--resource-group", "rg-App", "--name", "spare", "--yes")
    assert "spare" not in [disk["name"] for disk in az.read("disk", "list", "--resource-group", "rg-App")]


def test_snapshot_create_full(az):
    disk = az.read("disk", "list", "--resource-group", "rg-App", "--query", "[?contains(name, 'app-01')] | [0]")
    made = az.read("snapshot", "create", "--resource-group", "rg-backup", "--name", "full", "--source", disk["id"])
    assert (made["provisioningState"], made["incremental"], made["diskSizeGB"]) == (
        "Succeeded",
        False,
        disk["diskSizeGB"],
    )
    assert made["creationData"]["sourceResourceId"].lower() == disk["id"].lower()
    assert made["creationData"]["sourceUniqueId"] == disk["uniqueId"]


def test_snapshot_create_incremental(az):
    disk = az.read("disk", "list", "--resource-group", "rg-App", "--query", "[?contains(name, 'app-01')] | [0]")
    options = ("--incremental", "true", "--sku", "Standard_ZRS", "--tags", "made=by-az")
    made = az.read(
        "snapshot", "create", "--resource-group", "rg-App", "--name", "part", "--source", disk["name"], *options
    )
    assert (made["incremental"], made["sku"]["name"], made["tags"]) == (True, "Standard_ZRS", {"made": "by-az"})
    assert made["incrementalSnapshotFamilyId"]


def test_snapshot_list_and_show(az):
    assert sorted(one["name"] for one in az.read("snapshot", "list")) == ["full", "part"]
    assert [one["name"] for one in az.read("snapshot", "list", "--resource-group", "rg-App")] == ["part"]
    assert az.read("snapshot", "show", "--resource-group", "rg-App", "--name", "part")["diskState"] == "Unattached"


def test_snapshot_update(az):
    where = ("--resource-group", "rg-App", "--name", "part")
    before = az.read("snapshot", "show", *where)
    after = az.read("snapshot", "update", *where, "--set", "tags.keep=yes")
    assert after["tags"] == {"made": "by-az", "keep": "yes"}
    assert (after["uniqueId"], after["timeCreated"]) == (before["uniqueId"], before["timeCreated"])


def test_snapshot_delete(az):
    for group, name in (("rg-App", "part"), ("rg-backup", "full")):
        az.tell("snapshot", "delete", "--resource-group", group, "--name", name)
    assert az.read("snapshot", "list") == []


def test_resource_list(az):
    resources = az.read("resource", "list")
    machines = [one["name"] for one in resources if one["type"] == "Microsoft.Compute/virtualMachines"]
    assert sorted(machines) == ["APP-02", "app-01", "app-03", "north-01"]
    found = az.read("resource", "list", "--resource-type", "Microsoft.Compute/virtualMachines")
    assert sorted(one["name"] for one in found) == sorted(machines)
    assert [one["name"] for one in az.read("resource", "list", "--tag", "env=dev")] == ["app-03"]


def test_tag_update(az):
    machine = az.read("vm", "show", "--resource-group", "rg-App", "--name", "app-03")["id"]
    merged = az.read("tag", "update", "--resource-id", machine, "--operation", "Merge", "--tags", "seen=yes")
    assert merged["properties"]["tags"] == {"env": "dev", "seen": "yes"}
    kept = az.read("tag", "update", "--resource-id", machine, "--operation", "Delete", "--tags", "seen=yes")
    assert kept["properties"]["tags"] == {"env": "dev"}
    assert az.read("tag", "list", "--resource-id", machine)["properties"]["tags"] == {"env": "dev"}


def test_what_is_not_there(az):
    assert "ResourceNotFound" in az.refuse("vm", "show", "--resource-group", "rg-App", "--name", "nobody")
    assert "ResourceGroupNotFound" in az.refuse("disk", "list", "--resource-group", "rg-none")
