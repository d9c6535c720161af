"""The settings resources below a vault show and change the vault's own settings."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.emulator.providers import resource_guards

GUARD = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.DataProtection/resourceGuards/guard"


def test_soft_delete_config(caller: Any) -> None:
    path = "rsv-empty/backupconfig/vaultconfig"
    config = caller.get(path)
    assert config["properties"] == {
        "enhancedSecurityState": "Enabled",
        "softDeleteFeatureState": "Enabled",
        "softDeleteRetentionPeriodInDays": 14,
        "isSoftDeleteFeatureStateEditable": True,
    }
    etag = caller.get("rsv-empty")["etag"]
    answer = caller.send("PATCH", path, {"properties": {"softDeleteRetentionPeriodInDays": 30}})
    assert (answer.status, answer.body["properties"]["softDeleteRetentionPeriodInDays"]) == (200, 30)
    vault = caller.get("rsv-empty")
    assert vault["properties"]["securitySettings"]["softDeleteSettings"]["softDeleteRetentionPeriodInDays"] == 30
    assert vault["etag"] == etag
    answer = caller.send("PUT", path, {"properties": {"softDeleteFeatureState": "AlwaysON"}})
    assert answer.body["properties"]["isSoftDeleteFeatureStateEditable"] is False
    assert caller.send("PUT", path, {"properties": {"softDeleteFeatureState": "Enabled"}}).rule == "BP-75"


def test_storage_config(caller: Any) -> None:
    path = "rsv-empty/backupstorageconfig/vaultstorageconfig"
    assert caller.get(path)["properties"] == {
        "storageModelType": "GeoRedundant",
        "storageType": "GeoRedundant",
        "dedupState": "Disabled",
        "xcoolState": "Disabled",
        "storageTypeState": "Unlocked",
        "crossRegionRestoreFlag": False,
    }
    answer = caller.send("PUT", path, {"properties": {"crossRegionRestoreFlag": True}})
    assert (answer.status, answer.body["properties"]["crossRegionRestoreFlag"]) == (200, True)
    assert caller.send("PATCH", path, {"properties": {"storageModelType": "GeoRedundant"}}).status == 204
    assert caller.get("rsv-app/backupstorageconfig/vaultstorageconfig")["properties"]["storageTypeState"] == "Locked"
    answer = caller.send(
        "PUT", "rsv-app/backupstorageconfig/vaultstorageconfig", {"properties": {"storageModelType": "ZoneRedundant"}}
    )
    assert answer.code == "StorageModelModifyError"


@pytest.mark.parametrize(
    "path",
    ["backupEncryptionConfigs/backupResourceEncryptionConfig", "replicationVaultSettings/default"],
)
def test_read_only_settings(caller: Any, path: str) -> None:
    assert caller.get(f"rsv-empty/{path}")["name"] == path.rpartition("/")[2]
    assert caller.send("GET", f"rsv-none/{path}").status == 404


def test_usages_count_items(caller: Any) -> None:
    usages = {entry["name"]["value"]: entry["currentValue"] for entry in caller.get("rsv-app/usages")["value"]}
    assert usages["ProtectedItemCount"] == 5


def map_guard(caller: Any, vault: str) -> None:
    body = {"properties": {"resourceGuardResourceId": GUARD}}
    answer = caller.send("PUT", f"{vault}/backupResourceGuardProxies/VaultProxy", body)
    assert answer.body["properties"]["resourceGuardResourceId"] == GUARD.replace("resourceGroups", "resourcegroups")


def allowed(kind: str) -> dict[str, Any]:
    return {"resourceGuardOperationRequests": [f"{GUARD.replace('resourceGroups', 'resourcegroups')}/{kind}/default"]}


def test_a_guard_is_listed_and_shown_in_the_vault(caller: Any) -> None:
    assert caller.get("rsv-app/backupResourceGuardProxies")["value"] == []
    map_guard(caller, "rsv-app")
    assert [proxy["name"] for proxy in caller.get("rsv-app/backupResourceGuardProxies")["value"]] == ["VaultProxy"]
    assert caller.get("rsv-app")["properties"]["securitySettings"]["multiUserAuthorization"] == "Enabled"


def test_guarded_operations_need_a_request_of_the_guard(caller: Any, policy: Any) -> None:
    """BP-85."""
    map_guard(caller, "rsv-app")
    shorter = policy()
    shorter["retentionPolicy"]["dailySchedule"]["retentionDuration"]["count"] = 8
    longer = policy()
    longer["retentionPolicy"]["dailySchedule"]["retentionDuration"]["count"] = 80
    path = "rsv-app/backupPolicies/daily-30d"
    refused = caller.send("PUT", path, {"properties": shorter})
    assert (refused.status, refused.rule) == (403, "BP-85")
    assert GUARD.lower() in refused.body["error"]["message"].lower()
    assert caller.send("PUT", path, {"properties": longer}).status == 200
    request = allowed("updateProtectionPolicyRequests")
    assert caller.send("PUT", path, {"properties": shorter | request}).status == 200
    assert "resourceGuardOperationRequests" not in caller.get(path)["properties"]

    stop: dict[str, Any] = {"protectionState": "ProtectionStopped"}
    assert caller.configure("kept-01", "", **stop).rule == "BP-85"
    assert caller.configure("kept-01", "", **stop, **allowed("updateProtectedItemRequests")).status == 202


def test_a_request_passes_only_when_the_owner_of_the_guard_has_approved(caller: Any, policy: Any) -> None:
    map_guard(caller, "rsv-app")
    shorter = policy()
    shorter["retentionPolicy"]["dailySchedule"]["retentionDuration"]["count"] = 8
    named = {"properties": shorter | allowed("updateProtectionPolicyRequests")}
    unlock = "rsv-app/backupResourceGuardProxies/VaultProxy/unlockDelete"
    path, deletion = "rsv-app/backupPolicies/daily-30d", allowed("deleteProtectedItemRequests")
    resource_guards.approve(caller.world, GUARD, approved=False)
    refused = caller.send("PUT", path, named)
    assert (refused.status, refused.code) == (403, "UserErrorResourceGuardOperationNotAllowed")
    assert caller.send("POST", unlock, deletion).status == 403
    resource_guards.approve(caller.world, GUARD, approved=True)
    assert caller.send("PUT", path, named).status == 200
    assert caller.send("POST", unlock, deletion).status == 200


def test_a_guarded_deletion_is_unlocked_first(caller: Any) -> None:
    map_guard(caller, "rsv-app")
    path = caller.item_path("kept-01")
    assert caller.send("DELETE", path).rule == "BP-85"
    unlock = "rsv-app/backupResourceGuardProxies/VaultProxy/unlockDelete"
    body = {"resourceToBeDeleted": caller.get(path)["id"], **allowed("deleteProtectedItemRequests")}
    assert caller.send("POST", unlock, {"resourceToBeDeleted": "x"}).status == 403
    assert caller.send("POST", unlock, body).body["unlockDeleteExpiryTime"] == "2026-03-02T08:30:00Z"
    caller.wait(minutes=31)
    assert caller.send("DELETE", path).rule == "BP-85"
    caller.send("POST", unlock, body)
    assert caller.send("DELETE", path).status == 202


def test_the_mapping_itself_is_guarded(caller: Any) -> None:
    map_guard(caller, "rsv-app")
    proxy = "rsv-app/backupResourceGuardProxies/VaultProxy"
    assert caller.send("DELETE", proxy).rule == "BP-85"
    assert caller.send("POST", f"{proxy}/unlockDelete", allowed("deleteResourceGuardProxyRequests")).status == 200
    assert caller.send("DELETE", proxy).status == 200
    assert caller.send("GET", proxy).status == 404


def test_disabling_immutability_is_guarded(caller: Any) -> None:
    map_guard(caller, "rsv-immutable")
    change: dict[str, Any] = {"securitySettings": {"immutabilitySettings": {"state": "Disabled"}}}
    assert caller.send("PATCH", "rsv-immutable", {"properties": change}).rule == "BP-85"
    assert caller.send("PATCH", "rsv-immutable", {"properties": change | allowed("disable")}).status == 202
