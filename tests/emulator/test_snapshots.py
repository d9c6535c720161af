"""Snapshots of managed disks, by raw requests and by the real SDK."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from azure.mgmt.compute import ComputeManagementClient

SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app/providers/Microsoft.Compute"
DISK = f"{GROUP}/disks/data-1"
SNAPSHOT = f"{GROUP}/snapshots/snap-1"


def copy_of(source: str, **properties: Any) -> dict[str, Any]:
    creation = {"createOption": "Copy", "sourceResourceId": source}
    return {"location": "westeurope", "properties": {"creationData": creation, **properties}}


def created_by(option: str, **creation: str) -> dict[str, Any]:
    return {"properties": {"creationData": {"createOption": option, **creation}}}


@pytest.fixture
def disk(ask, world) -> dict[str, Any]:
    return make_disk(ask, world)


def make_disk(ask, world) -> dict[str, Any]:
    body = {"location": "westeurope", "sku": {"name": "Premium_LRS"}, "properties": {"diskSizeGB": 10}}
    finish(ask, world, ask("PUT", DISK, body))
    return ask("GET", DISK).response.body


def finish(ask, world, outcome) -> dict[str, Any]:
    """Ends the operation that an answer speaks of, and answers its status body."""
    assert outcome.response.status == 202
    world.advance(world.operations.next_end() - world.clock.now())
    return ask("GET", outcome.response.headers["Azure-AsyncOperation"].removeprefix("https://localhost:9443")).response


def test_an_incremental_snapshot(ask, world, disk):
    wanted = {**copy_of(DISK, incremental=True), "sku": {"name": "Standard_ZRS"}, "tags": {"made": "by hand"}}
    outcome = ask("PUT", SNAPSHOT, wanted)
    accepted = outcome.response.body
    assert accepted["properties"] == {**wanted["properties"], "provisioningState": "Updating"}
    assert accepted["sku"] == {"name": "Standard_ZRS"}
    assert finish(ask, world, outcome).body["properties"]["output"] == ask("GET", SNAPSHOT).response.body
    body = ask("GET", SNAPSHOT).response.body
    assert (body["id"], body["name"], body["type"]) == (SNAPSHOT, "snap-1", "Microsoft.Compute/snapshots")
    assert (body["sku"], body["tags"]) == ({"name": "Standard_ZRS", "tier": "Standard"}, {"made": "by hand"})
    properties = body["properties"]
    assert properties["creationData"]["sourceUniqueId"] == disk["properties"]["uniqueId"]
    assert properties["incrementalSnapshotFamilyId"]
    assert (properties["diskSizeGB"], properties["diskSizeBytes"]) == (10, 10 * 1024**3)
    assert (properties["provisioningState"], properties["diskState"]) == ("Succeeded", "Unattached")
    assert properties["timeCreated"] == "2026-03-02T08:00:02.0000001+00:00"


def test_a_full_snapshot_has_no_family_and_may_be_premium(ask, world, disk):
    finish(ask, world, ask("PUT", SNAPSHOT, {**copy_of(DISK), "sku": {"name": "Premium_LRS"}}))
    body = ask("GET", SNAPSHOT).response.body
    assert body["properties"]["incremental"] is False
    assert "incrementalSnapshotFamilyId" not in body["properties"]
    assert body["sku"]["tier"] == "Premium"


def test_snapshots_of_one_disk_are_a_family_until_the_disk_is_another(ask, world, disk):
    families = []
    for name in ("a", "b"):
        finish(ask, world, ask("PUT", f"{GROUP}/snapshots/{name}", copy_of(DISK, incremental=True)))
        families.append(ask("GET", f"{GROUP}/snapshots/{name}").response.body["properties"])
    finish(ask, world, ask("DELETE", DISK))
    again = make_disk(ask, world)
    finish(ask, world, ask("PUT", f"{GROUP}/snapshots/c", copy_of(DISK, incremental=True)))
    families.append(ask("GET", f"{GROUP}/snapshots/c").response.body["properties"])
    first, second, third = (one["incrementalSnapshotFamilyId"] for one in families)
    assert first == second != third
    assert families[2]["creationData"]["sourceUniqueId"] == again["properties"]["uniqueId"]
    assert (
        families[0]["creationData"]["sourceUniqueId"]
        == disk["properties"]["uniqueId"]
        != again["properties"]["uniqueId"]
    )


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"location": ""}, 400, "LocationRequired"),
        ({"location": "northeurope"}, 404, "NotFound"),
        (copy_of(f"{GROUP}/disks/none"), 404, "NotFound"),
        ({**copy_of(DISK, incremental=True), "sku": {"name": "Premium_LRS"}}, 400, "InvalidParameter"),
        ({**copy_of(DISK), "sku": {"name": "UltraSSD_LRS"}}, 400, "InvalidParameter"),
        (
            {"properties": {"creationData": {"createOption": "CopyStart", "sourceResourceId": DISK}}},
            400,
            "InvalidParameter",
        ),
        ({"properties": {"creationData": {"createOption": "Import"}}}, 501, "NotImplemented"),
    ],
)
def test_refusals(ask, disk, change, status, code):
    response = ask("PUT", SNAPSHOT, {**copy_of(DISK), **change}).response
    assert (response.status, response.body["error"]["code"]) == (status, code)
    assert ask("GET", SNAPSHOT).response.status == 404


def test_a_change_keeps_identity_and_time(ask, world, disk):
    finish(ask, world, ask("PUT", SNAPSHOT, copy_of(DISK)))
    before = ask("GET", SNAPSHOT).response.body
    world.advance(timedelta(hours=1))
    finish(ask, world, ask("PUT", SNAPSHOT, {**copy_of(DISK), "sku": {"name": "Standard_ZRS"}, "tags": {"a": "b"}}))
    after = ask("GET", SNAPSHOT).response.body
    assert after == {**before, "sku": {"name": "Standard_ZRS", "tier": "Standard"}, "tags": {"a": "b"}}
    finish(ask, world, ask("PATCH", SNAPSHOT, {"properties": {"networkAccessPolicy": "DenyAll"}}))
    assert ask("GET", SNAPSHOT).response.body["properties"]["networkAccessPolicy"] == "DenyAll"


@pytest.mark.parametrize(
    "change",
    [
        {"location": "northeurope"},
        {"properties": {"incremental": True}},
        {"properties": {"creationData": {"createOption": "Copy", "sourceResourceId": f"{GROUP}/disks/other"}}},
    ],
)
def test_what_cannot_be_changed(ask, world, disk, change):
    finish(ask, world, ask("PUT", SNAPSHOT, copy_of(DISK)))
    response = ask("PUT", SNAPSHOT, {**copy_of(DISK), **change}).response
    assert (response.status, response.body["error"]["code"]) == (409, "PropertyChangeNotAllowed")


def test_deletion(ask, world, disk):
    finish(ask, world, ask("PUT", SNAPSHOT, copy_of(DISK)))
    status = finish(ask, world, ask("DELETE", SNAPSHOT))
    assert (status.body["status"], "properties" in status.body) == ("Succeeded", False)
    missing = ask("GET", SNAPSHOT).response
    assert (missing.status, missing.body["error"]["code"]) == (404, "ResourceNotFound")
    assert missing.headers["x-ms-failure-cause"] == "gateway"
    assert ask("DELETE", SNAPSHOT).response.status == 204


def test_a_snapshot_outlives_its_disk_and_a_disk_is_made_of_it(ask, world, disk):
    finish(ask, world, ask("PUT", SNAPSHOT, copy_of(DISK)))
    finish(ask, world, ask("DELETE", DISK))
    restored = f"{GROUP}/disks/restored"
    finish(ask, world, ask("PUT", restored, copy_of(SNAPSHOT)))
    made, source = ask("GET", restored).response.body["properties"], ask("GET", SNAPSHOT).response.body["properties"]
    assert (made["creationData"]["sourceUniqueId"], made["diskSizeGB"]) == (source["uniqueId"], 10)


def test_the_sdk_lives_through_it(server, credential):
    options = {"base_url": server.running.endpoint, "connection_verify": server.running.ca}
    with ComputeManagementClient(credential, SUBSCRIPTION, **options) as client:
        machine = client.virtual_machines.get("rg-app", "app-01")
        source = machine.storage_profile.os_disk.managed_disk.id
        made = client.snapshots.begin_create_or_update("rg-app", "snap", copy_of(source, incremental=True)).result()
        assert (made.provisioning_state, made.incremental, made.os_type) == ("Succeeded", True, "Linux")
        listed = [*client.snapshots.list(), *client.snapshots.list_by_resource_group("rg-app")]
        assert [one.id for one in listed] == [made.id, made.id]
        changed = client.snapshots.begin_update("rg-app", "snap", {"tags": {"keep": "yes"}}).result()
        assert (changed.tags, changed.unique_id, changed.time_created) == (
            {"keep": "yes"},
            made.unique_id,
            made.time_created,
        )
        client.snapshots.begin_delete("rg-app", "snap").result()
        assert list(client.snapshots.list()) == []
