"""The Azure CLI lives through the whole life of a protected VM: each step stands on those before it."""

from __future__ import annotations

import json

CLIENT = "az"
VAULT = ("--resource-group", "rg-backup", "--vault-name", "rsv-az")
NAMED = ("--resource-group", "rg-backup", "--name", "rsv-az")
TYPE = ("--backup-management-type", "AzureIaasVM")
ITEM = (*VAULT, *TYPE, "--container-name", "app-01", "--item-name", "app-01")
SHOWN = (*VAULT, *TYPE, "--container-name", "app-01", "--name", "app-01")


def machine(az, name: str = "app-01") -> str:
    return str(az.read("vm", "show", "--resource-group", "rg-App", "--name", name)["id"])


def item(az) -> dict:
    """The properties of the one protected item."""
    return dict(az.read("backup", "item", "show", *SHOWN)["properties"])


def newest_job(az) -> dict:
    return dict(az.read("backup", "job", "list", *VAULT)[0])


def finish_jobs(emulator) -> None:
    """A backup takes hours; the emulator's clock is moved instead of waiting."""
    emulator("advance", "6h")


def test_vault_create(az):
    made = az.read("backup", "vault", "create", *NAMED, "--location", "westeurope", "--tags", "owner=az")
    assert (made["name"], made["location"], made["tags"]) == ("rsv-az", "westeurope", {"owner": "az"})
    assert made["properties"]["provisioningState"] == "Succeeded"
    soft_delete = made["properties"]["securitySettings"]["softDeleteSettings"]
    assert soft_delete["softDeleteRetentionPeriodInDays"] == 14


def test_vault_list_and_show(az):
    assert [one["name"] for one in az.read("backup", "vault", "list")] == ["rsv-az"]
    assert az.read("backup", "vault", "list", "--resource-group", "rg-north") == []
    assert az.read("backup", "vault", "show", *NAMED)["sku"]["name"] == "Standard"


def test_vault_backup_properties(az):
    az.tell("backup", "vault", "backup-properties", "set", *NAMED, "--backup-storage-redundancy", "LocallyRedundant")
    shown = az.read("backup", "vault", "backup-properties", "show", *NAMED)
    merged = {name: value for one in shown for name, value in one["properties"].items() if value}
    assert merged["storageModelType"] == "LocallyRedundant"
    assert merged["softDeleteFeatureState"] in ("Enabled", "AlwaysON")


def test_policy_list_and_get_default(az):
    names = [one["name"] for one in az.read("backup", "policy", "list", *VAULT)]
    assert names == ["DefaultPolicy", "EnhancedPolicy", "HourlyLogBackup"]
    default = az.read("backup", "policy", "get-default-for-vm", *VAULT)
    assert default["properties"]["retentionPolicy"]["dailySchedule"]["retentionDuration"]["count"] == 30


def test_policy_create(az):
    policy = az.read("backup", "policy", "get-default-for-vm", *VAULT)
    policy["properties"]["retentionPolicy"]["dailySchedule"]["retentionDuration"]["count"] = 21
    made = az.read("backup", "policy", "create", *VAULT, *TYPE, "--name", "daily", "--policy", json.dumps(policy))
    assert made["properties"]["retentionPolicy"]["dailySchedule"]["retentionDuration"]["count"] == 21
    assert made["properties"]["protectedItemsCount"] == 0


def test_policy_create_that_breaks_a_rule(az):
    policy = az.read("backup", "policy", "get-default-for-vm", *VAULT)
    policy["properties"]["retentionPolicy"]["dailySchedule"]["retentionDuration"]["count"] = 3
    said = az.refuse("backup", "policy", "create", *VAULT, *TYPE, "--name", "short", "--policy", json.dumps(policy))
    assert "BMSUserErrorInvalidPolicyInput" in said


def test_policy_set_and_show(az):
    policy = az.read("backup", "policy", "show", *VAULT, "--name", "daily")
    policy["properties"]["retentionPolicy"]["dailySchedule"]["retentionDuration"]["count"] = 28
    az.tell("backup", "policy", "set", *VAULT, "--name", "daily", "--policy", json.dumps(policy))
    shown = az.read("backup", "policy", "show", *VAULT, "--name", "daily")["properties"]
    assert shown["retentionPolicy"]["dailySchedule"]["retentionDuration"]["count"] == 28


def test_protection_check_vm_before(az):
    assert az.read("backup", "protection", "check-vm", "--vm", machine(az)) is None


def test_protection_enable_for_vm(az):
    job = az.read("backup", "protection", "enable-for-vm", *VAULT, "--vm", machine(az), "--policy-name", "daily")[
        "properties"
    ]
    assert (job["operation"], job["entityFriendlyName"]) == ("ConfigureBackup", "app-01")
    assert job["status"] in ("InProgress", "Completed")


def test_protection_enable_in_another_region_is_refused(az):
    north = az.read("vm", "show", "--resource-group", "rg-north", "--name", "north-01")["id"]
    said = az.refuse("backup", "protection", "enable-for-vm", *VAULT, "--vm", north, "--policy-name", "daily")
    assert "same location" in said


def test_protection_check_vm_after(az):
    found = az.read("backup", "protection", "check-vm", "--vm", machine(az))
    assert found.lower().endswith("/vaults/rsv-az")


