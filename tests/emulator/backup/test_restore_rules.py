"""What the service refuses to restore, each with its rule and code; and the nearest that it does restore."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"
OTHERS = "/subscriptions/22222222-2222-4222-8222-222222222222/resourceGroups/rg-other"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-App"
TARGET = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-target"
VAULT = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/rsv-app"
STORAGE = "/providers/Microsoft.Storage/storageAccounts/"
NETWORK = f"{TARGET}/providers/Microsoft.Network/virtualNetworks/"
INVALID = "BMSUserErrorInvalidInput"
REPLACE = {"recoveryType": "OriginalLocation", "targetResourceGroupId": None}
PRIVATE = {"targetDiskNetworkAccessSettings": {"targetDiskNetworkAccessOption": "EnablePrivateAccessForAllDisks"}}
NEW = "a restore to a new VM"

REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("web-01", {"objectType": "IaasVMRestoreRequestV3"}, "BP-100", INVALID),
    ("web-01", {"recoveryType": "Offline"}, "BP-100", INVALID),
    ("web-01", {"recoveryType": None}, "BP-100", INVALID),
    ("web-01", {"recoveryPointId": "4711"}, "BP-100", INVALID),
    ("web-01", {"sourceResourceId": f"{GROUP}/providers/Microsoft.Compute/virtualMachines/off-01"}, "BP-100", INVALID),
    ("web-01", {"region": "northeurope"}, "BP-100", INVALID),
    ("web-01", {"storageAccountId": None}, "BP-100", INVALID),
    (
        "web-01",
        {"storageAccountId": f"{TARGET}{STORAGE}stnorth"},
        "BP-100",
        "UserErrorStagingStorageAccountInOtherRegion",
    ),
    ("web-01", {"identityInfo": {"isSystemAssignedIdentity": True}}, "BP-100", "UserErrorVaultIdentityNotFound"),
    ("web-01", {"restoreDiskLunList": [5]}, "BP-100", "UserErrorRestoreDiskLunNotFound"),
    ("web-01", {"restoreDiskLunList": ["one"]}, "BP-100", "UserErrorRestoreDiskLunNotFound"),
    ("part-01", {"restoreDiskLunList": [0]}, "BP-100", "UserErrorRestoreDiskLunNotFound"),
    ("web-01", REPLACE, "BP-101", "UserErrorVmNotShutDown"),
    ("gone-01", REPLACE, "BP-101", "UserErrorVmNotFoundV2"),
    ("web-01", {"zones": ["2"]}, "BP-103", "UserErrorCrossZonalRestoreNotSupported"),
    ("off-01", {"zones": ["1"]}, "BP-103", "UserErrorCrossZonalRestoreNotSupported"),
    (
        "web-01",
        {"objectType": "IaasVMRestoreWithRehydrationRequest", "recoveryPointRehydrationInfo": {}},
        "BP-104",
        "UserErrorRecoveryPointNotArchived",
    ),
    ("web-01", {"diskEncryptionSetId": f"{TARGET}/des"}, "BP-105", "UserErrorDiskEncryptionSetNotAllowed"),
    ("web-01", PRIVATE, "BP-105", INVALID),
    (NEW, {"targetVirtualMachineId": None}, "BP-105", INVALID),
    (NEW, {"virtualNetworkId": None}, "BP-105", INVALID),
    (NEW, {"subnetId": None}, "BP-105", INVALID),
    (NEW, {"targetResourceGroupId": None}, "BP-105", INVALID),
    (
        NEW,
        {"targetVirtualMachineId": f"{GROUP}/providers/Microsoft.Compute/virtualMachines/OFF-01"},
        "BP-105",
        "UserErrorTargetVirtualMachineAlreadyExists",
    ),
    (NEW, {"virtualNetworkId": f"{NETWORK}vnet-none"}, "BP-105", "UserErrorTargetVirtualNetworkNotFound"),
    (NEW, {"subnetId": f"{NETWORK}vnet-weu/subnets/none"}, "BP-105", "UserErrorTargetVirtualNetworkNotFound"),
    (NEW, {"subnetId": f"{NETWORK}vnet-neu/subnets/default"}, "BP-105", "UserErrorTargetVirtualNetworkNotFound"),
    (
        NEW,
        {"virtualNetworkId": f"{NETWORK}vnet-neu", "subnetId": f"{NETWORK}vnet-neu/subnets/default"},
        "BP-105",
        "UserErrorTargetVirtualNetworkNotFound",
    ),
]


@pytest.mark.parametrize(("vm", "changes", "rule", "code"), REFUSED)
def test_refused(restorer: Any, vm: str, changes: dict[str, Any], rule: str, code: str) -> None:
    wish = {**restorer.new_machine(), **changes} if vm == NEW else changes
    answer = restorer.send("web-01" if vm == NEW else vm, **wish)
    assert (answer.status, answer.rule, answer.code) == (400, rule, code), answer
    restorer.caller.wait(hours=3)
    assert restorer.caller.get("rsv-app/backupJobs", "operation eq 'Restore'")["value"] == []


def change_vault(restorer: Any, **properties: Any) -> None:
    body = restorer.world.store.get(VAULT)
    body["properties"] |= properties
    restorer.world.store.replace(VAULT, body)


def allow_zones(restorer: Any) -> None:
    change_vault(
        restorer,
        redundancySettings={"standardTierStorageRedundancy": "ZoneRedundant", "crossRegionRestore": "Disabled"},
    )


def encrypt_vault(restorer: Any) -> None:
    change_vault(restorer, encryption={"keyVaultProperties": {"keyUri": "https://kv.vault.azure.net/keys/k"}})


def give_identity(restorer: Any) -> None:
    body = restorer.world.store.get(VAULT)
    restorer.world.store.replace(VAULT, {**body, "identity": {"type": "SystemAssigned"}})


def hide_disk(restorer: Any) -> None:
    (disk_id, *_) = [name for name in restorer.world.store.ids("Microsoft.Compute/disks") if "web-01" in name]
    disk = restorer.world.store.get(disk_id)
    disk["properties"]["networkAccessPolicy"] = "AllowPrivate"
    restorer.world.store.replace(disk_id, disk)


def nothing(_restorer: Any) -> None:
    """Everything is as it should be."""


ACCEPTED: list[tuple[Callable[[Any], None], str, dict[str, Any]]] = [
    (nothing, "web-01", {"zones": ["1"]}),
    (nothing, "web-01", {"zones": ["NoZone"]}),
    (nothing, "web-01", {"region": "West Europe"}),
    (nothing, "off-01", REPLACE),
    (allow_zones, "web-01", {"zones": ["2"]}),
    (encrypt_vault, "web-01", {"diskEncryptionSetId": f"{TARGET}/des"}),
    (hide_disk, "web-01", PRIVATE),
    (
        give_identity,
        "web-01",
        {
            "storageAccountId": None,
            "identityInfo": {"isSystemAssignedIdentity": True},
            "identityBasedRestoreDetails": {"targetStorageAccountId": f"{TARGET}{STORAGE}ststaging"},
        },
    ),
    (nothing, "web-01", {"targetResourceGroupId": OTHERS, "storageAccountId": f"{OTHERS}{STORAGE}stother"}),
]


@pytest.mark.parametrize(("prepare", "vm", "changes"), ACCEPTED)
def test_accepted(restorer: Any, prepare: Callable[[Any], None], vm: str, changes: dict[str, Any]) -> None:
    prepare(restorer)
    job = restorer.restore(vm, **changes)
    assert job["status"] == "Completed", job


def test_a_private_disk_needs_a_choice(restorer: Any) -> None:
    hide_disk(restorer)
    answer = restorer.send("web-01")
    assert (answer.rule, answer.code) == ("BP-105", INVALID)


@pytest.mark.parametrize("state", ["Disabled", "PermanentlyDisabled"])
def test_another_subscription_is_the_vaults_choice(restorer: Any, state: str) -> None:
    settings = {"crossSubscriptionRestoreSettings": {"crossSubscriptionRestoreState": state}}
    change_vault(restorer, restoreSettings=settings)
    answer = restorer.send("web-01", targetResourceGroupId=OTHERS)
    assert (answer.rule, answer.code) == ("BP-102", "UserErrorCrossSubscriptionRestoreNotAllowed")


def test_a_group_that_is_not_there(restorer: Any) -> None:
    answer = restorer.send("web-01", targetResourceGroupId=TARGET.replace("rg-target", "rg-none"))
    assert (answer.status, answer.code) == (404, "ResourceGroupNotFound")


def test_a_point_that_is_not_there(restorer: Any) -> None:
    path = f"{restorer.caller.item_path('web-01')}/recoveryPoints/4711/restore"
    answer = restorer.caller.send("POST", path, {"properties": restorer.request("web-01")})
    assert (answer.status, answer.code) == (404, "ResourceNotFound")


def test_a_stopped_item_lists_points_that_went_with_their_snapshots(restorer: Any) -> None:
    stop = {"policy": "", "protectionState": "ProtectionStopped"}
    restorer.caller.finish(restorer.caller.configure("hour-01", **stop))
    restorer.caller.wait(days=10)
    points = restorer.points("hour-01")
    tiers = [[tier["type"] for tier in point["properties"]["recoveryPointTierDetails"]] for point in points]
    vaulted, lost = tiers.index(["InstantRP", "HardenedRP"]), tiers.index(["InstantRP"])
    answer = restorer.send("hour-01", lost)
    assert (answer.rule, answer.code) == ("BP-112", "UserErrorInstantRpNotFound")
    assert restorer.send("hour-01", vaulted).status == 202


def test_what_is_soft_deleted_must_come_back_first(restorer: Any) -> None:
    restorer.caller.do("DELETE", restorer.caller.item_path("web-01"))
    answer = restorer.send("web-01")
    assert (answer.rule, answer.code) == ("BP-72", "BMSUserErrorDataSourceInDeferredDeleteState")


def test_twenty_restores_a_day(restorer: Any) -> None:
    for _ in range(20):
        assert restorer.send("web-01").status == 202
    answer = restorer.send("web-01")
    assert (answer.rule, answer.code) == ("BP-54", "UserErrorRestoreLimitReached")
    assert restorer.send("off-01").status == 202
    restorer.caller.wait(days=1)
    assert restorer.send("web-01").status == 202


def test_a_refused_restore_does_not_count(restorer: Any) -> None:
    for _ in range(25):
        assert restorer.send("web-01", region="northeurope").status == 400
    assert restorer.send("web-01").status == 202
