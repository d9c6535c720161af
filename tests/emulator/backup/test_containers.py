"""Containers, protectable items, refresh and backup status."""

from __future__ import annotations

from typing import Any

import pytest

SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"
VM = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-App/providers/Microsoft.Compute/virtualMachines"
STATUS = f"/Subscriptions/{SUBSCRIPTION}/providers/Microsoft.RecoveryServices/locations/westeurope/backupStatus"
FILTER = "backupManagementType eq 'AzureIaasVM' and status eq 'Registered'"


def names(body: Any) -> list[str]:
    return sorted(entry["properties"]["friendlyName"] for entry in body["value"])


def test_containers(caller: Any) -> None:
    assert names(caller.get("rsv-app/backupProtectionContainers", FILTER)) == [
        "failing-01",
        "gone-01",
        "kept-01",
        "stopped-01",
    ]
    assert names(caller.get("rsv-app/backupProtectionContainers", f"{FILTER} and friendlyName eq 'kept-01'")) == [
        "kept-01"
    ]
    assert names(caller.get("rsv-app/backupDeletedProtectionContainers")) == ["deleted-01"]
    assert caller.get("rsv-app/backupProtectionContainers", "backupManagementType eq 'AzureStorage'")["value"] == []
    path = caller.item_path("kept-01").partition("/protectedItems/")[0]
    assert caller.get(path)["properties"]["containerType"] == "Microsoft.Compute/virtualMachines"
    assert caller.send("GET", caller.item_path("web-01").partition("/protectedItems/")[0]).status == 404


def test_protectable_items_are_the_unprotected_vms_of_the_region(caller: Any) -> None:
    listed = caller.get("rsv-app/backupProtectableItems", "backupManagementType eq 'AzureIaasVM'")
    assert names(listed) == ["WIN-01", "off-01", "secret-01", "trusted-01", "ultra-01", "web-01"]
    entry = listed["value"][0]
    assert "/protectableItems/vm;iaasvmcontainerv2;" in entry["id"]
    assert entry["name"].startswith("iaasvmcontainerv2;")
    caller.finish(caller.configure("web-01"))
    assert "web-01" not in names(caller.get("rsv-app/backupProtectableItems"))


def test_refresh(caller: Any) -> None:
    answer = caller.send("POST", "rsv-app/backupFabrics/Azure/refreshContainers")
    assert answer.status == 202
    assert "api-version=2019-05-13-preview" in answer.headers["Azure-AsyncOperation"]
    url = answer.headers["Location"].removeprefix("https://localhost:9443").partition("&t=")[0]
    assert "/backupFabrics/Azure/operationResults/" in url
    assert caller.send("GET", url).status == 204


@pytest.mark.parametrize(
    ("vm", "status", "policy"),
    [
        ("web-01", "NotProtected", None),
        ("kept-01", "Protected", "daily-30d"),
        ("stopped-01", "Protected", ""),
        ("deleted-01", "NotProtected", None),
    ],
)
def test_backup_status(caller: Any, vm: str, status: str, policy: str | None) -> None:
    answer = caller.send("POST", STATUS, {"resourceType": "VM", "resourceId": f"{VM}/{vm.upper()}"})
    assert answer.status == 200
    assert answer.body["protectionStatus"] == status
    assert answer.body.get("policyName") == policy
    assert answer.body["protectedItemsCount"] == 0
    assert ("vaultId" in answer.body) == (status == "Protected")
    assert answer.body.get("vaultId", "/subscriptions/").startswith("/subscriptions/")


def test_there_are_never_intents(caller: Any) -> None:
    assert caller.get("rsv-app/backupProtectionIntents") == {"value": []}