def test_item_list_and_show(az):
    listed = az.read("backup", "item", "list", *VAULT)
    assert [one["properties"]["friendlyName"] for one in listed] == ["app-01"]
    shown = item(az)
    assert (shown["protectionState"], shown["policyId"].rpartition("/")[2]) == ("IRPending", "daily")
    assert shown["sourceResourceId"].lower() == machine(az).lower()


def test_container_list_and_show(az):
    listed = az.read("backup", "container", "list", *VAULT, *TYPE)
    assert [one["properties"]["friendlyName"] for one in listed] == ["app-01"]
    shown = az.read("backup", "container", "show", *VAULT, *TYPE, "--name", "app-01")
    assert shown["properties"]["registrationStatus"] == "Registered"


def test_policy_list_associated_items(az):
    found = az.read("backup", "policy", "list-associated-items", *VAULT, "--name", "daily", *TYPE)
    assert [one["properties"]["friendlyName"] for one in found] == ["app-01"]


def test_item_set_policy(az):
    az.tell("backup", "item", "set-policy", *SHOWN, "--policy-name", "DefaultPolicy")
    assert item(az)["policyId"].rpartition("/")[2] == "DefaultPolicy"
    az.tell("backup", "item", "set-policy", *SHOWN, "--policy-name", "daily")


def test_protection_backup_now(az, emulator):
    job = az.read("backup", "protection", "backup-now", *ITEM, "--retain-until", "31-12-2027")
    assert (job["properties"]["operation"], job["properties"]["status"]) == ("Backup", "InProgress")
    finish_jobs(emulator)
    az.tell("backup", "job", "wait", *VAULT, "--name", job["name"])
    assert item(az)["protectionState"] == "Protected"
    assert item(az)["lastBackupStatus"] == "Completed"


def test_job_list_and_show(az):
    backups = az.read("backup", "job", "list", *VAULT, "--operation", "Backup", "--status", "Completed")
    assert backups
    assert {one["properties"]["entityFriendlyName"] for one in backups} == {"app-01"}
    shown = az.read("backup", "job", "show", *VAULT, "--name", backups[0]["name"])["properties"]
    assert shown["endTime"] > shown["startTime"]
    assert {task["status"] for task in shown["extendedInfo"]["tasksList"]} == {"Completed"}


def test_recoverypoint_list_and_show(az):
    points = az.read("backup", "recoverypoint", "list", *ITEM)
    assert points
    assert points[0]["properties"]["objectType"] == "IaasVMRecoveryPoint"
    shown = az.read("backup", "recoverypoint", "show", *ITEM, "--name", points[0]["name"])
    assert shown["properties"]["recoveryPointTime"] == points[0]["properties"]["recoveryPointTime"]


def test_a_scheduled_backup_adds_a_point(az, emulator):
    before = len(az.read("backup", "recoverypoint", "list", *ITEM))
    emulator("advance", "2d")
    assert len(az.read("backup", "recoverypoint", "list", *ITEM)) == before + 2


def test_protection_disable_keeps_data(az):
    points = len(az.read("backup", "recoverypoint", "list", *ITEM))
    az.tell("backup", "protection", "disable", *ITEM, "--yes")
    assert item(az)["protectionState"] == "ProtectionStopped"
    assert len(az.read("backup", "recoverypoint", "list", *ITEM)) == points


def test_protection_resume(az):
    az.tell("backup", "protection", "resume", *ITEM, "--policy-name", "daily")
    assert item(az)["protectionState"] == "Protected"


def test_vault_delete_while_in_use_is_refused(az):
    assert "app-01" in az.refuse("backup", "vault", "delete", *NAMED, "--yes")


def test_policy_delete_while_in_use_is_refused(az):
    assert "in use by protected items" in az.refuse("backup", "policy", "delete", *VAULT, "--name", "daily")


def test_protection_disable_deletes_data_softly(az):
    az.tell("backup", "protection", "disable", *ITEM, "--delete-backup-data", "true", "--yes")
    listed = az.read("backup", "item", "list", *VAULT)
    assert [one["properties"]["isScheduledForDeferredDelete"] for one in listed] == [True]


def test_soft_deleted_listing(az):
    found = az.read("backup", "vault", "list-soft-deleted-containers", *NAMED, *TYPE)
    assert [one["properties"]["friendlyName"] for one in found] == ["app-01"]


def test_protection_undelete(az):
    az.tell("backup", "protection", "undelete", *ITEM)
    shown = item(az)
    assert (shown["protectionState"], shown.get("isScheduledForDeferredDelete")) == ("ProtectionStopped", None)
    assert az.read("backup", "recoverypoint", "list", *ITEM)


def test_what_was_undeleted_is_protected_again(az):
    az.tell("backup", "protection", "resume", *ITEM, "--policy-name", "DefaultPolicy")
    assert item(az)["policyId"].rpartition("/")[2] == "DefaultPolicy"


def test_policy_delete(az):
    az.tell("backup", "policy", "delete", *VAULT, "--name", "daily")
    assert "daily" not in [one["name"] for one in az.read("backup", "policy", "list", *VAULT)]


def test_soft_deleted_items_go_after_their_days(az, emulator):
    az.tell("backup", "protection", "disable", *ITEM, "--delete-backup-data", "true", "--yes")
    emulator("advance", "15d")
    assert az.read("backup", "item", "list", *VAULT) == []


def test_vault_delete(az):
    az.tell("backup", "vault", "delete", *NAMED, "--yes")
    assert az.read("backup", "vault", "list") == []
