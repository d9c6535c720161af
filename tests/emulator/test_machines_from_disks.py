"""VMs made from disks that are there, disks that come and go, and what else hangs on a VM's life."""

from __future__ import annotations

import json
from typing import Any

import pytest
from azure.mgmt.compute import ComputeManagementClient

SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app/providers"
COMPUTE = f"{GROUP}/Microsoft.Compute"
VM, OTHER = f"{COMPUTE}/virtualMachines/restored", f"{COMPUTE}/virtualMachines/other"
OS, DATA, SPARE = f"{COMPUTE}/disks/os", f"{COMPUTE}/disks/data", f"{COMPUTE}/disks/spare"
NIC = f"{GROUP}/Microsoft.Network/networkInterfaces/nic-1"


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
def disks(ask, end) -> None:
    """Three disks that nobody has."""
    for identity in (OS, DATA, SPARE):
        end(ask("PUT", identity, disk()))


def disk(location: str = "westeurope", sku: str = "Premium_LRS", zone: str | None = None) -> dict[str, Any]:
    body = {"location": location, "sku": {"name": sku}, "properties": {"diskSizeGB": 64}}
    body["properties"]["creationData"] = {"createOption": "Empty"}
    return {**body, "zones": [zone]} if zone else body


def os_disk(identity: str = OS, **more: Any) -> dict[str, Any]:
    return {"createOption": "Attach", "osType": "Linux", "managedDisk": {"id": identity}, **more}


def data_disk(identity: str = DATA, lun: int = 0, **more: Any) -> dict[str, Any]:
    return {"createOption": "Attach", "lun": lun, "managedDisk": {"id": identity}, **more}


