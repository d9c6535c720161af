"""Disks, of nothing and of snapshots."""

from __future__ import annotations

import pytest

from tests.emulator.snapshots.conftest import WEST, refusal


def restore(disks, snapshot: str, *, location: str = "westeurope", sku: str = "Premium_LRS", **properties):
    creation = {"createOption": "Copy", "sourceResourceId": snapshot}
    body = {"location": location, "sku": {"name": sku}, "properties": {"creationData": creation, **properties}}
    return disks.send("PUT", f"{WEST}/disks/restored", {**body, "zones": ["2"]})


@pytest.fixture
def snapshot(disks) -> str:
    return disks.taken("one", disks.make_disk("data", 64, osType="Linux", hyperVGeneration="V2"))


@pytest.mark.parametrize(("asked", "made"), [({}, 64), ({"diskSizeGB": 64}, 64), ({"diskSizeGB": 100}, 100)])
def test_a_disk_of_a_snapshot(disks, snapshot, asked, made):
    status = disks.finish(restore(disks, snapshot, sku="StandardSSD_LRS", **asked))
    body = disks.get(f"{WEST}/disks/restored")
    assert status["properties"]["output"] == body
    properties, source = body["properties"], disks.get(snapshot)["properties"]
    assert (body["sku"]["name"], body["zones"], properties["diskSizeGB"]) == ("StandardSSD_LRS", ["2"], made)
    assert properties["diskSizeBytes"] == made * 1024**3
    assert (properties["osType"], properties["hyperVGeneration"]) == ("Linux", "V2")
    assert properties["creationData"] == {
        "createOption": "Copy",
        "sourceResourceId": snapshot,
        "sourceUniqueId": source["uniqueId"],
    }
    assert "completionPercent" not in properties
    disks.delete(snapshot)
    assert disks.get(f"{WEST}/disks/restored") == body


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"diskSizeGB": 63}, 400, "InvalidParameter"),
        ({"location": "northeurope"}, 404, "NotFound"),
        ({"sku": "Fast_LRS"}, 400, "InvalidParameter"),
    ],
)
def test_refusals(disks, snapshot, change, status, code):
    assert refusal(restore(disks, snapshot, **change)) == (status, code)
    assert disks.send("GET", f"{WEST}/disks/restored").status == 404


def test_sectors_of_4096_bytes_stay_on_direct_drives(disks):
    snapshot = disks.taken("ultra", disks.make_disk("data", 4, "UltraSSD_LRS"))
    disks.world.advance(disks.world.operations.next_end() - disks.world.clock.now())
    assert refusal(restore(disks, snapshot)) == (400, "InvalidParameter")
    assert restore(disks, snapshot, sku="PremiumV2_LRS").status == 202


def test_an_unknown_way_to_make_a_disk_is_refused_plainly(disks):
    body = {"location": "westeurope", "properties": {"creationData": {"createOption": "Upload"}}}
    assert refusal(disks.send("PUT", f"{WEST}/disks/data", body)) == (501, "NotImplemented")


def test_changes(disks):
    path = disks.make_disk("data", 10)
    before = disks.get(path)
    change = {"sku": {"name": "StandardSSD_LRS"}, "properties": {"diskSizeGB": 20}, "tags": {"a": "b"}}
    disks.finish(disks.send("PATCH", path, change))
    body = disks.get(path)
    assert (body["sku"], body["tags"]) == ({"name": "StandardSSD_LRS", "tier": "Standard"}, {"a": "b"})
    assert body["properties"]["diskSizeBytes"] == 20 * 1024**3
    assert "tier" in before["properties"]
    assert "tier" not in body["properties"]
    for same in ("uniqueId", "timeCreated", "creationData"):
        assert body["properties"][same] == before["properties"][same]
    assert refusal(disks.send("PATCH", path, {"properties": {"diskSizeGB": 19}})) == (409, "OperationNotAllowed")


def test_a_disk_of_the_same_name_is_another_disk(disks):
    first = disks.get(disks.make_disk("data"))["properties"]["uniqueId"]
    disks.delete(f"{WEST}/disks/data")
    assert disks.get(disks.make_disk("data"))["properties"]["uniqueId"] != first


def test_a_creation_that_fails_leaves_a_failed_disk(disks):
    disks.world.faults.add({"method": "PUT", "path": "*/disks/*", "operation": "fails", "count": 1})
    body = {"location": "westeurope", "properties": {"diskSizeGB": 4}}
    assert disks.finish(disks.send("PUT", f"{WEST}/disks/data", body))["status"] == "Failed"
    path = f"{WEST}/disks/data"
    assert disks.get(path)["properties"]["provisioningState"] == "Failed"
    assert refusal(disks.take("one", path)) == (409, "OperationNotAllowed")
    assert disks.make_disk("data") == path
    assert disks.get(path)["properties"]["provisioningState"] == "Succeeded"
