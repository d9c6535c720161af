"""Bodies of protected items with the fields, oddities and casing that Azure was seen to answer."""

from __future__ import annotations

from typing import Any

from tests.kinds.conftest import PROD


def vault_id(name: str, group: str = "rg-backup") -> str:
    return f"/subscriptions/{PROD}/resourceGroups/{group}/providers/Microsoft.RecoveryServices/vaults/{name}"


def vm_id(name: str, group: str = "rg-web", subscription: str = PROD) -> str:
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{name}"


def item_body(
    vault: str,
    vm: str = "web-01",
    state: str = "Protected",
    policy: str = "daily",
    group: str = "rg-web",
    subscription: str = PROD,
    deleted: str = "",
    **properties: Any,
) -> dict[str, Any]:
    """One entry of backupProtectedItems. `deleted` is when it was soft-deleted."""
    name = f"VM;iaasvmcontainerv2;{group.lower()};{vm.lower()}"
    stopped = state == "ProtectionStopped"
    source = vm_id(vm, group, subscription)
    body: dict[str, Any] = {
        "friendlyName": vm,
        "virtualMachineId": source,
        "protectionStatus": "Healthy",
        "protectionState": state,
        "healthStatus": "Passed",
        "healthDetails": [
            {"code": 400239, "title": "IaasVmHealthGreenDefault", "message": "status is OK.", "recommendations": []}
        ],
        "lastBackupStatus": "Completed",
        "lastBackupTime": "2026-03-01T22:00:52.2704797Z",
        "protectedItemDataId": "615727249805194",
        "sourceSideScanning": 0,
        "protectedItemType": "Microsoft.Compute/virtualMachines",
        "backupManagementType": "AzureIaasVM",
        "workloadType": "VM",
        "containerName": f"iaasvmcontainerv2;{group.lower()};{vm.lower()}",
        "sourceResourceId": source,
        "policyId": "" if stopped else f"{vault}/backupPolicies/{policy}",
        "policyName": "" if stopped else policy,
        "lastRecoveryPoint": "2026-03-01T22:00:59.6593666Z",
        "vaultId": f"https://management.azure.com{vault}",
        "isArchiveEnabled": False,
        "softDeleteRetentionPeriod": 0,
    }
    if deleted:
        body |= {
            "protectionState": "ProtectionStopped",
            "policyId": "",
            "policyName": "",
            "isScheduledForDeferredDelete": True,
            "deferredDeleteTimeInUTC": deleted,
            "deferredDeleteTimeRemaining": "8.23:59:42.8656002",
            "softDeleteRetentionPeriod": 14,
        }
    container = f"IaasVMContainer;iaasvmcontainerv2;{group.lower()};{vm.lower()}"
    return {
        "id": f"{vault}/backupFabrics/Azure/protectionContainers/{container}/protectedItems/{name}",
        "name": name,
        "type": "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems",
        "properties": {**body, **properties},
    }
