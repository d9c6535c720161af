"""What the service refuses, and what it leaves behind when something fails."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.emulator.snapshots.conftest import COMPUTE, NORTH, SCOPE, WEST, refusal

ACCESS = f"{SCOPE}/resourceGroups/rg-app/{COMPUTE}/diskAccesses/private"
ENCRYPTION = f"{SCOPE}/resourceGroups/rg-app/{COMPUTE}/diskEncryptionSets/keys"
EMPTY = {"creationData": {"createOption": "Empty"}, "diskSizeGB": 4}


@pytest.mark.parametrize(
    ("name", "well"),
    [
        ("a", True),
        ("A-b_c.9", True),
        ("a" * 80, True),
        ("a" * 81, False),
        ("-a", False),
        ("a.", False),
        ("a b", False),
        ("ü", False),
    ],
)
@pytest.mark.parametrize("collection", ["disks", "snapshots"])
def test_names(disks, collection, name, well):
    response = disks.send("PUT", f"{WEST}/{collection}/{name}", {"location": "westeurope", "properties": EMPTY})
    if well:
        assert response.status == 202
    else:
        noun = collection.removesuffix("s")
        assert refusal(response) == (400, "InvalidParameter")
        assert response.body["error"]["message"] == f"The value of parameter {noun}.name is invalid."


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ({f"t{n}": "" for n in range(50)}, None),
        ({f"t{n}": "" for n in range(51)}, "InvalidTagNameCount"),
        ({"n" * 512: "v" * 256}, None),
        ({"n" * 513: ""}, "InvalidTagNameLength"),
        ({"n": "v" * 257}, "InvalidTagValueLength"),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_tags(disks, method, tags, code):
    path = f"{WEST}/snapshots/one"
    disks.finish(disks.send("PUT", path, {"location": "westeurope", "properties": EMPTY}))
    response = disks.send(method, path, {"location": "westeurope", "properties": EMPTY, "tags": tags})
    assert response.status == 202 if code is None else refusal(response) == (400, code)


@pytest.mark.parametrize(
    ("location", "sku", "incremental", "served"),
    [
        ("westeurope", None, True, "Standard_ZRS"),
        ("westeurope", None, False, "Standard_LRS"),
        ("westeurope", "Standard_LRS", True, "Standard_LRS"),
        ("westeurope", "Premium_LRS", False, "Premium_LRS"),
        ("westus", None, True, "Standard_LRS"),
        ("westus", "Standard_ZRS", True, ("IncrementalSnapshot", "Standard_LRS")),
        ("westus", "Standard_ZRS", False, ("Snapshot", "Standard_LRS,Premium_LRS")),
    ],
)
def test_skus_of_a_region(disks, location, sku, incremental, served):
    body = {"location": location, "properties": {**EMPTY, "incremental": incremental}}
    response = disks.send("PUT", f"{WEST}/snapshots/one", {**body, "sku": {"name": sku}} if sku else body)
    if isinstance(served, str):
        assert disks.finish(response)["properties"]["output"]["sku"]["name"] == served
    else:
        refused = f"SKU {sku} is not supported for resource type {served[0]} in this region."
        message = f"{refused} Supported SKUs for this region are {served[1]}"
        assert response.body["error"] == {"code": "InvalidParameter", "message": message, "target": "sku"}


def test_seven_incrementals_of_a_disk_in_five_minutes(disks):
    disk, other = disks.make_disk("data"), disks.make_disk("other")
    for number in range(7):
        disks.taken(f"s{number}", disk)
    assert refusal(disks.take("eighth", disk)) == (409, "SnapshotOperationRateExceeded")
    assert disks.send("GET", f"{WEST}/snapshots/eighth").status == 404
    assert disks.take("full", disk, incremental=False).status == 202
    assert disks.take("other", other).status == 202
    disks.world.advance(timedelta(minutes=5) - timedelta(seconds=7))
    assert disks.take("eighth", disk).status == 202


def test_so_many_incrementals_of_a_disk(disks):
    """The refusal comes late, and leaves a Failed snapshot behind that is no member of the family."""
    disks.settings(incrementalsPerDisk=2)
    disk = disks.make_disk("data")
    first = disks.taken("a", disk)
    disks.taken("b", disk)
    status = disks.finish(disks.take("c", disk))
    assert (status["status"], status["error"]["code"]) == ("Failed", "SnapshotsLimitReached")
    third = f"{WEST}/snapshots/c"
    assert disks.get(third)["properties"]["provisioningState"] == "Failed"
    assert disks.finish(disks.take("full", disk, incremental=False))["status"] == "Succeeded"
    disks.delete(first)
    assert disks.finish(disks.take("c", disk))["status"] == "Succeeded"
    assert disks.get(third)["properties"]["provisioningState"] == "Succeeded"


def test_private_access_needs_its_resource_which_is_read_back_in_capitals(disks):
    path = f"{WEST}/snapshots/one"
    private = {**EMPTY, "networkAccessPolicy": "AllowPrivate"}
    response = disks.send("PUT", path, {"location": "westeurope", "properties": private})
    assert refusal(response) == (400, "InvalidParameter")
    encryption = {"type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSetId": ENCRYPTION}
    sent = {**private, "diskAccessId": ACCESS, "encryption": encryption}
    response = disks.send("PUT", path, {"location": "westeurope", "properties": sent})
    assert response.body["properties"] == {**sent, "provisioningState": "Updating"}
    disks.finish(response)
    held = disks.get(path)["properties"]
    assert held["diskAccessId"] == ACCESS.replace("rg-app", "RG-APP")
    assert held["encryption"]["diskEncryptionSetId"] == ENCRYPTION.replace("rg-app", "RG-APP")
    disk = disks.get(disks.make_disk("data", **{k: v for k, v in sent.items() if k != "diskSizeGB"}))["properties"]
    assert (disk["diskAccessId"], disk["encryption"]) == (held["diskAccessId"], held["encryption"])


def test_a_size_never_shrinks(disks):
    path = disks.taken("one", disks.make_disk("data", 10))
    assert refusal(disks.send("PATCH", path, {"properties": {"diskSizeGB": 9}})) == (409, "OperationNotAllowed")
    disks.finish(disks.send("PATCH", path, {"properties": {"diskSizeGB": 20}}))
    held = disks.get(path)["properties"]
    assert (held["diskSizeGB"], held["diskSizeBytes"]) == (20, 20 * 1024**3)


def test_what_a_client_read_can_be_sent_back(disks):
    """What only the service writes is passed over, wrong or right."""
    path = disks.taken("one", disks.make_disk("data", 10))
    for resource in (path, f"{WEST}/disks/data"):
        body = disks.get(resource)
        lies = {"uniqueId": "x", "timeCreated": "y", "diskState": "Frozen", "diskSizeBytes": 1, "completionPercent": 3}
        disks.finish(disks.send("PUT", resource, {**body, "properties": {**body["properties"], **lies}}))
        assert disks.get(resource) == body


def test_what_is_sent_of_the_system_counts_more_than_what_the_disk_says(disks):
    disk = disks.make_disk("data", osType="Linux", hyperVGeneration="V1")
    held = disks.get(disks.taken("one", disk, hyperVGeneration="V2"))["properties"]
    assert (held["osType"], held["hyperVGeneration"]) == ("Linux", "V2")


def test_an_incremental_snapshot_is_in_the_subscription_of_its_disk(disks, world):
    from reconciler.emulator import providers

    seeds, other = dict(providers.seeds()), "22222222-2222-4222-8222-222222222222"
    seeds["subscriptions"](world, [{"id": other, "name": "Other"}])
    seeds["resourceGroups"](world, [{"subscription": "Other", "name": "rg-other", "location": "westeurope"}])
    creation = {"createOption": "Copy", "sourceResourceId": disks.make_disk("data")}
    path = f"/subscriptions/{other}/resourceGroups/rg-other/{COMPUTE}/snapshots/one"
    answers = [
        disks.send("PUT", path, {"location": "westeurope", "properties": {"creationData": creation, **kind}})
        for kind in ({"incremental": True}, {})
    ]
    assert [answer.status for answer in answers] == [400, 202]


def test_a_snapshot_that_goes_is_still_there(disks):
    path = disks.taken("one", disks.make_disk("data"))
    response = disks.send("DELETE", path)
    assert disks.get(path)["properties"]["provisioningState"] == "Deleting"
    assert refusal(disks.take("one", f"{WEST}/disks/data")) == (409, "OperationNotAllowed")
    disks.finish(response)
    assert disks.send("GET", path).status == 404


@pytest.mark.parametrize("then", ["deleted", "made again"])
def test_a_creation_that_fails_leaves_a_failed_snapshot(disks, then):
    disk = disks.make_disk("data")
    disks.world.faults.add({"method": "PUT", "path": "*/snapshots/*", "operation": "fails", "count": 1})
    status = disks.finish(disks.take("one", disk))
    assert (status["status"], status["error"]["code"]) == ("Failed", "InternalServerError")
    path = f"{WEST}/snapshots/one"
    assert disks.get(path)["properties"]["provisioningState"] == "Failed"
    assert refusal(disks.copy("copy", path)) == (409, "OperationNotAllowed")
    if then == "deleted":
        disks.delete(path)
        assert disks.send("GET", path).status == 404
    else:
        before = disks.get(path)["properties"]["uniqueId"]
        again = disks.get(disks.taken("one", disk))["properties"]
        assert (again["provisioningState"], again["uniqueId"] == before) == ("Succeeded", False)


def test_a_copy_that_fails_to_start_does_not_count(disks):
    source = disks.taken("one", disks.make_disk("data"))
    disks.world.faults.add({"method": "PUT", "path": f"{NORTH}/*", "operation": "fails", "count": 1})
    assert disks.finish(disks.copy("copy", source))["status"] == "Failed"
    held = disks.get(f"{NORTH}/snapshots/copy")["properties"]
    assert (held["provisioningState"], "completionPercent" in held) == ("Failed", False)
    disks.copied("copy", source)
    disks.world.advance(timedelta(hours=1))
    assert disks.get(f"{NORTH}/snapshots/copy")["properties"]["completionPercent"] == 100.0


def test_a_deletion_that_fails_leaves_the_snapshot(disks):
    path = disks.taken("one", disks.make_disk("data"))
    disks.world.faults.add({"method": "DELETE", "path": "*/snapshots/*", "operation": "fails", "count": 1})
    assert disks.delete(path)["status"] == "Failed"
    assert disks.get(path)["properties"]["provisioningState"] == "Failed"
    assert disks.delete(path)["status"] == "Succeeded"
    assert disks.send("GET", path).status == 404


def test_a_change_that_fails_keeps_what_the_snapshot_is(disks):
    path = disks.taken("one", disks.make_disk("data"))
    disks.world.faults.add({"method": "PATCH", "operation": "fails", "count": 1})
    assert disks.finish(disks.send("PATCH", path, {"tags": {"a": "b"}}))["status"] == "Failed"
    assert disks.finish(disks.send("PATCH", path, {"tags": {"a": "b"}}))["status"] == "Succeeded"
    assert disks.get(path)["properties"]["incrementalSnapshotFamilyId"]
    assert disks.copy("copy", path).status == 202