def machine(*data: dict[str, Any], os: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    storage = {"osDisk": os or os_disk(), "dataDisks": list(data), **more.pop("storage", {})}
    properties = {"hardwareProfile": {"vmSize": "Standard_D2s_v5"}, "storageProfile": storage}
    return {"location": "westeurope", **more, "properties": {**properties, **more.pop("properties", {})}}


def read(ask, identity: str) -> dict[str, Any]:
    body = ask("GET", identity).response.body
    return json.loads(body) if isinstance(body, bytes) else body


def owner_and_state(ask, identity: str) -> tuple[str | None, str]:
    body = read(ask, identity)
    return body.get("managedBy"), body["properties"]["diskState"]


def test_a_vm_takes_the_disks_that_it_names(ask, end, disks):
    created = ask("PUT", VM, machine(data_disk(caching="ReadOnly")))
    assert created.response.status == 201
    assert end(created)["status"] == "Succeeded"
    storage = read(ask, VM)["properties"]["storageProfile"]
    assert (storage["osDisk"]["managedDisk"]["id"], storage["osDisk"]["osType"]) == (OS, "Linux")
    assert [(entry["name"], entry["lun"], entry["caching"]) for entry in storage["dataDisks"]] == [
        ("data", 0, "ReadOnly")
    ]
    assert owner_and_state(ask, OS) == owner_and_state(ask, DATA) == (VM, "Attached")
    assert read(ask, VM)["properties"]["vmId"]


def test_disks_are_reserved_while_the_vm_is_deallocated(ask, end, disks):
    end(ask("PUT", VM, machine(data_disk())))
    states = []
    for action in ("powerOff", "deallocate", "start"):
        end(ask("POST", f"{VM}/{action}"))
        states.append(owner_and_state(ask, DATA))
    assert states == [(VM, "Attached"), (VM, "Reserved"), (VM, "Attached")]


REFUSED: list[tuple[str, dict[str, Any], int, str]] = [
    ("no such disk", machine(data_disk(f"{COMPUTE}/disks/none")), 404, "ResourceNotFound"),
    ("no such interface", machine(properties={"networkProfile": {"networkInterfaces": [{"id": NIC}]}}), 404, ""),
    ("two on one LUN", machine(data_disk(), data_disk(SPARE)), 400, "InvalidParameter"),
    ("a LUN too high", machine(data_disk(lun=64)), 400, "InvalidParameter"),
    ("no LUN", machine({"createOption": "Attach", "managedDisk": {"id": DATA}}), 400, "InvalidParameter"),
    ("one disk twice", machine(data_disk(), data_disk(lun=1)), 400, "InvalidParameter"),
    ("no id", machine({"createOption": "Attach", "lun": 0}), 400, "InvalidParameter"),
    ("no OS type", machine(os={"createOption": "Attach", "managedDisk": {"id": OS}}), 400, "InvalidParameter"),
    ("a profile", machine(properties={"osProfile": {"computerName": "x"}}), 400, "InvalidParameter"),
    ("an image", machine(storage={"imageReference": {"publisher": "Canonical"}}), 400, "InvalidParameter"),
    ("an empty disk of a name that is taken", machine({"createOption": "Empty", "lun": 0, "name": "data"}), 409, ""),
    ("another's disk", machine(data_disk(f"{COMPUTE}/disks/taken")), 409, "ConflictingUserInput"),
    ("a disk elsewhere", machine(data_disk(f"{COMPUTE}/disks/elsewhere")), 404, "NotFound"),
    ("a disk of a zone", machine(data_disk(f"{COMPUTE}/disks/zone-1")), 400, "BadRequest"),
    ("a disk of another zone", machine(data_disk(f"{COMPUTE}/disks/zone-1"), zones=["2"]), 400, "BadRequest"),
    ("an open disk", machine(data_disk(f"{COMPUTE}/disks/open")), 409, "OperationNotAllowed"),
]


@pytest.fixture
def others(ask, end, disks) -> None:
    """Disks that the VM cannot have."""
    end(ask("PUT", f"{COMPUTE}/disks/taken", disk()))
    end(ask("PUT", f"{COMPUTE}/disks/elsewhere", disk("northeurope")))
    end(ask("PUT", f"{COMPUTE}/disks/zone-1", disk(zone="1")))
    end(ask("PUT", f"{COMPUTE}/disks/open", disk()))
    end(ask("POST", f"{COMPUTE}/disks/open/beginGetAccess", {"access": "Read", "durationInSeconds": 3600}))
    fresh = {"createOption": "FromImage", "osType": "Linux"}
    end(ask("PUT", OTHER, machine(data_disk(f"{COMPUTE}/disks/taken"), os=fresh)))


@pytest.mark.parametrize(("body", "status", "code"), [one[1:] for one in REFUSED], ids=[one[0] for one in REFUSED])
def test_what_cannot_be_attached_is_refused_and_nothing_is_taken(ask, others, body, status, code):
    response = ask("PUT", VM, body).response
    assert response.status == status, response.body
    assert code in ("", response.body["error"]["code"])
    assert ask("GET", VM).response.status == 404
    assert owner_and_state(ask, OS) == owner_and_state(ask, DATA) == (None, "Unattached")


def test_zone_redundant_disks_fit_every_zone(ask, end):
    for identity, sku in ((OS, "Premium_ZRS"), (DATA, "StandardSSD_ZRS")):
        end(ask("PUT", identity, disk(sku=sku)))
    assert ask("PUT", VM, machine(data_disk(), zones=["2"])).response.status == 201


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_data_disks_come_and_go(ask, end, disks, method):
    end(ask("PUT", VM, machine(data_disk())))
    both = [data_disk(), data_disk(SPARE, 1)]
    changes = {"PUT": machine(*both), "PATCH": {"properties": {"storageProfile": {"dataDisks": both}}}}
    end(ask(method, VM, changes[method]))
    assert owner_and_state(ask, SPARE) == (VM, "Attached")
    leaving = ask("PATCH", VM, {"properties": {"storageProfile": {"dataDisks": [data_disk(SPARE, 1)]}}})
    assert owner_and_state(ask, DATA) == (VM, "Attached")
    end(ask("PUT", f"{COMPUTE}/disks/os-2", disk()))
    early = ask("PUT", OTHER, machine(data_disk(), os=os_disk(f"{COMPUTE}/disks/os-2"))).response
    assert (early.status, early.body["error"]["code"]) == (409, "AttachDiskWhileBeingDetached")
    end(leaving)
    assert owner_and_state(ask, DATA) == (None, "Unattached")
    assert [entry["lun"] for entry in read(ask, VM)["properties"]["storageProfile"]["dataDisks"]] == [1]
    assert ask("PUT", OTHER, machine(data_disk(), os=os_disk(f"{COMPUTE}/disks/os-2"))).response.status == 201


def test_what_is_not_said_of_a_disk_stays(ask, end, disks):
    end(ask("PUT", VM, machine(data_disk(caching="ReadOnly", deleteOption="Delete"))))
    end(ask("PUT", VM, machine({"lun": 3, "managedDisk": {"id": DATA}})))
    (entry,) = read(ask, VM)["properties"]["storageProfile"]["dataDisks"]
    assert (entry["lun"], entry["caching"], entry["deleteOption"], entry["name"]) == (3, "ReadOnly", "Delete", "data")


def test_a_disk_marked_for_detachment_leaves(ask, end, disks):
    end(ask("PUT", VM, machine(data_disk())))
    end(ask("PUT", VM, machine(data_disk(toBeDetached=True))))
    assert owner_and_state(ask, DATA) == (None, "Unattached")


def test_the_os_disk_is_exchanged_while_the_vm_is_off(ask, end, disks):
    end(ask("PUT", VM, machine()))
    swap = {"properties": {"storageProfile": {"osDisk": os_disk(SPARE)}}}
    refused = ask("PATCH", VM, swap).response
    assert (refused.status, refused.body["error"]["code"]) == (409, "OperationNotAllowed")
    end(ask("POST", f"{VM}/deallocate"))
    end(ask("PATCH", VM, swap))
    assert read(ask, VM)["properties"]["storageProfile"]["osDisk"]["name"] == "spare"
    assert (owner_and_state(ask, OS), owner_and_state(ask, SPARE)) == ((None, "Unattached"), (VM, "Reserved"))


def test_deletion_keeps_or_takes_disks_as_was_said(ask, end, disks):
    end(ask("PUT", VM, machine(data_disk(deleteOption="Delete"))))
    deleting = ask("DELETE", VM)
    late = ask("PATCH", VM, {"tags": {}}).response
    assert (late.status, late.body["error"]["code"]) == (409, "OperationNotAllowed")
    end(deleting)
    assert owner_and_state(ask, OS) == (None, "Unattached")
    assert ask("GET", DATA).response.status == 404


def test_a_vm_that_cannot_be_made_is_failed(ask, world, end, disks):
    world.faults.add({"method": "PUT", "path": "*/virtualMachines/*", "operation": "fails", "code": "AllocationFailed"})
    assert end(ask("PUT", VM, machine()))["error"]["code"] == "AllocationFailed"
    assert read(ask, VM)["properties"]["provisioningState"] == "Failed"


def test_the_sdk_restores_a_vm_from_snapshots(server, credential):
    options = {"base_url": server.running.endpoint, "connection_verify": server.running.ca}
    with ComputeManagementClient(credential, SUBSCRIPTION, **options) as client:
        source = client.virtual_machines.get("rg-app", "app-01")
        made = {}
        for entry in (source.storage_profile.os_disk, source.storage_profile.data_disks[0]):
            creation = {"createOption": "Copy", "sourceResourceId": entry.managed_disk.id}
            body = {"location": "westeurope", "properties": {"creationData": creation, "incremental": True}}
            snapshot = client.snapshots.begin_create_or_update("rg-app", f"snap-{len(made)}", body).result()
            body["properties"] = {"creationData": {"createOption": "Copy", "sourceResourceId": snapshot.id}}
            made[len(made)] = client.disks.begin_create_or_update("rg-app", f"disk-{len(made)}", body).result()
        body = machine(data_disk(made[1].id), os=os_disk(made[0].id))
        created = client.virtual_machines.begin_create_or_update("rg-app", "restored", body).result()
        assert created.provisioning_state == "Succeeded"
        assert created.storage_profile.data_disks[0].managed_disk.id == made[1].id
        assert client.disks.get("rg-app", "disk-1").managed_by == created.id
        view = client.virtual_machines.instance_view("rg-app", "restored")
        assert "PowerState/running" in [status.code for status in view.statuses]


def test_data_disks_come_and_go_in_one_call(server, credential):
    options = {"base_url": server.running.endpoint, "connection_verify": server.running.ca}
    with ComputeManagementClient(credential, SUBSCRIPTION, **options) as client:
        machine = client.virtual_machines.get("rg-app", "app-01")
        leaving = machine.storage_profile.data_disks[0].managed_disk.id
        coming = client.disks.begin_create_or_update("rg-app", "coming", disk()).result()
        wanted = {"dataDisksToAttach": [{"diskId": coming.id}], "dataDisksToDetach": [{"diskId": leaving}]}
        storage = client.virtual_machines.begin_attach_detach_data_disks("rg-app", "app-01", wanted).result()
        assert [(one.lun, one.name) for one in storage.data_disks] == [(1, "app-01_DataDisk_1"), (0, "coming")]
        assert client.disks.get("rg-app", "coming").managed_by == machine.id
        assert client.disks.get("rg-app", "app-01_DataDisk_0").managed_by is None


def test_a_disk_that_the_vm_does_not_have_cannot_be_detached(ask, end, disks):
    end(ask("PUT", VM, machine()))
    wanted = {"dataDisksToDetach": [{"diskId": SPARE}]}
    response = ask("POST", f"{VM}/attachDetachDataDisks", wanted).response
    assert (response.status, response.body["error"]["code"]) == (400, "InvalidParameter")


@pytest.mark.parametrize(
    ("name", "command", "codes"),
    [
        ("app-01", "RunShellScript", ["ProvisioningState/succeeded"]),
        ("APP-02", "RunPowerShellScript", ["ComponentStatus/StdOut/succeeded", "ComponentStatus/StdErr/succeeded"]),
    ],
)
def test_a_command_answers_with_its_script(server, credential, name, command, codes):
    options = {"base_url": server.running.endpoint, "connection_verify": server.running.ca}
    with ComputeManagementClient(credential, SUBSCRIPTION, **options) as client:
        client.virtual_machines.begin_start("rg-app", name).result()
        body = {"commandId": command, "script": ["hostname", "uptime"]}
        output = client.virtual_machines.begin_run_command("rg-app", name, body).result()
        assert [status.code for status in output.value] == codes
        assert "hostname\nuptime" in output.value[0].message


@pytest.mark.parametrize(
    ("before", "command", "status", "code"),
    [("deallocate", "RunShellScript", 409, "OperationNotAllowed"), ("start", "ipconfig", 400, "InvalidParameter")],
)
def test_commands_that_cannot_run(ask, end, disks, before, command, status, code):
    end(ask("PUT", VM, machine()))
    end(ask("POST", f"{VM}/{before}"))
    response = ask("POST", f"{VM}/runCommand", {"commandId": command}).response
    assert (response.status, response.body["error"]["code"]) == (status, code)
