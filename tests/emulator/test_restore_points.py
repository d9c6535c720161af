"""Restore points of VMs, by raw requests on a clock that stands still, and by the real SDK."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.compute import ComputeManagementClient

from reconciler.emulator.providers.restore_point_rules import LARGEST_NUMBER, POINTS

SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"
COMPUTE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app/providers/Microsoft.Compute"
VM = f"{COMPUTE}/virtualMachines/db-01"
COLLECTION = f"{COMPUTE}/restorePointCollections/rpc-db-01"
CRASH = {"properties": {"consistencyMode": "CrashConsistent"}}


def machine_with(*disks: dict[str, Any], windows: bool = False) -> dict[str, Any]:
    profile: dict[str, Any] = {"windowsConfiguration": {}} if windows else {"linuxConfiguration": {}}
    data = [{"lun": lun, "createOption": "Empty", "diskSizeGB": 64, **disk} for lun, disk in enumerate(disks)]
    return {
        "location": "westeurope",
        "properties": {
            "hardwareProfile": {"vmSize": "Standard_E4s_v5"},
            "osProfile": {"computerName": "db-01", **profile},
            "storageProfile": {"osDisk": {"createOption": "FromImage"}, "dataDisks": data},
        },
    }


@pytest.fixture
def end(ask, world):
    """Ends whatever operation an answer began; answers its status body."""

    def run(outcome) -> dict[str, Any]:
        assert outcome.response.status in (200, 201, 202), outcome.response.body
        url = outcome.response.headers["Azure-AsyncOperation"].removeprefix("https://localhost:9443")
        world.advance(world.operations.get(url.split("?")[0].rpartition("/")[2]).end - world.clock.now())
        return ask("GET", url).response.body

    return run


@pytest.fixture
def collection(ask, end) -> dict[str, Any]:
    """A collection of a Linux VM with two data disks."""
    end(ask("PUT", VM, machine_with({}, {"diskSizeGB": 128})))
    return ask("PUT", COLLECTION, collection_of(VM)).response.body


def collection_of(source: str, location: str = "westeurope", **more: Any) -> dict[str, Any]:
    return {"location": location, "properties": {"source": {"id": source}}, **more}


def point(ask, name: str) -> dict[str, Any]:
    return ask("GET", f"{COLLECTION}/restorePoints/{name}").response.body


def read_disks(ask, identity: str) -> list[dict[str, Any]]:
    return json.loads(ask("GET", f"{identity}/diskRestorePoints").response.body)["value"]


def test_a_point_holds_every_disk_of_the_vm(ask, world, end, collection):
    accepted = ask("PUT", f"{COLLECTION}/restorePoints/p", {})
    properties = accepted.response.body["properties"]
    assert (accepted.response.status, properties["provisioningState"]) == (201, "Creating")
    assert "consistencyMode" not in properties
    assert "diskRestorePoint" not in properties["sourceMetadata"]["storageProfile"]["osDisk"]
    assert end(accepted)["properties"]["output"] == point(ask, "p")
    properties = point(ask, "p")["properties"]
    assert (properties["provisioningState"], properties["consistencyMode"]) == ("Succeeded", "FileSystemConsistent")
    storage = properties["sourceMetadata"]["storageProfile"]
    assert [disk["lun"] for disk in storage["dataDisks"]] == [0, 1]
    held = [disk["diskRestorePoint"]["id"] for disk in (storage["osDisk"], *storage["dataDisks"])]
    assert sorted(one["id"] for one in read_disks(ask, f"{COLLECTION}/restorePoints/p")) == sorted(held)
    for identity, entry in zip(held, (storage["osDisk"], *storage["dataDisks"]), strict=True):
        one = ask("GET", identity).response.body["properties"]
        source = ask("GET", entry["managedDisk"]["id"]).response.body
        assert one["sourceResourceId"] == source["id"]
        assert one["sourceUniqueId"] == source["properties"]["uniqueId"]


@pytest.mark.parametrize(
    ("windows", "power", "body", "mode"),
    [
        (True, None, {}, "ApplicationConsistent"),
        (False, None, {}, "FileSystemConsistent"),
        (True, None, CRASH, "CrashConsistent"),
        (True, "deallocate", {}, "CrashConsistent"),
    ],
)
def test_consistency_follows_the_vm(ask, world, end, windows, power, body, mode):
    end(ask("PUT", VM, machine_with(windows=windows)))
    if power:
        end(ask("POST", f"{VM}/{power}"))
    ask("PUT", COLLECTION, collection_of(VM))
    end(ask("PUT", f"{COLLECTION}/restorePoints/p", body))
    assert point(ask, "p")["properties"]["consistencyMode"] == mode


def test_excluded_disks_are_not_held(ask, world, end, collection):
    data = data_disks(world)
    excluded = {"properties": {"excludeDisks": [{"id": data[0]["managedDisk"]["id"].lower()}]}}
    end(ask("PUT", f"{COLLECTION}/restorePoints/p", excluded))
    storage = point(ask, "p")["properties"]["sourceMetadata"]["storageProfile"]
    assert [disk["lun"] for disk in storage["dataDisks"]] == [1]


def data_disks(world) -> list[dict[str, Any]]:
    return world.store.get(VM)["properties"]["storageProfile"]["dataDisks"]


@pytest.mark.parametrize(
    ("disk", "app", "crash"),
    [
        ({}, 201, 201),
        ({"managedDisk": {"storageAccountType": "UltraSSD_LRS"}}, 201, 409),
        ({"managedDisk": {"storageAccountType": "PremiumV2_LRS"}}, 201, 409),
        ({"writeAcceleratorEnabled": True}, 201, 409),
    ],
)
def test_what_a_crash_consistent_point_cannot_hold(ask, end, disk, app, crash):
    end(ask("PUT", VM, machine_with(disk)))
    ask("PUT", COLLECTION, collection_of(VM))
    refused = ask("PUT", f"{COLLECTION}/restorePoints/crash", CRASH)
    assert refused.response.status == crash
    if crash == 201:
        end(refused)
    else:
        assert refused.response.body["error"]["code"] == "OperationNotAllowed"
        assert ask("GET", f"{COLLECTION}/restorePoints/crash").response.status == 404
    assert ask("PUT", f"{COLLECTION}/restorePoints/app", {}).response.status == app


def test_a_shared_disk_is_held_by_no_point_but_can_be_excluded(ask, world, end, collection):
    shared = data_disks(world)[1]["managedDisk"]["id"]
    body = world.store.get(shared)
    body["properties"]["maxShares"] = 2
    world.store.replace(shared, body)
    assert ask("PUT", f"{COLLECTION}/restorePoints/p", {}).response.status == 409
    allowed = ask("PUT", f"{COLLECTION}/restorePoints/p", {"properties": {"excludeDisks": [{"id": shared}]}})
    assert allowed.response.status == 201


def test_one_at_a_time_and_three_an_hour(ask, world, end, collection):
    first = ask("PUT", f"{COLLECTION}/restorePoints/p0", {})
    counters = first.response.headers["x-ms-ratelimit-remaining-resource"]
    assert "Microsoft.Compute/CreateApplicationConsistentRestorePoint;2" in counters
    busy = ask("PUT", f"{COLLECTION}/restorePoints/p1", {}).response
    assert (busy.status, busy.body["error"]["code"]) == (409, "OperationNotAllowed")
    end(first)
    for number in (1, 2):
        end(ask("PUT", f"{COLLECTION}/restorePoints/p{number}", {}))
    refused = ask("PUT", f"{COLLECTION}/restorePoints/p3", {}).response
    assert (refused.status, refused.body["error"]["details"][0]["code"]) == (429, "TooManyRequests")
    assert ask("GET", f"{COLLECTION}/restorePoints/p3").response.status == 404
    world.advance(timedelta(seconds=int(refused.headers["Retry-After"])))
    assert ask("PUT", f"{COLLECTION}/restorePoints/p3", {}).response.status == 201


def test_the_largest_number_of_points_counts_all_collections(ask, world, end, collection):
    end(ask("PUT", f"{COLLECTION}/restorePoints/p", {}))
    taken = point(ask, "p")
    for number in range(LARGEST_NUMBER - 1):
        identity = f"{COMPUTE}/restorePointCollections/other/restorePoints/p{number}"
        world.store.put(identity, POINTS, {**taken, "id": identity}, machine=VM)
    full = ask("PUT", f"{COLLECTION}/restorePoints/one-more", {}).response
    assert (full.status, full.body["error"]["code"]) == (409, "OperationNotAllowed")
    end(ask("DELETE", f"{COLLECTION}/restorePoints/p"))
    assert ask("PUT", f"{COLLECTION}/restorePoints/one-more", {}).response.status == 201


REFUSED: list[tuple[str, str, Any, int, str]] = [
    ("no location", COLLECTION + "-x", {"properties": {"source": {"id": VM}}}, 400, "LocationRequired"),
    ("no source", COLLECTION + "-x", {"location": "westeurope"}, 400, "InvalidParameter"),
    ("no such VM", COLLECTION + "-x", collection_of(VM + "x"), 404, "NotFound"),
    ("another region", COLLECTION + "-x", collection_of(VM, "northeurope"), 404, "NotFound"),
    ("no such collection", COLLECTION + "-x", collection_of(COLLECTION + "-y"), 404, "ResourceNotFound"),
    ("another source", COLLECTION, collection_of(VM + "x"), 409, "PropertyChangeNotAllowed"),
    ("moved", COLLECTION, collection_of(VM, "northeurope"), 409, "PropertyChangeNotAllowed"),
    ("no collection", f"{COLLECTION}-x/restorePoints/p", {}, 404, "ParentResourceNotFound"),
    (
        "a mode that cannot be asked for",
        f"{COLLECTION}/restorePoints/p",
        {"properties": {"consistencyMode": "ApplicationConsistent"}},
        400,
        "InvalidParameter",
    ),
    (
        "a disk of somebody else",
        f"{COLLECTION}/restorePoints/p",
        {"properties": {"excludeDisks": [{"id": f"{COMPUTE}/disks/strange"}]}},
        400,
        "InvalidParameter",
    ),
]


@pytest.mark.parametrize(
    ("target", "body", "status", "code"), [case[1:] for case in REFUSED], ids=[c[0] for c in REFUSED]
)
def test_refusals(ask, collection, target, body, status, code):
    response = ask("PUT", target, body).response
    assert (response.status, response.body["error"]["code"]) == (status, code)


def test_a_point_never_changes(ask, end, collection):
    end(ask("PUT", f"{COLLECTION}/restorePoints/p", {}))
    before = point(ask, "p")
    again = ask("PUT", f"{COLLECTION}/restorePoints/p", CRASH).response
    assert (again.status, again.body["error"]["code"]) == (409, "OperationNotAllowed")
    assert point(ask, "p") == before


def test_tags_of_a_collection_change_and_nothing_else(ask, collection):
    changed = ask("PUT", COLLECTION, collection_of(VM, tags={"slot": "1"})).response
    assert (changed.status, changed.body) == (200, {**collection, "tags": {"slot": "1"}})
    assert ask("PATCH", COLLECTION, {"tags": {}}).response.body == {**collection, "tags": {}}


def test_a_collection_takes_its_points_along(ask, world, end, collection):
    end(ask("PUT", f"{COLLECTION}/restorePoints/p", {}))
    deleting = ask("DELETE", COLLECTION)
    assert ask("GET", COLLECTION).response.body["properties"]["provisioningState"] == "Deleting"
    late = ask("PUT", f"{COLLECTION}/restorePoints/q", {}).response
    assert (late.status, late.body["error"]["code"]) == (409, "OperationNotAllowed")
    end(deleting)
    assert [kind for kind in world.store.types() if "restorepoint" in kind] == []
    assert ask("DELETE", COLLECTION).response.status == 204
    assert ask("DELETE", f"{COLLECTION}/restorePoints/p").response.status == 204


def test_a_point_outlives_the_vm(ask, end, collection):
    end(ask("PUT", f"{COLLECTION}/restorePoints/p", {}))
    end(ask("DELETE", VM))
    assert point(ask, "p")["properties"]["provisioningState"] == "Succeeded"
    assert ask("PUT", f"{COLLECTION}/restorePoints/q", {}).response.status == 404


def test_a_point_that_fails_stays_as_failed(ask, world, end, collection):
    world.faults.add({"method": "PUT", "path": "*/restorePoints/*", "operation": "fails", "code": "Broken", "count": 1})
    assert end(ask("PUT", f"{COLLECTION}/restorePoints/p", {}))["status"] == "Failed"
    assert point(ask, "p")["properties"]["provisioningState"] == "Failed"
    end(ask("DELETE", f"{COLLECTION}/restorePoints/p"))
    assert ask("PUT", f"{COLLECTION}/restorePoints/p", {}).response.status == 201


@pytest.mark.parametrize("what", ["", "/restorePoints/p"])
def test_what_could_not_be_deleted_stays_and_can_be_deleted_again(ask, world, end, collection, what):
    end(ask("PUT", f"{COLLECTION}/restorePoints/p", {}))
    world.faults.add({"method": "DELETE", "operation": "fails", "code": "Broken", "count": 1})
    assert end(ask("DELETE", f"{COLLECTION}{what}"))["status"] == "Failed"
    left = ask("GET", f"{COLLECTION}{what}").response.body
    assert left["properties"]["provisioningState"] == "Failed"
    assert end(ask("DELETE", f"{COLLECTION}{what}"))["status"] == "Succeeded"
    assert ask("GET", f"{COLLECTION}{what}").response.status == 404


def test_a_copy_in_another_region_fills_in_the_background(ask, world, end, collection):
    end(ask("PUT", f"{COLLECTION}/restorePoints/p", {}))
    copies = f"{COMPUTE}/restorePointCollections/rpc-copies"
    made = ask("PUT", copies, collection_of(COLLECTION, "northeurope")).response
    assert made.body["properties"]["source"] == {"location": "westeurope", "id": COLLECTION}
    assert ask("PUT", f"{copies}/restorePoints/p", {}).response.status == 400
    wanted = {"properties": {"sourceRestorePoint": {"id": f"{COLLECTION}/restorePoints/p"}}}
    end(ask("PUT", f"{copies}/restorePoints/p", wanted))
    view = f"{copies}/restorePoints/p?$expand=instanceView"
    disk = read_disks(ask, f"{copies}/restorePoints/p")[0]
    early = ask("POST", f"{disk['id']}/beginGetAccess", {"access": "Read", "durationInSeconds": 60}).response
    assert (early.status, early.body["error"]["code"]) == (409, "OperationNotAllowed")
    before = ask("GET", view).response.body["properties"]["instanceView"]
    assert [disk["replicationStatus"]["completionPercent"] for disk in before["diskRestorePoints"]] == [0, 0, 0]
    assert before["statuses"][0]["code"] == "ReplicationState/inprogress"
    world.advance(timedelta(hours=1))
    after = ask("GET", view).response.body["properties"]
    assert after["instanceView"]["statuses"][0]["code"] == "ReplicationState/succeeded"
    disk = after["sourceMetadata"]["storageProfile"]["osDisk"]["diskRestorePoint"]
    copied = ask("GET", disk["id"]).response.body["properties"]
    assert (copied["completionPercent"], copied["replicationState"]) == (100.0, "Succeeded")
    assert copied["sourceResourceId"] == disk["sourceDiskRestorePoint"]["id"]


def test_the_sdk_lives_through_it(server, credential):
    options = {"base_url": server.running.endpoint, "connection_verify": server.running.ca}
    with ComputeManagementClient(credential, SUBSCRIPTION, **options) as client:
        machine = client.virtual_machines.get("rg-app", "app-01")
        source = {"location": "westeurope", "properties": {"source": {"id": machine.id}}}
        made = client.restore_point_collections.create_or_update("rg-app", "rpc", source)
        assert made.source.id == machine.id
        taken = client.restore_points.begin_create("rg-app", "rpc", "p", {}).result()
        assert (taken.provisioning_state, taken.consistency_mode) == ("Succeeded", "FileSystemConsistent")
        viewed = client.restore_points.get("rg-app", "rpc", "p", expand="instanceView")
        assert [one.replication_status.completion_percent for one in viewed.instance_view.disk_restore_points] == [
            100
        ] * 3
        disks = list(client.disk_restore_point.list_by_restore_point("rg-app", "rpc", "p"))
        assert len(disks) == 3
        assert client.disk_restore_point.get("rg-app", "rpc", "p", disks[0].name).family_id == disks[0].family_id
        reading = {"access": "Read", "durationInSeconds": 60}
        opened = client.disk_restore_point.begin_grant_access("rg-app", "rpc", "p", disks[0].name, reading).result()
        assert opened.access_sas.startswith(server.running.endpoint)
        client.disk_restore_point.begin_revoke_access("rg-app", "rpc", "p", disks[0].name).result()
        whole = client.restore_point_collections.get("rg-app", "rpc", expand="restorePoints")
        assert [one.name for one in whole.restore_points] == ["p"]
        assert [one.name for one in client.restore_point_collections.list_all()] == ["rpc"]
        assert [one.name for one in client.restore_point_collections.list("rg-app")] == ["rpc"]
        assert client.restore_point_collections.update("rg-app", "rpc", {"tags": {"a": "b"}}).tags == {"a": "b"}
        client.restore_points.begin_delete("rg-app", "rpc", "p").result()
        client.restore_point_collections.begin_delete("rg-app", "rpc").result()
        with pytest.raises(HttpResponseError) as gone:
            client.restore_point_collections.get("rg-app", "rpc")
        assert gone.value.status_code == 404


def test_a_disk_is_made_from_a_point(server, credential):
    options = {"base_url": server.running.endpoint, "connection_verify": server.running.ca}
    with ComputeManagementClient(credential, SUBSCRIPTION, **options) as client:
        machine = client.virtual_machines.get("rg-app", "app-01")
        source = {"location": "westeurope", "properties": {"source": {"id": machine.id}}}
        client.restore_point_collections.create_or_update("rg-app", "rpc", source)
        taken = client.restore_points.begin_create("rg-app", "rpc", "p", {}).result()
        held = taken.source_metadata.storage_profile.data_disks[1]
        creation = {"createOption": "Restore", "sourceResourceId": held.disk_restore_point.id}
        wanted = {"location": "westeurope", "properties": {"creationData": creation}}
        disk = client.disks.begin_create_or_update("rg-app", "restored", wanted).result()
        source_disk = client.disks.get("rg-app", held.name)
        assert (disk.disk_size_gb, disk.creation_data.source_unique_id) == (128, source_disk.unique_id)
        elsewhere = {**wanted, "location": "northeurope"}
        with pytest.raises(HttpResponseError) as refused:
            client.disks.begin_create_or_update("rg-app", "elsewhere", elsewhere).result()
        assert refused.value.status_code == 404
