"""The life of a protected item: every state, and the shape of every operation."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.emulator.providers.backup_limits import Limits, set_limits

GROUP = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/rg-App"

VM = f"{GROUP}/providers/Microsoft.Compute/virtualMachines"
STOP = {"protectionState": "ProtectionStopped"}


def test_enable(caller: Any) -> None:
    """202 and nothing else; the poll shows year 1 as the end, then the start, then the job beside it."""
    answer = caller.configure("web-01")
    assert (answer.status, answer.body) == (202, None)
    for header, segment in (("Azure-AsyncOperation", "operationsStatus"), ("Location", "operationResults")):
        assert f"/protectedItems/vm;iaasvmcontainerv2;rg-App;web-01/{segment}/" in answer.headers[header]
    caller.world.clock.auto_advance = False
    guid = answer.headers["Location"].partition("/operationResults/")[2].partition("?")[0]
    running = caller.get(f"rsv-app/backupOperations/{guid}")
    assert running == {
        "id": guid,
        "name": guid,
        "status": "InProgress",
        "startTime": "2026-03-02T08:00:00Z",
        "endTime": "0001-01-01T00:00:00",
    }
    assert caller.send("GET", caller.item_path("web-01")).status == 404
    caller.wait(seconds=60)
    done = caller.get(f"rsv-app/backupOperations/{guid}")
    assert done["status"] == "Succeeded"
    assert done["endTime"] == done["startTime"]
    assert done["properties"]["objectType"] == "OperationStatusJobExtendedInfo"
    assert done["properties"]["jobId"] != guid
    item = caller.item("web-01")
    assert (item["protectionState"], item["policyName"], item["lastBackupStatus"]) == ("IRPending", "daily-30d", "")
    assert item["lastBackupTime"] == "2001-01-01T00:00:00Z"
    assert "healthDetails" not in item
    assert "lastRecoveryPoint" not in item
    assert item["sourceResourceId"] == item["virtualMachineId"] == f"{VM}/web-01"
    assert item["vaultId"].startswith("https://management.azure.com/subscriptions/")
    assert item["softDeleteRetentionPeriod"] == 0


@pytest.mark.parametrize("kind", ["operationsStatus", "operationResults", "backupOperations", "backupOperationResults"])
def test_one_operation_answers_on_every_url(caller: Any, kind: str) -> None:
    """az takes the guid out of a header and asks where it pleases."""
    answer = caller.configure("web-01")
    guid = answer.headers["Location"].partition("/operationResults/")[2].partition("?")[0]
    path = f"rsv-app/{kind}" if kind.startswith("backup") else f"{caller.item_path('web-01')}/{kind}"
    polled = caller.send("GET", f"{path}/{guid}")
    if "esult" in kind:
        assert (polled.status, polled.body) == (204, None)
    else:
        assert polled.body["status"] == "Succeeded"
    caller.world.clock.auto_advance = False


def test_a_result_that_is_not_ready_is_202_with_its_location_again(caller: Any) -> None:
    caller.world.clock.auto_advance = False
    answer = caller.configure("web-01")
    url = answer.headers["Location"].removeprefix("https://localhost:9443").partition("&t=")[0]
    polled = caller.send("GET", url)
    assert polled.status == 202
    assert polled.headers["Location"].partition("&t=")[0].endswith(url)
    assert polled.headers["Location"] != answer.headers["Location"]
    caller.wait(minutes=1)
    done = caller.send("GET", url)
    assert done.status == 204
    assert "Azure-AsyncOperation" in done.headers


def test_the_first_backup_makes_it_protected(caller: Any) -> None:
    caller.finish(caller.configure("web-01"))
    caller.wait(days=1)
    item = caller.item("web-01")
    assert (item["protectionState"], item["lastBackupStatus"]) == ("Protected", "Completed")
    assert item["lastRecoveryPoint"] > item["lastBackupTime"] > "2026-03-02T22:00"
    assert item["healthDetails"][0]["title"] == "IaasVmHealthGreenDefault"


def test_change_of_policy(caller: Any) -> None:
    caller.finish(caller.configure("kept-01", "daily-9d"))
    item = caller.item("kept-01")
    assert (item["policyName"], item["protectionState"], item["policyType"]) == ("daily-9d", "Protected", "V1")
    assert len(caller.get(caller.item_path("kept-01") + "/recoveryPoints")["value"]) == 9
    caller.finish(caller.configure("kept-01", "hourly"))
    assert caller.item("kept-01")["policyType"] == "V2"


def test_stop_keeps_every_point_and_forgets_the_policy(caller: Any) -> None:
    caller.finish(caller.configure("kept-01", "", **STOP))
    item = caller.item("kept-01")
    assert (item["protectionState"], item["policyId"], item["policyName"]) == ("ProtectionStopped", "", "")
    caller.wait(days=90)
    assert len(caller.get(caller.item_path("kept-01") + "/recoveryPoints")["value"]) == 30


def test_resume_goes_on_from_now(caller: Any) -> None:
    caller.finish(caller.configure("stopped-01"))
    item = caller.item("stopped-01")
    assert (item["protectionState"], item["policyName"]) == ("Protected", "daily-30d")
    caller.wait(days=1)
    assert caller.item("stopped-01")["lastBackupTime"] > "2026-03-02T22:00"


def test_suspend_keeps_the_policy_and_lets_points_expire(caller: Any) -> None:
    """BP-71: in an immutable vault only."""
    caller.finish(caller.configure("web-01", vault="rsv-immutable"))
    caller.wait(days=20)
    answer = caller.configure("web-01", None, vault="rsv-immutable", protectionState="BackupsSuspended")
    caller.finish(answer)
    item = caller.item("web-01", "rsv-immutable")
    assert (item["protectionState"], item["policyName"]) == ("BackupsSuspended", "daily-30d")
    points = caller.item_path("web-01", "rsv-immutable") + "/recoveryPoints"
    assert len(caller.get(points)["value"]) == 20
    caller.wait(days=20)
    assert len(caller.get(points)["value"]) == 10
    caller.wait(days=90)
    assert len(caller.get(points)["value"]) == 1
    refused = caller.configure("kept-01", None, protectionState="BackupsSuspended")
    assert (refused.status, refused.code) == (400, "UserErrorOperationDeniedOnImmutableItem")


def test_soft_delete(caller: Any) -> None:
    """The item stays in the list; the time it has left moves with every GET; then it is gone."""
    path = caller.item_path("kept-01")
    answer = caller.send("DELETE", path)
    assert (answer.status, answer.body) == (202, None)
    assert "/rsv-app/backupOperations/" in answer.headers["Azure-AsyncOperation"]
    assert "/rsv-app/backupOperationResults/" in answer.headers["Location"]
    assert caller.finish(answer)["status"] == "Succeeded"
    item = caller.item("kept-01")
    assert (item["protectionState"], item["policyId"]) == ("ProtectionStopped", "")
    assert item["isScheduledForDeferredDelete"] is True
    assert item["deferredDeleteTimeInUTC"] == "2026-03-02T08:00:00Z"
    assert item["deferredDeleteTimeRemaining"].startswith("13.23:59:4")
    assert item["softDeleteRetentionPeriod"] == 14
    assert "isDeferredDeleteScheduleUpcoming" not in item
    listed = {
        entry["properties"]["friendlyName"]: entry for entry in caller.get("rsv-app/backupProtectedItems")["value"]
    }
    assert listed["kept-01"]["properties"]["deferredDeleteTimeRemaining"] == item["deferredDeleteTimeRemaining"]
    caller.wait(days=13, hours=12)
    item = caller.item("kept-01")
    assert item["deferredDeleteTimeRemaining"].startswith("11:59:")
    assert item["isDeferredDeleteScheduleUpcoming"] is True
    caller.wait(hours=12)
    assert caller.send("GET", path).status == 404


def test_a_soft_deleted_item_can_only_be_undeleted(caller: Any) -> None:
    """BP-72: to ProtectionStopped, and from there it is resumed."""
    code = "BMSUserErrorDataSourceInDeferredDeleteState"
    assert caller.send("DELETE", caller.item_path("deleted-01")).code == code
    assert caller.configure("deleted-01").code == code
    assert caller.configure("deleted-01", "", **STOP).code == code
    assert caller.send("POST", caller.item_path("deleted-01") + "/backup", {}).code == code
    caller.finish(caller.configure("deleted-01", "", isRehydrate=True, **STOP))
    item = caller.item("deleted-01")
    assert item["protectionState"] == "ProtectionStopped"
    assert "isScheduledForDeferredDelete" not in item
    assert item["softDeleteRetentionPeriod"] == 0
    containers = caller.get("rsv-app/backupProtectionContainers", "backupManagementType eq 'AzureIaasVM'")["value"]
    status = {entry["properties"]["friendlyName"]: entry["properties"]["registrationStatus"] for entry in containers}
    assert status["deleted-01"] == "SoftDeleted"
    assert status["kept-01"] == "Registered"
    caller.finish(caller.configure("deleted-01"))
    assert caller.item("deleted-01")["protectionState"] == "Protected"
    assert caller.configure("deleted-01", "", isRehydrate=True, **STOP).status == 400


def test_the_retention_in_force_at_the_deletion_governs(caller: Any) -> None:
    """BP-77."""
    config = "rsv-app/backupconfig/vaultconfig"
    caller.send("PATCH", config, {"properties": {"softDeleteRetentionPeriodInDays": 60}})
    caller.do("DELETE", caller.item_path("kept-01"))
    caller.send("PATCH", config, {"properties": {"softDeleteRetentionPeriodInDays": 14}})
    caller.wait(days=59)
    assert caller.item("kept-01")["softDeleteRetentionPeriod"] == 60


def test_hard_delete_where_soft_delete_is_off(caller: Any) -> None:
    set_limits(caller.world, Limits(soft_delete_can_be_disabled=True))
    config = {"properties": {"softDeleteFeatureState": "Disabled"}}
    assert caller.send("PATCH", "rsv-app/backupconfig/vaultconfig", config).status == 200
    started = caller.world.clock.now()
    caller.do("DELETE", caller.item_path("kept-01"))
    assert (caller.world.clock.now() - started).total_seconds() >= 104
    assert caller.send("GET", caller.item_path("kept-01")).status == 404
    assert caller.send("DELETE", caller.item_path("kept-01")).status == 204


@pytest.mark.parametrize(
    "change",
    [
        {"diskExclusionProperties": {"diskLunList": [0], "isInclusionList": True}},
        {"diskExclusionProperties": {"diskLunList": [], "isInclusionList": True}},
        {"diskExclusionProperties": {"diskLunList": [1, 0], "isInclusionList": False}},
    ],
)
def test_disk_selection_is_kept_as_sent_and_replaced_as_a_whole(caller: Any, change: dict[str, Any]) -> None:
    """BP-95. A PUT that does not speak of disks leaves them; null clears them."""
    caller.finish(caller.configure("web-01", extendedProperties=change))
    assert caller.item("web-01")["extendedProperties"] == change
    caller.finish(caller.configure("web-01", "daily-9d"))
    assert caller.item("web-01")["extendedProperties"] == change
    caller.finish(caller.configure("web-01", extendedProperties={"diskExclusionProperties": None}))
    assert "diskExclusionProperties" not in caller.item("web-01").get("extendedProperties", {})


def test_one_configuration_at_a_time(caller: Any) -> None:
    caller.world.clock.auto_advance = False
    first = caller.configure("web-01")
    for answer in (
        caller.configure("web-01", "daily-9d"),
        caller.configure("web-01", "", **STOP),
    ):
        assert (answer.status, answer.code) == (409, "BMSUserErrorConflictingProtectionOperation")
    caller.wait(minutes=1)
    caller.finish(first)
    caller.send("DELETE", caller.item_path("web-01"))
    assert caller.send("DELETE", caller.item_path("web-01")).status == 409


def test_an_operation_that_fails_changes_nothing(caller: Any) -> None:
    caller.world.faults.add({"method": "PUT", "operation": "fails", "code": "UserErrorVmNotFoundV2", "count": 1})
    polled = caller.finish(caller.configure("kept-01", "daily-9d"))
    assert (polled["status"], polled["error"]["code"]) == ("Failed", "UserErrorVmNotFoundV2")
    assert caller.item("kept-01")["policyName"] == "daily-30d"
    (job,) = caller.get("rsv-app/backupJobs", "operation eq 'ConfigureBackup'")["value"]
    assert job["properties"]["status"] == "Failed"
    assert job["properties"]["errorDetails"][0]["errorTitle"] == "UserErrorVmNotFoundV2"


def test_an_item_shows_three_casings_of_one_group(caller: Any) -> None:
    """Vault and VM as created; names mostly lower-cased; containers of every second VM in capitals."""
    spellings = set()
    for vm in ("web-01", "WIN-01", "off-01", "trusted-01"):
        caller.finish(caller.configure(vm))
        path = caller.item_path(vm)
        assert (
            f"/resourceGroups/rg-App/providers/Microsoft.Compute/virtualMachines/{vm}"
            in caller.item(vm)["virtualMachineId"]
        )
        spellings.add(
            caller.get(path)["id"].split("/protectionContainers/IaasVMContainer;iaasvmcontainerv2;")[1].split(";")[0]
        )
        container = caller.get(path.partition("/protectedItems/")[0])
        spellings.add(container["properties"]["resourceGroup"])
    assert {"rg-app", "rg-App", "RG-APP"} <= spellings
    lower = caller.item_path("web-01").lower()
    assert caller.send("GET", lower).status == 200


def test_names_in_answers_are_spelled_by_the_service(caller: Any) -> None:
    caller.finish(caller.configure("web-01"))
    body = caller.get(caller.item_path("web-01"))
    assert body["name"].startswith("VM;iaasvmcontainerv2;")
    assert body["id"].endswith(body["name"])
    assert "/protectionContainers/IaasVMContainer;" in body["id"]


def test_list_filters_and_pages(caller: Any) -> None:
    def names(filter_: str) -> list[str]:
        found = caller.get("rsv-app/backupProtectedItems", filter_)["value"]
        return [entry["properties"]["friendlyName"] for entry in found]

    everything = ["deleted-01", "failing-01", "gone-01", "kept-01", "stopped-01"]
    assert names("") == everything
    assert names("backupManagementType eq 'AzureIaasVM' and itemType eq 'VM'") == everything
    assert names("policyName eq 'daily-30d'") == ["failing-01", "gone-01", "kept-01"]
    assert names("backupManagementType eq 'AzureWorkload'") == []
    assert caller.send("GET", "rsv-app/backupProtectedItems?$filter=what%20ever").status == 400
    caller.world.configuration = type(caller.world.configuration)(page_size=2)
    page, found = caller.get("rsv-app/backupProtectedItems"), []
    while True:
        found += [entry["properties"]["friendlyName"] for entry in page["value"]]
        if "nextLink" not in page:
            break
        page = caller.get(page["nextLink"].removeprefix("https://localhost:9443"))
    assert found == everything


def test_extended_info_comes_only_when_asked_for(caller: Any) -> None:
    path = caller.item_path("kept-01")
    assert "extendedInfo" not in caller.get(path)["properties"]
    info = caller.get(f"{path}?$expand=extendedInfo")["properties"]["extendedInfo"]
    assert (info["recoveryPointCount"], info["policyInconsistent"]) == (30, False)
    assert info["oldestRecoveryPoint"].startswith("2026-01-31T22:")


def test_a_vm_that_is_gone_stays_protected_and_unhealthy(caller: Any) -> None:
    item = caller.item("gone-01")
    assert (item["protectionState"], item["protectionStatus"], item["healthStatus"]) == (
        "Protected",
        "Unhealthy",
        "ActionRequired",
    )
    assert item["healthDetails"][0]["code"] == 400136
    assert item["lastBackupStatus"] == "Failed"
    caller.world.store.delete(f"{VM}/kept-01")
    caller.wait(days=1)
    assert caller.item("kept-01")["healthDetails"][0]["title"] == "UserErrorVmNotFoundV2"
    assert caller.item("kept-01")["protectionState"] == "Protected"
    caller.finish(caller.configure("kept-01", "", **STOP))
    assert caller.item("kept-01")["protectionState"] == "ProtectionStopped"


def test_backups_that_fail_for_three_days(caller: Any) -> None:
    item = caller.item("failing-01")
    assert (item["protectionState"], item["lastBackupStatus"]) == ("ProtectionError", "Failed")
    assert item["healthDetails"][0]["title"] == "UserErrorGuestAgentStatusUnavailable"
    assert item["lastRecoveryPoint"] < "2026-02-27"
    caller.wait(days=1)
    assert caller.item("failing-01")["lastBackupTime"] > "2026-03-02"
    assert caller.item("failing-01")["lastRecoveryPoint"] == item["lastRecoveryPoint"]
