"""Backup policies as the service keeps and shows them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from reconciler.emulator.providers.backup_limits import Limits, set_limits

Policy = Callable[..., dict[str, Any]]
PATH = "rsv-app/backupPolicies/mine"


def put(caller: Any, properties: dict[str, Any], path: str = PATH) -> Any:
    return caller.send("PUT", path, {"properties": properties})


def test_the_service_fills_in_and_respells(caller: Any, policy: Policy) -> None:
    sent = policy()
    del sent["timeZone"], sent["instantRpRetentionRangeInDays"]
    answer = put(caller, {**sent, "protectedItemsCount": 7})
    kept = answer.body["properties"]
    assert answer.status == 200
    assert kept["schedulePolicy"]["scheduleRunTimes"] == ["2026-03-01T22:00:00Z"]
    assert kept["schedulePolicy"]["scheduleWeeklyFrequency"] == 0
    assert kept["instantRPDetails"] == {}
    assert kept["instantRpRetentionRangeInDays"] == 2
    assert kept["timeZone"] == "UTC"
    assert kept["protectedItemsCount"] == 0
    assert "policyType" not in kept
    assert "tieringPolicy" not in kept
    assert caller.get(PATH)["properties"] == kept


def test_every_vault_is_born_with_three_policies(caller: Any) -> None:
    found = {entry["name"]: entry["properties"] for entry in caller.get("rsv-empty/backupPolicies")["value"]}
    assert sorted(found) == ["DefaultPolicy", "EnhancedPolicy", "HourlyLogBackup"]
    assert "policyType" not in found["DefaultPolicy"]
    assert found["EnhancedPolicy"]["policyType"] == "V2"
    assert found["EnhancedPolicy"]["schedulePolicy"]["hourlySchedule"]["interval"] == 4
    virtual_machines = caller.get("rsv-empty/backupPolicies", "backupManagementType eq 'AzureIaasVM'")["value"]
    assert sorted(entry["name"] for entry in virtual_machines) == ["DefaultPolicy", "EnhancedPolicy"]


def test_only_a_single_get_counts_items(caller: Any) -> None:
    assert {entry["properties"]["protectedItemsCount"] for entry in caller.get("rsv-app/backupPolicies")["value"]} == {
        0
    }
    assert caller.get("rsv-app/backupPolicies/daily-30d")["properties"]["protectedItemsCount"] == 3


def test_a_missing_policy_is_404_with_an_empty_object(caller: Any) -> None:
    answer = caller.send("GET", "rsv-app/backupPolicies/nothing")
    assert (answer.status, answer.body) == (404, {})


def test_the_date_of_a_time_is_frozen_at_creation(caller: Any, policy: Policy) -> None:
    put(caller, policy())
    later = policy()
    later["schedulePolicy"]["scheduleRunTimes"] = ["2027-06-05T21:30:00Z"]
    later["retentionPolicy"]["dailySchedule"]["retentionTimes"] = ["2027-06-05T21:30:00Z"]
    kept = put(caller, later).body["properties"]
    assert kept["schedulePolicy"]["scheduleRunTimes"] == ["2026-03-01T21:30:00Z"]
    assert kept["retentionPolicy"]["dailySchedule"]["retentionTimes"] == ["2026-03-01T21:30:00Z"]


def test_a_tiering_policy_that_is_left_out_stays(caller: Any, policy: Policy) -> None:
    tiering = {"ArchivedRP": {"tieringMode": "TierRecommended", "duration": 0, "durationType": "Invalid"}}
    put(caller, policy(tieringPolicy=tiering))
    assert put(caller, policy()).body["properties"]["tieringPolicy"] == tiering


def test_the_type_of_a_policy_never_changes(caller: Any, policy: Policy) -> None:
    put(caller, policy())
    schedule = {
        "schedulePolicyType": "SimpleSchedulePolicyV2",
        "scheduleRunFrequency": "Daily",
        "dailySchedule": {"scheduleRunTimes": ["2026-03-01T22:00:00Z"]},
    }
    answer = put(caller, policy(policyType="V2", schedulePolicy=schedule))
    assert (answer.status, answer.rule) == (400, "BP-40")


def test_delete(caller: Any, policy: Policy) -> None:
    put(caller, policy())
    answer = caller.send("DELETE", PATH)
    assert (answer.status, answer.body) == (200, None)
    assert caller.send("DELETE", PATH).status == 204
    answer = caller.send("DELETE", "rsv-app/backupPolicies/daily-30d")
    assert (answer.status, answer.code, answer.rule) == (400, "BMSUserErrorPolicyObjectInUse", "BP-73")


def test_fifty_writes_a_day_and_vault(caller: Any, policy: Policy) -> None:
    """BP-53: creations and edits count alike; the next day there is room again."""
    statuses = [put(caller, policy(), f"rsv-app/backupPolicies/p-{n % 5}").status for n in range(51)]
    assert statuses == [200] * 50 + [400]
    assert put(caller, policy()).code == "CloudDosAbsoluteLimitReached"
    assert put(caller, policy(), "rsv-empty/backupPolicies/mine").status == 200
    caller.wait(days=1)
    assert put(caller, policy()).status == 200


def test_policies_a_vault(caller: Any, policy: Policy) -> None:
    """BP-51, with the limit of the estate's settings. The three built-in ones count."""
    set_limits(caller.world, Limits(policies_per_vault=4))
    statuses = [put(caller, policy(), f"rsv-empty/backupPolicies/{name}").status for name in ("one", "two", "one")]
    assert statuses == [200, 400, 200]


