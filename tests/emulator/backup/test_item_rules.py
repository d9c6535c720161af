"""What the service refuses when a VM is to be protected: each rule refused once and accepted once."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.emulator.providers.backup_limits import Limits, set_limits
from reconciler.emulator.providers.compute import MACHINES

STOP = {"protectionState": "ProtectionStopped"}
SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"
OTHER_GROUP = "/subscriptions/22222222-2222-4222-8222-222222222222/resourceGroups/rg-other"
OTHER_VM = f"{OTHER_GROUP}/providers/Microsoft.Compute/virtualMachines/other-01"


def luns(*numbers: int, inclusion: bool = True) -> dict[str, Any]:
    return {
        "extendedProperties": {"diskExclusionProperties": {"diskLunList": [*numbers], "isInclusionList": inclusion}}
    }


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    # the rule in the header, the call, Azure's code
    ("BP-42", {"vm": "trusted-01", "version": "2024-04-01"}, "UserErrorTrustedLaunchVMNotSupported"),
    ("BP-43", {"vm": "ultra-01"}, "UserErrorDiskTypeNotSupportedWithStandardPolicy"),
    ("BP-44", {"vm": "secret-01"}, "UserErrorConfidentialVMNotSupported"),
    ("BP-60", {"vm": "north-01"}, "BMSUserErrorInvalidInput"),
    ("BP-62", {"vm": "kept-01", "vault": "rsv-immutable"}, "UserErrorVmAlreadyProtectedInAnotherVault"),
    ("item", {"vm": "web-01", "policy": "HourlyLogBackup"}, "BMSUserErrorInvalidPolicyForGivenProvider"),
    ("item", {"vm": "web-01", "policy": "missing"}, "BMSUserErrorInvalidConfigureProtectionRequest"),
    ("item", {"vm": "web-01", "policy": None}, "BMSUserErrorInvalidConfigureProtectionRequest"),
    ("item", {"vm": "web-01", **luns(0, 7)}, "BMSUserErrorInvalidConfigureProtectionRequest"),
    ("item", {"vm": "web-01", **luns(0, 0)}, "BMSUserErrorInvalidConfigureProtectionRequest"),
    ("item", {"vm": "web-01", **luns(-1, inclusion=False)}, "BMSUserErrorInvalidConfigureProtectionRequest"),
    ("item", {"vm": "no-such-vm"}, "UserErrorVmNotFoundV2"),
    (
        "item",
        {"vm": "web-01", "protectedItemType": "AzureVmWorkloadSQLDatabase"},
        "BMSUserErrorInvalidConfigureProtectionRequest",
    ),
    ("item", {"vm": "web-01", "sourceResourceId": "/not/a/vm"}, "BMSUserErrorInvalidConfigureProtectionRequest"),
    ("item", {"vm": "web-01", "sourceResourceId": OTHER_VM}, "BMSUserErrorInvalidConfigureProtectionRequest"),
    (
        "item",
        {"vm": "web-01", "policy": "", "isRehydrate": True, **STOP},
        "BMSUserErrorInvalidConfigureProtectionRequest",
    ),
]
ACCEPTED: list[dict[str, Any]] = [
    {"vm": "trusted-01", "version": "2025-01-01"},
    {"vm": "trusted-01", "version": "2024-04-01", "policy": "hourly"},
    {"vm": "ultra-01", "policy": "hourly"},
    {"vm": "stopped-01", "vault": "rsv-immutable"},
    {"vm": "deleted-01", "vault": "rsv-immutable"},
    {"vm": "web-01", **luns(0, 1)},
    {"vm": "web-01", **luns()},
    {"vm": "WIN-01"},
]


@pytest.mark.parametrize(("rule", "call", "code"), REFUSED)
def test_refused(caller: Any, rule: str, call: dict[str, Any], code: str) -> None:
    answer = caller.configure(**call)
    assert (answer.status, answer.code, answer.rule) == (400, code, rule), answer.headers


@pytest.mark.parametrize("call", ACCEPTED)
def test_accepted(caller: Any, call: dict[str, Any]) -> None:
    answer = caller.configure(**call)
    assert answer.status == 202, answer
    assert caller.finish(answer)["status"] == "Succeeded"


def test_stop_of_an_unknown_item_is_404(caller: Any) -> None:
    assert caller.configure("web-01", "", **STOP).status == 404


def test_enhanced_to_standard_is_a_one_way_street(caller: Any) -> None:
    """BP-40."""
    caller.finish(caller.configure("kept-01", "hourly"))
    answer = caller.configure("kept-01", "daily-30d")
    assert (answer.status, answer.rule) == (400, "BP-40")


def test_no_move_to_enhanced_while_a_backup_runs(caller: Any) -> None:
    """BP-41."""
    caller.do("POST", caller.item_path("kept-01") + "/backup", {"properties": {"objectType": "IaasVMBackupRequest"}})
    assert caller.configure("kept-01", "hourly").rule == "BP-41"
    caller.wait(hours=1)
    assert caller.configure("kept-01", "hourly").status == 202


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("BP-45", lambda storage: storage["osDisk"].update(writeAcceleratorEnabled=True)),
        ("BP-45", lambda storage: storage.update(dataDisks=[{"lun": n} for n in range(33)])),
    ],
)
def test_machines_that_no_policy_can_protect(caller: Any, rule: str, change: Any) -> None:
    path = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-App/providers/Microsoft.Compute/virtualMachines/web-01"
    body = caller.world.store.get(path)
    change(body["properties"]["storageProfile"])
    caller.world.store.put(body["id"], MACHINES, body)
    assert caller.configure("web-01").rule == rule


def test_a_plain_vm_in_place_of_a_trusted_one(caller: Any) -> None:
    """BP-46."""
    caller.finish(caller.configure("trusted-01"))
    path = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-App/providers/Microsoft.Compute/virtualMachines/trusted-01"
    body = caller.world.store.get(path)
    del body["properties"]["securityProfile"]
    caller.world.store.put(body["id"], MACHINES, body)
    answer = caller.configure("trusted-01", "daily-9d")
    assert answer.code == "UserErrorMigrationFromTrustedLaunchVMToNonTrustedVMNotAllowed"


def test_items_a_vault(caller: Any) -> None:
    """BP-50: with the limit of the estate's settings."""
    set_limits(caller.world, Limits(items_per_vault=6))
    caller.finish(caller.configure("web-01"))
    assert caller.configure("WIN-01").rule == "BP-50"
    assert caller.configure("web-01", "daily-9d").status == 202


