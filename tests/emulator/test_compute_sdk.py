"""The unmodified compute SDK, sync and aio, against a running server."""

from __future__ import annotations

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.compute.aio import ComputeManagementClient as AsyncComputeManagementClient

from reconciler.emulator.emulator import Pace
from reconciler.emulator.world import Configuration

SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app"


def client_of(served, credential) -> ComputeManagementClient:
    return ComputeManagementClient(
        credential, SUBSCRIPTION, base_url=served.running.endpoint, connection_verify=served.running.ca
    )


@pytest.fixture
def compute(server, credential):
    with client_of(server, credential) as client:
        yield client


def test_list_keeps_azures_casing(compute):
    machines = {machine.name: machine for machine in compute.virtual_machines.list_all()}
    assert sorted(machines) == ["APP-02", "app-01"]
    upper = machines["APP-02"]
    assert "/resourceGroups/RG-APP/" in upper.id
    assert "/resourceGroups/rg-app/" in upper.storage_profile.os_disk.managed_disk.id
    assert upper.storage_profile.os_disk.os_type == "Windows"
    assert [disk.lun for disk in machines["app-01"].storage_profile.data_disks] == [0, 1]


def test_get_ignores_case_and_shows_the_instance_view(compute):
    view = compute.virtual_machines.get("RG-App", "app-02", expand="instanceView").instance_view
    assert [status.code for status in view.statuses] == ["ProvisioningState/succeeded", "PowerState/deallocated"]


def test_missing_machine_is_404(compute):
    with pytest.raises(ResourceNotFoundError) as caught:
        compute.virtual_machines.get("rg-app", "nobody")
    assert caught.value.error.code == "ResourceNotFound"
    assert "'Microsoft.Compute/virtualMachines/nobody' under resource group 'rg-app'" in caught.value.message


def test_create_update_stop_and_delete(compute):
    spec = {
        "location": "West Europe",
        "tags": {"env": "new"},
        "properties": {
            "hardwareProfile": {"vmSize": "Standard_B2s"},
            "storageProfile": {
                "imageReference": {"publisher": "Canonical", "offer": "x", "sku": "y", "version": "latest"},
                "dataDisks": [{"lun": 0, "createOption": "Empty", "diskSizeGB": 32}],
            },
        },
    }
    made = compute.virtual_machines.begin_create_or_update("rg-app", "new-01", spec).result()
    assert (made.provisioning_state, made.location) == ("Succeeded", "westeurope")
    disk_name = made.storage_profile.data_disks[0].name
    assert compute.disks.get("rg-app", disk_name).disk_state == "Attached"

    changed = compute.virtual_machines.begin_update("rg-app", "new-01", {"tags": {"env": "changed"}}).result()
    assert changed.tags == {"env": "changed"}
    compute.virtual_machines.begin_deallocate("rg-app", "new-01").result()
    view = compute.virtual_machines.instance_view("rg-app", "new-01")
    assert view.statuses[1].code == "PowerState/deallocated"

    compute.virtual_machines.begin_delete("rg-app", "new-01").result()
    with pytest.raises(ResourceNotFoundError):
        compute.virtual_machines.get("rg-app", "new-01")
    assert compute.disks.get("rg-app", disk_name).disk_state == "Unattached"


def test_disk_life(compute):
    spec = {"location": "westeurope", "sku": {"name": "Premium_LRS"}, "properties": {"diskSizeGB": 64}}
    spec["properties"]["creationData"] = {"createOption": "Empty"}
    disk = compute.disks.begin_create_or_update("rg-app", "data-x", spec).result()
    assert (disk.sku.tier, disk.disk_size_gb, disk.provisioning_state) == ("Premium", 64, "Succeeded")
    grown = compute.disks.begin_update("rg-app", "data-x", {"properties": {"diskSizeGB": 128}}).result()
    assert grown.disk_size_gb == 128
    with pytest.raises(HttpResponseError, match="cannot be made smaller"):
        compute.disks.begin_update("rg-app", "data-x", {"properties": {"diskSizeGB": 32}})
    compute.disks.begin_delete("rg-app", "data-x").result()
    assert "data-x" not in {found.name for found in compute.disks.list()}


def test_attached_disk_cannot_be_deleted(compute):
    attached = next(disk for disk in compute.disks.list() if disk.managed_by)
    with pytest.raises(HttpResponseError) as caught:
        compute.disks.begin_delete("rg-app", attached.name)
    assert caught.value.status_code == 409


async def test_aio_pages(serve, async_credential):
    served = serve(configuration=Configuration(page_size=1))
    async with AsyncComputeManagementClient(
        async_credential, SUBSCRIPTION, base_url=served.running.endpoint, connection_verify=served.running.ca
    ) as client:
        names = [machine.name async for machine in client.virtual_machines.list("RG-APP")]
    assert sorted(names) == ["APP-02", "app-01"]
    template = "GET /subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines"
    assert served.emulator.log.counts()[template] == 2


@pytest.mark.parametrize("retry_after", [None, 1])
def test_operation_is_polled_until_the_clock_reaches_its_end(serve, credential, retry_after):
    configuration = Configuration(polls_in_progress=1, retry_after_seconds=retry_after)
    served = serve(pace=Pace(speed=0, auto_advance=True), configuration=configuration)
    with client_of(served, credential) as client:
        client.virtual_machines.begin_deallocate("rg-app", "app-01").result()
    polls = [r for r in served.emulator.log.recent() if "/operations/" in r.path]
    assert [poll.status for poll in polls][:2] == [200, 200]
    assert served.emulator.world.store.hidden(f"{GROUP}/providers/Microsoft.Compute/virtualMachines/app-01") == {
        "power": "deallocated"
    }
