"""Restores through the real SDK, and the requests that the Azure CLI sends without it."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.recoveryservicesbackup import RecoveryServicesBackupClient, models

SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"
GROUP, VAULT = "rg-App", "rsv-app"
TARGET = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-target"
NETWORK = f"{TARGET}/providers/Microsoft.Network/virtualNetworks/vnet-weu"


@pytest.fixture
def server(serve: Any, restore_estate: dict[str, Any]) -> Any:
    return serve(estate=restore_estate)


def options(server: Any) -> dict[str, Any]:
    return {"base_url": server.running.endpoint, "connection_verify": str(server.running.ca)}


@pytest.fixture
def backup(server: Any, credential: Any) -> RecoveryServicesBackupClient:
    return RecoveryServicesBackupClient(credential, SUBSCRIPTION, **options(server))


@pytest.fixture
def compute(server: Any, credential: Any) -> ComputeManagementClient:
    return ComputeManagementClient(credential, SUBSCRIPTION, **options(server))


def vm_id(name: str) -> str:
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.Compute/virtualMachines/{name}"


def place(vm: str) -> tuple[str, str, str, str, str]:
    name = f"iaasvmcontainerv2;{GROUP};{vm}"
    return VAULT, GROUP, "Azure", f"IaasVMContainer;{name}", f"VM;{name}"


def newest(backup: RecoveryServicesBackupClient, vm: str) -> str:
    return str(next(iter(backup.recovery_points.list(*place(vm)))).name)


def request(name: str, point: str, **more: Any) -> models.RestoreRequestResource:
    properties = models.IaasVMRestoreRequest(
        recovery_point_id=point,
        source_resource_id=vm_id(name),
        storage_account_id=f"{TARGET}/providers/Microsoft.Storage/storageAccounts/ststaging",
        region="westeurope",
        create_new_cloud_service=False,
        original_storage_account_option=False,
        **more,
    )
    return models.RestoreRequestResource(properties=properties)


def finish(backup: RecoveryServicesBackupClient) -> models.AzureIaaSVMJob:
    """The newest restore, read until it is over."""
    job = next(iter(backup.backup_jobs.list(VAULT, GROUP, filter="operation eq 'Restore'")))
    for _ in range(3):
        found = backup.job_details.get(VAULT, GROUP, str(job.name)).properties
        if found.status != "InProgress":
            break
    assert isinstance(found, models.AzureIaaSVMJob)
    return found


def test_disks(backup: RecoveryServicesBackupClient, compute: ComputeManagementClient) -> None:
    point = newest(backup, "web-01")
    wish = request("web-01", point, recovery_type="RestoreDisks", target_resource_group_id=TARGET)
    assert backup.restores.begin_trigger(*place("web-01"), point, wish).result() is None
    job = finish(backup)
    assert (job.operation, job.status, job.extended_info.progress_percentage) == ("Restore", "Completed", 100.0)
    assert [task.task_id for task in job.extended_info.tasks_list] == ["Transfer data from vault"]
    assert job.extended_info.property_bag["Template Blob Uri"].startswith("https://ststaging.blob.core.windows.net/")
    made = list(compute.disks.list_by_resource_group("rg-target"))
    assert sorted(disk.disk_size_gb for disk in made) == [64, 64, 128]
    assert {disk.creation_data.create_option for disk in made} == {"Restore"}


def test_a_new_machine(backup: RecoveryServicesBackupClient, compute: ComputeManagementClient) -> None:
    point = newest(backup, "gone-01")
    wish = request(
        "gone-01",
        point,
        recovery_type="AlternateLocation",
        target_resource_group_id=TARGET,
        target_virtual_machine_id=f"{TARGET}/providers/Microsoft.Compute/virtualMachines/drill-01",
        virtual_network_id=NETWORK,
        subnet_id=f"{NETWORK}/subnets/default",
    )
    backup.restores.begin_trigger(*place("gone-01"), point, wish).result()
    assert finish(backup).status == "Completed"
    machine = compute.virtual_machines.get("rg-target", "drill-01", expand="instanceView")
    assert machine.provisioning_state == "Succeeded"
    assert "PowerState/running" in [status.code for status in machine.instance_view.statuses]
    compute.virtual_machines.begin_delete("rg-target", "drill-01").result()


def test_other_disks(backup: RecoveryServicesBackupClient, compute: ComputeManagementClient) -> None:
    point = newest(backup, "web-01")
    wish = request("web-01", point, recovery_type="OriginalLocation")
    with pytest.raises(HttpResponseError, match="UserErrorVmNotShutDown"):
        backup.restores.begin_trigger(*place("web-01"), point, wish)
    before = compute.virtual_machines.get(GROUP, "web-01").storage_profile.os_disk.name
    compute.virtual_machines.begin_deallocate(GROUP, "web-01").result()
    backup.restores.begin_trigger(*place("web-01"), point, wish).result()
    job = finish(backup)
    assert job.extended_info.property_bag["Target VM Name"] == "web-01"
    compute.virtual_machines.begin_start(GROUP, "web-01").result()
    assert compute.virtual_machines.get(GROUP, "web-01").storage_profile.os_disk.name != before


def test_validate(backup: RecoveryServicesBackupClient) -> None:
    point = newest(backup, "web-01")
    wish = request("web-01", point, recovery_type="OriginalLocation", zones=["2"]).properties
    asked = models.ValidateIaasVMRestoreOperationRequest(restore_request=wish)
    answer = backup.operation.validate(
        VAULT, GROUP, models.ValidateOperationRequestResource(id=point, properties=asked)
    ).validate_operation_response
    codes = [result.code for result in answer.validation_results]
    assert codes == ["UserErrorVmNotShutDown", "UserErrorCrossZonalRestoreNotSupported"]


def test_cancel(backup: RecoveryServicesBackupClient) -> None:
    point = list(backup.recovery_points.list(*place("web-01")))[-1].name
    wish = request("web-01", point, recovery_type="RestoreDisks", target_resource_group_id=TARGET)
    backup.restores.begin_trigger(*place("web-01"), point, wish).result()
    (job,) = backup.backup_jobs.list(VAULT, GROUP, filter="operation eq 'Restore' and status eq 'InProgress'")
    backup.job_cancellations.trigger(VAULT, GROUP, job.name)
    assert finish(backup).status in ("Cancelling", "Cancelled")
    assert finish(backup).status == "Cancelled"


def test_files(backup: RecoveryServicesBackupClient) -> None:
    """`az backup restore files mount-rp` and `unmount-rp`: POST, polls at the vault, then the scripts."""
    point = newest(backup, "web-01")
    ask = models.IaasVMILRRegistrationRequest(recovery_point_id=point, virtual_machine_id=vm_id("web-01"))
    done = follow(backup, backup.item_level_recovery_connections.provision, place("web-01"), point, ask)
    assert done.properties is None
    wish = models.InstantItemRecoveryOperationResultRequest(provision_instant_item_recovery_operation_id=done.name)
    connections, (vault, group, *item) = backup.item_level_recovery_connections, place("web-01")
    target = connections.list_instant_item_recovery_operation_result(group, vault, *item, point, wish)
    (script,) = target.client_scripts
    assert (script.os_type, script.script_extension) == ("Linux", ".py")
    assert backup.recovery_points.get(*place("web-01"), point).properties.is_instant_ilr_session_active
    follow(backup, backup.item_level_recovery_connections.revoke, place("web-01"), point)
    assert not backup.recovery_points.get(*place("web-01"), point).properties.is_instant_ilr_session_active


def follow(backup: RecoveryServicesBackupClient, call: Any, where: tuple[str, ...], point: str, ask: Any = None) -> Any:
    """A call that is no LRO method, and the polls of `az backup`: by the id in the header, at the vault."""
    headers: dict[str, str] = {}

    def keep(response: Any, _body: Any, _headers: Any) -> None:
        headers.update(response.http_response.headers)

    arguments = () if ask is None else (models.ILRRequestResource(properties=ask),)
    call(*where, point, *arguments, cls=keep)
    guid = headers["Azure-AsyncOperation"].partition("?")[0].rpartition("/")[2]
    for _ in range(3):
        status = backup.backup_operation_statuses.get(VAULT, GROUP, guid)
        if status.status != "InProgress":
            break
    assert status.status == "Succeeded"
    return status
