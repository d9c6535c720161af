"""Jobs of restores: how they go, fail, are cancelled and are found."""

from __future__ import annotations

from typing import Any

import pytest


def details(restorer: Any, job: str) -> dict[str, Any]:
    found: dict[str, Any] = restorer.job(job)["extendedInfo"]
    return found


def test_the_operation_ends_long_before_its_job_of_the_same_name(restorer: Any) -> None:
    answer = restorer.send("web-01", targetResourceGroupId=None)
    guid = answer.headers["Azure-AsyncOperation"].partition("?")[0].rpartition("/")[2]
    done = restorer.caller.finish(answer)
    assert done["properties"] == {"objectType": "OperationStatusJobExtendedInfo", "jobId": guid}
    assert restorer.job(guid)["status"] == "InProgress"


@pytest.mark.parametrize(
    ("changes", "low", "high"),
    [
        ({}, 60, 120),
        ({"point": 20}, 3600, 7200),
        ({"targetResourceGroupId": None}, 3600, 7200),
        ({"restoreDiskLunList": [], "point": 20}, 900, 1800),
    ],
    ids=["from a snapshot", "from the vault", "to a storage account", "less of it"],
)
def test_how_long_a_restore_takes_hangs_on_where_it_comes_from(
    restorer: Any, changes: dict[str, Any], low: int, high: int
) -> None:
    job = restorer.start("web-01", **changes)
    restorer.caller.wait(seconds=low - 10)
    assert restorer.job(job)["status"] == "InProgress"
    restorer.caller.wait(seconds=high - low + 10)
    assert restorer.job(job)["status"] == "Completed"


def test_tasks_follow_each_other(restorer: Any) -> None:
    job = restorer.start("web-01", 20, **restorer.new_machine())
    seen = []
    for _ in range(40):
        found = details(restorer, job)
        entry = [task["status"] for task in found["tasksList"]]
        if entry not in seen:
            seen.append(entry)
        restorer.caller.wait(minutes=3)
    assert seen == [["InProgress", "NotStarted"], ["Completed", "InProgress"], ["Completed", "Completed"]]


def test_progress_rises_to_its_end(restorer: Any) -> None:
    job = restorer.start("web-01", 20)
    told = []
    for _ in range(6):
        found = details(restorer, job)
        told.append((found["progressPercentage"], found["tasksList"][0].get("taskExecutionDetails")))
        restorer.caller.wait(minutes=20)
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert (told[0], told[-1]) == ((1.0, None), (100.0, "256 GBs / 256 GBs Transferred"))
    assert str(told[1][1]).endswith(" GBs / 256 GBs Transferred")


def test_a_list_knows_restores_by_operation_and_status(restorer: Any) -> None:
    job = restorer.start("web-01", 20)
    restorer.restore("off-01", recoveryType="OriginalLocation", point=1)

    def names(filter_: str) -> list[str]:
        return [entry["name"] for entry in restorer.caller.get("rsv-app/backupJobs", filter_)["value"]]

    assert len(names("operation eq 'Restore'")) == 2
    assert names("operation eq 'Restore' and status eq 'InProgress'") == []
    assert job in names("operation eq 'Restore' and status eq 'Completed'")


def test_who_asks_for_the_job_again_sees_its_end(restorer: Any) -> None:
    """The clock stands still; `az backup job wait` reads the job and nothing else."""
    job = restorer.start("web-01", 20)
    told = [restorer.caller.get(f"rsv-app/backupJobs/{job}")["properties"]["status"] for _ in range(2)]
    assert told == ["InProgress", "Completed"]


