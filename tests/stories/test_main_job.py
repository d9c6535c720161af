"""The main job on the sample estate, as `make demo` tells it: plan, apply, drift, heal."""

from __future__ import annotations

import json

import pytest

from tests.stories.conftest import Story
from tests.stories.small_estate import item_path

pytestmark = pytest.mark.story
SUBSCRIPTION = "/subscriptions/6d1f0a52-4c1e-4a6b-9f3d-2b7c5e8a0101"
VAULT = f"{SUBSCRIPTION}/resourceGroups/rg-backup-prod/providers/Microsoft.RecoveryServices/vaults/rsv-prod-weu"
SHORTER = {
    "backupManagementType": "AzureIaasVM",
    "policyType": "V1",
    "schedulePolicy": {
        "schedulePolicyType": "SimpleSchedulePolicy",
        "scheduleRunFrequency": "Daily",
        "scheduleRunTimes": ["2020-01-01T22:00:00Z"],
    },
    "retentionPolicy": {
        "retentionPolicyType": "LongTermRetentionPolicy",
        "dailySchedule": {
            "retentionTimes": ["2020-01-01T22:00:00Z"],
            "retentionDuration": {"count": 14, "durationType": "Days"},
        },
        "weeklySchedule": {
            "daysOfTheWeek": ["Sunday"],
            "retentionTimes": ["2020-01-01T22:00:00Z"],
            "retentionDuration": {"count": 12, "durationType": "Weeks"},
        },
    },
    "instantRpRetentionRangeInDays": 2,
    "timeZone": "W. Europe Standard Time",
}


def test_from_a_monday_morning_to_in_step_and_back_there_after_drift(sample: Story) -> None:
    assert "0 errors" in sample.run("validate", str(sample.environment["RECONCILER_POLICIES"]), code=0).told

    planned = sample.run("plan", "--detailed-exitcode", "--out", "plan.json", code=2).out
    for words in (
        "protected_vm.prod/rg-web-prod/web-04 will be protected",
        "backups were stopped, the recovery points are still there",
        "are left to bring them back",
        "its backups fail: no successful backup for 3 d",
        "no Protection and no Exemption names this VM",
        "the VM is gone and vault rsv-prod-weu still holds its backups",
        "which no policy declares; it is left there",
        "Plan: 8 to protect, 12 to create, 9 to update, 1 to undelete, 1 to release",
    ):
        assert words in planned
    assert sample.writes() == {}, "planning writes nothing"

    applied = sample.run("apply", "plan.json", code=0).out
    assert "Apply complete: 32 done" in applied
    twice = sample.repeated()
    assert twice.pop("PUT dc-02") == 2, "brought back, then protected again"
    stamped = [name for name in twice if name.startswith("PATCH ") and name.endswith("/tags/default")]
    assert set(twice) <= set(stamped), "nothing else"
    assert max(twice.values(), default=0) <= 2, "tags that the policies ask for, then the stamp beside them"

    again = sample.run("plan", "--detailed-exitcode", code=0).out
    assert "No changes. Azure matches the policies" in again
    assert sample.run("drift", code=0).out.count("No drift.") == 1

    behind_our_backs(sample)
    drifted = sample.run("drift", code=2).out
    for line in (
        "protected_vm.prod/rg-web-prod/web-01",
        "protected_vm.prod/rg-identity/dc-01",
        "backup_policy.prod/rg-backup-prod/rsv-prod-weu/daily-30d",
    ):
        assert line in drifted
    changes = json.loads(sample.run("drift", "--format", "json", code=2).out)["resource_drift"]
    assert sorted(change["address"].rpartition("/")[2] for change in changes) == ["daily-30d", "dc-01", "web-01"]

    sample.run("apply", "--auto-approve", code=0)
    assert "No drift." in sample.run("drift", code=0).out


def behind_our_backs(sample: Story) -> None:
    """Two VMs and a policy, through the raw API and in the portal's way."""
    for name, group, change in (
        ("web-01", "rg-web-prod", {"policyId": f"{VAULT}/backupPolicies/DefaultPolicy"}),
        ("dc-01", "rg-identity", {"policyId": "", "protectionState": "ProtectionStopped"}),
    ):
        sent = {
            "protectedItemType": "Microsoft.Compute/virtualMachines",
            "sourceResourceId": f"{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.Compute"
            f"/virtualMachines/{name}",
        }
        sample.arm("PUT", item_path(name, group, VAULT), {**sent, **change})
    sample.arm("PUT", f"{VAULT}/backupPolicies/daily-30d", SHORTER)
    sample.azure.advance("5m")


def test_the_sample_estate_in_every_format(sample: Story) -> None:
    text = sample.run("plan", "--color", code=0).out
    assert "\x1b[" in text
    assert "\x1b[" not in sample.run("plan", code=0, NO_COLOR="1").out
    markdown = sample.run("plan", "--format", "markdown", code=0).out
    assert markdown.startswith("<!-- reconciler:plan -->\n## ")
    assert "web-04 will be protected" in markdown
    planned = sample.run("plan", "--out", "plan.json", code=0).out
    document = json.loads(sample.run("show", "plan.json", "--format", "json", code=0).out)
    assert (document["applyable"], document["complete"], document["errored"]) == (True, True, False)
    assert len(document["resource_changes"]) == 31
    assert sample.run("show", "plan.json", code=0).out == planned