@pytest.mark.parametrize(("days", "instant", "status"), [(30, 2, 200), (31, 3, 200), (29, 2, 400), (30, 1, 400)])
def test_an_immutable_vault_lets_no_retention_go_down(
    caller: Any, policy: Policy, days: int, instant: int, status: int
) -> None:
    """BP-81."""
    body = policy(instantRpRetentionRangeInDays=instant)
    body["retentionPolicy"]["dailySchedule"]["retentionDuration"]["count"] = days
    answer = put(caller, body, "rsv-immutable/backupPolicies/daily-30d")
    assert answer.status == status
    if status == 400:
        assert (answer.code, answer.rule) == ("UserErrorOperationDeniedOnImmutableItem", "BP-81")


def test_an_increase_waits_for_suspended_items(caller: Any, policy: Policy) -> None:
    """BP-82."""
    caller.finish(caller.configure("web-01", vault="rsv-immutable"))
    caller.finish(caller.configure("web-01", None, vault="rsv-immutable", protectionState="BackupsSuspended"))
    body = policy()
    body["retentionPolicy"]["dailySchedule"]["retentionDuration"]["count"] = 60
    answer = put(caller, body, "rsv-immutable/backupPolicies/daily-30d")
    assert (answer.status, answer.rule) == (400, "BP-82")


def test_a_shorter_retention_prunes_the_items_of_the_policy(caller: Any, policy: Policy) -> None:
    """BP-19: it applies to points that exist."""
    points = caller.item_path("kept-01") + "/recoveryPoints"
    assert len(caller.get(points)["value"]) == 30
    body = policy()
    body["retentionPolicy"]["dailySchedule"]["retentionDuration"]["count"] = 10
    put(caller, body, "rsv-app/backupPolicies/daily-30d")
    assert len(caller.get(points)["value"]) == 10


def test_points_that_were_pruned_do_not_come_back(caller: Any, policy: Policy) -> None:
    for count in (10, 60):
        body = policy()
        body["retentionPolicy"]["dailySchedule"]["retentionDuration"]["count"] = count
        put(caller, body, "rsv-app/backupPolicies/daily-30d")
    assert len(caller.get(caller.item_path("kept-01") + "/recoveryPoints")["value"]) == 10


def test_an_edit_of_the_schedule_moves_the_next_run(caller: Any, policy: Policy) -> None:
    body = policy()
    body["schedulePolicy"]["scheduleRunTimes"] = ["2026-03-01T10:00:00Z"]
    body["retentionPolicy"]["dailySchedule"]["retentionTimes"] = ["2026-03-01T10:00:00Z"]
    put(caller, body, "rsv-app/backupPolicies/daily-30d")
    caller.wait(hours=4)
    assert caller.item("kept-01")["lastBackupTime"] > "2026-03-02T10:00"


def test_an_edit_of_the_retention_lets_a_running_backup_end(caller: Any, policy: Policy) -> None:
    caller.wait(hours=14, minutes=20)
    body = policy()
    body["retentionPolicy"]["dailySchedule"]["retentionDuration"]["count"] = 31
    put(caller, body, "rsv-app/backupPolicies/daily-30d")
    caller.wait(hours=1)
    assert caller.item("kept-01")["lastBackupTime"] > "2026-03-02T22:00"
