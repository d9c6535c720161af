"""What the azurerm provider 5.2.0 asks for each resource: order, api-versions, bodies, and the statuses it accepts."""

from __future__ import annotations

import base64
import json
from typing import Any

from tests.emulator.terraform.client import Answer, BrokenError, Terraform

SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"
TENANT = "72f98800-0000-4000-8000-00000000beef"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-backup"
VAULT = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/rsv-tf"
POLICY = f"{VAULT}/backupPolicies/daily"
MACHINE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app/providers/Microsoft.Compute/virtualMachines/app-01"
ITEM = (
    f"{VAULT}/backupFabrics/Azure/protectionContainers/iaasvmcontainer;iaasvmcontainerv2;rg-app;app-01"
    "/protectedItems/VM;iaasvmcontainerv2;rg-app;app-01"
)
GROUPS, VAULTS, SETTINGS, POLICIES, ITEMS = "2023-07-01", "2025-08-01", "2024-04-01", "2024-10-01", "2023-02-01"


def start_up(client: Terraform) -> None:
    """Metadata, a token for Graph of which only the claims are read, and a token for ARM."""
    metadata = client.expect(client.exchange("GET", "/metadata/endpoints?api-version=2022-09-01"), 200).body
    for name in ("name", "resourceManager", "microsoftGraphResourceId"):
        if not metadata.get(name):
            raise BrokenError(f"the metadata have no {name}")
    if not metadata["suffixes"]["storage"] or not metadata["suffixes"]["keyVaultDns"]:
        raise BrokenError("the metadata lack a suffix")
    sign_in = metadata["authentication"]
    if (sign_in["identityProvider"], sign_in["tenant"]) != ("AAD", "common") or sign_in["loginEndpoint"].endswith("/"):
        raise BrokenError(f"taken for Azure Stack: {sign_in}")
    _token(client, f"{metadata['microsoftGraphResourceId'].rstrip('/')}/.default")
    client.token = _token(client, f"{metadata['resourceManager']}/.default")


def _token(client: Terraform, scope: str) -> str:
    form = f"grant_type=client_credentials&client_id=11111111-2222-4333-8444-555555555555&client_secret=s&scope={scope}"
    answer = client.expect(client.exchange("POST", f"/{TENANT}/oauth2/v2.0/token", form=form), 200)
    token = str(answer.body["access_token"])
    parts = token.split(".")
    if len(parts) != 3:
        raise BrokenError("the token is no JWT")
    claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=="))
    if not claims.get("oid") or not claims.get("tid") or not claims.get("appid") or "openid" in claims.get("scp", ""):
        raise BrokenError(f"claims are missing: {claims}")
    return token


# azurerm_resource_group


def create_group(client: Terraform) -> dict[str, Any]:
    client.expect(client.send("GET", GROUP, GROUPS), 404)
    client.expect(client.send("PUT", GROUP, GROUPS, {"location": "westeurope", "tags": {}}), 200, 201)
    return dict(client.expect(client.send("GET", GROUP, GROUPS), 200).body)


def delete_group(client: Terraform) -> None:
    """`prevent_deletion_if_contains_resources` is on by default: the provider looks first."""
    listed = client.expect(
        client.send("GET", f"{GROUP}/resources?$expand=provisioningState&$top=10", "2023-07-01"), 200
    )
    if listed.body["value"]:
        raise BrokenError(f"the group holds {[entry['id'] for entry in listed.body['value']]}")
    answer = client.expect(client.send("DELETE", GROUP, GROUPS), 200, 202)
    client.poll_new(answer, GROUP, GROUPS)


# azurerm_recovery_services_vault


def create_vault(client: Terraform) -> dict[str, Any]:
    client.expect(client.send("GET", VAULT, VAULTS), 404)
    body = {
        "location": "westeurope",
        "tags": {"env": "test"},
        "identity": {"type": "None"},
        "sku": {"name": "Standard"},
        "properties": {
            "publicNetworkAccess": "Enabled",
            "monitoringSettings": {
                "azureMonitorAlertSettings": {"alertsForAllJobFailures": "Enabled"},
                "classicAlertSettings": {"alertsForCriticalOperations": "Enabled"},
            },
            "redundancySettings": {
                "standardTierStorageRedundancy": "GeoRedundant",
                "crossRegionRestore": "Disabled",
            },
        },
    }
    answer = client.expect(client.send("PUT", VAULT, VAULTS, body), 200, 201)
    client.poll_new(answer, VAULT, VAULTS)
    return read_vault(client)