@pytest.mark.parametrize(("allowed", "status"), [(False, 400), (True, 202)])
def test_vms_of_another_subscription(caller: Any, allowed: bool, status: int) -> None:
    """BP-61: sources contradict each other, so the estate chooses."""
    set_limits(caller.world, Limits(cross_subscription=allowed))
    body = {
        "properties": {
            "protectedItemType": "Microsoft.Compute/virtualMachines",
            "sourceResourceId": OTHER_VM,
            "policyId": caller.get("rsv-app/backupPolicies/daily-30d")["id"],
        }
    }
    answer = caller.send("PUT", caller.item_path("other-01", group="rg-other"), body)
    assert answer.status == status
    assert answer.rule == ("" if allowed else "BP-61")


def test_no_switch_to_a_policy_that_keeps_less_in_an_immutable_vault(caller: Any) -> None:
    """BP-81."""
    caller.finish(caller.configure("web-01", vault="rsv-immutable"))
    answer = caller.configure("web-01", "daily-9d", vault="rsv-immutable")
    assert (answer.code, answer.rule) == ("UserErrorOperationDeniedOnImmutableItem", "BP-81")


def test_no_deletion_of_points_in_an_immutable_vault(caller: Any) -> None:
    """BP-81."""
    caller.finish(caller.configure("web-01", vault="rsv-immutable"))
    path = caller.item_path("web-01", "rsv-immutable")
    caller.wait(days=2)
    assert caller.send("DELETE", path).rule == "BP-81"
    caller.finish(caller.configure("web-01", "", vault="rsv-immutable", **STOP))
    assert caller.send("DELETE", path).rule == "BP-81"


def test_move_between_vaults(caller: Any) -> None:
    """BP-62: stop with data kept there, enable here; the old points stay."""
    caller.finish(caller.configure("kept-01", "", **STOP))
    caller.finish(caller.configure("kept-01", vault="rsv-immutable"))
    assert caller.item("kept-01", "rsv-immutable")["protectionState"] == "IRPending"
    assert caller.item("kept-01")["protectionState"] == "ProtectionStopped"
    assert caller.configure("kept-01").rule == "BP-62"
    assert len(caller.get("rsv-app/backupProtectedItems")["value"]) == 5
