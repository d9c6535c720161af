"""The backup section of an estate: what it builds, and how it says what is wrong."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from reconciler.emulator import estate


def with_backup(document: dict[str, Any], **section: Any) -> dict[str, Any]:
    changed = deepcopy(document)
    changed["backup"] = section
    return changed


def vault(**more: Any) -> dict[str, Any]:
    return {
        "name": "rsv-one",
        "subscription": "Tests",
        "resourceGroup": "rg-App",
        "location": "westeurope",
        **more,
    }


def states(caller: Any, name: str = "rsv-app") -> dict[str, str]:
    found = caller.get(f"{name}/backupProtectedItems")["value"]
    return {entry["properties"]["friendlyName"]: entry["properties"]["protectionState"] for entry in found}


def test_every_state_of_an_item(caller_of: Any, backup_estate: dict[str, Any]) -> None:
    items = [
        {"vm": "rg-App/web-01", "policy": "keep"},
        {"vm": "rg-App/WIN-01", "policy": "keep", "state": "IRPending"},
        {"vm": "rg-App/off-01", "policy": "keep", "state": "ProtectionError"},
        {"vm": "rg-App/kept-01", "state": "ProtectionStopped"},
        {"vm": "rg-App/stopped-01", "policy": "keep", "state": "BackupsSuspended", "stoppedDaysAgo": 20},
        {"vm": "rg-App/deleted-01", "policy": "keep", "state": "SoftDeleted", "deletedDaysAgo": 13},
        {"vm": "rg-App/failing-01", "policy": "keep", "failingDays": 1, "failure": "ExtensionSnapshotFailedNoNetwork"},
        {"vm": "rg-App/trusted-01", "policy": "keep", "historyDays": 0},
    ]
    section = vault(name="rsv-app", immutability="Locked", items=items)
    caller = caller_of(with_backup(backup_estate, policies={"keep": {}}, vaults=[section]))
    assert states(caller) == {
        "web-01": "Protected",
        "WIN-01": "IRPending",
        "off-01": "ProtectionError",
        "kept-01": "ProtectionStopped",
        "stopped-01": "BackupsSuspended",
        "deleted-01": "ProtectionStopped",
        "failing-01": "Protected",
        "trusted-01": "IRPending",
    }
    assert caller.item("deleted-01")["deferredDeleteTimeRemaining"] == "1.00:00:00"
    assert caller.item("failing-01")["healthDetails"][0]["title"] == "ExtensionSnapshotFailedNoNetwork"
    assert caller.item("stopped-01")["lastBackupTime"] < "2026-02-11"
    assert len(caller.get(caller.item_path("stopped-01") + "/recoveryPoints")["value"]) == 10
    assert caller.get(caller.item_path("kept-01") + "/recoveryPoints")["value"] == []


def test_settings_of_a_vault(caller_of: Any, backup_estate: dict[str, Any]) -> None:
    guard = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.DataProtection/resourceGuards/g"
    section = vault(
        redundancy="ZoneRedundant",
        softDelete={"state": "Disabled", "days": 14},
        immutability="Unlocked",
        resourceGuard=guard,
        tags={"a": "b"},
        policies=["weekly"],
    )
    weekly = {
        "schedule": {"frequency": "Weekly", "days": ["Friday"], "time": "23:30"},
        "timeZone": "W. Europe Standard Time",
        "retention": {
            "weekly": {"weeks": 8, "days": ["Friday"]},
            "monthly": {"months": 6, "days": ["Friday"], "weeks": ["Last"]},
            "yearly": {"years": 2, "months": ["June"], "days": ["Friday"], "weeks": ["First"]},
        },
    }
    caller = caller_of(with_backup(backup_estate, policies={"weekly": weekly, "unused": {}}, vaults=[section]))
    shown = caller.get("rsv-one")
    assert shown["tags"] == {"a": "b"}
    assert shown["properties"]["redundancySettings"]["standardTierStorageRedundancy"] == "ZoneRedundant"
    settings = shown["properties"]["securitySettings"]
    assert settings["softDeleteSettings"]["softDeleteState"] == "Disabled"
    assert settings["immutabilitySettings"] == {"state": "Unlocked"}
    assert settings["multiUserAuthorization"] == "Enabled"
    names = [entry["name"] for entry in caller.get("rsv-one/backupPolicies")["value"]]
    assert names == ["DefaultPolicy", "EnhancedPolicy", "HourlyLogBackup", "weekly"]
    policy = caller.get("rsv-one/backupPolicies/weekly")["properties"]
    assert policy["instantRpRetentionRangeInDays"] == 5
    assert policy["schedulePolicy"]["scheduleRunTimes"] == ["2025-03-02T23:30:00Z"]
    assert policy["retentionPolicy"]["monthlySchedule"]["retentionScheduleWeekly"]["weeksOfTheMonth"] == ["Last"]


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("an unknown key", {"vaults": [vault(colour="blue")]}, "colour"),
    ("an unknown group", {"vaults": [vault(resourceGroup="rg-none")]}, "rg-none"),
    ("an unknown policy", {"vaults": [vault(policies=["none"])]}, "none"),
    ("an item without a policy", {"vaults": [vault(items=[{"vm": "rg-App/web-01"}])]}, "needs a policy"),
    ("an item without a group", {"vaults": [vault(items=[{"vm": "web-01"}])]}, "resourceGroup/name"),
    (
        "a broken policy",
        {"policies": {"keep": {"retention": {"daily": 3}}}, "vaults": [vault(policies=["keep"])]},
        "BP-12",
    ),
    (
        "a suspended item in an ordinary vault",
        {
            "policies": {"keep": {}},
            "vaults": [vault(items=[{"vm": "rg-App/web-01", "policy": "keep", "state": "BackupsSuspended"}])],
        },
        "BP-71",
    ),
    (
        "an item that would be purged already",
        {"vaults": [vault(items=[{"vm": "rg-App/web-01", "state": "SoftDeleted", "deletedDaysAgo": 14}])]},
        "deleted 14 days ago",
    ),
]


@pytest.mark.parametrize(("why", "section", "text"), WRONG, ids=[case[0] for case in WRONG])
def test_a_wrong_section_says_what_is_wrong(
    build: Any, backup_estate: dict[str, Any], why: str, section: dict[str, Any], text: str
) -> None:
    with pytest.raises(estate.EstateError, match=text):
        build(with_backup(backup_estate, **section))