def test_a_cancelled_restore_leaves_nothing_behind(restorer: Any) -> None:
    job = restorer.start("web-01", 20)
    restorer.caller.wait(minutes=10)
    answer = restorer.caller.send("POST", f"rsv-app/backupJobs/{job}/cancel")
    assert (answer.status, answer.body) == (202, None)
    assert restorer.job(job)["status"] == "Cancelling"
    restorer.caller.finish(answer)
    cancelled = restorer.job(job)
    assert cancelled["status"] == "Cancelled"
    assert cancelled["errorDetails"][0]["errorTitle"] == "UserErrorJobSuccessfullyCancelled"
    restorer.caller.wait(hours=6)
    assert restorer.job(job) == cancelled
    assert restorer.disks() == {}
    assert restorer.caller.send("POST", f"rsv-app/backupJobs/{job}/cancel").code == "UserErrorJobCannotBeCancelled"


def test_reading_a_cancelled_job_again_does_not_move_the_clock(restorer: Any) -> None:
    job = restorer.start("web-01", 20)
    restorer.caller.do("POST", f"rsv-app/backupJobs/{job}/cancel")
    before = restorer.world.clock.now()
    for _ in range(3):
        restorer.caller.get(f"rsv-app/backupJobs/{job}")
    assert restorer.world.clock.now() == before


def test_a_missing_storage_account_fails_the_job(restorer: Any) -> None:
    job = restorer.restore("web-01", storageAccountId="/subscriptions/11111111-1111-4111-8111-111111111111/"
                           "resourceGroups/rg-target/providers/Microsoft.Storage/storageAccounts/nothing")  # fmt: skip
    assert job["status"] == "Failed"
    (error,) = job["errorDetails"]
    assert (error["errorCode"], error["errorTitle"]) == (400048, "UserErrorBCMRestoreStorageAccountNotFound")
    assert "progressPercentage" not in job["extendedInfo"]
    assert restorer.disks() == {}


def test_a_storage_account_that_goes_away_fails_the_job(restorer: Any) -> None:
    job = restorer.start("web-01", 20)
    restorer.caller.wait(minutes=30)
    restorer.world.store.delete(restorer.request("web-01")["storageAccountId"])
    restorer.caller.wait(hours=3)
    found = restorer.job(job)
    assert found["errorDetails"][0]["errorTitle"] == "UserErrorBCMRestoreStorageAccountNotFound"
    assert found["extendedInfo"]["tasksList"][0]["status"] == "Failed"


@pytest.mark.parametrize(
    ("code", "number"), [("RestoreOperationFailed", 400003), ("", 400003), ("UserErrorSkuNotAvailable", 400001)]
)
def test_a_fault_fails_the_job(restorer: Any, code: str, number: int) -> None:
    restorer.world.faults.add({"method": "RESTORE", "path": "*;web-01", "operation": "fails", "code": code})
    job = restorer.restore("web-01", **restorer.new_machine())
    assert job["status"] == "Failed"
    assert job["errorDetails"][0]["errorTitle"] == (code or "RestoreOperationFailed")
    assert job["errorDetails"][0]["errorCode"] == number
    assert restorer.restore("off-01")["status"] == "Completed"


def test_a_fault_of_the_request_leaves_no_job(restorer: Any) -> None:
    restorer.world.faults.add(
        {"method": "POST", "path": "*/restore", "operation": "fails", "code": "CloudInternalError"}
    )
    done = restorer.caller.finish(restorer.send("web-01"))
    assert (done["status"], done["error"]["code"]) == ("Failed", "CloudInternalError")
    restorer.caller.wait(hours=3)
    assert restorer.caller.get("rsv-app/backupJobs", "operation eq 'Restore'")["value"] == []
    assert restorer.disks() == {}


def test_an_operation_that_is_forgotten_leaves_its_job(restorer: Any) -> None:
    restorer.world.faults.add({"method": "POST", "path": "*/restore", "operation": "forgotten", "count": 1})
    url = restorer.send("web-01").headers["Azure-AsyncOperation"].removeprefix("https://localhost:9443")
    assert restorer.caller.send("GET", url.partition("&t=")[0]).status == 404
    (job,) = restorer.caller.get("rsv-app/backupJobs", "operation eq 'Restore'")["value"]
    assert job["properties"]["status"] == "InProgress"
    restorer.caller.wait(hours=1)
    assert restorer.job(job["name"])["status"] == "Completed"