def read_vault(client: Terraform) -> dict[str, Any]:
    """Every read asks for the replication settings as well, and fails unless they are there."""
    vault = client.expect(client.send("GET", VAULT, VAULTS), 200).body
    client.expect(client.send("GET", f"{VAULT}/replicationVaultSettings/default", SETTINGS), 200)
    return dict(vault)


def update_vault(client: Terraform, body: dict[str, Any]) -> dict[str, Any]:
    client.expect(client.send("GET", VAULT, VAULTS), 200)
    answer = client.expect(client.send("PATCH", VAULT, VAULTS, body), 200, 202)
    if answer.status == 202:
        client.poll_new(answer, VAULT, VAULTS)
    return read_vault(client)


def delete_vault(client: Terraform) -> None:
    answer = client.expect(client.send("DELETE", VAULT, VAULTS), 202, 204)
    client.poll_deletion(answer, VAULT, VAULTS)


# azurerm_backup_policy_vm


def policy_body(time: str = "23:00:00Z", days: int = 10) -> dict[str, Any]:
    """Times have no date, and tiering is always said."""
    return {
        "properties": {
            "backupManagementType": "AzureIaasVM",
            "policyType": "V1",
            "schedulePolicy": {
                "schedulePolicyType": "SimpleSchedulePolicy",
                "scheduleRunFrequency": "Daily",
                "scheduleRunTimes": [time],
            },
            "retentionPolicy": {
                "retentionPolicyType": "LongTermRetentionPolicy",
                "dailySchedule": {
                    "retentionTimes": [time],
                    "retentionDuration": {"count": days, "durationType": "Days"},
                },
            },
            "tieringPolicy": {"ArchivedRP": {"tieringMode": "DoNotTier", "duration": 0, "durationType": "Invalid"}},
            "timeZone": "UTC",
        }
    }


def create_policy(client: Terraform) -> dict[str, Any]:
    client.expect(client.send("GET", POLICY, POLICIES), 404)
    return put_policy(client, policy_body())


def put_policy(client: Terraform, body: dict[str, Any]) -> dict[str, Any]:
    client.expect(client.send("PUT", POLICY, POLICIES, body), 200, 202)
    client.until(POLICY, POLICIES, lambda answer: answer.status == 200)
    return read_policy(client)


def read_policy(client: Terraform) -> dict[str, Any]:
    return dict(client.expect(client.send("GET", POLICY, POLICIES), 200).body)


def delete_policy(client: Terraform) -> None:
    client.expect(client.send("DELETE", POLICY, POLICIES), 200, 202, 204)
    client.until(POLICY, POLICIES, lambda answer: answer.status == 404)


# azurerm_backup_protected_vm


def protect(client: Terraform) -> dict[str, Any]:
    """A soft-deleted item is told from an absent one, and brought back first, by the feature that asks for that."""
    there = client.expect(client.send("GET", ITEM, ITEMS), 200, 404)
    if there.status == 200 and there.body["properties"].get("isScheduledForDeferredDelete"):
        _put_item(client, {"policyId": "", "isRehydrate": True, "protectionState": "ProtectionStopped"})
    _put_item(client, {"policyId": POLICY})
    return read_item(client)


def stop(client: Terraform) -> dict[str, Any]:
    """The feature that keeps the data of what is destroyed."""
    _put_item(client, {"policyId": "", "protectionState": "ProtectionStopped"})
    return read_item(client)


def unprotect(client: Terraform) -> None:
    client.poll_autorest(client.expect(client.send("DELETE", ITEM, ITEMS), 200, 202, 204))


def read_item(client: Terraform) -> dict[str, Any]:
    return dict(client.expect(client.send("GET", ITEM, ITEMS), 200).body)


def _put_item(client: Terraform, wish: dict[str, Any]) -> Answer:
    properties = {
        "protectedItemType": "Microsoft.Compute/virtualMachines",
        "workloadType": "VM",
        "sourceResourceId": MACHINE,
        "friendlyName": "app-01",
        "virtualMachineId": MACHINE,
        **wish,
    }
    answer = client.expect(client.send("PUT", ITEM, ITEMS, {"tags": {}, "properties": properties}), 200, 202)
    client.poll_autorest(answer)
    return answer
