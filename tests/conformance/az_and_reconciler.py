"""Both ways: what the Azure CLI set up, our plan finds in place; what our apply did, the Azure CLI finds in place."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

CLIENT = "az"
VAULT = ("--resource-group", "rg-backup", "--vault-name", "rsv-weu")
NAMED = ("--resource-group", "rg-backup", "--name", "rsv-weu")
MACHINES = ("app-01", "APP-02")
ESTATE = Path(__file__).parent / "estate.yaml"


def machine(az, name: str) -> str:
    return str(az.read("vm", "show", "--resource-group", "rg-App", "--name", name)["id"])


def plan(ours) -> dict:
    return dict(json.loads(ours.tell("plan", "--format", "json")))


def test_what_az_sets_up(az, ours):
    """The very things that the policies ask for, made by hand."""
    az.tell("backup", "vault", "create", *NAMED, "--location", "westeurope", "--tags", "owner=platform")
    az.tell("backup", "vault", "backup-properties", "set", *NAMED, "--backup-storage-redundancy", "LocallyRedundant")
    policy = az.read("backup", "policy", "get-default-for-vm", *VAULT)
    times = ["2026-01-01T03:30:00Z"]
    policy["properties"]["schedulePolicy"]["scheduleRunTimes"] = times
    daily = {"retentionTimes": times, "retentionDuration": {"count": 21, "durationType": "Days"}}
    policy["properties"]["retentionPolicy"]["dailySchedule"] = daily
    kind = ("--backup-management-type", "AzureIaasVM")
    az.tell("backup", "policy", "create", *VAULT, *kind, "--name", "daily-21d", "--policy", json.dumps(policy))
    for name in MACHINES:
        enable = ("--vm", machine(az, name), "--policy-name", "daily-21d")
        az.tell("backup", "protection", "enable-for-vm", *VAULT, *enable)
    assert len(az.read("backup", "item", "list", *VAULT)) == len(MACHINES)


def test_our_plan_finds_it_in_place(ours):
    said = ours.run("plan", "--detailed-exitcode")
    assert said.code == 0, said.told()
    found = plan(ours)
    assert (found["resource_changes"], found["resource_drift"], found["unknown"]) == ([], [], [])
    assert found["unchanged"] == 3 + len(MACHINES)  # the vault, its settings, the policy, and the machines


def test_adopt_writes_what_az_set_up(ours, subscription, tmp_path):
    """Policies that nobody wrote, of an estate that we did not make: a plan on them is empty."""
    folder = tmp_path / "adopted"
    ours.tell("adopt", "--subscription", f"{subscription}=conf", "--out", str(folder))
    said = ours.run("plan", "--policies", str(folder), "--detailed-exitcode")
    assert said.code == 0, said.told()
    documents = [one for path in folder.rglob("*.yaml") for one in yaml.safe_load_all(path.read_text(encoding="utf-8"))]
    found = {(one["kind"], one["name"]): one for one in documents}
    assert found["Vault", "rsv-weu"]["redundancy"] == "LocallyRedundant"
    assert found["BackupPolicy", "daily-21d"]["retention"] == {"daily": {"days": 21}}
    assert found["BackupPolicy", "daily-21d"]["schedule"]["time"] == "03:30"
    assert {kind for kind, _ in found} == {"Scope", "Vault", "BackupPolicy", "Protection"}


def test_what_we_apply_after_az_released_a_machine(az, ours):
    """The other way round: az takes a machine out, and apply puts it back."""
    item = ("--container-name", "APP-02", "--item-name", "APP-02", "--backup-management-type", "AzureIaasVM")
    az.tell("backup", "protection", "disable", *VAULT, *item, "--yes")
    assert ours.run("plan", "--detailed-exitcode").code == 2
    ours.tell("apply", "--auto-approve")
    shown = az.read("backup", "item", "show", *VAULT, *item[:2], "--name", "APP-02", *item[4:])["properties"]
    assert shown["policyId"].rpartition("/")[2] == "daily-21d"
    assert shown["protectionState"] in ("Protected", "IRPending")


def test_what_we_apply_from_nothing(az, ours, emulator):
    """On an Azure where nothing is protected."""
    emulator("reset", "--estate", str(ESTATE))
    ours.tell("apply", "--auto-approve")
    assert [one["name"] for one in az.read("backup", "vault", "list")] == ["rsv-weu"]
    tags = az.read("backup", "vault", "show", *NAMED)["tags"]
    assert {name: value for name, value in tags.items() if not name.startswith("reconciler-")} == {"owner": "platform"}
    shown = az.read("backup", "vault", "backup-properties", "show", *NAMED)
    merged = {name: value for one in shown for name, value in one["properties"].items() if value}
    assert merged["storageModelType"] == "LocallyRedundant"


def test_az_reports_our_policy(az):
    policy = az.read("backup", "policy", "show", *VAULT, "--name", "daily-21d")["properties"]
    assert policy["schedulePolicy"]["scheduleRunTimes"][0][11:16] == "03:30"
    assert policy["retentionPolicy"]["dailySchedule"]["retentionDuration"] == {"count": 21, "durationType": "Days"}
    assert policy["protectedItemsCount"] == len(MACHINES)


def test_az_reports_our_machines_as_protected(az):
    for name in MACHINES:
        vault = az.read("backup", "protection", "check-vm", "--vm", machine(az, name))
        assert vault.lower().endswith("/vaults/rsv-weu")
    assert az.read("backup", "protection", "check-vm", "--vm", machine(az, "app-03")) is None


def test_az_reports_their_backups(az, emulator):
    emulator("advance", "2d")
    states = {
        one["properties"]["friendlyName"]: one["properties"]["protectionState"]
        for one in az.read("backup", "item", "list", *VAULT)
    }
    assert states == dict.fromkeys(MACHINES, "Protected")
    backups = az.read("backup", "job", "list", *VAULT, "--operation", "Backup", "--status", "Completed")
    assert {one["properties"]["entityFriendlyName"] for one in backups} == set(MACHINES)
