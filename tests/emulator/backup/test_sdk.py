"""The life of a vault and an item through the real SDKs, synchronous and asynchronous."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.recoveryservices import RecoveryServicesClient
from azure.mgmt.recoveryservices import models as vault_models
from azure.mgmt.recoveryservicesbackup import RecoveryServicesBackupClient, models
from azure.mgmt.recoveryservicesbackup.aio import RecoveryServicesBackupClient as AsyncBackupClient

SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"
GROUP = "rg-App"
VM_TYPE = "Microsoft.Compute/virtualMachines"


@pytest.fixture
def server(serve: Any, backup_estate: dict[str, Any]) -> Any:
    return serve(estate=backup_estate)


def options(server: Any) -> dict[str, Any]:
    return {"base_url": server.running.endpoint, "connection_verify": str(server.running.ca)}


@pytest.fixture
def vaults(server: Any, credential: Any) -> RecoveryServicesClient:
    return RecoveryServicesClient(credential, SUBSCRIPTION, **options(server))


@pytest.fixture
def backup(server: Any, credential: Any) -> RecoveryServicesBackupClient:
    return RecoveryServicesBackupClient(credential, SUBSCRIPTION, **options(server))


def vm_id(name: str) -> str:
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/{VM_TYPE}/{name}"


def names(vm: str) -> dict[str, str]:
    return {
        "fabric_name": "Azure",
        "container_name": f"IaasVMContainer;iaasvmcontainerv2;{GROUP};{vm}",
        "protected_item_name": f"vm;iaasvmcontainerv2;{GROUP};{vm}",
    }


def item(vm: str, policy: str = "daily-30d", vault: str = "rsv-app", **more: Any) -> models.ProtectedItemResource:
    scope = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.RecoveryServices/vaults/{vault}"
    properties = models.AzureIaaSComputeVMProtectedItem(
        source_resource_id=vm_id(vm), policy_id=f"{scope}/backupPolicies/{policy}" if policy else "", **more
    )
    return models.ProtectedItemResource(properties=properties)


def state_of(resource: Any) -> str:
    """The SDK does not resolve this type of item, so its fields are there by mapping access only."""
    return str(resource.properties["protectionState"])


def test_vault(vaults: RecoveryServicesClient) -> None:
    assert sorted(vault.name for vault in vaults.vaults.list_by_subscription_id()) == [
        "rsv-app",
        "rsv-empty",
        "rsv-immutable",
    ]
    body = vault_models.Vault(
        location="westeurope", sku=vault_models.Sku(name="Standard"), properties=vault_models.VaultProperties()
    )
    made = vaults.vaults.begin_create_or_update(GROUP, "rsv-sdk", body).result()
    assert made.properties.provisioning_state == "Succeeded"
    patch = vault_models.PatchVault(tags={"owner": "me"})
    assert vaults.vaults.begin_update(GROUP, "rsv-sdk", patch).result().tags == {"owner": "me"}
    assert vaults.vaults.get(GROUP, "rsv-app").properties.backup_storage_version == "V2"
    with suppress(HttpResponseError):  # the polling URL of about half of all deletions is gone with the vault
        vaults.vaults.begin_delete(GROUP, "rsv-sdk").result()
    with pytest.raises(ResourceNotFoundError):
        vaults.vaults.get(GROUP, "rsv-sdk")
    with pytest.raises(HttpResponseError, match="ServiceResourceNotEmptyWithBackendMessage"):
        vaults.vaults.begin_delete(GROUP, "rsv-app")


def test_policy(backup: RecoveryServicesBackupClient) -> None:
    held = backup.protection_policies.get("rsv-app", GROUP, "daily-30d")
    assert held.properties.protected_items_count == 3
    assert held.properties.instant_rp_retention_range_in_days == 2
    made = backup.protection_policies.create_or_update("rsv-app", GROUP, "copy-30d", held)
    assert made.properties.schedule_policy.schedule_run_frequency == "Daily"
    held.properties.instant_rp_retention_range_in_days = 9
    with pytest.raises(HttpResponseError, match="BMSUserErrorInvalidPolicyInput"):
        backup.protection_policies.create_or_update("rsv-app", GROUP, "copy-30d", held)
    backup.protection_policies.begin_delete("rsv-app", GROUP, "copy-30d").result()
    with pytest.raises(ResourceNotFoundError):
        backup.protection_policies.get("rsv-app", GROUP, "copy-30d")
    assert "copy-30d" not in [entry.name for entry in backup.backup_policies.list("rsv-app", GROUP)]


def test_item(backup: RecoveryServicesBackupClient) -> None:
    items = backup.protected_items
    place = {"vault_name": "rsv-app", "resource_group_name": GROUP, **names("web-01")}
    made = items.begin_create_or_update(parameters=item("web-01"), **place).result()
    assert state_of(made) == "IRPending"
    assert state_of(items.get(**place)) == "IRPending"
    stopped = items.begin_create_or_update(
        parameters=item("web-01", policy="", protection_state="ProtectionStopped"), **place
    ).result()
    assert state_of(stopped) == "ProtectionStopped"
    resumed = items.begin_create_or_update(parameters=item("web-01", "hourly"), **place).result()
    assert resumed.properties["policyName"] == "hourly"
    items.delete(**place)
    with pytest.raises(HttpResponseError, match="BMSUserErrorConflictingProtectionOperation"):
        items.delete(**place)
    listed = {entry.properties["friendlyName"]: entry for entry in backup.backup_protected_items.list("rsv-app", GROUP)}
    assert set(listed) == {"web-01", "kept-01", "stopped-01", "deleted-01", "failing-01", "gone-01"}
    assert listed["deleted-01"].properties["isScheduledForDeferredDelete"] is True


def test_points_jobs_and_views(backup: RecoveryServicesBackupClient) -> None:
    place = names("kept-01")
    points = list(backup.recovery_points.list("rsv-app", GROUP, *place.values()))
    assert len(points) == 30
    one = backup.recovery_points.get("rsv-app", GROUP, *place.values(), points[0].name)
    assert one.properties.recovery_point_type == "FileSystemConsistent"
    request = models.BackupRequestResource(properties=models.IaasVMBackupRequest())
    backup.backups.trigger("rsv-app", GROUP, *place.values(), request)
    assert {job.properties.operation for job in backup.backup_jobs.list("rsv-app", GROUP)} == {"Backup"}
    assert backup.backup_protection_containers.list("rsv-app", GROUP, filter="backupManagementType eq 'AzureIaasVM'")
    status = backup.backup_status.get(
        "westeurope", models.BackupStatusRequest(resource_type="VM", resource_id=vm_id("kept-01"))
    )
    assert status.protection_status == "Protected"
    config = backup.backup_resource_vault_configs.get("rsv-app", GROUP)
    assert config.properties.soft_delete_feature_state == "Enabled"


async def test_item_asynchronously(server: Any, async_credential: Any) -> None:
    async with AsyncBackupClient(async_credential, SUBSCRIPTION, **options(server)) as backup:
        place = {"vault_name": "rsv-app", "resource_group_name": GROUP, **names("WIN-01")}
        poller = await backup.protected_items.begin_create_or_update(parameters=item("WIN-01"), **place)
        assert state_of(await poller.result()) == "IRPending"
        undelete = item("deleted-01", policy="", protection_state="ProtectionStopped", is_rehydrate=True)
        gone = {"vault_name": "rsv-app", "resource_group_name": GROUP, **names("deleted-01")}
        poller = await backup.protected_items.begin_create_or_update(parameters=undelete, **gone)
        assert state_of(await poller.result()) == "ProtectionStopped"
        found = [entry.name async for entry in backup.backup_policies.list("rsv-app", GROUP)]
        assert found == ["daily-30d", "daily-9d", "DefaultPolicy", "EnhancedPolicy", "hourly", "HourlyLogBackup"]


def test_a_group_that_is_not_ascii(serve: Any, credential: Any) -> None:
    """Polling URLs travel in headers, so they are percent-encoded there and nowhere else."""
    group = "rg-Müller"
    document = {
        "estate": "umlauts",
        "clock": "2026-03-02T08:00:00Z",
        "subscriptions": [{"id": SUBSCRIPTION, "name": "Tests"}],
        "resourceGroups": [{"subscription": "Tests", "name": group, "location": "westeurope"}],
        "virtualMachines": [{"name": "web-01", "resourceGroup": group}],
        "backup": {
            "vaults": [{"name": "rsv-one", "subscription": "Tests", "resourceGroup": group, "location": "westeurope"}]
        },
    }
    backup = RecoveryServicesBackupClient(credential, SUBSCRIPTION, **options(serve(estate=document)))
    vm = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/{VM_TYPE}/web-01"
    policy = backup.protection_policies.get("rsv-one", group, "DefaultPolicy")
    properties = models.AzureIaaSComputeVMProtectedItem(source_resource_id=vm, policy_id=policy.id)
    made = backup.protected_items.begin_create_or_update(
        "rsv-one",
        group,
        "Azure",
        f"iaasvmcontainer;iaasvmcontainerv2;{group};web-01",
        f"vm;iaasvmcontainerv2;{group};web-01",
        models.ProtectedItemResource(properties=properties),
    ).result()
    assert made.properties["sourceResourceId"] == vm
